"""A node's visits in a process of its own, and what they took."""

from __future__ import annotations

import json
import resource
import time
from dataclasses import dataclass
from pathlib import Path

from folkmoot_node.answering.visit import poll
from folkmoot_node.home import open_home
from folkmoot_operator.problems import Problem
from tests.forked_commands import fork


@dataclass(frozen=True)
class Visits:
    """What some visits took.

    Attributes:
        mebibytes: Largest resident memory of the process, from its beginning.
        seconds: Processor time of each visit.
        events: What each visit told.
        problem: What ended them, or empty.
    """

    mebibytes: float
    seconds: list[float]
    events: list[list[str]]
    problem: str


def visits(home: Path, times: int = 1) -> Visits:
    """Visits the coordinator as `serve` does, and stops at the first problem."""
    return Visits(**json.loads(fork(_visit, str(home), times).said()))


def _visit(home: str, times: int) -> None:
    seconds: list[float] = []
    events: list[list[str]] = []
    problem = ""
    with open_home(Path(home)) as node:
        try:
            for _ in range(times):
                began = time.process_time()
                with node.connect() as client:
                    events.append([event.text for event in poll(node, client)])
                seconds.append(time.process_time() - began)
        except Problem as found:
            problem = str(found)
    mebibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {"mebibytes": mebibytes, "seconds": seconds, "events": events, "problem": problem}
        )
    )
