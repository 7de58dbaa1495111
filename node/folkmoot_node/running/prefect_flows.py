"""The Prefect flows: scoring, and what visits to the coordinator did.

The only module that imports Prefect. Flows receive the node's folder, ids and file names,
never data, for Prefect stores what it is given; they wrap functions that run without it.
Nothing returns a result to Prefect's store, and an error that reaches it is worded
as a `Problem` is: without a resident's record.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.logging import get_run_logger
from prefect.states import Failed
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from prefect.tasks import Task

from folkmoot_node.answering.event import Event
from folkmoot_node.evidence.acceptances import in_force
from folkmoot_node.faults import work_fault
from folkmoot_node.pipeline import engine, stages
from folkmoot_node.pipeline.dask import CONNECT_SECONDS, lost, security
from folkmoot_node.pipeline.failed_plugins import with_failures
from folkmoot_node.pipeline.order import Submit, Submitted, run_stages
from folkmoot_node.pipeline.own_run import Judged, OwnRun, begin, last_run
from folkmoot_node.pipeline.stages import Stage, StageFailed, shielded
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.settings.node_toml import NodeConfig, load_config
from folkmoot_node.sources.connect import load_plugins
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_operator.problems import ExitCode, Problem

NOTHING: Mapping[str, str] = MappingProxyType({})
"""No plugin has failed."""
RETRY_SECONDS = (10.0, 60.0, 300.0)
"""Waits before a stage is tried again after a transient fault."""


def is_transient(task_: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Whether a failed stage is to be tried again: only if waiting may help."""
    del task_, run
    error = state.result(raise_on_failure=False)
    return isinstance(error, StageFailed) and error.is_transient


def _task(stage: Stage, name: str, run_name: str) -> Task[..., None]:
    return Task(
        stage.by_id,
        name=name,
        task_run_name=run_name,
        persist_result=False,
        cache_policy=NO_CACHE,
        retries=len(RETRY_SECONDS),
        retry_delay_seconds=list(RETRY_SECONDS),
        retry_condition_fn=is_transient,
    )


TASKS = {
    stages.READ_FRAME: _task(stages.READ_FRAME, "read", "read-frame"),
    stages.READ: _task(stages.READ, "read", "read-{source}"),
    stages.LINK: _task(stages.LINK, "link", "link-{source}"),
    stages.CREATE: _task(stages.CREATE, "create", "create"),
    stages.SCORE: _task(stages.SCORE, "score", "score-{partition}"),
    stages.FINISH: _task(stages.FINISH, "finish", "finish"),
}
"""The task of each stage."""


@flow(name="score", flow_run_name="score-{day}", persist_result=False)
def score(home: str, day: str) -> State[None] | None:
    """Scores the council's households.

    It never raises: Prefect would write the error to a file, with all that hangs on it.

    Args:
        home: The node's folder.
        day: The day of the run, ISO 8601.
    """
    _Body.failure = UNFINISHED
    try:
        config = load_config(Path(home))
        _Body.summary = with_failures(config, partial(score_in_tasks, home, day))
        failure = None
    except StageFailed as failed:
        failure = failed
    except Problem as problem:
        failure = StageFailed.of(problem)
    except Exception as error:
        known = lost(load_config(Path(home)), error) or work_fault("flow score", error)
        failure = StageFailed.of(known)
    _Body.failure = failure
    if failure is None:
        return None
    get_run_logger().error(str(failure))
    return Failed(message=str(failure))


def score_in_tasks(home: str, day: str, failed: Mapping[str, str] = NOTHING) -> RunSummary:
    """What the flow `score` does: one task for each source, partition and stage.

    Args:
        home: The node's folder.
        day: The day of the run, ISO 8601.
        failed: How plugins have failed before in this run, as `own_run.begin`.

    Raises:
        StageFailed: If a stage fails, and trying again does not help.
    """
    with _begun(home, day, failed) as run:
        run_id, engine_name = run.plan.run_id, "Dask" if run.is_shared else "threads"
        get_run_logger().info("Run %s on %s", run_id, engine_name)
        return run_stages(run, _submit_to_prefect(home, run_id))


