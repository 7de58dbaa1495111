"""Combining follows the declared semantics, compared with a slow reference."""

from __future__ import annotations

import datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot_node.households.combine import as_they_are, needs_order
from folkmoot_node.households.combine import combine as combine_linked
from folkmoot_node.households.uprn_join import household_index, is_unique, link_by_uprn
from folkmoot_sdk import Category, Combine, Field, FieldType

DAY = datetime.date(2026, 1, 1)
VALUES: dict[FieldType, tuple[pl.DataType, st.SearchStrategy[Any]]] = {
    FieldType.BOOLEAN: (pl.Boolean(), st.booleans()),
    FieldType.INTEGER: (pl.Int64(), st.integers(-5, 5)),
    # Quarters add up exactly in any order.
    FieldType.NUMBER: (pl.Float64(), st.integers(-20, 20).map(lambda v: v / 4)),
    FieldType.CATEGORY: (pl.Int16(), st.integers(0, 2)),
    FieldType.DATE: (
        pl.Date(),
        st.dates(datetime.date(1900, 1, 1), datetime.date(2030, 1, 1)),
    ),
    FieldType.AREA: (pl.UInt32(), st.integers(0, 3)),
}


def combine(records: pl.DataFrame, fields: list[Field]) -> pl.DataFrame:
    """Links records to the frame of their own UPRNs, and combines them."""
    uprns = records["uprn"].drop_nulls().unique().sort()
    linked = link_by_uprn(records, household_index(uprns), ordered=needs_order(fields))
    values, present = combine_linked(linked, len(uprns), fields)
    assert present.all()
    return values.insert_column(0, uprns)


PAIRS = [
    (kind, how)
    for kind in FieldType
    for how in Combine
    if not (how in {Combine.ANY, Combine.ALL} and kind is not FieldType.BOOLEAN)
    and not (how is Combine.SUM and kind not in {FieldType.INTEGER, FieldType.NUMBER})
    and not (
        how in {Combine.MAXIMUM, Combine.MINIMUM} and kind in {FieldType.BOOLEAN, FieldType.AREA}
    )
]


def declared(kind: FieldType, how: Combine) -> Field:
    codes = ("a", "b", "c") if kind is FieldType.CATEGORY else ()
    return Field("value", kind, how, Category.FINANCE, codes=codes)


def reference(how: Combine, values: list[Any], dates: list[datetime.date | None]) -> Any:
    """Three-valued, one household at a time, straight from the definition."""
    known = [value for value in values if value is not None]
    if how is Combine.COUNT:
        return len(known)
    if how is Combine.COUNT_DISTINCT:
        return len(set(known))
    if how is Combine.ANY:
        return True if True in known else None if None in values else False
    if how is Combine.ALL:
        return False if False in known else None if None in values else True
    if not known:
        return None
    if how is Combine.SUM:
        return sum(known)
    if how is Combine.MAXIMUM:
        return max(known)
    if how is Combine.MINIMUM:
        return min(known)
    if how is Combine.FIRST:
        return known[0]
    best = None
    for value, date in zip(values, dates, strict=True):
        rank = date or datetime.date.min
        if value is not None and (best is None or rank >= best[0]):
            best = (rank, value)
    return best[1] if best else None


def frame(
    kind: FieldType, rows: list[tuple[int | None, Any, datetime.date | None]]
) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "uprn": [row[0] for row in rows],
            "value": [row[1] for row in rows],
            "record_date": [row[2] for row in rows],
        },
        schema={"uprn": pl.Int64(), "value": VALUES[kind][0], "record_date": pl.Date()},
    )


@pytest.mark.parametrize("kind,how", PAIRS, ids=lambda entry: entry.value)
def test_combine_follows_the_definition(kind, how):
    row = st.tuples(
        st.one_of(st.none(), st.integers(1, 4)),
        st.one_of(st.none(), VALUES[kind][1]),
        st.one_of(st.none(), st.dates(DAY, DAY + datetime.timedelta(3))),
    )

    @settings(max_examples=60, deadline=None)
    @given(st.lists(row, max_size=14))
    def check(rows):
        combined = combine(frame(kind, rows), [declared(kind, how)])
        found = {r["uprn"]: r["value"] for r in combined.to_dicts()}
        expected = {}
        for uprn in {r[0] for r in rows if r[0] is not None}:
            own = [r for r in rows if r[0] == uprn]
            expected[uprn] = reference(how, [r[1] for r in own], [r[2] for r in own])
        assert found == expected

    check()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3), st.one_of(st.none(), st.booleans())), max_size=12))
def test_any_and_all_are_dual(rows):
    """Not (any x) is all (not x), in three values (De Morgan, Kleene)."""
    positive = frame(FieldType.BOOLEAN, [(u, v, None) for u, v in rows])
    negative = frame(FieldType.BOOLEAN, [(u, None if v is None else not v, None) for u, v in rows])
    some = combine(positive, [declared(FieldType.BOOLEAN, Combine.ANY)]).sort("uprn")
    every = combine(negative, [declared(FieldType.BOOLEAN, Combine.ALL)]).sort("uprn")
    assert (~some["value"]).to_list() == every["value"].to_list()


def test_a_household_with_no_known_value_is_unknown_not_zero():
    rows = frame(FieldType.NUMBER, [(1, None, None), (1, None, None), (2, 0.0, None)])
    combined = combine(rows, [declared(FieldType.NUMBER, Combine.SUM)]).sort("uprn")
    assert combined["value"].to_list() == [None, 0.0]


def test_several_fields_of_one_source_are_combined_independently():
    rows = pl.DataFrame(
        {"uprn": [7, 7, 8], "a": [None, 2, 3], "b": [True, None, False], "c": [1, 1, 2]},
        schema={"uprn": pl.Int64, "a": pl.Int64, "b": pl.Boolean, "c": pl.Int64},
    )
    fields = [
        Field("a", FieldType.INTEGER, Combine.FIRST, Category.FINANCE),
        Field("b", FieldType.BOOLEAN, Combine.ALL, Category.FINANCE),
        Field("c", FieldType.INTEGER, Combine.COUNT_DISTINCT, Category.FINANCE),
    ]
    combined = combine(rows, fields).sort("uprn")
    assert combined["a"].to_list() == [2, 3]
    assert combined["b"].to_list() == [None, False]
    assert combined["c"].to_list() == [1, 1]


@pytest.mark.parametrize("kind,how", PAIRS, ids=lambda entry: entry.value)
def test_records_that_are_one_household_each_need_no_combining(kind, how):
    row = st.tuples(st.one_of(st.none(), VALUES[kind][1]), st.one_of(st.none(), st.just(DAY)))

    @settings(max_examples=15, deadline=None)
    @given(st.lists(row, max_size=6))
    def check(rows):
        records = frame(kind, [(uprn, *rest) for uprn, rest in enumerate(rows, start=1)])
        assert is_unique(records["uprn"])
        fields = [declared(kind, how)]
        assert as_they_are(records, fields)["value"].to_list() == (
            combine(records, fields)["value"].to_list()
        )

    check()


def test_repeated_keys_are_found_wherever_they_stand():
    keys = pl.Series(range(20_001))
    assert is_unique(keys)
    assert not is_unique(keys.scatter(20_000, 19_999))
    assert not is_unique(keys.scatter(20_000, 0))
    assert not is_unique(keys.scatter(1, 0))
    assert is_unique(pl.Series([None, None, 1]))
