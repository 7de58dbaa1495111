"""Whether people have stopped this node, by its audit log.

While it is paused nothing is scored, no round is answered and no answer is sent, and the pages of
casework are closed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from folkmoot_node.evidence.database import StateDatabase
from folkmoot_operator.hash_chain import HashChain
from folkmoot_operator.pauses import ACTIONS, Pause, pause_of, stopped
from folkmoot_operator.problems import Problem

RESUME = "folkmoot-node resume"
"""The command that ends a pause."""


class Audited(Protocol):
    """What has a node's audit log: a `NodeHome`."""

    @property
    def audit(self) -> HashChain:
        """The log of what people did at this node."""


def paused(home: Audited) -> Pause | None:
    """The pause of an open node; None if it is not paused."""
    return pause_of(home.audit.last(ACTIONS))


def paused_in(state: Path) -> Pause | None:
    """The pause that a node's state file tells of; None if there is none, or no such file."""
    if not state.is_file():
        return None
    with StateDatabase(state) as database:
        return pause_of(database.chain("audit").last(ACTIONS))


class PauseWatch:
    """The pause of an open node, for whoever asks every second: most looks read one row."""

    def __init__(self, home: Audited) -> None:
        """Looks when it is first asked.

        Args:
            home: The node.
        """
        self._home = home
        self._length = -1
        self._found: Pause | None = None

    def pause(self) -> Pause | None:
        """The pause; None if the node is not paused."""
        length = self._home.audit.head().length
        if length != self._length:
            self._found = paused(self._home)
            self._length = length
        return self._found


def require_running(home: Audited, what: str) -> None:
    """Checks that the node is not paused.

    Args:
        home: The node.
        what: What is not done while it is: `nothing is released`.

    Raises:
        Problem: Exit code REFUSED, with since when and why.
    """
    pause = paused(home)
    if pause is not None:
        raise not_done(pause, what)


def not_done(pause: Pause, what: str) -> Problem:
    """The problem that something is not done while the node is paused."""
    return stopped(pause, "this node", what, RESUME)
