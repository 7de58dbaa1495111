"""The region's own record as the public may read it, made at most once in ten minutes.

Whoever can reach the site can ask for it, and it is made from every round and receipt.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from folkmoot_coordinator.clock import Clock
from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.scrutiny.borne_losses import loss_facts
from folkmoot_coordinator.scrutiny.holdings import holdings
from folkmoot_coordinator.scrutiny.rounds_asked import rounds_asked
from folkmoot_operator.sql_database import SqlDatabase

KEPT_SECONDS = 600


@dataclass(frozen=True, slots=True)
class PublicRecord:
    """What the coordinator holds, what it asked, and what that cost. It names nobody.

    Attributes:
        made_at: Seconds since 1970-01-01T00:00:00Z.
        holds: See `holdings`.
        rounds: See `rounds_asked`.
        losses: See `loss_facts`.
    """

    made_at: int
    holds: list[dict[str, Any]]
    rounds: list[dict[str, Any]]
    losses: list[dict[str, Any]]

    def loss_of(self, council: str) -> dict[str, Any] | None:
        """What households of a council have borne at most; None if it has released nothing."""
        return next((one for one in self.losses if one["council"] == council), None)


class KeptRecord:
    """Makes the record, and keeps it for a while."""

    def __init__(self, database: Database, settings: CoordinatorSettings, clock: Clock) -> None:
        """Nothing is read yet.

        Args:
            database: The coordinator's.
            settings: What its file says.
            clock: The time.
        """
        self._database, self._settings, self._clock = database, settings, clock
        self._made: PublicRecord | None = None
        self._making = threading.Lock()

    def now(self, site: SqlDatabase, drafts: SqlDatabase) -> PublicRecord:
        """The record, not older than ten minutes.

        Args:
            site: The database of the site.
            drafts: The database of drafts.

        Raises:
            Problem: If something stored is damaged, or a database cannot be read.
        """
        with self._making:
            now = self._clock()
            if self._made is None or not 0 <= now - self._made.made_at < KEPT_SECONDS:
                self._made = PublicRecord(
                    now,
                    holdings(self._database, self._settings, site, drafts),
                    rounds_asked(self._database),
                    loss_facts(self._database, self._settings),
                )
            return self._made
