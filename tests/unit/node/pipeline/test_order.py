"""The order of a run's stages, whatever runs them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from folkmoot_node.pipeline import stages
from folkmoot_node.pipeline.order import run_stages
from folkmoot_node.pipeline.own_run import OwnRun, begin
from folkmoot_node.pipeline.stages import Stage, StageFailed
from folkmoot_operator.problems import ExitCode, Problem
from tests.unit.node.conftest import TODAY

NAMES = {
    stages.READ_FRAME: "read frame",
    stages.READ: "read",
    stages.LINK: "link",
    stages.CREATE: "create",
    stages.SCORE: "score",
    stages.FINISH: "finish",
}
READ = ["begin read frame", "end read frame", "begin read people", "end read people"]
PARTITIONS = 3
SCORED = [f"begin score {partition}" for partition in range(PARTITIONS)]


@dataclass
class Recording:
    """An engine that does a stage when its result is asked for, and writes down the order.

    Attributes:
        run: The run.
        by_id: Whether stages are called by the run's id, as by Dask and Prefect.
        fails: The stage that fails.
        events: What began and ended, in order.
    """

    run: OwnRun
    by_id: bool = False
    fails: Stage | None = None
    events: list[str] = field(default_factory=list)

    def __call__(self, stage: Stage, *ids: str | int) -> Any:
        name = " ".join([NAMES[stage], *map(str, ids)])
        self.events.append(f"begin {name}")
        return Waiting(self, stage, ids, name)


@dataclass
class Waiting:
    """A stage that was submitted."""

    engine: Recording
    stage: Stage
    ids: tuple[str | int, ...]
    name: str
    done: bool = False

    def result(self) -> None:
        if self.done:
            return
        run = self.engine.run
        if self.stage is self.engine.fails:
            raise Problem("is away", where=self.name, exit_code=ExitCode.UNREACHABLE)
        if self.engine.by_id:
            self.stage.by_id(str(run.config.home), run.plan.run_id, *self.ids)
        else:
            self.stage.here(run, *self.ids)
        self.done = True
        self.engine.events.append(f"end {self.name}")


@contextmanager
def begun(node: Any, *, shared: bool = False) -> Iterator[OwnRun]:
    text = (node.home / "node.toml").read_text()
    if "partitions" not in text:
        node.write_node(text.replace('frame = "tax"', f'frame = "tax"\npartitions = {PARTITIONS}'))
    with begin(node.config, node.plugins, node.policy, today=TODAY, shared=shared) as run:
        yield run


@pytest.mark.parametrize("shared", [False, True], ids=["in memory", "in files"])
@pytest.mark.parametrize("by_id", [False, True], ids=["here", "by id"])
def test_every_engine_runs_the_same_stages_in_the_same_order(node, shared, by_id):
    node.score()
    expected = node.rows()
    told = []
    with begun(node, shared=shared) as run, stages.owned(run):
        submit = Recording(run, by_id)
        summary = run_stages(run, submit, lambda *report: told.append(report))
    assert submit.events == [
        *READ,
        "begin create",
        "end create",
        *SCORED,
        *(event.replace("begin", "end") for event in SCORED),
        "begin finish",
        "end finish",
    ]
    assert told == [
        ("sources", 0, 2),
        ("sources", 1, 2),
        ("sources", 2, 2),
        *(("households", 4 * done // PARTITIONS, 4) for done in range(PARTITIONS + 1)),
    ]
    assert summary.households == 3
    assert node.rows().equals(expected)


def test_sources_may_be_read_while_the_frame_is(node):
    with begun(node) as run:
        submit = Recording(run)
        run_stages(run, submit, frame_first=False)
    assert submit.events[:2] == ["begin read frame", "begin read people"]
    assert submit.events[2:4] == ["end read frame", "end read people"]


@pytest.mark.parametrize(
    ("fails", "last"),
    [
        (stages.READ_FRAME, "begin read frame"),
        (stages.READ, "begin read people"),
        (stages.LINK, "begin link people"),
        (stages.CREATE, "begin create"),
        (stages.SCORE, f"begin score {PARTITIONS - 1}"),
        (stages.FINISH, "begin finish"),
    ],
    ids=NAMES.values(),
)
def test_nothing_is_submitted_after_a_stage_that_failed(node, monkeypatch, fails, last):
    node.config.store_path.parent.mkdir(exist_ok=True)
    node.config.store_path.write_bytes(b"the last scores")
    if fails is stages.LINK:  # which this node has nothing of
        monkeypatch.setattr(OwnRun, "linkable", ("people",))
    with pytest.raises(Problem, match="is away"), begun(node) as run:
        submit = Recording(run, fails=fails)
        run_stages(run, submit)
    assert submit.events[-1] == last
    assert node.config.store_path.read_bytes() == b"the last scores"


def test_what_a_worker_scores_is_collected_by_who_began_the_run(node, monkeypatch):
    monkeypatch.setattr("folkmoot_node.pipeline.run.load_plugins", lambda _: node.loaded)
    with begun(node, shared=True) as run:
        home, run_id = str(run.config.home), run.plan.run_id
        stages.read_frame(home, run_id)
        stages.read(home, run_id, "people")
        run.create()
        for partition in range(PARTITIONS):
            stages.score(home, run_id, partition)
        spooled = [run.result(partition) for partition in range(PARTITIONS)]
        run.finish()
    assert sum(sum(scored.bands) for scored in spooled if scored) == run.summary.households == 3


def test_a_stage_that_failed_here_is_told_to_others_without_the_text_behind_it(node):
    def leak(context):
        raise ValueError("resident 918273645546")

    node.tax.before_batch = leak
    with begun(node) as run, stages.owned(run), pytest.raises(StageFailed) as caught:
        run_stages(run, Recording(run, by_id=True))
    assert "918273645546" not in str(caught.value)
    assert caught.value.__context__ is None
