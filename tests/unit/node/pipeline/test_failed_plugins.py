"""A plugin that fails at its factors stops a run, or leaves them unknown for everybody."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from folkmoot_node.pipeline.own_run import begin
from folkmoot_node.pipeline.plan import read_plan
from folkmoot_node.pipeline.run import ScoringRun
from folkmoot_node.pipeline.stages import StageFailed
from folkmoot_node.plugins.failures import FactorsFailed
from folkmoot_node.plugins.loaded import Trust
from folkmoot_node.scoring.explain import explain_household
from folkmoot_node.scoring.rescore import rescored
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.loading import Origin
from tests.unit.node.conftest import NODE, TODAY, Arrears, Renting

CANARY = "zq-canary-3107"
OTHERS = Trust(is_shipped=False, is_reviewed=True)
UNREVIEWED = Trust(is_shipped=False, is_reviewed=False)
UNKNOWN = NODE + '[plugins]\nif_one_fails = "unknown"\n'


def fails(*_):
    raise ValueError(CANARY)


def gives_nothing(*_):
    return None


def fails_at_one(self, inputs, context):
    if (inputs["council_tax_arrears"] == 500).any():
        raise ValueError(CANARY)
    return np.zeros(len(inputs["council_tax_arrears"]))


def failing(node, score=fails, standing=OTHERS, **attributes):
    node.standing = standing
    node.factors["arrears"] = type("Failing", (Arrears,), {"score": score, **attributes})


@pytest.mark.parametrize("settings", [NODE, UNKNOWN], ids=["stop", "unknown"])
@pytest.mark.parametrize("standing", [OTHERS, Trust()], ids=["others", "shipped"])
def test_a_run_stops_unless_the_council_lets_it_go_on_without_a_plugin_of_others(
    node, settings, standing
):
    node.score()
    before = node.rows()
    node.write_node(settings)
    failing(node, standing=standing)
    if settings is UNKNOWN and standing is OTHERS:
        assert node.score().failed
        return
    with pytest.raises(FactorsFailed) as raised:
        node.score()
    assert raised.value.exit_code is ExitCode.FAULT
    assert raised.value.where == "factor arrears, score"
    assert "test-plugin 1.2.3 (test) failed: ValueError" in raised.value.problem
    assert CANARY not in str(raised.value)
    assert node.rows().equals(before)


@pytest.mark.parametrize("partitions", [1, 5])
@pytest.mark.parametrize("score", [fails, gives_nothing, fails_at_one])
@pytest.mark.parametrize("standing", [OTHERS, UNREVIEWED], ids=["reviewed", "unreviewed"])
def test_its_factors_are_unknown_for_every_household_and_never_for_some(
    node, score, partitions, standing
):
    node.write_node(UNKNOWN.replace('"tax"\n', f'"tax"\npartitions = {partitions}\n', 1))
    failing(node, score, standing)
    run = node.score()
    rows = node.rows()
    # All three factors are of the one distribution.
    points = rows.select(pl.col("^points_.*$"))
    assert all(points[name].is_null().all() for name in points.columns)
    assert rows["score"].to_list() == [0, 0, 0]
    assert run.incomplete == 3
    (failed,) = run.failed
    assert failed.distribution == "test-plugin"
    assert failed.factors == ("arrears", "alone", "renting")
    assert "factor arrears, score: plugin test-plugin 1.2.3 (test)" in failed.problem
    assert CANARY not in run.model_dump_json()


@pytest.fixture
def two_plugins(node, monkeypatch):
    """`arrears` is of another distribution than the others."""
    node.write_node(UNKNOWN)
    kept = type(node)._of_others

    def of_others(self, plain):
        loaded = kept(self, plain)
        loaded.factor_origins["arrears"] = Origin("other-plugin", "0.1", "other")
        return loaded

    monkeypatch.setattr(type(node), "_of_others", of_others)
    return node


def test_the_factors_of_other_plugins_count_as_before(two_plugins):
    two_plugins.score()
    before = two_plugins.rows()
    failing(two_plugins)
    run = two_plugins.score()
    after = two_plugins.rows()
    assert run.left_out == {"arrears"}
    assert after["points_arrears"].is_null().all()
    for name in ("points_alone", "points_renting"):
        assert after[name].equals(before[name])
    assert after["score"].to_list() == [
        alone + renting
        for alone, renting in zip(
            before["points_alone"].fill_null(0), before["points_renting"].fill_null(0), strict=True
        )
    ]


def test_two_plugins_may_fail(two_plugins):
    failing(two_plugins)
    two_plugins.factors["renting"] = type("Failing", (Renting,), {"score": gives_nothing})
    run = two_plugins.score()
    assert {one.distribution for one in run.failed} == {"other-plugin", "test-plugin"}


def test_what_cannot_be_made_fails_as_well(two_plugins):
    failing(two_plugins, __init__=fails, score=Arrears.score)
    assert two_plugins.score().left_out == {"arrears"}


def test_a_source_that_fails_always_stops(node):
    node.write_node(UNKNOWN)
    node.standing = OTHERS

    def die(context):
        raise ValueError(CANARY)

    node.people.before_batch = die
    with pytest.raises(Problem, match="source people, read: plugin test-plugin") as raised:
        node.score()
    assert not isinstance(raised.value, FactorsFailed)
    assert not node.config.store_path.exists()


def test_a_factor_that_looks_across_households_always_stops(node):
    node.write_node(UNKNOWN)
    calls = iter(range(1000))
    failing(
        node,
        lambda self, inputs, context: np.full(
            len(inputs["council_tax_arrears"]), next(calls) / 1000
        ),
        UNREVIEWED,
    )
    with pytest.raises(Problem, match="by what other households have"):
        node.score()


def test_an_explanation_says_that_the_run_went_on_without(two_plugins):
    working = two_plugins.factors["arrears"]
    failing(two_plugins)
    two_plugins.score()
    two_plugins.factors["arrears"] = working  # it works again, and the run stays what it was
    policy = two_plugins.policy
    with two_plugins.open() as store:
        given = (store, two_plugins.config, two_plugins.plugins, policy, 2)
        found = explain_household(*given, today=TODAY)
        again = rescored(*given, today=TODAY)
    assert found == again
    arrears, alone, _ = found.contributions
    assert arrears.points is None
    assert arrears.words.startswith("Not known for any household")
    assert "other-plugin 0.1 (other) failed: ValueError" in arrears.unexplained
    assert (alone.points, alone.words) == (30, "1 people, the oldest 80.")


def test_a_score_is_not_made_again_without_a_plugin_that_had_scored(node):
    node.score()
    failing(node, __init__=fails)
    with node.open() as store:
        given = (store, node.config, node.plugins, node.policy, 2)
        assert explain_household(*given, today=TODAY).score == 100
        with pytest.raises(Problem, match="cannot be scored again"):
            rescored(*given, today=TODAY)


def test_a_failure_crosses_to_other_processes_whole():
    problem = FactorsFailed(
        "broke", where="factor x, score", remedy="Mend", distribution="d", may_be_spared=True
    )
    again = StageFailed(*StageFailed.of(problem).args).problem
    assert isinstance(again, FactorsFailed)
    assert (again.problem, again.where, again.remedy) == ("broke", "factor x, score", "Mend")
    assert (again.distribution, again.may_be_spared) == ("d", True)


def test_a_run_on_workers_knows_what_has_failed(two_plugins):
    failed = {"other-plugin": "it died"}
    two_plugins.standing = OTHERS
    begun = begin(
        two_plugins.config,
        two_plugins.plugins,
        two_plugins.policy,
        today=TODAY,
        shared=True,
        failed=failed,
    )
    with begun as run:
        there = ScoringRun(
            read_plan(two_plugins.config, run.plan.run_id),
            two_plugins.config,
            two_plugins.plugins,
            two_plugins.policy,
        )
        assert [bound.failed for bound in there.binding.factors] == ["it died", "", ""]
