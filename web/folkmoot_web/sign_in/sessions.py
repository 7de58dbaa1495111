"""Sessions: kept on the server, so that the server ends them."""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from folkmoot_web.audit import SIGNED_IN, SIGNED_OUT, Audit
from folkmoot_web.clock import HOUR, MINUTE, Clock
from folkmoot_web.database.connection import Database
from folkmoot_web.database.models import AccountRow, SessionRow
from folkmoot_web.permissions import Permissions
from folkmoot_web.settings import SessionSettings
from folkmoot_web.sign_in.accounts import Account
from folkmoot_web.tokens import digest, new_token
from folkmoot_web.visitors import Visitor

_NOTED_EVERY = 30
"""Seconds: a request within them does not write that the session was used."""


class Sessions:
    """The sessions of a site."""

    def __init__(
        self,
        database: Database,
        audit: Audit,
        permissions: Permissions,
        settings: SessionSettings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._audit = audit
        self._permissions = permissions
        self._idle = settings.idle_minutes * MINUTE
        self._absolute = settings.absolute_hours * HOUR
        self._clock = clock

    def begin(self, session: Session, account: Account, how: str, previous: str | None) -> str:
        """Signs somebody in, within a writing transaction.

        Args:
            session: Of the transaction.
            account: Who signs in.
            how: How they proved it, for the audit log: `password`, or an issuer.
            previous: A session's token that the browser had; that session ends.

        Returns:
            The token for the browser's cookie; it is kept as a digest alone.
        """
        now = self._clock()
        if previous is not None:
            session.execute(delete(SessionRow).where(SessionRow.token_digest == digest(previous)))
        session.execute(delete(SessionRow).where(self._ended(now)))
        token = new_token()
        session.add(
            SessionRow(token_digest=digest(token), account=account.id, begun_at=now, seen_at=now)
        )
        session.execute(
            update(AccountRow).where(AccountRow.id == account.id).values(signed_in_at=now)
        )
        self._audit.record(session, SIGNED_IN, account.name, {"with": how})
        return token

    def find(self, token: str) -> Visitor | None:
        """Who has a session's token; None if it has ended, or there never was one."""
        now, key = self._clock(), digest(token)
        with self._database.reading() as session:
            found = session.execute(
                select(SessionRow, AccountRow)
                .join(AccountRow, AccountRow.id == SessionRow.account)
                .where(SessionRow.token_digest == key, AccountRow.is_disabled.is_(False))
            ).one_or_none()
        if found is None:
            return None
        row, account = found
        if now - row.seen_at >= self._idle or now - row.begun_at >= self._absolute:
            self._forget(key)
            return None
        if now - row.seen_at >= _NOTED_EVERY:
            with self._database.writing() as session:
                session.execute(
                    update(SessionRow).where(SessionRow.token_digest == key).values(seen_at=now)
                )
        roles = tuple(account.roles.split("\n")) if account.roles else ()
        return Visitor(
            account=account.id,
            name=account.name,
            display_name=account.display_name,
            roles=roles,
            permissions=self._permissions.of(roles),
            session=key,
        )

    def end(self, visitor: Visitor) -> None:
        """Signs somebody out."""
        with self._database.writing() as session:
            session.execute(delete(SessionRow).where(SessionRow.token_digest == visitor.session))
            self._audit.record(session, SIGNED_OUT, visitor.name)

    def _forget(self, key: str) -> None:
        with self._database.writing() as session:
            session.execute(delete(SessionRow).where(SessionRow.token_digest == key))

    def _ended(self, now: int) -> ColumnElement[bool]:
        return or_(
            SessionRow.seen_at <= now - self._idle,
            SessionRow.begun_at <= now - self._absolute,
        )
