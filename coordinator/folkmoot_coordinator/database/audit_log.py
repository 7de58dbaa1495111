"""What people did at this coordinator: entries in a hash chain, in the region's database.

The chain is that of `folkmoot_operator.hash_chain`, in a database that may be PostgreSQL. An
entry is added in the transaction of what it records, so that neither is there without the other.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import AuditRow
from folkmoot_operator.accounts import Operator, body_of_account, current_operator
from folkmoot_operator.hash_chain import GENESIS, Entry, Head, body_text, entry_digest
from folkmoot_operator.problems import ExitCode, Problem

_CHANGED = (
    "Keep a copy of the database, find out who had access, and restore the newest backup whose "
    "audit log can be verified"
)
_AT_ONCE = 1000


def note(
    session: Session,
    at: int,
    action: str,
    details: Mapping[str, Any],
    who: Operator | str | None = None,
) -> Entry:
    """Adds an entry to the log, in a transaction that writes.

    Args:
        session: Of the transaction.
        at: Seconds since 1970-01-01T00:00:00Z.
        action: What was done, such as `result withdrawn`.
        details: Of it: texts, whole numbers, lists of them, nulls.
        who: An account, or a program that did it by itself; None for whoever runs this process.
    """
    if session.get_bind().dialect.name == "postgresql":  # SQLite has one writer at a time
        session.execute(text("LOCK TABLE audit IN SHARE ROW EXCLUSIVE MODE"))
    last = session.scalars(select(AuditRow).order_by(AuditRow.sequence.desc()).limit(1)).first()
    sequence, previous = (last.sequence + 1, last.digest) if last else (1, GENESIS)
    account = body_of_account(current_operator() if who is None else who)
    body = {"action": action, **account, **details}
    kept = body_text(body)
    digest = entry_digest(sequence, at, kept, previous)
    session.add(AuditRow(sequence=sequence, at=at, body=kept, previous=previous, digest=digest))
    session.flush()
    return Entry(sequence, at, body, previous, digest)


def entries(database: Database, actions: Collection[str] = ()) -> Iterator[Entry]:
    """Entries, oldest first.

    Args:
        database: Where the log is.
        actions: Only those whose `action` is one of these; all if empty.
    """
    for row in _rows(database):
        try:
            body = json.loads(row.body)
        except ValueError:
            raise _does_not_fit(database, row.sequence) from None
        if not actions or body.get("action") in actions:
            yield Entry(row.sequence, row.at, body, row.previous, row.digest)


def head(database: Database) -> Head:
    """Where the log ends now; nothing is recomputed."""
    query = select(AuditRow).order_by(AuditRow.sequence.desc()).limit(1)
    with database.reading() as session:
        last = session.scalars(query).first()
    return Head(last.sequence, last.digest) if last else Head(0, GENESIS)


def verify(database: Database, noted: Collection[Head] = ()) -> Head:
    """Recomputes the whole chain.

    Args:
        database: Where the log is.
        noted: Heads that were printed earlier, from which the log must go on. Newest entries
            that were cut off leave a chain that is whole: only these show it.

    Returns:
        Where it ends.

    Raises:
        Problem: VERIFICATION, naming the first entry that does not fit or the head that is missing.
    """
    previous, expected = GENESIS, 1
    missing = {one.length: one for one in noted if one.length}
    for row in _rows(database):
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


def _rows(database: Database) -> Iterator[AuditRow]:
    seen = 0
    while True:
        query = select(AuditRow).where(AuditRow.sequence > seen).order_by(AuditRow.sequence)
        with database.reading() as session:
            rows = session.scalars(query.limit(_AT_ONCE)).all()
        yield from rows
        if len(rows) < _AT_ONCE:
            return
        seen = rows[-1].sequence


def _does_not_fit(database: Database, sequence: int) -> Problem:
    return Problem(
        f"audit entry {sequence} does not fit the chain: it was changed, dropped or put in after "
        "the fact",
        where=database.address,
        remedy=_CHANGED,
        exit_code=ExitCode.VERIFICATION,
    )
