"""A back-test: scores as they would have been on each date, judged by what then happened."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from folkmoot_node.evaluation.dated_snapshots import snapshots
from folkmoot_node.evaluation.evaluation_file import EvaluationFile
from folkmoot_node.evaluation.measures.evaluation import Evaluation
from folkmoot_node.evaluation.measures.judge import judge
from folkmoot_node.evaluation.measures.judgement import Judgement
from folkmoot_node.evaluation.measures.plain import plain
from folkmoot_node.evaluation.measures.summary import summarise
from folkmoot_node.evaluation.snapshot import Leak, Snapshot
from folkmoot_node.pipeline.order import Progress
from folkmoot_node.policies.risk_policy import RiskPolicy
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.sources.connect import Plugins


@dataclass(frozen=True, slots=True)
class Read:
    """What was read and left out for one date, and what looks as if it knew too much.

    Attributes:
        date: The date.
        without_date: Records of dated sources that were not read since they have no date, by
            source.
        not_in_frame: Records with events of homes that were no household on the date, by source.
        withheld: Households that are not judged since their objection was upheld.
        leaks: Inputs and factors that nearly equal an outcome.
    """

    date: datetime.date
    without_date: Mapping[str, int]
    not_in_frame: Mapping[str, int]
    withheld: int
    leaks: tuple[Leak, ...]

    @classmethod
    def of(cls, snapshot: Snapshot) -> Read:
        """What a snapshot says of that."""
        return cls(
            snapshot.date,
            dict(snapshot.without_date),
            dict(snapshot.not_in_frame),
            snapshot.withheld,
            snapshot.leaks,
        )


@dataclass(frozen=True, slots=True)
class BackTest:
    """A back-test, done.

    Attributes:
        found: All figures.
        read: By date, in the same order.
    """

    found: Evaluation
    read: tuple[Read, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values: dates as ISO 8601, null where there is no figure."""
        return {**self.found.as_json(), "read": plain(self.read)}


def back_test(
    config: NodeConfig,
    plugins: Plugins,
    policy: RiskPolicy,
    evaluation: EvaluationFile,
    *,
    today: datetime.date,
    progress: Progress,
) -> BackTest:
    """Scores one date after the other, and judges each while the next is scored.

    One date is scored and one judged at a time, so that no more are in memory, however many there
    are. A date that cannot be judged stops the run once the next is scored, and is told before what
    stopped that one.

    Args:
        config: The node's configuration.
        plugins: Installed plugins.
        policy: The policy that is judged.
        evaluation: What is asked.
        today: As for `score`.
        progress: Told how many dates are scored.

    Raises:
        Problem: As `snapshots`.
    """
    judged: list[Future[Judgement]] = []
    read = []
    dated = snapshots(config, plugins, policy, evaluation, today=today, progress=progress)
    with ThreadPoolExecutor(1, "judging") as thread:
        # Begun before scoring is, or it would take over memory that scoring frees, and keep it.
        thread.submit(int).result()
        try:
            for snapshot in dated:
                _wait(judged)
                judged.append(thread.submit(judge, snapshot, evaluation))
                read.append(Read.of(snapshot))
                del snapshot  # or it would be in memory when it is judged
        finally:
            _wait(judged)
    return BackTest(summarise([one.result() for one in judged], evaluation), tuple(read))


def _wait(judged: Sequence[Future[Judgement]]) -> None:
    """Waits until the last date is judged, or raises what went wrong there."""
    for one in judged[-1:]:
        one.result()
