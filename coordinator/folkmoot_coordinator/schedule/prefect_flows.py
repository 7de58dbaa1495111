"""The Prefect flow: what the schedule did, one task for each job.

The only module of the coordinator that imports Prefect. The flow receives the folder, names and
ids, never a count; its jobs run without it too. Nothing returns a result to Prefect's store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger
from prefect.states import Failed

from folkmoot_coordinator.schedule.jobs import Done, Job, Kind, done_or_failed


class JobFailed(Exception):
    """A job that somebody has to look at; the text is for people."""


class _Body:
    """What became of the jobs of a flow, whatever became of its history."""

    done: dict[Job, Done] = {}


@task(name="job", task_run_name="{kind} {key}", persist_result=False, cache_policy=NO_CACHE)
def job(home: str, kind: str, key: str, due_at: int) -> None:
    """One job; fails if somebody has to look."""
    one = Job(Kind(kind), key, due_at)
    done = done_or_failed(Path(home), one)
    _Body.done[one] = done
    if done.is_problem:
        raise JobFailed(done.text)
    get_run_logger().info(done.text)


@flow(name="schedule", flow_run_name="schedule-{moment}", persist_result=False)
def schedule(home: str, moment: str, jobs: list[tuple[str, str, int]]) -> State[None] | None:
    """What was due at one moment.

    Args:
        home: The coordinator's folder.
        moment: When, for the name of the run.
        jobs: Kind, key and time of each.
    """
    del moment
    states = [job(home, *one, return_state=True) for one in jobs]
    failed = sum(not state.is_completed() for state in states)
    return Failed(message=f"{failed} of {len(jobs)} failed") if failed else None


def run_recorded(
    home: Path, moment: str, jobs: Sequence[Job], warn: Callable[[str], None]
) -> dict[Job, Done]:
    """Runs jobs as a flow; those that it did not come to are run without Prefect.

    Args:
        home: The coordinator's folder.
        moment: When, for the name of the run.
        jobs: What is due.
        warn: Told if Prefect cannot be reached.
    """
    _Body.done = {}
    try:
        schedule(
            str(home), moment, [(one.kind.value, one.key, one.due_at) for one in jobs],
            return_state=True,
        )  # fmt: skip
    except Exception as error:
        warn(f"Prefect cannot be reached ({type(error).__name__}); its history has a gap")
    for one in jobs:
        if one not in _Body.done:
            _Body.done[one] = done_or_failed(home, one)
    return _Body.done
