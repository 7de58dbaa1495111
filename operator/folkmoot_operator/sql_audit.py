"""A hash-chained log in a server's database, which may be PostgreSQL.

The chain is that of `folkmoot_operator.hash_chain`. An entry is added in the transaction of what it
records, so that neither is there without the other. Needs the extra `database`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import Row, Table, insert, or_, select, text
from sqlalchemy.orm import DeclarativeBase, Session

from folkmoot_operator.hash_chain import GENESIS, Entry, Head, body_text, entry_digest
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.sql_database import SqlDatabase

_CHANGED = (
    "Keep a copy of the database, find out who had access, and restore the newest backup whose "
    "audit log can be verified"
)
_AT_ONCE = 1000


class SqlAudit:
    """An audit log."""

    def __init__(self, row: type[DeclarativeBase]) -> None:
        """Names its table.

        Args:
            row: With the columns `sequence`, `at`, `body`, `previous` and `digest`. Its migration
                makes triggers that forbid changes; the chain shows those made all the same.
        """
        assert isinstance(row.__table__, Table)
        self._table = row.__table__

    def append(self, session: Session, at: int, body: Mapping[str, Any]) -> Entry:
        """Adds an entry, in a transaction that writes.

        Args:
            session: Of the transaction, `SqlDatabase.writing`.
            at: Seconds since 1970-01-01T00:00:00Z.
            body: What is recorded: texts, whole numbers, lists and tables of them, nulls. Never a
                password, a token, or anything from residents' records.
        """
        log = self._table
        self.exclude_writers(session)
        last = session.execute(
            select(log.c.sequence, log.c.digest).order_by(log.c.sequence.desc()).limit(1)
        ).first()
        sequence, previous = (last.sequence + 1, last.digest) if last else (1, GENESIS)
        kept = body_text(body)
        digest = entry_digest(sequence, at, kept, previous)
        row = {"sequence": sequence, "at": at, "body": kept, "previous": previous, "digest": digest}
        session.execute(insert(log).values(row))
        return Entry(sequence, at, dict(body), previous, digest)

    def exclude_writers(self, session: Session) -> None:
        """Lets nobody else add an entry until the transaction ends; readers go on."""
        if session.get_bind().dialect.name == "postgresql":  # SQLite has one writer at a time
            session.execute(text(f"LOCK TABLE {self._table.name} IN SHARE ROW EXCLUSIVE MODE"))

    def entries(self, database: SqlDatabase, actions: Collection[str] = ()) -> Iterator[Entry]:
        """Entries, oldest first.

        Args:
            database: Where the log is.
            actions: Only those whose `action` is one of these; all if empty.

        Raises:
            Problem: Exit code VERIFICATION, naming an entry that cannot be read.
        """
        for row in self._rows(database):
            try:
                body = json.loads(row.body)
            except ValueError:
                raise _does_not_fit(database, row.sequence) from None
            if not actions or body.get("action") in actions:
                yield Entry(row.sequence, row.at, body, row.previous, row.digest)

    def last(self, database: SqlDatabase, actions: Collection[str]) -> Entry | None:
        """The newest entry whose `action` is one of these; None if there is none.

        Raises:
            Problem: Exit code VERIFICATION, naming an entry that cannot be read.
        """
        log = self._table
        # As `body_text` writes it: quotation marks inside a text have a backslash there.
        told = (log.c.body.contains(body_text({"action": one})[1:-1]) for one in actions)
        query = select(log).where(or_(*told)).order_by(log.c.sequence.desc())
        with database.reading() as session:
            row = session.execute(query.limit(1)).first()
        if row is None:
            return None
        try:
            body = json.loads(row.body)
        except ValueError:
            raise _does_not_fit(database, row.sequence) from None
        return Entry(row.sequence, row.at, body, row.previous, row.digest)

    def head(self, database: SqlDatabase) -> Head:
        """Where the log ends now; nothing is recomputed."""
        log = self._table
        query = select(log.c.sequence, log.c.digest).order_by(log.c.sequence.desc()).limit(1)
        with database.reading() as session:
            last = session.execute(query).first()
        return Head(last.sequence, last.digest) if last else Head(0, GENESIS)

    def verify(self, database: SqlDatabase, noted: Collection[Head] = ()) -> Head:
        """Recomputes the whole chain.

        Args:
            database: Where the log is.
            noted: Heads that were printed earlier, from which the log must go on. Newest entries
                that were cut off leave a chain that is whole: only these show it.

        Returns:
            Where it ends.

        Raises:
            Problem: VERIFICATION, naming the first entry that does not fit or the head that is
                missing.
        """
        previous, expected = GENESIS, 1
        missing = {one.length: one for one in noted if one.length}
        for row in self._rows(database):
            fits = entry_digest(row.sequence, row.at, row.body, row.previous) == row.digest
            if row.sequence != expected or row.previous != previous or not fits:
                raise _does_not_fit(database, expected)
            if expected in missing and missing[expected].digest == row.digest:
                del missing[expected]
            previous, expected = row.digest, expected + 1
        for one in missing.values():
            raise Problem(
                f"the audit log had the head {one} once, which is not in it now ({expected - 1} "
                "entries): it is an older copy, or another log",
                where=database.address,
                remedy="Restore a newer backup; if there is none, note what is missing",
                exit_code=ExitCode.VERIFICATION,
            )
        return Head(expected - 1, previous)

    def _rows(self, database: SqlDatabase) -> Iterator[Row[Any]]:
        seen = 0
        while True:
            query = select(self._table).where(self._table.c.sequence > seen)
            with database.reading() as session:
                rows = session.execute(query.order_by(self._table.c.sequence).limit(_AT_ONCE)).all()
            yield from rows
            if len(rows) < _AT_ONCE:
                return
            seen = rows[-1].sequence


def _does_not_fit(database: SqlDatabase, sequence: int) -> Problem:
    return Problem(
        f"audit entry {sequence} does not fit the chain: it was changed, dropped or put in after "
        "the fact",
        where=database.address,
        remedy=_CHANGED,
        exit_code=ExitCode.VERIFICATION,
    )