def _submit_to_prefect(home: str, run_id: str) -> Submit:
    """Stages as tasks: on the flow's task runner, unless they belong to this process."""

    def submit(stage: Stage, *ids: str | int) -> Submitted:
        if stage.is_here:
            TASKS[stage](home, run_id, *ids)
            return stages.ended()
        return TASKS[stage].submit(home, run_id, *ids)

    return submit


@task(name="event", persist_result=False, cache_policy=NO_CACHE)
def event(round_id: str, text: str, is_problem: bool) -> None:
    """Something that happened at a visit; fails if somebody has to look."""
    if is_problem:
        raise StageFailed(text, f"round {round_id}" if round_id else "", "", int(ExitCode.FAULT))
    get_run_logger().info(text)


@flow(name="visit", flow_run_name="visit-{moment}", persist_result=False)
def visit(moment: str, events: list[tuple[str, str, bool]]) -> State[None] | None:
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
        run.wait()
    problems = [text for _, text, is_problem in events if is_problem]
    return Failed(message=problems[0]) if problems else None


UNFINISHED = StageFailed("the run did not come to its end", "", "", int(ExitCode.FAULT))


class _Body:
    """What became of the work of a flow, whatever became of its history.

    Attributes:
        failure: Why it failed; None if it did not. Missing until it begins.
        summary: What the run did; there once it has not failed.
    """

    failure: StageFailed | None
    summary: RunSummary


def run_score(home: Path, day: datetime.date, warn: Callable[[str], None]) -> RunSummary:
    """Scores as a flow, on the configured engine; without one if Prefect cannot be reached.

    Args:
        home: The node's folder.
        day: The day of the run.
        warn: Told if Prefect cannot be reached.

    Returns:
        What the run did.

    Raises:
        Problem: As `pipeline.engine.score`.
    """
    config = load_config(home)
    recorded = score.with_options(task_runner=_runner(config))
    try:
        recorded(str(config.home), day.isoformat(), return_state=True)
    except Exception as error:
        warn(f"Prefect cannot be reached ({type(error).__name__}); its history has a gap")
    if not hasattr(_Body, "failure"):
        judged = Judged(last_run(config), in_force(config.state_path, day))
        policy = load_policy(config.risk_policy)
        with load_plugins(config) as plugins:
            return engine.score(config, plugins, policy, today=day, judged=judged)
    if _Body.failure is not None:
        raise _Body.failure.problem
    return _Body.summary


def record_visit(moment: str, events: Sequence[Event]) -> None:
    """Writes what a visit did into the history."""
    visit(moment, [(one.round_id, one.text, one.is_problem) for one in events], return_state=True)


def _runner(config: NodeConfig) -> TaskRunner[Any]:
    """Where tasks run: on threads, or on the cluster's workers."""
    if not config.on_cluster:
        return ThreadPoolTaskRunner(max_workers=config.threads)
    from prefect_dask.task_runners import DaskTaskRunner

    return DaskTaskRunner(
        address=config.dask.scheduler,
        client_kwargs={"security": security(config), "timeout": CONNECT_SECONDS},
    )


@contextmanager
def _begun(home: str, day: str, failed: Mapping[str, str]) -> Iterator[OwnRun]:
    """A run that the stages of this process, or the workers', can find."""
    opened = ExitStack()

    def prepare() -> OwnRun:
        config = load_config(Path(home))
        policy = load_policy(config.risk_policy)
        day_ = datetime.date.fromisoformat(day)
        plugins = opened.enter_context(load_plugins(config))
        return opened.enter_context(
            begin(
                config,
                plugins,
                policy,
                today=day_,
                shared=config.on_cluster,
                judged=Judged(last_run(config), in_force(config.state_path, day_)),
                failed=failed,
            )
        )

    try:
        with stages.owned(shielded("the run", prepare)) as run:
            yield run
    except BaseException as error:
        opened.__exit__(type(error), error, error.__traceback__)
        raise
    else:
        shielded("the run", opened.close)
