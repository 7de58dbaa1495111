"""What an address is linked to depends on that address and on the gazetteer, which is public.

Records of other residents, their number and their order do not enter, so that one household
more moves no other household's record. A home taken out of the gazetteer is a change of public
data; it may change what the records of its neighbours are linked to, and how far is measured.
"""

from __future__ import annotations

import polars as pl
import pytest

from folkmoot_node.linkage.addresses import AddressLinks, prepared
from folkmoot_node.settings.linkage import AddressSettings
from tests.rehearsed_addresses import RehearsedAddresses, rehearse

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def council() -> RehearsedAddresses:
    return rehearse(600, 300, seed=23)


def linked(council: RehearsedAddresses, *some: pl.DataFrame) -> list[AddressLinks]:
    """Links of records, one table after the other in one run."""
    with prepared(council.homes) as ready:
        return [ready.link(records, AddressSettings()) for records in some]


@pytest.fixture(scope="module")
def one_after_the_other(council: RehearsedAddresses) -> list[AddressLinks]:
    """Links of all records, of another source's, of every third, and of all in another order."""
    others = rehearse(600, 300, seed=24).records
    records = council.records
    return linked(council, records, others, every_third(records), records.reverse())


def every_third(records: pl.DataFrame) -> pl.DataFrame:
    return records.filter(pl.col("record") % 3 == 0)


def test_other_records_change_no_link(council, one_after_the_other):
    """Alone, in another order, after those of another source: each record has the same links."""
    whole, after_others, third, backwards = one_after_the_other
    some = every_third(council.records)
    assert after_others.records.height == 300
    assert backwards.records.sort("record").equals(whole.records)
    assert third.records.equals(whole.records.join(some, on="record", how="semi"))
    wanted = whole.candidates.join(some, on="record", how="semi")
    assert third.candidates.equals(wanted)
    (first,) = linked(council, some)
    assert first.records.equals(third.records)


def test_a_home_taken_out_changes_the_links_of_its_own_records(council, one_after_the_other):
    """No record of another home that was linked is linked to another one afterwards."""
    before = one_after_the_other[0]
    of_homes = before.records.drop_nulls("uprn")
    gone = of_homes["uprn"].mode().sort()[0]
    fewer = RehearsedAddresses(
        council.homes.filter(pl.col("uprn") != gone), council.records, council.truth
    )
    (after,) = linked(fewer, council.records)
    others = before.records.filter(pl.col("uprn").ne_missing(gone))
    kept = others.join(after.records.select("record", "uprn"), on="record", suffix="_after")
    moved = kept.filter(
        pl.col("uprn").is_not_null() & pl.col("uprn").ne_missing(pl.col("uprn_after"))
    )
    assert moved.is_empty(), moved
    own = after.records.join(of_homes.filter(pl.col("uprn") == gone), on="record", how="semi")
    assert own.height
    assert own["uprn"].null_count() == own.height
