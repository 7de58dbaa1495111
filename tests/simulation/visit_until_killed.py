"""One visit of a node to its coordinator that ends by SIGKILL at a chosen point.

Usage: visit_until_killed.py HOME sql N    kill before the N-th SQL statement that writes
       visit_until_killed.py HOME transaction N  kill before the N-th transaction
       visit_until_killed.py HOME step S   kill just after step S of answering a round
       visit_until_killed.py HOME count 0  do not kill; print the number of statements
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from folkmoot_node.answering.answer import poll
from folkmoot_node.home import open_home
from folkmoot_node.release.steps import AnswerStage

WRITES = ("BEGIN", "INSERT", "UPDATE", "COMMIT")


def main(home: Path, kind: str, point: str) -> None:
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


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
