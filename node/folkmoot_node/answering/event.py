"""What happens on a visit, or beside it: told to the operator, and written into the node's log."""

from __future__ import annotations

from dataclasses import dataclass, field

from folkmoot_node.signals import events
from folkmoot_operator.events import LogEvent, emit


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, for the operator and the node's own log.

    Attributes:
        round_id: Round concerned, or empty.
        text: What happened; holds nothing derived from households.
        is_problem: True if somebody has to look.
        kind: What the log calls it.
    """

    round_id: str
    text: str
    is_problem: bool = False
    kind: LogEvent | None = field(default=None, compare=False)

    def emit(self) -> None:
        """Writes it into the log."""
        kind = self.kind or (events.PROBLEM if self.is_problem else events.NOTE)
        emit(kind, round=self.round_id, text=self.text)
