"""One visit of a node to its coordinator that ends by SIGKILL at a chosen point."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from folkmoot_node.answering.visit import poll
from folkmoot_node.home import open_home
from folkmoot_node.release.steps import AnswerStage

WRITES = ("BEGIN", "INSERT", "UPDATE", "COMMIT")


def main(home: Path, kind: str, point: str) -> None:
    """Visits, and dies.

    Args:
        home: The node's home folder.
        kind: `sql`, before the statement of that number that writes; `transaction`, before
            the one of that number; `step`, just after that step of answering a round; or
            `count`, never: prints the number of statements that write.
        point: The number or the step.
    """
    written = begun = 0

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def observe(step: AnswerStage) -> None:
        if kind == "step" and step.name == point:
            die()

    def trace(statement: str) -> None:
        nonlocal written, begun
        begun += statement.startswith("BEGIN")
        if kind == "transaction" and begun == int(point):
            die()
        if statement.lstrip().startswith(WRITES):
            written += 1
            if kind == "sql" and written == int(point):
                die()

    with open_home(home, observe=observe) as node, node.connect() as client:
        node.state.reader.set_trace_callback(trace)
        for event in poll(node, client):
            if event.is_problem:
                sys.exit(event.text)
    print(written)
