"""Linkage to the household frame: absent is not unknown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk import Category, Combine, Field, FieldType, Input, RecordLevel, RiskFactor, Schema
from tests.tables import count

AREA_NODE = """
[[sources]]
name = "deprivation"
kind = "deprivation_book"
area_field = "lsoa"
"""


def with_field(schema, name, **changes):
    return Schema(
        name=schema.name,
        level=schema.level,
        has_date=schema.has_date,
        fields=tuple(replace(f, **changes) if f.name == name else f for f in schema.fields),
    )


@pytest.mark.parametrize("absent,expected", [(None, None), (0, 0), (17, 17)])
def test_no_record_gives_the_absent_value(node, absent, expected):
    node.people.schema = with_field(node.people.schema, "oldest_age", absent=absent)
    node.people.batches = [node.people.batches[0].filter(pl.col("uprn") == 1)]
    node.score()
    assert node.rows()["field_oldest_age"].to_list() == [71, expected, expected]


def test_a_record_that_does_not_know_the_value_is_unknown_and_not_absent(node):
    node.people.schema = with_field(node.people.schema, "oldest_age", absent=0)
    node.people.batches = [
        node.people.batches[0].with_columns(oldest_age=pl.Series([None, None, 80, 3, 4]))
    ]
    node.score(accepting=("people",))
    assert node.rows()["field_oldest_age"].to_list() == [None, 80, 0]


def test_a_household_of_the_frame_always_has_a_record(node):
    node.tax.schema = with_field(node.tax.schema, "council_tax_arrears", absent=5)
    node.score()
    assert node.rows()["field_council_tax_arrears"].to_list() == [500.0, 3000.0, None]


def test_categories_and_booleans_have_absent_values_too(node):
    node.people.schema = Schema(
        name="people",
        level=RecordLevel.PERSON,
        fields=(
            *node.people.schema.fields,
            Field(
                "care_package",
                FieldType.CATEGORY,
                Combine.MAXIMUM,
                Category.SOCIAL_CARE,
                codes=("none", "low", "high"),
                absent="none",
            ),
            Field("shielded", FieldType.BOOLEAN, Combine.ANY, Category.HEALTH, absent=False),
        ),
    )
    node.people.batches = [
        node.people.batches[0].with_columns(
            care_package=pl.Series(["low", "high", None, "low", "low"]),
            shielded=pl.Series([True, None, None, True, True]),
        )
    ]
    policy = node.config.risk_policy.read_text()
    node.write_policy(
        policy
        + '[attributes.care]\nfield = "care_package"\n[attributes.shielded]\nfield = "shielded"\n'
    )
    node.score(accepting=("people",))
    codes = {"care": ("none", "low", "high", "unknown"), "shielded": ("no", "yes", "unknown")}
    with node.open() as store:
        care, shielded = count(store, codes, [("care",), ("shielded",)])
    assert care.tolist() == [1, 0, 1, 1]
    assert shielded.tolist() == [1, 1, 1]


class Deprived(RiskFactor):
    name = "deprived"
    title = "Deprived area"
    description = "Decile of deprivation of the area."
    domain = "place"
    inputs = (Input("decile", FieldType.INTEGER),)

    def score(self, inputs, context):
        return (11 - inputs["decile"]) / 10

    def explain(self, values, score, context):
        return f"Decile {values['decile']}."


@pytest.fixture
def area_node(node):
    from types import SimpleNamespace

    book = SimpleNamespace(
        schema=Schema(
            name="imd",
            level=RecordLevel.AREA,
            fields=(Field("decile", FieldType.INTEGER, Combine.FIRST, Category.SEGMENTATION),),
        ),
        batches=[
            pl.DataFrame(
                {"area": ["E01000002", "E01999999", "E01000001", None], "decile": [1, 2, 10, 3]},
                schema={"area": pl.String, "decile": pl.Int64},
            )
        ],
        asked=(),
        before_batch=None,
    )
    node.extra["deprivation_book"] = book
    node.factors["deprived"] = Deprived
    node.write_node((node.home / "node.toml").read_text() + AREA_NODE)
    text = node.config.risk_policy.read_text()
    node.write_policy(
        text.replace("[[bands]]", '[[factors]]\nfactor = "deprived"\nweight = 5\n[[bands]]', 1)
    )
    return node


def test_a_source_about_areas_is_joined_by_the_households_area(area_node):
    summary = area_node.score()
    assert area_node.rows()["points_deprived"].to_list() == [500, 5_000, 500]
    source = summary.sources[2]
    assert (source.records, source.linked, source.no_uprn, source.not_in_frame) == (4, 2, 1, 1)


def test_a_household_of_an_area_without_record_is_unknown(area_node):
    book = area_node.extra["deprivation_book"]
    book.batches = [book.batches[0].filter(pl.col("area") == "E01000001")]
    area_node.score()
    points = area_node.rows()["points_deprived"].to_list()
    assert points == [500, None, 500]


def test_the_area_field_is_read_even_if_nothing_else_needs_it(area_node):
    text = area_node.config.risk_policy.read_text()
    area_node.write_policy(text.replace('[attributes.lsoa]\nfield = "lsoa"\n', ""))
    area_node.score()
    assert area_node.rows()["points_deprived"].to_list() == [500, 5_000, 500]
    assert "field_lsoa" not in area_node.rows().columns


@pytest.mark.parametrize(
    "line,message",
    [
        ('area_field = "tenure"', "'tenure' is not an area"),
        ('area_field = "lsao"', "no household source provides the field 'lsao'"),
        ("", "a source about areas needs it"),
    ],
)
def test_a_wrong_area_field_is_refused(area_node, line, message):
    text = (area_node.home / "node.toml").read_text()
    area_node.write_node(text.replace('area_field = "lsoa"', line))
    with pytest.raises(Problem, match=message):
        area_node.score()


@pytest.mark.parametrize(
    "ours,theirs,refused",
    [("lsoa21", "lsoa11", True), ("lsoa21", "lsoa21", False), ("", "lsoa11", False)],
)
def test_areas_of_two_years_are_not_joined(area_node, ours, theirs, refused):
    tax, book = area_node.tax, area_node.extra["deprivation_book"]
    tax.schema = with_field(tax.schema, "lsoa", area_type=ours)
    book.schema = replace(book.schema, area_type=theirs)
    if not refused:
        assert area_node.score().households
        return
    with pytest.raises(
        Problem, match="areas of type lsoa21, the source describes lsoa11"
    ) as caught:
        area_node.score()
    assert caught.value.exit_code is ExitCode.SETTINGS
    assert "lookup to lsoa21" in caught.value.remedy


@pytest.mark.parametrize(("ours", "doubtful"), [("", True), ("lsoa11", False)])
def test_areas_that_do_not_say_what_they_are_are_doubted(area_node, ours, doubtful):
    """They are joined, with a word to whoever scores and whoever asks the doctor."""
    tax, book = area_node.tax, area_node.extra["deprivation_book"]
    tax.schema = with_field(tax.schema, "lsoa", area_type=ours)
    book.schema = replace(book.schema, area_type="lsoa11")
    said = "the areas of homes do not say what they are"
    summary = next(one for one in area_node.score().sources if one.about_areas)
    assert any(said in doubt for doubt in summary.doubts) is doubtful


def test_the_order_of_sources_does_not_matter(node):
    node.score()
    expected = node.rows()
    head, tax, people = (node.home / "node.toml").read_text().split("[[sources]]")
    node.write_node("[[sources]]".join([head, people, tax]))
    node.score()
    rows = node.rows()
    assert rows.select(expected.columns).equals(expected)
    assert np.unique(rows["uprn"]).size == rows.height


@pytest.mark.parametrize("repeated", [False, True])
def test_a_frame_may_give_nothing_but_households(node, repeated):
    text = node.config.risk_policy.read_text()
    head, rest = text.split('[[factors]]\nfactor = "arrears"')
    rest = rest[rest.index("[[factors]]") :].replace(
        '[[factors]]\nfactor = "renting"\nweight = 10\n', ""
    )
    rest = rest.replace("from = 60", "from = 20")
    for lines in ('[attributes.tenure]\nfield = "tenure"\n', '[attributes.lsoa]\nfield = "lsoa"\n'):
        rest = rest.replace(lines, "")
    node.write_policy(head + rest)
    if not repeated:
        node.tax.batches[0] = node.tax.batches[0].filter(pl.int_range(pl.len()) < 3)
    node.score()
    assert node.tax.asked == ()
    assert node.rows()["points_alone"].to_list() == [0, 30_000, None]
