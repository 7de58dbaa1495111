"""Why one household has its score, in words."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace

import polars as pl
import pytest

from folkmoot_node.scoring.explain import explain
from folkmoot_node.scoring.known_inputs import Standing
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk import Category, Combine, Field, FieldType, Input, RecordLevel, RiskFactor, Schema
from tests.unit.node.conftest import NODE, POLICY, TODAY, Alone, Book, people_rows, tax_rows

AGE_GROUP = '[attributes.age_group]\nfield = "oldest_age"\nbreaks = [16, 25, 65, 75]\n'


def of(node, uprn):
    return explain(node.config, node.plugins, node.policy, uprn, today=TODAY)


def test_a_household_is_explained_by_its_own_inputs(node):
    node.score()
    found = of(node, 2)
    assert (found.score, found.band, found.action) == (100, "high", "Call")
    assert found.completeness == 1
    assert [(c.factor, c.points, c.weight) for c in found.contributions] == [
        ("arrears", 60, 60),
        ("alone", 30, 30),
        ("renting", 10, 10),
    ]
    assert found.contributions[0].words == "Owes GBP 3000.00."
    assert found.contributions[1].words == "1 people, the oldest 80."
    inputs = {entry.field: entry for entry in found.inputs}
    assert inputs["council_tax_arrears"].value == 3000
    assert inputs["council_tax_arrears"].unit == "GBP"
    assert inputs["council_tax_arrears"].source == "tax"
    assert inputs["council_tax_arrears"].supplier == "Revenues"
    assert inputs["council_tax_arrears"].as_at.isoformat() == "2026-12-01"
    assert inputs["tenure"].value == "rented"
    assert inputs["people"].value == 1
    assert inputs["people"].as_at is None
    assert "people: 1 (people, undated)" in found.as_text()


def test_unknown_is_shown_as_unknown(node):
    node.score()
    found = of(node, 3)
    assert found.completeness == 0
    assert [c.points for c in found.contributions] == [None, None, None]
    assert found.contributions[0].words == "Arrears are not known."
    assert found.contributions[2].words == "Tenure: not known."
    text = found.as_text()
    assert "Arrears: unknown of 60" in text
    assert "tenure: unknown (tax, a record without this value, record of 2026-12-01)" in text
    assert "oldest_age: unknown (people, no record of this household)" in text
    assert "Known: 0% of what the policy weighs" in text
    assert "Score: 0.0 of 100, band none" in text


def inputs_of(node, uprn):
    return {entry.field: entry for entry in of(node, uprn).inputs}


def test_each_input_has_the_date_of_the_households_own_latest_record(node):
    first, last = datetime.date(2026, 3, 1), datetime.date(2026, 9, 30)
    lsoa = ["E01000001"] * 4
    node.tax.batches = [
        tax_rows([1, 2, 2, 3], [5.0] * 4, ["owned"] * 4, lsoa, [first, first, last, None])
    ]
    node.score()
    dates = {uprn: inputs_of(node, uprn)["tenure"] for uprn in (1, 2, 3)}
    assert (dates[1].as_at, dates[1].of_household) == (first, True)
    assert (dates[2].as_at, dates[2].of_household) == (last, True)
    # The third household's record has no date; that of the source is better than none.
    assert (dates[3].as_at, dates[3].of_household) == (last, False)
    assert "tenure: owned (tax, record of 2026-03-01)" in of(node, 1).as_text()
    assert "tenure: owned (tax, data up to 2026-09-30)" in of(node, 3).as_text()


def test_what_absence_says_is_told_from_what_a_record_says(node):
    schema = node.people.schema
    count = replace(schema["people"], absent=0)
    node.people.schema = replace(schema, fields=(count, schema["oldest_age"]))
    node.score(accepting=("people",))
    by_absence = inputs_of(node, 3)["people"]
    assert (by_absence.value, by_absence.standing) == (0, Standing.BY_ABSENCE)
    assert (
        "people: 0 (people, no record for this household, which counts as this value"
        in of(node, 3).as_text()
    )
    assert inputs_of(node, 3)["oldest_age"].standing is Standing.NO_RECORD
    assert inputs_of(node, 1)["people"].standing is Standing.RECORDED


def test_a_record_without_the_value_is_told_from_no_record(node):
    node.people.batches = [people_rows([1, 2], ["a", "b"], [None, 70])]
    node.score()
    assert inputs_of(node, 1)["oldest_age"].standing is Standing.NO_VALUE
    assert inputs_of(node, 2)["oldest_age"].standing is Standing.RECORDED
    assert inputs_of(node, 3)["oldest_age"].standing is Standing.NO_RECORD


def test_without_a_source_that_is_said(node):
    (age,) = [wanted for wanted in Alone.inputs if wanted.name == "oldest_age"]

    class MayLackAge(Alone):
        inputs = (Alone.inputs[0], replace(age, required=False))

    node.factors["alone"] = MayLackAge
    node.people.schema = replace(node.people.schema, fields=(node.people.schema["people"],))
    node.write_policy(POLICY.replace(AGE_GROUP, ""))
    node.score()
    found = inputs_of(node, 1)["oldest_age"]
    assert (found.value, found.standing) == (None, Standing.NO_SOURCE)
    assert "oldest_age: unknown (no source provides it)" in of(node, 1).as_text()


class Deprived(RiskFactor):
    name = "deprived"
    title = "Deprived area"
    description = "The area's decile."
    domain = "area"
    inputs = (Input("imd_decile", FieldType.INTEGER),)

    def score(self, inputs, context):
        return (inputs["imd_decile"] == 1) + inputs["imd_decile"] * 0

    def explain(self, values, score, context):
        return f"Decile {values['imd_decile']}."


def test_inputs_of_an_area_are_said_to_be_so(node):
    schema = Schema(
        "imd",
        RecordLevel.AREA,
        (Field("imd_decile", FieldType.INTEGER, Combine.FIRST, Category.GEOGRAPHY),),
        has_date=True,
    )
    day = datetime.date(2025, 10, 30)
    rows = pl.DataFrame({"area": ["E01000001"], "record_date": [day], "imd_decile": [1]})
    node.extra["imd_book"] = Book(schema, [rows])
    node.write_node(NODE + '[[sources]]\nname = "imd"\nkind = "imd_book"\narea_field = "lsoa"\n')
    node.factors["deprived"] = Deprived
    node.write_policy(POLICY.replace('"renting"', '"deprived"'))
    node.score()
    assert inputs_of(node, 1)["imd_decile"].standing is Standing.BY_AREA
    text = of(node, 1).as_text()
    assert "imd_decile: 1 (imd, of the household's area, data up to 2025-10-30)" in text
    assert inputs_of(node, 2)["imd_decile"].standing is Standing.NO_VALUE
    assert "imd_decile: unknown (imd, no value, data up to 2025-10-30)" in of(node, 2).as_text()


def test_partly_known_is_incomplete(node):
    node.people.batches = [node.people.batches[0].filter(pl.col("uprn") == 1)]
    node.score()
    assert of(node, 2).completeness == pytest.approx(0.7)


def test_the_explanation_is_plain_json(node):
    node.score()
    value = json.loads(json.dumps(of(node, 1).as_json()))
    assert value["reference_date"] == "2026-12-01"
    assert value["contributions"][0]["points"] == 15
    assert value["inputs"][0] == {
        "field": "council_tax_arrears",
        "description": "",
        "value": 500,
        "unit": "GBP",
        "standing": "recorded",
        "source": "tax",
        "supplier": "Revenues",
        "as_at": "2026-12-01",
        "of_household": True,
        "licence_ended": None,
        "without_home": 0.0,
        "decided_on": None,
    }
    assert {entry["field"]: entry["value"] for entry in value["inputs"]} == {
        "council_tax_arrears": 500,
        "people": 2,
        "oldest_age": 71,
        "tenure": "owned",
    }


def test_a_household_that_was_not_scored_is_not_explained(node):
    node.score()
    with pytest.raises(Problem, match="no household with this UPRN") as raised:
        of(node, 9)
    assert raised.value.exit_code is ExitCode.DATA


def test_another_policy_does_not_explain_the_last_run(node):
    node.score()
    node.write_policy(node.config.risk_policy.read_text() + "# changed\n")
    with pytest.raises(Problem, match="another policy"):
        of(node, 1)


def test_a_factor_that_cannot_explain_is_named_and_the_rest_is_shown(node, monkeypatch):
    node.score()
    whole = of(node, 1)

    def fail(*_):
        raise KeyError("zq-canary")

    monkeypatch.setattr(node.factors["alone"], "explain", fail)
    found = of(node, 1)
    silent = found.contributions[1]
    assert silent.words == "No explanation could be made: what gives it has failed."
    assert "alone, explain: plugin test-plugin 1.2.3 (test) failed: KeyError" in silent.unexplained
    assert silent.unexplained in found.as_text()
    assert "zq-canary" not in found.as_text()
    assert replace(found, contributions=()) == replace(whole, contributions=())
    assert (silent.points, silent.weight) == (whole.contributions[1].points, 30)
    assert found.contributions[::2] == whole.contributions[::2]


def test_a_factor_that_cannot_be_made_any_more_leaves_the_score_to_be_shown(node, monkeypatch):
    node.score()
    whole = of(node, 1)

    def fail(*_):
        raise KeyError("zq-canary")

    monkeypatch.setattr(node.factors["alone"], "__init__", fail)
    found = of(node, 1)
    assert [one.points for one in found.contributions] == [
        one.points for one in whole.contributions
    ]
    assert {one.words for one in found.contributions} == {
        "No explanation could be made: what gives it has failed."
    }
    assert "zq-canary" not in found.as_text()


@pytest.mark.parametrize(
    "said, shown",
    [
        ("a\nb\x1b[31m\u202ec", "a b[31mc"),
        ("long " * 1000, "long " * 200),
        ("x" * 200_000, "No explanation could be made: what gives it has failed."),
        (None, "No explanation could be made: what gives it has failed."),
        ("", "No explanation could be made: what gives it has failed."),
    ],
    ids=["control characters", "long", "longer than is read", "no text", "empty"],
)
def test_what_a_factor_says_is_one_bounded_line_of_print(node, monkeypatch, said, shown):
    node.score()
    monkeypatch.setattr(node.factors["alone"], "explain", lambda *_: said)
    assert of(node, 1).contributions[1].words == shown
