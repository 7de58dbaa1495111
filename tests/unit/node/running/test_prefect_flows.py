"""The flows as plain functions: what they tell Prefect, and what is tried again."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
import traceback
from types import SimpleNamespace
from typing import Any

import pytest

from folkmoot_node.pipeline.stages import StageFailed, shielded
from folkmoot_node.plugins.failures import FactorsFailed
from folkmoot_node.running import prefect_flows
from folkmoot_node.running.prefect_flows import RETRY_SECONDS, TASKS, event, is_transient
from folkmoot_operator.problems import ExitCode, Problem

MARK = "918273645546"
NOT_NEEDED = {"prefect", "distributed", "dask", "fastapi"}


def fail(error: Exception) -> StageFailed:
    def work() -> None:
        raise error

    with pytest.raises(StageFailed) as caught:
        shielded("source rents", work)
    return caught.value


def test_a_problem_keeps_its_message_and_exit_code() -> None:
    problem = Problem(
        "3 % of the records were rejected",
        where="source rents",
        remedy="See quarantine",
        exit_code=ExitCode.DATA,
    )
    failed = fail(problem)
    assert str(failed) == "source rents: 3 % of the records were rejected. See quarantine"
    assert failed.problem.exit_code is ExitCode.DATA


def test_an_error_is_told_by_kind_and_place_alone() -> None:
    failed = fail(ValueError(f"could not parse {MARK}"))
    told = "".join(traceback.format_exception(failed))
    assert "ValueError at test_prefect_flows.py" in told
    assert MARK not in told
    assert failed.__context__ is None
    assert failed.problem.exit_code is ExitCode.FAULT


def test_a_failure_can_cross_to_another_process() -> None:
    failed = fail(Problem("no", where="here", remedy="yes", exit_code=ExitCode.UNREACHABLE))
    back = pickle.loads(pickle.dumps(failed))
    assert str(back) == str(failed)
    assert back.problem.exit_code is ExitCode.UNREACHABLE


@pytest.mark.parametrize("code", list(ExitCode))
def test_only_what_may_pass_by_itself_is_tried_again(code: ExitCode) -> None:
    failed = StageFailed("p", "w", "r", int(code))
    state: Any = SimpleNamespace(result=lambda raise_on_failure: failed)
    nothing: Any = None
    assert is_transient(nothing, nothing, state) == (code is ExitCode.UNREACHABLE)


def test_each_stage_is_a_task_named_by_its_ids() -> None:
    """Prefect fills the names from the arguments, which are all that it may store."""
    ids = {"home": "/srv", "run_id": "0" * 32, "source": "rents", "partition": 7}
    named = {}
    for stage, task in TASKS.items():
        arguments = {name: ids[name] for name in inspect.signature(stage.by_id).parameters}
        assert isinstance(task.task_run_name, str)
        named[task.task_run_name.format(**arguments)] = task.name
        assert task.persist_result is False
        assert task.retries == len(RETRY_SECONDS)
    assert named == {
        "read-frame": "read",
        "read-rents": "read",
        "link-rents": "link",
        "create": "create",
        "score-7": "score",
        "finish": "finish",
    }


def test_a_flow_goes_on_without_a_plugin_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[dict[str, str]] = []

    def in_tasks(home: str, day: str, failed: dict[str, str]) -> str:
        tries.append(dict(failed))
        if not failed:
            problem = FactorsFailed(
                "died", where="factor x", remedy="", distribution="vendor", may_be_spared=True
            )
            raise StageFailed.of(problem)
        return "the summary"

    settings = SimpleNamespace(plugins=SimpleNamespace(if_one_fails="unknown"))
    monkeypatch.setattr(prefect_flows, "load_config", lambda _: settings)
    monkeypatch.setattr(prefect_flows, "score_in_tasks", in_tasks)
    assert prefect_flows.score.fn("/srv", "2026-12-01") is None
    assert tries == [{}, {"vendor": "factor x: died"}]
    assert prefect_flows._Body.summary == "the summary"


def test_an_event_that_somebody_has_to_look_at_fails() -> None:
    with pytest.raises(StageFailed, match="round 1: cannot be answered"):
        event.fn("1", "cannot be answered", True)


@pytest.mark.parametrize(
    "module",
    ["pipeline.engine", "running.serve", "running.scheduler", "running.worker", "home", "cli"],
)
def test_nothing_else_imports_prefect(module: str) -> None:
    code = f"import sys, folkmoot_node.{module}; print(sys.modules.keys() & {NOT_NEEDED!r})"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "set()"
