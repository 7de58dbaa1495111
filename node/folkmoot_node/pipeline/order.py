"""The order of a run's stages, the same on every engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from folkmoot_node.pipeline import stages
from folkmoot_node.pipeline.own_run import OwnRun
from folkmoot_node.pipeline.stages import Stage
from folkmoot_node.signals.metrics import STAGE_DURATION, coarse
from folkmoot_node.signals.spans import RUN, STAGE
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_operator.metrics import measure
from folkmoot_operator.spans import span

Progress = Callable[[str, int, int], None]
"""Told what is done (`sources` or `households`), how many of them, and how many there are."""


def silent(what: str, done: int, total: int) -> None:
    """Progress that nobody watches."""
    del what, done, total


class Submitted(Protocol):
    """A stage that runs somewhere: on a thread, or on a worker."""

    def result(self) -> Any:
        """Waits until it has ended; raises if it failed."""
        ...


class Submit(Protocol):
    """An engine: begins a stage, and returns without waiting for it if it can.

    A stage that `is_here` must run in this process.
    """

    def __call__(self, stage: Stage, *ids: str | int) -> Submitted:
        """Begins a stage for a source or a partition."""
        ...


def run_stages(
    run: OwnRun,
    submit: Submit,
    progress: Progress = silent,
    *,
    frame_first: bool = True,
) -> RunSummary:
    """Runs all stages: read, link, score each partition, store.

    Args:
        run: The run, which this process has begun.
        submit: The engine.
        progress: Told how far the run is.
        frame_first: Whether other sources are read only after the household frame. Stages that
            run in this process and are tried once may begin before, and wait for the number of
            partitions while they read.

    Returns:
        What the run did.

    Raises:
        Exception: That of the first stage that failed. Nothing is submitted after it; what has
            begun by then, the engine waits for or cancels.
    """
    with span(RUN, engine="dask" if run.is_shared else "local"):
        with _timed("read"):
            sources = len(run.sources) + 1
            progress("sources", 0, sources)
            frame = submit(stages.READ_FRAME)
            if frame_first:
                frame.result()
            reads = [submit(stages.READ, source) for source in run.sources]
            frame.result()
            _wait(reads, lambda done: progress("sources", done + 1, sources))
        with _timed("link"):
            _wait([submit(stages.LINK, source) for source in run.linkable])
        with _timed("create"):
            submit(stages.CREATE).result()
        with _timed("score"):
            partitions, households = run.partitions, run.frame_records
            scores = [submit(stages.SCORE, partition) for partition in range(partitions)]
            _wait(
                scores,
                lambda done: progress("households", households * done // partitions, households),
            )
        with _timed("finish"):
            submit(stages.FINISH).result()
    return run.summary


@contextmanager
def _timed(stage: str) -> Iterator[None]:
    """Traces a stage, and measures how long it takes, to whom the settings name."""
    begun = time.monotonic()
    with span(STAGE, stage=stage):
        yield
    measure(STAGE_DURATION, coarse(time.monotonic() - begun), stage=stage)


def _wait(begun: Sequence[Submitted], done: Callable[[int], None] = lambda _: None) -> None:
    """Waits for stages in their order, and says how many are done."""
    for at, stage in enumerate(begun):
        done(at)
        stage.result()
    done(len(begun))
