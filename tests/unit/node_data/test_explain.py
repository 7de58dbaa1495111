"""Why one household has its score, in words."""

from __future__ import annotations

import json

import pytest

from folkmoot_node.explain import explain
from folkmoot_operator.problems import ExitCode, Problem


def of(node, uprn):
    return explain(node.config, node.plugins, node.policy, uprn)


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


def test_unknown_is_shown_as_unknown(node):
    node.score()
    found = of(node, 3)
    assert found.completeness == 0
    assert [c.points for c in found.contributions] == [None, None, None]
    assert found.contributions[0].words == "Arrears are not known."
    assert found.contributions[2].words == "Tenure: not known."
    text = found.as_text()
    assert "Arrears: unknown of 60" in text
    assert "tenure: unknown (tax, 2026-12-01)" in text
    assert "Score: 0.0 of 100, band none" in text


def test_partly_known_is_incomplete(node):
    import polars as pl

    node.people.batches = [node.people.batches[0].filter(pl.col("uprn") == 1)]
    node.score()
    assert of(node, 2).completeness == pytest.approx(0.7)


def test_the_explanation_is_plain_json(node):
    node.score()
    value = json.loads(json.dumps(of(node, 1).as_json()))
    assert value["reference_date"] == "2026-12-01"
    assert value["contributions"][0]["points"] == 15
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


def test_a_factor_that_cannot_explain_is_named(node, monkeypatch):
    node.score()

    def fail(*_):
        raise KeyError("zq-canary")

    monkeypatch.setattr(node.factors["alone"], "explain", fail)
    with pytest.raises(Problem) as raised:
        of(node, 1)
    assert "test-plugin 1.2.3 (test) failed: KeyError" in raised.value.problem
    assert "zq-canary" not in str(raised.value)
