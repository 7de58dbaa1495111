"""The audit log: what was done on the site, by whom, in a hash chain in the site's database."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from folkmoot_operator.hash_chain import Entry, Head
from folkmoot_operator.sql_audit import SqlAudit
from folkmoot_web.clock import Clock
from folkmoot_web.database.connection import Database
from folkmoot_web.database.models import AuditRow

SIGNED_IN = "signed in"
SIGN_IN_FAILED = "sign-in failed"
SIGN_IN_HELD = "sign-in held back"
SIGNED_OUT = "signed out"
ACCOUNT_ADDED = "account added"
ROLES_CHANGED = "roles changed"
ACCOUNT_DISABLED = "account disabled"
ACCOUNT_ENABLED = "account enabled"
LINK_MADE = "set-up link made"
PASSWORD_CHOSEN = "password chosen"  # noqa: S105
"""Actions of the kit; a product adds its own."""


_LOG = SqlAudit(AuditRow)


class Audit:
    """The audit log of a site."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def record(
        self, session: Session, action: str, by: str, detail: Mapping[str, Any] | None = None
    ) -> Entry:
        """Adds an entry inside the caller's writing transaction.

        Args:
            session: Of the transaction, `Database.writing`.
            action: What was done: a short text that programs compare.
            by: The account's name, or which command.
            detail: See `SqlAudit.append`.
        """
        return _LOG.append(session, self._clock(), {"action": action, "by": by, **(detail or {})})

    def entries(self, actions: Collection[str] = ()) -> Iterator[Entry]:
        """Entries, oldest first; see `SqlAudit.entries`."""
        return _LOG.entries(self._database, actions)

    def head(self) -> Head:
        """Where the log ends now; nothing is recomputed."""
        return _LOG.head(self._database)

    def verify(self, noted: Collection[Head] = ()) -> Head:
        """Recomputes the whole chain; see `SqlAudit.verify`."""
        return _LOG.verify(self._database, noted)
