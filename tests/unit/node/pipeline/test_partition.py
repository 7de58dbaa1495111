"""Partitions by a hash of the UPRN."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_node.pipeline.partition import partition_of, split

UPRNS = st.lists(st.integers(1, 999_999_999_999), min_size=1, max_size=50)


@given(UPRNS, st.integers(1, 4096))
def test_a_partition_depends_on_the_uprn_alone(uprns, partitions):
    together = partition_of(np.array(uprns, dtype=np.int64), partitions)
    alone = [partition_of(np.array([uprn], dtype=np.int64), partitions)[0] for uprn in uprns]
    assert together.tolist() == alone
    assert together.max() < partitions


def test_partitions_stay_what_they_are():
    known = np.array([1, 100_000_000_000, 999_999_999_999], dtype=np.int64)
    assert partition_of(known, 9).tolist() == [6, 7, 6]
    assert partition_of(known, 4096).tolist() == [2489, 121, 2822]


@given(UPRNS, st.integers(1, 9))
def test_no_record_is_lost_and_the_order_stays(uprns, partitions):
    records = pl.DataFrame({"uprn": uprns}, schema={"uprn": pl.Int64}).with_row_index("at")
    parts = dict(split(records, partitions))
    assert pl.concat(list(parts.values())).sort("at").equals(records)
    for part, rows in parts.items():
        assert rows["at"].is_sorted()
        assert set(partition_of(rows["uprn"].to_numpy(), partitions)) == {part}


def test_consecutive_uprns_spread_evenly():
    uprns = np.arange(100_012_000_000, 100_012_090_000, dtype=np.int64)
    sizes = np.bincount(partition_of(uprns, 9), minlength=9)
    assert abs(sizes - 10_000).max() < 500
