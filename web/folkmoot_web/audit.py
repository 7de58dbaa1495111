"""The audit log: what was done on the site, by whom, in a hash chain.

Each entry's digest covers the entry before, as in the logs of nodes
(`folkmoot_operator.hash_chain`), so that a change or a gap shows. The table refuses changes; the
chain shows those that were made all the same. An entry is stored in the transaction that it
is about: neither is there without the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from folkmoot_operator.hash_chain import GENESIS, Entry, Head, body_text, entry_digest
from folkmoot_operator.problems import ExitCode, Problem
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
            detail: Texts, whole numbers, lists and tables of them, nulls. Never a password, a
                token, or anything from residents' records.
        """
        if session.get_bind().dialect.name == "postgresql":
            # SQLite's writing transaction keeps others out by itself.
            session.execute(text("LOCK TABLE web_audit IN EXCLUSIVE MODE"))
        newest = session.execute(
            select(AuditRow.sequence, AuditRow.digest).order_by(AuditRow.sequence.desc()).limit(1)
        ).first()
        sequence, previous = (newest[0] + 1, newest[1]) if newest else (1, GENESIS)
        at = self._clock()
        content = {"action": action, "by": by, **(detail or {})}
        body = body_text(content)
        digest = entry_digest(sequence, at, body, previous)
        session.add(AuditRow(sequence=sequence, at=at, body=body, previous=previous, digest=digest))
        session.flush()
        return Entry(sequence, at, content, previous, digest)

    def entries(self) -> Iterator[Entry]:
        """Every entry, oldest first."""
        with self._database.reading() as session:
            for row in session.scalars(select(AuditRow).order_by(AuditRow.sequence)):
                yield Entry(row.sequence, row.at, json.loads(row.body), row.previous, row.digest)

    def newest(self, count: int) -> list[Entry]:
        """At most `count` entries, newest first."""
        with self._database.reading() as session:
            rows = session.scalars(
                select(AuditRow).order_by(AuditRow.sequence.desc()).limit(count)
            ).all()
        return [
            Entry(row.sequence, row.at, json.loads(row.body), row.previous, row.digest)
            for row in rows
        ]

    def verify(self, noted: Head | None = None) -> Head:
        """Recomputes the whole chain.

        Args:
            noted: A head that was noted earlier, which the log has to go on from.

        Returns:
            Where the log ends.

        Raises:
            Problem: Exit code VERIFICATION, naming the first entry that does not fit.
        """
        previous, expected = GENESIS, 1
        seen = noted is None or noted == Head(0, GENESIS)
        with (
            self._database.reading() as session,
            closing(
                session.scalars(
                    select(AuditRow).order_by(AuditRow.sequence).execution_options(yield_per=1000)
                )
            ) as rows,
        ):
            for row in rows:
                if (
                    row.sequence != expected
                    or row.previous != previous
                    or row.digest != entry_digest(row.sequence, row.at, row.body, previous)
                ):
                    raise self._broken(f"entry {expected} does not fit the chain")
                previous, expected = row.digest, expected + 1
                seen = seen or Head(row.sequence, row.digest) == noted
        if not seen:
            raise self._broken(f"the head {noted}, which was noted earlier, is not in it")
        return Head(expected - 1, previous)

    def _broken(self, how: str) -> Problem:
        return Problem(
            f"the audit log was changed, cut or replaced: {how}",
            where=self._database.address,
            remedy="Keep a copy of the database, and find out who could write to it; restore the "
            "newest backup whose log is whole",
            exit_code=ExitCode.VERIFICATION,
        )
