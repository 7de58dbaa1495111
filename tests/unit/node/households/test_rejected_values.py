"""A value that could not be read is unknown, unless other records settle it by a stated rule."""

from __future__ import annotations

import datetime

import polars as pl
import pytest

from folkmoot_node.households.combine import combine
from folkmoot_node.households.rejected_values import rejected_values, without_rejected
from folkmoot_node.households.uprn_join import HOUSEHOLD
from folkmoot_node.sources.unread import DATE_UNREAD, UNREAD, unread_column
from folkmoot_sdk.schema import DATE_COLUMN, Category, Combine, Field, FieldType

JAN, FEB = datetime.date(2026, 1, 31), datetime.date(2026, 2, 28)
TYPES = {FieldType.BOOLEAN: pl.Boolean, FieldType.NUMBER: pl.Float64}


def value_of(how, type_, values, unread, dates=None):
    """The value of one household whose records are given; UNREAD marks one as not read."""
    field = Field("x", type_, how, Category.FINANCE)
    columns = {
        HOUSEHOLD: pl.Series([0] * len(values), dtype=pl.UInt32),
        "x": pl.Series(values, dtype=TYPES[type_]),
    }
    if dates is not None:
        columns[DATE_COLUMN] = pl.Series(dates, dtype=pl.Date)
    linked = pl.DataFrame(columns)
    marks = [(0, [at for at, what in enumerate(unread) if "x" in what])]
    marks += [(DATE_UNREAD, [at for at, what in enumerate(unread) if "d" in what])]
    column = unread_column(len(values), marks)
    if column is not None:
        linked = linked.with_columns(column)
    combined, _ = combine(linked, 1, [field])
    return without_rejected(combined, rejected_values(linked, combined, [field]))["x"][0]


NUMBER, BOOLEAN = FieldType.NUMBER, FieldType.BOOLEAN


@pytest.mark.parametrize("how", [Combine.SUM, Combine.MAXIMUM, Combine.MINIMUM, Combine.COUNT])
def test_a_sum_count_or_extreme_with_an_unread_part_is_unknown(how):
    assert value_of(how, NUMBER, [5.0, None], ["", "x"]) is None
    assert value_of(how, NUMBER, [5.0, None], ["", ""]) is not None


@pytest.mark.parametrize(
    "how,values,expected",
    [
        (Combine.ANY, [True, None], True),
        (Combine.ANY, [False, None], None),
        (Combine.ALL, [False, None], False),
        (Combine.ALL, [True, None], None),
    ],
)
def test_one_record_settles_any_and_all(how, values, expected):
    assert value_of(how, BOOLEAN, values, ["", "x"]) is expected


@pytest.mark.parametrize(
    "values,unread,expected",
    [([7.0, None], ["", "x"], 7.0), ([None, 7.0], ["x", ""], None), ([None], ["x"], None)],
)
def test_an_earlier_record_settles_the_first(values, unread, expected):
    assert value_of(Combine.FIRST, NUMBER, values, unread) == expected


@pytest.mark.parametrize(
    "values,unread,dates,expected",
    [
        ([7.0, None], ["", "x"], [FEB, JAN], 7.0),
        ([7.0, None], ["", "x"], [JAN, FEB], None),
        ([7.0, None], ["", "x"], [JAN, JAN], None),
        ([7.0, None], ["", "x"], [JAN, None], 7.0),
        ([7.0, 3.0], ["", "d"], [JAN, None], None),
        ([7.0, None], ["", "xd"], [FEB, None], None),
    ],
)
def test_a_later_record_settles_the_latest(values, unread, dates, expected):
    assert value_of(Combine.LATEST, NUMBER, values, unread, dates) == expected


def test_a_date_that_could_not_be_read_matters_to_the_latest_alone():
    assert value_of(Combine.SUM, NUMBER, [7.0, 3.0], ["", "d"], [JAN, None]) == 10.0


def test_tables_without_unread_values_have_no_such_column():
    assert unread_column(3, [(0, [])]) is None
    column = unread_column(3, [(0, [2]), (4, [2, 0])])
    assert column.name == UNREAD
    assert column.to_list() == [[4], None, [0, 4]]
