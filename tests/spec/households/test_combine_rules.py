"""Combine rules: how several records of one household become one value.

A household has many records: two accounts, three people, a letter for each month. A mapping says for each
field how they are combined. What is not known is left out, and is never taken for zero.
"""

from __future__ import annotations

import datetime

import polars as pl

from folkmoot_node.households.combine import combine, needs_order
from folkmoot_node.households.uprn_join import household_index, link_by_uprn
from folkmoot_sdk import Category, Combine, Field, FieldType
from tests.spec.worked import rows

TYPES = {"number": pl.Float64(), "yes or no": pl.Boolean(), "date": pl.Date(), "code": pl.Int16()}
KINDS = {
    "number": FieldType.NUMBER,
    "yes or no": FieldType.BOOLEAN,
    "date": FieldType.DATE,
    "code": FieldType.CATEGORY,
}
CODES = ("none", "some", "much")


def value(kind, text):
    if text == "?":
        return None
    if kind == "number":
        return float(text)
    if kind == "yes or no":
        return {"yes": True, "no": False}[text]
    return CODES.index(text) if kind == "code" else datetime.date.fromisoformat(text)


def combined(table):
    for row in rows(table):
        kind, rule = row["type"], Combine(row["rule"])
        field = Field(
            "value", KINDS[kind], rule, Category.FINANCE, codes=CODES if kind == "code" else ()
        )
        records = [value(kind, one.strip()) for one in row["records"].split(";")]
        dates = [
            datetime.date.fromisoformat(one.strip())
            for one in row.get("of", "").split(";")
            if one.strip()
        ]
        data = pl.DataFrame(
            {
                "uprn": pl.Series([1] * len(records), dtype=pl.Int64),
                "value": pl.Series(records, dtype=TYPES[kind]),
                "record_date": pl.Series(dates or [None] * len(records), dtype=pl.Date()),
            }
        )
        linked = link_by_uprn(
            data, household_index(data["uprn"].unique()), ordered=needs_order([field])
        )
        found, _ = combine(linked, 1, [field])
        counted = rule in (Combine.COUNT, Combine.COUNT_DISTINCT)
        expected = float(row["household"]) if counted else value(kind, row["household"])
        assert found["value"][0] == expected, row


def test_numbers():
    combined("""
    | type   | rule           | records        | household |
    |--------|----------------|----------------|-----------|
    | number | sum            | 400; 600       | 1000      |
    | number | sum            | 400; ?         | 400       |
    | number | sum            | ?; ?           | ?         |
    | number | max            | 400; 600; ?    | 600       |
    | number | min            | 400; 600; ?    | 400       |
    | number | count          | 400; 400; ?    | 2         |
    | number | count_distinct | 400; 400; 600  | 2         |
    """)  # fmt: skip


def test_yes_or_no_with_what_is_not_known():
    """One yes settles `any`, one no settles `all`; else what is not known leaves it open."""
    combined("""
    | type      | rule | records     | household |
    |-----------|------|-------------|-----------|
    | yes or no | any  | no; yes     | yes       |
    | yes or no | any  | ?; yes      | yes       |
    | yes or no | any  | no; ?       | ?         |
    | yes or no | any  | no; no      | no        |
    | yes or no | all  | yes; yes    | yes       |
    | yes or no | all  | yes; ?      | ?         |
    | yes or no | all  | no; ?       | no        |
    """)  # fmt: skip


def test_codes_in_their_order():
    """The larger of two codes is the later in the list: here none, some, much."""
    combined("""
    | type | rule | records          | household |
    |------|------|------------------|-----------|
    | code | max  | some; none; much | much      |
    | code | min  | some; ?; much    | some      |
    """)  # fmt: skip


def test_the_latest_record_goes_by_its_date():
    combined("""
    | type   | rule   | records  | of                     | household |
    |--------|--------|----------|------------------------|-----------|
    | number | latest | 400; 600 | 2026-03-01; 2026-01-01 | 400       |
    | number | latest | ?; 600   | 2026-03-01; 2026-01-01 | 600       |
    """)  # fmt: skip


def test_dates():
    combined("""
    | type | rule | records                | household  |
    |------|------|------------------------|------------|
    | date | max  | 2026-01-01; 2026-03-01 | 2026-03-01 |
    | date | min  | 2026-01-01; ?          | 2026-01-01 |
    """)  # fmt: skip
