"""The register of incidents in a node's audit log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from folkmoot_node.evidence.database import Clock, StateDatabase
from folkmoot_operator.hash_chain import Entry, Head


class IncidentLog:
    """A node's audit log, as the register needs it."""

    def __init__(self, state: StateDatabase, clock: Clock) -> None:
        """Opens it.

        Args:
            state: The state file.
            clock: Gives the time.
        """
        self._state = state
        self._audit = state.chain("audit")
        self._clock = clock

    def entries(self, actions: tuple[str, ...]) -> Iterable[Entry]:
        """Entries with these actions, oldest first."""
        return self._audit.entries(actions)

    def append(self, body: Callable[[], Mapping[str, Any]]) -> Entry:
        """Adds an entry in a transaction of its own."""
        with self._state.transaction() as connection:
            return self._audit.append(connection, self._clock(), body())

    def head(self) -> Head:
        """Where the audit log ends now."""
        return self._audit.head()
