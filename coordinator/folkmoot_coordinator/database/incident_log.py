"""The register of incidents in a coordinator's audit log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from folkmoot_coordinator.clock import Clock
from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.database.connection import Database
from folkmoot_operator.accounts import Operator
from folkmoot_operator.hash_chain import Entry, Head


class IncidentLog:
    """A coordinator's audit log, as the register needs it."""

    def __init__(self, database: Database, clock: Clock, who: Operator) -> None:
        """Opens it.

        Args:
            database: The region's.
            clock: Gives the time.
            who: Who enters something.
        """
        self._database = database
        self._clock = clock
        self._who = who

    def entries(self, actions: tuple[str, ...]) -> Iterable[Entry]:
        """Entries with these actions, oldest first."""
        return audit_log.entries(self._database, actions)

    def append(self, body: Callable[[], Mapping[str, Any]]) -> Entry:
        """Adds an entry in a transaction of its own."""
        with self._database.writing() as session:
            audit_log.exclude_writers(session)
            details = dict(body())
            action = str(details.pop("action"))
            return audit_log.note(session, self._clock(), action, details, self._who)

    def head(self) -> Head:
        """Where the audit log ends now."""
        return audit_log.head(self._database)
