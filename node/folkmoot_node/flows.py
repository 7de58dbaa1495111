"""The Prefect flows: scoring, and what visits to the coordinator did.

The only module that imports Prefect. Flows receive the node's folder, ids and file names,
never data, for Prefect stores what it is given; they wrap functions that run without it.
Nothing returns a result to Prefect, and an error that reaches it is told as a `Problem`
tells it: without a resident's record.
"""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from prefect import flow, task
from prefect.client.schemas.objects import State, TaskRun
from prefect.logging import get_run_logger
from prefect.tasks import Task

from folkmoot_node.answering import Event
from folkmoot_node.config import load_config
from folkmoot_node.faults import work_fault
from folkmoot_node.plugins import load_plugins
from folkmoot_node.risk_policy import load_policy
from folkmoot_node.scoring import score as score_without_prefect
from folkmoot_operator.problems import ExitCode, Problem

RETRY_SECONDS = (10.0, 60.0, 300.0)
"""Waits before a stage is tried again after a transient fault."""

_T = TypeVar("_T")


class StageFailed(Exception):
    """What Prefect and other processes are told of a failure."""

    def __init__(self, problem: str, where: str, remedy: str, exit_code: int) -> None:
        super().__init__(problem, where, remedy, exit_code)

    @property
    def problem(self) -> Problem:
        """The same, for this process."""
        problem, where, remedy, exit_code = self.args
        return Problem(problem, where=where, remedy=remedy, exit_code=ExitCode(exit_code))

    def __str__(self) -> str:
        return f"{self.problem}. {self.problem.remedy}".rstrip(". ")


def shielded(where: str, work: Callable[[], _T]) -> _T:
    """Does work; a failure comes out as `StageFailed`, without the texts behind it.

    Raises:
        StageFailed: If the work fails.
    """
    try:
        return work()
    except Problem as problem:
        known = problem
    except Exception as error:
        known = work_fault(where, error)
    # Outside the handlers, so that no other error hangs on it as its context.
    raise StageFailed(known.problem, known.where, known.remedy, int(known.exit_code))


def is_transient(task_: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Whether a failed stage is to be tried again: only if waiting may help."""
    del task_, run
    error = state.result(raise_on_failure=False)
    return isinstance(error, StageFailed) and error.problem.exit_code is ExitCode.UNREACHABLE


_STAGE: dict[str, Any] = {
    "persist_result": False,
    "retries": len(RETRY_SECONDS),
    "retry_delay_seconds": list(RETRY_SECONDS),
    "retry_condition_fn": is_transient,
}


@task(name="score", **_STAGE)
def score_households(home: str, day: str) -> None:
    """Scores all households."""

    def work() -> None:
        config = load_config(Path(home))
        policy = load_policy(config.risk_policy)
        score_without_prefect(
            config, load_plugins(), policy, today=datetime.date.fromisoformat(day)
        )

    shielded("score", work)


@flow(name="score", flow_run_name="score-{day}", persist_result=False)
def score(home: str, day: str) -> None:
    """Scores the council's households.

    Args:
        home: The node's folder.
        day: The day of the run, ISO 8601.
    """
    _BODY.begun.set()
    score_households(home, day)
    _BODY.finished.set()


@task(name="event", persist_result=False)
def event(round_id: str, text: str, is_problem: bool) -> None:
    """Something that happened at a visit; fails if somebody has to look."""
    if is_problem:
        raise StageFailed(text, f"round {round_id}" if round_id else "", "", int(ExitCode.FAULT))
    get_run_logger().info(text)


@flow(name="visit", flow_run_name="visit-{moment}", persist_result=False)
def visit(moment: str, events: list[tuple[str, str, bool]]) -> None:
    """What a visit to the coordinator did. It has been done: this is its history.

    Args:
        moment: When it was, ISO 8601, UTC.
        events: Round (or empty), what happened, and whether somebody has to look. The texts
            hold nothing that is derived from households.
    """
    runs = [
        event.with_options(task_run_name=f"round-{one[0]}" if one[0] else "node").submit(*one)
        for one in events
    ]
    for run in runs:
        run.result()


class _Body:
    """How far the body of a flow came, whatever became of its history."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.finished = threading.Event()


_BODY = _Body()


def run_score(home: Path, day: datetime.date, warn: Callable[[str], None]) -> None:
    """Scores as a flow; without one if Prefect cannot be reached.

    Args:
        home: The node's folder.
        day: The day of the run.
        warn: Told if Prefect cannot be reached.

    Raises:
        Problem: As `scoring.score`.
    """
    try:
        score(str(home), day.isoformat())
    except StageFailed as failed:
        raise failed.problem from None
    except Exception as error:
        if _BODY.begun.is_set() and not _BODY.finished.is_set():
            raise work_fault("flow score", error) from None
        warn(f"Prefect cannot be reached ({type(error).__name__}); this run is not in its history")
        if not _BODY.begun.is_set():
            score_without_prefect(
                (config := load_config(home)),
                load_plugins(),
                load_policy(config.risk_policy),
                today=day,
            )


def record_visit(moment: str, events: Sequence[Event]) -> None:
    """Writes what a visit did into the history."""
    visit(moment, [(one.round_id, one.text, one.is_problem) for one in events], return_state=True)
