"""Tables that agree: whole households, none below zero, and sums that are the same everywhere.

Beside each estimate stands a number for people to read. Estimates have noise, so they have fractions and
may be negative; the numbers beside them are whole and not negative, and every total is the sum of its
parts, in all tables of a round. They are a little biased, so arithmetic is done on the estimates.
"""

from __future__ import annotations

import numpy as np

from folkmoot_coordinator.aggregation.consistent_tables.fit import presentable
from folkmoot_coordinator.aggregation.consistent_tables.fitting_order import fitting_order
from folkmoot_coordinator.aggregation.consistent_tables.nested_axes import CellGrid
from tests.spec.worked import rows
from tests.unit.coordinator.aggregation.nested_tables import plain, sizes


def numbers(cell):
    return [float(one) for one in cell.split()]


def shown(estimates, *lengths):
    """Presentable tables of some estimates, by which axes they are over."""
    axes = tuple(plain(length) for length in lengths)
    order = fitting_order(list(estimates), sizes(axes))
    return presentable(estimates, CellGrid(axes), order)


def test_one_table():
    for row in rows("""
    | estimates       | sum | shown   | because                                                     |
    |-----------------|-----|---------|-------------------------------------------------------------|
    | 3 4 5           | 12  | 3 4 5   | it is whole and agrees already                              |
    | 0.2 1.4 5.0     | 6.6 | 0 2 5   | 7 in all: each is raised by 0.13, and 1.53 is rounded up    |
    | -2.0 1.0 5.4    | 4.4 | 0 0 4   | 4 in all: what is below 0 is taken from the others          |
    | -3 -1 -2        | -6  | 0 0 0   | a total below 0 is 0                                        |
    """):  # fmt: skip
        found = shown({(1,): np.array(numbers(row["estimates"]))}, len(numbers(row["estimates"])))
        assert found[1,].tolist() == numbers(row["shown"]), row
        assert sum(numbers(row["estimates"])) == float(row["sum"]), row


def test_a_table_by_band_and_area_and_one_by_band():
    """Rows are bands, columns areas; the table by band has the sums of the rows."""
    detail = rows("""
    | band | area 1 | area 2 | shown 1 | shown 2 | estimate of the band | shown of the band |
    |------|--------|--------|---------|---------|----------------------|-------------------|
    | low  | 10.4   | 19.7   | 10      | 20      | 30.1                 | 30                |
    | high | -0.8   | 2.9    | 0       | 2       | 2.1                  | 2                 |
    """)  # fmt: skip
    cells = np.array([[float(row["area 1"]), float(row["area 2"])] for row in detail])
    bands = np.array([float(row["estimate of the band"]) for row in detail])
    found = shown({(1, 1): cells, (1, 0): bands}, 2, 2)
    expected = [[int(row["shown 1"]), int(row["shown 2"])] for row in detail]
    assert found[1, 1].tolist() == expected
    assert found[1, 0].ravel().tolist() == [int(row["shown of the band"]) for row in detail]
    assert found[1, 1].sum(axis=1).tolist() == found[1, 0].ravel().tolist()
