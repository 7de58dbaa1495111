"""Limits on failed sign-ins, for each account and each address.

A name that has no account is counted in the same way, so that nobody learns which there are.
"""

from __future__ import annotations

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from folkmoot_web.audit import SIGN_IN_FAILED, SIGN_IN_HELD, Audit
from folkmoot_web.clock import MINUTE, Clock
from folkmoot_web.database.connection import Database
from folkmoot_web.database.models import AttemptRow
from folkmoot_web.settings import AttemptSettings
from folkmoot_web.sign_in.accounts import normalise
from folkmoot_web.tokens import digest


class Attempts:
    """Counts failed sign-ins."""

    def __init__(
        self, database: Database, audit: Audit, settings: AttemptSettings, clock: Clock
    ) -> None:
        self._database = database
        self._audit = audit
        self._settings = settings
        self._clock = clock

    @property
    def minutes(self) -> int:
        """After how many minutes a failure no longer counts."""
        return self._settings.minutes

    def reserve(self, name: str, address: str) -> bool:
        """Counts an attempt before it is judged, so that many at one time are no way round.

        Args:
            name: The account's, as it was typed.
            address: Whence it is tried.

        Returns:
            Whether it may be judged; otherwise it is not counted.
        """
        now = self._clock()
        since = now - self._settings.minutes * MINUTE
        limits = (
            (_of_account(name), self._settings.per_account),
            (_of_address(address), self._settings.per_address),
        )
        with self._database.writing() as session:
            if session.get_bind().dialect.name == "postgresql":
                # SQLite's writing transaction keeps others out by itself.
                session.execute(text("LOCK TABLE web_attempts IN SHARE ROW EXCLUSIVE MODE"))
            session.execute(delete(AttemptRow).where(AttemptRow.at < since))
            if any(self._count(session, key) >= limit for key, limit in limits):
                return False
            session.add_all(AttemptRow(key_digest=key, at=now) for key, _ in limits)
            return True

    def note_failure(self, name: str, address: str) -> None:
        """Records that an attempt failed.

        The audit log gets a digest of the name: people type passwords into the wrong field.
        """
        with self._database.writing() as session:
            detail = {"account_digest": _of_account(name), "address": address}
            self._audit.record(session, SIGN_IN_FAILED, "", detail)
            if self._count(session, _of_account(name)) == self._settings.per_account:
                self._audit.record(session, SIGN_IN_HELD, "", detail)

    def clear(self, session: Session, name: str, address: str) -> None:
        """Forgets the attempts at an account that has signed in, in the caller's transaction.

        Of the address's, only the last is forgotten: others there may be guessing.
        """
        session.execute(delete(AttemptRow).where(AttemptRow.key_digest == _of_account(name)))
        last = select(func.max(AttemptRow.id)).where(AttemptRow.key_digest == _of_address(address))
        session.execute(delete(AttemptRow).where(AttemptRow.id == last.scalar_subquery()))

    def _count(self, session: Session, key: str) -> int:
        counted = select(func.count()).select_from(AttemptRow)
        return int(session.scalar(counted.where(AttemptRow.key_digest == key)) or 0)


def account_digest(name: str) -> str:
    """What the audit log has of the name that a failed sign-in gave: 64 hex digits."""
    return _of_account(name)


def _of_account(name: str) -> str:
    return digest(f"account {normalise(name)}")


def _of_address(address: str) -> str:
    return digest(f"address {address}")
