"""Opens, shows, searches for and exports households, and ends by SIGKILL at a chosen write."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import event

from folkmoot_node.casework.desk import open_desk
from folkmoot_node.settings.node_toml import load_config
from folkmoot_web.visitors import Visitor

BEGINS = "BEGIN IMMEDIATE"
NOW = 1_800_000_000


def say(text: str) -> None:
    """Says something at once: what is buffered would be lost with the process."""
    os.write(1, f"{text}\n".encode())


def main(home: Path, case_id: str, uprn: int, point: int) -> None:
    """Does it, and dies.

    Args:
        home: The node's folder.
        case_id: The case.
        uprn: Of a household that is searched for.
        point: At this beginning or end of a transaction, counted from 1; 0 never: says how many
            there are. Within a transaction that is not committed nothing differs.
    """
    desk = open_desk(load_config(home), clock=lambda: NOW)
    policy = desk.known.policy
    permissions = policy.permissions().of(("manager", "protection_officer"))
    visitor = Visitor(1, "jo@example.gov.uk", "Jo", ("manager",), permissions, "session")
    written = 0

    def count() -> None:
        nonlocal written
        written += 1
        if written == point:
            os.kill(os.getpid(), signal.SIGKILL)

    engine = desk.state.database._engine

    @event.listens_for(engine, "before_cursor_execute")
    def _executed(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(BEGINS):
            count()

    event.listen(engine, "commit", lambda _: count())
    desk.openings.open(visitor, case_id, "Preparing the first call")
    say("BEFORE")
    opened = desk.openings.look(visitor, case_id, "score")
    say(f"SHOWN {opened.household}")
    search = desk.searches.search(visitor, uprn, "A complaint came in", is_scored=True)
    say(f"FOUND {search}")
    export, _ = desk.exports.of_cases(visitor, "work", desk.cases.listed(), "For the meeting")
    say(f"EXPORTED {export.export_id}")
    if point == 0:
        say(f"WRITES {written}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
