"""A series, month by month: who is counted, when, and what each round costs.

A region asks four times how many households have been in the band `high` so far. A household is counted
once: in the first round in which it is in the band. Its cell is frozen then, so that later moves neither
add nor take it away. Names stand for households.
"""

from __future__ import annotations

import numpy as np
import pytest

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot.series import SeriesRow, charges, cumulative_weights
from folkmoot.workload import Marginal, Workload
from folkmoot_node.store.cells import classify
from folkmoot_node.store.encrypted_file import create_key
from folkmoot_node.store.event_history import FoundHouseholds, open_history
from tests.spec.worked import rows

LENGTH = 4
ASKED = Workload((Attribute("tenure", ("own", "rent")),), (Marginal(("tenure",)),))
COUNTED_BY = [
    classify(ASKED, attribute, axis, GssCode("E08000009"))
    for attribute, axis in zip(ASKED.counted_by, ASKED.axes(GssCode("E08000009")), strict=True)
]


def names(cell):
    return [] if cell == "nobody" else cell.split()


def known_as(name):
    return 1000 + ord(name[0])


@pytest.fixture
def follow(tmp_path):
    """Runs a series on a real history file, without noise, and compares each month."""

    def through(table):
        key, path = create_key(tmp_path / "key"), tmp_path / "series.duckdb"
        taken, measured, released = [], [], []
        for number, row in enumerate(rows(table), start=1):
            if row.get("the council") == "does not answer":
                continue
            high = [one.split(":") for one in names(row["in the band high"])]
            uprn = np.array([known_as(name) for name, _ in high], dtype=np.int64)
            cells = np.array([("own", "rent").index(one) for _, one in high], dtype=np.int64)
            step = SeriesRow(len(taken) + 1, len(taken) + 1)
            with open_history(path, key, b"d" * 32, 1, threads=1) as history:
                history.count(step, f"round {number}", released, FoundHouseholds(uprn, (cells,)))
                (total,) = history.tabulate(step, LENGTH, COUNTED_BY, [(1,)])
            released.append(f"round {number}")
            taken.append(step)
            measured.append(total)
            weights = cumulative_weights(taken, LENGTH)[-1]
            found = np.sum([w * one for w, one in zip(weights, measured, strict=True)], axis=0)
            expected = [int(row["so far: own"]), int(row["so far: rent"])]
            assert np.rint(found).tolist() == expected, row
            np.testing.assert_allclose(found, expected, atol=1e-6)

    return through


def test_each_household_is_counted_once(follow):
    """Ada leaves the band and comes back; Ben moves from his own home to a rented one."""
    follow("""
    | month | in the band high            | new       | so far: own | so far: rent |
    |-------|-----------------------------|-----------|-------------|--------------|
    | 1     | Ada:own Ben:own             | Ada, Ben  | 2           | 0            |
    | 2     | Ben:rent Cem:rent           | Cem       | 2           | 1            |
    | 3     | nobody                      |           | 2           | 1            |
    | 4     | Ada:own Ben:rent Dot:rent   | Dot       | 2           | 2            |
    """)  # fmt: skip


def test_a_council_that_misses_a_round_has_all_its_households_in_the_next(follow):
    """Cem was in the band when nobody asked, and is still: he is counted in the third month. Eve came
    and went in between: she is not."""
    follow("""
    | month | in the band high    | the council     | so far: own | so far: rent |
    |-------|---------------------|-----------------|-------------|--------------|
    | 1     | Ada:own             | answers         | 1           | 0            |
    | 2     | Cem:rent Eve:own    | does not answer |             |              |
    | 3     | Cem:rent            | answers         | 1           | 1            |
    | 4     | Cem:rent Dot:own    | answers         | 2           | 1            |
    """)  # fmt: skip


def test_what_each_round_of_a_series_is_charged():
    """The rounds share the loss of the series. The first costs most: its households are in all
    later sums. Together they cost no more than the series."""
    for row in rows("""
    | rounds | loss of the series | first round | second      | third       | fourth      |
    |--------|--------------------|-------------|-------------|-------------|-------------|
    | 2      | 0.4                | 0.32        | 0.08        |             |             |
    | 4      | 0.4                | 0.268766405 | 0.067191601 | 0.037795275 | 0.026246719 |
    """):  # fmt: skip
        total = Rho.of(row["loss of the series"])
        found = charges(total, int(row["rounds"]))
        expected = [row[name] for name in ("first round", "second", "third", "fourth") if row[name]]
        assert found == tuple(Rho.of(one) for one in expected), found
        assert sum(one.nano for one in found) == total.nano
