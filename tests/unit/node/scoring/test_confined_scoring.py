"""Factors of others in processes of their own: scored alike, compared, and named when they fail."""

from __future__ import annotations

import time

import psutil
import pytest

from folkmoot_kit.channel.words import Call
from folkmoot_kit.hosting import PluginProcess
from folkmoot_node.pipeline.local import score
from folkmoot_node.pipeline.own_run import Judged
from folkmoot_node.plugins.failures import FactorsFailed
from folkmoot_node.scoring.explain import explain_household
from folkmoot_node.scoring.rescore import rescored
from folkmoot_operator.problems import ExitCode, Problem
from tests import processes
from tests.unit.node.conftest import NODE, POLICY, TODAY, tax_rows
from tests.unit.node.scoring.third_party import CANARY, NAMED, install, opened

COUNT = 1000
BY_OTHERS = "by what other households have"


@pytest.fixture
def folder(tmp_path):
    installed = tmp_path / "installed"
    installed.mkdir()
    return install(installed)


def many(node):
    uprns = list(range(1, COUNT + 1))
    amounts = [float(at % 700) for at in uprns]
    node.tax.batches = [tax_rows(uprns, amounts, ["owned"] * COUNT, ["E01000001"] * COUNT)]


def doing(node, **parameters):
    said = "".join(f'{name} = "{value}"\n' for name, value in parameters.items())
    node.write_policy(POLICY.replace("full = 2000\n", f"full = 2000\n{said}"))


def run(node, plugins):
    judged = Judged(stops=False)
    return score(node.config, plugins, node.policy, today=TODAY, judged=judged)


@pytest.fixture
def calls(monkeypatch):
    """What processes were asked, and which."""
    asked = []
    kept = PluginProcess.ask

    def ask(self, call, *rest):
        asked.append((self.pid, call))
        return kept(self, call, *rest)

    monkeypatch.setattr(PluginProcess, "ask", ask)
    return asked


@pytest.mark.parametrize("is_reviewed", [True, False], ids=["reviewed", "unreviewed"])
def test_scores_are_those_of_the_same_code_in_the_nodes_process(node, folder, calls, is_reviewed):
    many(node)
    node.score()
    expected = node.rows()
    with opened(node, folder, is_reviewed=is_reviewed) as plugins:
        run(node, plugins)
        assert node.rows().equals(expected)
        pids = [pid for pid, call in calls if call == Call.SCORE]
        # One round trip for both factors; of a sample in three calls more, or by two others twice.
        assert len(pids) == (4 if is_reviewed else 5)
        assert len(set(pids)) == (1 if is_reviewed else 3)
        first = pids[0]
        for pid in set(pids) - {first}:
            assert has_ended(pid)  # fresh ones end with the run
        assert not has_ended(first, wait=False)
    assert has_ended(first)


def has_ended(pid, wait=True):
    until = time.monotonic() + (60 if wait else 0)
    while runs(pid):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def runs(pid):
    try:
        return not processes.has_ended(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("what", ["mean", "remembers"])
def test_what_looks_across_households_stops_the_run(node, folder, what):
    many(node)
    doing(node, score=what)
    with opened(node, folder) as plugins, pytest.raises(Problem, match=BY_OTHERS) as raised:
        run(node, plugins)
    assert "factor arrears, score" in raised.value.where
    assert NAMED in raised.value.problem
    assert not node.config.store_path.exists()


FAILURES = {
    "dies": "exit code 3",
    "loops": "no answer within",
    "float32": "not of float64",
    "raises": "raised ValueError",
    "plugin_error": "PluginError",
    "writes": "raised ValueError",
    "eats": "",
}


@pytest.mark.parametrize("what", FAILURES)
def test_a_failure_names_distribution_version_and_hook(node, folder, what):
    doing(node, score=what)
    with (
        opened(node, folder, seconds=3 if what == "loops" else None) as plugins,
        pytest.raises(FactorsFailed) as raised,
    ):
        run(node, plugins)
    problem = raised.value
    assert problem.exit_code is ExitCode.FAULT
    assert "arrears" in problem.where
    assert problem.where.endswith(", score")
    assert NAMED in problem.problem
    assert FAILURES[what] in problem.problem
    assert problem.remedy
    assert CANARY not in f"{problem} {problem.remedy}"


@pytest.mark.parametrize("what", ["dies", "loops", "float32"])
@pytest.mark.parametrize("is_reviewed", [True, False], ids=["reviewed", "unreviewed"])
def test_a_run_may_go_on_without_its_factors(node, folder, what, is_reviewed):
    node.score()
    before = node.rows()
    node.write_node(NODE + '[plugins]\nif_one_fails = "unknown"\n')
    doing(node, score=what)
    seconds = 3 if what == "loops" else None
    with opened(node, folder, is_reviewed=is_reviewed, seconds=seconds) as plugins:
        summary = run(node, plugins)
    assert summary.left_out == {"arrears", "renting"}
    rows = node.rows()
    assert rows["points_arrears"].is_null().all()
    assert rows["points_renting"].is_null().all()
    assert rows["points_alone"].equals(before["points_alone"])


def explained(node, plugins, uprn=2):
    with node.open() as store:
        return explain_household(store, node.config, plugins, node.policy, uprn, today=TODAY)


def test_an_explanation_comes_from_the_process_with_the_score_as_it_was_counted(node, folder):
    node.tax.batches = [tax_rows([2], [1234.567], ["rented"], ["E01000001"])]
    with opened(node, folder) as plugins:
        run(node, plugins)
        found = explained(node, plugins)
        with node.open() as store:
            given = (store, node.config, plugins, node.policy, 2)
            assert rescored(*given, today=TODAY) == found
            other = rescored(*given, instead={"council_tax_arrears": 20.0}, today=TODAY)
    assert found.contributions[0].words == "Owes 1234.567, scored 0.617."
    assert found.contributions[0].points == pytest.approx(60 * 0.617)
    assert found.contributions[2].words == "Tenure: rented."
    assert other.contributions[0].points == pytest.approx(60 * 0.01)


@pytest.mark.parametrize("what", ["dies", "loops", "raises"])
def test_a_score_is_shown_although_its_explanation_cannot_be_made(node, folder, what):
    doing(node, explain=what)
    with opened(node, folder, seconds=3 if what == "loops" else None) as plugins:
        run(node, plugins)
        found = explained(node, plugins)
    assert found.score == 100
    assert [one.points for one in found.contributions] == [60, 30, 10]
    arrears, alone, _ = found.contributions
    assert arrears.words == "No explanation could be made: what gives it has failed."
    assert NAMED in arrears.unexplained
    assert ", explain" in arrears.unexplained
    assert CANARY not in found.as_text()
    assert alone.words == "1 people, the oldest 80."
