"""Columns of all households, for cohorts: typed, decoded, null where unknown."""

from __future__ import annotations

import datetime

import polars as pl
import pytest

from folkmoot_node.store import household_table
from folkmoot_node.store.schema import (
    attribute_column,
    corrected_column,
    date_column,
    field_column,
    points_column,
    record_column,
    rejected_column,
    suppressed_column,
)
from folkmoot_operator.problems import ExitCode, Problem
from tests.unit.node.conftest import NODE, TODAY, people_rows, tax_rows


def of(node, *names):
    with node.open() as store:
        return store.columns(names)


def test_a_household_has_what_is_known_of_it_in_the_type_of_the_field(node):
    node.score()
    found = of(
        node, "score", "band", "completeness", "withheld",
        field_column("council_tax_arrears"), field_column("tenure"), field_column("people"),
        attribute_column("age_group"), attribute_column("lsoa"),
        points_column("alone"), record_column("people"), date_column("tax"),
    )  # fmt: skip
    assert found.rows(named=True)[1] == {
        "uprn": 2, "score": 100.0, "band": "high", "completeness": 1.0, "withheld": False,
        "field_council_tax_arrears": 3000.0, "field_tenure": "rented", "field_people": 1,
        "attribute_age_group": "75_over", "attribute_lsoa": "E01000002",
        "points_alone": 30.0, "record@people": True, "date@tax": TODAY,
    }  # fmt: skip
    assert found["field_tenure"].dtype == pl.Enum(["owned", "rented"])
    assert found["field_people"].dtype == pl.Int64
    assert found["band"].dtype == pl.Enum(["none", "low", "high"])
    assert found.filter(pl.col("attribute_age_group") == "75_over")["uprn"].to_list() == [2]


def test_what_is_not_known_is_null_and_never_zero(node):
    node.score()
    unknown = of(
        node, "completeness", field_column("council_tax_arrears"), field_column("tenure"),
        field_column("oldest_age"), attribute_column("tenure"), attribute_column("age_group"),
        points_column("arrears"), record_column("people"),
    ).row(2, named=True)  # fmt: skip
    assert unknown == {
        "uprn": 3, "completeness": 0.0, "field_council_tax_arrears": None, "field_tenure": None,
        "field_oldest_age": None, "attribute_tenure": None, "attribute_age_group": None,
        "points_arrears": None, "record@people": False,
    }  # fmt: skip


@pytest.mark.parametrize("partitions", [1, 7])
def test_every_column_is_as_the_store_and_the_explanation_have_it(node, partitions):
    uprns = list(range(1, 41))
    ages = [None if u % 7 == 0 else u * 2 for u in uprns]
    node.tax.batches = [
        tax_rows(
            uprns,
            [None if u % 3 == 0 else float(u * 70) for u in uprns],
            [None if u % 5 == 0 else ("owned", "rented")[u % 2] for u in uprns],
            ["E01000001"] * 40,
        )
    ]
    node.people.batches = [people_rows(uprns, [str(u) for u in uprns], ages)]
    node.write_node(NODE.replace("[scoring]", f"[scoring]\npartitions = {partitions}"))
    node.score()
    rows = node.rows()
    with node.open() as store:
        found = store.columns(list(store.column_types()))
        listed = store.households(["none", "low", "high"]).sort("uprn")
        assert dict(list(found.schema.items())[1:]) == store.column_types()
    assert found["uprn"].to_list() == uprns
    assert found["score"].to_list() == listed["score"].to_list()
    assert found["completeness"].to_list() == pytest.approx(listed["completeness"].to_list())
    assert found["band"].cast(pl.String).to_list() == listed["band"].to_list()
    for name in ("tenure", "age_group"):
        codes = found[attribute_column(name)].cast(pl.String).fill_null("unknown")
        assert codes.to_list() == listed[name].to_list()
    for factor in ("arrears", "alone", "renting"):
        column = points_column(factor)
        assert found[column].to_list() == (rows[column] / 1000).round(3).to_list()
    for field in ("council_tax_arrears", "oldest_age", "people"):
        assert found[field_column(field)].to_list() == rows[field_column(field)].to_list()


def test_what_no_household_has_is_said_of_nobody(node):
    node.score()
    names = [
        rejected_column("tenure"), suppressed_column("tenure"), corrected_column("tenure")
    ]  # fmt: skip
    found = of(node, *names)
    assert found.schema[names[1]] == pl.Date
    assert found[names[0]].to_list() == [False] * 3
    assert found[names[1]].null_count() == found[names[2]].null_count() == 3


def test_a_rejected_value_is_marked_with_its_household_alone(node):
    node.tax.batches[0] = node.tax.batches[0].with_columns(
        pl.when(pl.col("uprn") == 1).then(-5.0).otherwise("council_tax_arrears")
        .alias("council_tax_arrears")
    )  # fmt: skip
    node.write_node(NODE + "\n[quarantine]\nmaximum_share = 1.0\n")
    node.score()
    found = of(node, rejected_column("council_tax_arrears"), field_column("council_tax_arrears"))
    assert found.rows() == [(1, True, None), (2, False, 3000.0), (3, False, None)]


def test_a_name_that_the_run_does_not_have_is_named(node):
    node.score()
    with pytest.raises(Problem, match="attribute_age_groups") as raised:
        of(node, "score", "attribute_age_groups")
    assert raised.value.exit_code is ExitCode.DATA
    assert "attribute_age_group" in raised.value.remedy


def test_an_audited_field_cannot_be_asked_for(node):
    """Held for the equality audit, and for nothing else."""
    from tests.unit.node.conftest import POLICY

    node.write_policy(POLICY + '[[equality]]\nfield = "oldest_age"\nbreaks = [65]\n')
    node.score()
    with node.open() as store:
        assert not [name for name in store.column_types() if name.startswith("audit")]


def test_columns_are_read_part_by_part_and_no_others(node, monkeypatch):
    node.write_node(NODE.replace("[scoring]", "[scoring]\npartitions = 3"))
    node.score()
    asked = []
    with node.open() as store:
        store.column_types()
        whole = store._table_of_households
        monkeypatch.setattr(
            whole,
            "_details",
            lambda part, names: asked.append(names) or store._details(part, names),
        )
        assert store.columns([points_column("alone"), "band"]).height == 3
        assert asked == [["uprn", "points_alone"]] * len(whole._parts)
        asked.clear()
        assert store.columns(["score", attribute_column("lsoa")]).height == 3
    assert asked == []


def test_dates_of_records_are_dates(node):
    first = datetime.date(2026, 3, 1)
    node.tax.batches = [
        tax_rows([1, 2], [1.0, 1.0], ["owned"] * 2, ["E01000001"] * 2, [first, None])
    ]
    node.score()
    assert of(node, date_column("tax")).rows() == [(1, first), (2, None)]


def test_the_module_has_a_type_for_each_kind_of_value():
    from folkmoot_sdk.schema import FieldType

    assert set(household_table.VALUE_TYPES) == set(FieldType) - {FieldType.AREA}
