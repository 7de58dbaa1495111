"""The stages of a scoring run, also as functions of ids for workflow engines and clusters.

Arguments may be stored and sent: the node's folder, the run's id, the name of a source, the
number of a partition. Nothing is returned, and what fails says so without a resident's record.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from folkmoot_node.faults import work_fault
from folkmoot_node.pipeline.own_run import OwnRun
from folkmoot_node.pipeline.run import ScoringRun
from folkmoot_node.plugins.failures import FactorsFailed
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.unusable_files import UnusableFile

LOOK_SECONDS = 2.0
"""How often a worker looks whether a run is over."""
_T = TypeVar("_T")
_own: dict[str, OwnRun] = {}
"""Runs that this process has begun, by id: their records may be in its memory."""


class StageFailed(Exception):
    """What workflow engines and other processes are told of a failure."""

    def __init__(
        self,
        problem: str,
        where: str,
        remedy: str,
        exit_code: int,
        is_of_file: bool = False,
        failed: str = "",
        may_be_spared: bool = False,
    ) -> None:
        super().__init__(problem, where, remedy, exit_code, is_of_file, failed, may_be_spared)

    @classmethod
    def of(cls, problem: Problem) -> StageFailed:
        """The same, to be sent and stored."""
        texts = problem.problem, problem.where, problem.remedy
        code, is_of_file = int(problem.exit_code), isinstance(problem, UnusableFile)
        if isinstance(problem, FactorsFailed):
            failed, may_be_spared = problem.distribution, problem.may_be_spared
            return cls(*texts, code, is_of_file, failed, may_be_spared)
        return cls(*texts, code, is_of_file)

    @property
    def problem(self) -> Problem:
        """The same, for this process."""
        problem, where, remedy, exit_code, is_of_file, failed, may_be_spared = self.args
        kind = UnusableFile if is_of_file else Problem
        known = kind(problem, where=where, remedy=remedy, exit_code=ExitCode(exit_code))
        return FactorsFailed.of(known, failed, may_be_spared=may_be_spared) if failed else known

    @property
    def is_transient(self) -> bool:
        """Whether trying again may help."""
        return self.problem.exit_code is ExitCode.UNREACHABLE

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
    raise StageFailed.of(known)


@contextmanager
def owned(run: OwnRun) -> Iterator[OwnRun]:
    """Lets the stages of this process find the run that it has begun."""
    _own[run.plan.run_id] = run
    try:
        yield run
    finally:
        del _own[run.plan.run_id]


def read_frame(home: str, run_id: str) -> None:
    """Reads the household frame."""
    shielded("the household frame", lambda: _run(home, run_id).read_frame())


def read(home: str, run_id: str, source: str) -> None:
    """Reads another source, once the frame is read."""
    shielded(f"source {source}", lambda: _run(home, run_id).read(source))


def link(home: str, run_id: str, source: str) -> None:
    """Finds the households of a source's records without a UPRN, once all are read."""
    shielded(f"source {source}", lambda: _run(home, run_id).link(source))


def create(home: str, run_id: str) -> None:
    """Creates the store, once all sources are linked; in the process that began the run."""
    del home
    shielded("the store", _own[run_id].create)


def score(home: str, run_id: str, partition: int) -> None:
    """Scores one partition, once the store is created."""
    shielded(f"partition {partition}", lambda: _run(home, run_id).score(partition))


def finish(home: str, run_id: str) -> None:
    """Finishes the store, once all is scored; in the process that began the run."""
    del home
    shielded("the store", _own[run_id].finish)


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a run, in the two forms that engines call.

    Attributes:
        here: Called with the run and the ids, in the process that began it; errors are as they
            were raised.
        by_id: Called with the node's folder, the run's id and the ids; fails with `StageFailed`.
        is_here: Whether only the process that began the run can do it, which has the store open.
    """

    here: Callable[..., None]
    by_id: Callable[..., None]
    is_here: bool = False


READ_FRAME = Stage(OwnRun.read_frame, read_frame)
READ = Stage(OwnRun.read, read)
LINK = Stage(OwnRun.link, link)
CREATE = Stage(OwnRun.create, create, is_here=True)
SCORE = Stage(OwnRun.score, score)
FINISH = Stage(OwnRun.finish, finish, is_here=True)


def ended() -> Future[None]:
    """What an engine returns for a stage that ran while it was submitted."""
    future: Future[None] = Future()
    future.set_result(None)
    return future


def _run(home: str, run_id: str) -> ScoringRun:
    return _own.get(run_id) or _opened(home, run_id)


@lru_cache(maxsize=2)
def _opened(home: str, run_id: str) -> ScoringRun:
    run = ScoringRun.open(Path(home), run_id)
    threading.Thread(target=_close_at_end, args=(run,), name="end of run", daemon=True).start()
    return run


def _close_at_end(run: ScoringRun) -> None:
    """Ends the processes of plugins with the run: nobody tells a worker that it is over."""
    while not run.is_over:
        _never.wait(LOOK_SECONDS)
    run.close()
    _opened.cache_clear()


_never = threading.Event()
