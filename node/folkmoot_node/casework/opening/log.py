"""Reads the log: who did what, when and why, chosen by person, household, action and date."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, cast, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.households import known_id
from folkmoot_node.casework.authority.rights import Right
from folkmoot_operator.hash_chain import Entry, Head
from folkmoot_operator.moments import to_text
from folkmoot_web.database.models import AuditRow
from folkmoot_web.errors import problem_of_status
from folkmoot_web.site import State
from folkmoot_web.visitors import Visitor

LOOKED_UP = "household looked up in the log"
VERIFIED = "log verified"
READ = "log read by command"
"""Actions of the log."""
WHY = ("reason", "why")
"""Keys of an entry that say why."""
_OWN_COLUMNS = frozenset({"action", "by", "case", "household", *WHY})
_MOMENTS = frozenset(("until",))
"""Details that are seconds since 1970-01-01T00:00:00Z."""
COLUMNS = ("entry", "at", "by", "action", "case", "household", "reason", "details")
"""Of the log as a file."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which entries of the log are shown; an empty field chooses all.

    Attributes:
        by: Name of the account.
        case: Id of the case.
        household: Id of the household.
        action: What was done.
        first: From this moment on, seconds since 1970-01-01T00:00:00Z.
        last: Before this moment.
    """

    by: str = ""
    case: str = ""
    household: str = ""
    action: str = ""
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An entry as people read it.

    Attributes:
        sequence: Its number, from 1.
        at: Seconds since 1970-01-01T00:00:00Z.
        by: Who.
        action: Did what.
        case: Id of the case; empty if it is about none.
        household: Id of the household; empty if it is about none.
        reason: Why, as it was stated; empty where none is asked for.
        details: The rest of the entry.
    """

    sequence: int
    at: int
    by: str
    action: str
    case: str
    household: str
    reason: str
    details: Mapping[str, Any]

    @property
    def details_text(self) -> str:
        """The rest of the entry in a line."""
        return "; ".join(f"{key} {_detail(key, value)}" for key, value in self.details.items())

    def row(self) -> list[str]:
        """The entry in the order of `COLUMNS`."""
        return [
            str(self.sequence),
            to_text(self.at),
            self.by,
            self.action,
            self.case,
            self.household,
            self.reason,
            self.details_text,
        ]


class Log:
    """The log of casework, for those who audit it."""

    def __init__(self, state: State) -> None:
        self._state = state

    def count(self, choice: Choice) -> int:
        """How many entries there are."""
        with self._state.database.reading() as session:
            query = _chosen(session, select(func.count()).select_from(AuditRow), choice)
            return session.scalar(query) or 0

    def how_often(self, session: Session, actions: Collection[str], by: str, since: int) -> int:
        """How often somebody has done something since a moment.

        Args:
            session: Of a transaction: in one that writes, nobody does it in between.
            actions: Any of which counts.
            by: Name of the account.
            since: Seconds since 1970-01-01T00:00:00Z.
        """
        # Found from the newest entry backwards, so that a day is read of a log of years.
        before = (
            select(AuditRow.sequence)
            .where(AuditRow.at < since)
            .order_by(AuditRow.sequence.desc())
            .limit(1)
            .scalar_subquery()
        )
        query = (
            select(func.count())
            .select_from(AuditRow)
            .where(
                AuditRow.sequence > func.coalesce(before, 0),
                _value(session, "by") == by,
                _value(session, "action").in_(actions),
            )
        )
        return session.scalar(query) or 0

    def page(self, choice: Choice, first: int, size: int) -> list[LogEntry]:
        """Entries, newest first.

        Args:
            choice: Which.
            first: How many newer ones are left out.
            size: How many at most.
        """
        with self._state.database.reading() as session:
            query = _chosen(session, select(AuditRow), choice)
            rows = session.scalars(
                query.order_by(AuditRow.sequence.desc()).offset(first).limit(size)
            )
            return [log_entry(_entry(row)) for row in rows]

    def entries(self, choice: Choice) -> Iterator[LogEntry]:
        """All entries of a choice, oldest first."""
        with self._state.database.reading() as session:
            query = _chosen(session, select(AuditRow), choice).order_by(AuditRow.sequence)
            for row in session.scalars(query.execution_options(yield_per=1000)):
                yield log_entry(_entry(row))

    def names(self) -> tuple[list[str], list[str]]:
        """Who is in the log, and what was done, each in order."""
        with self._state.database.reading() as session:
            found = []
            for key in ("by", "action"):
                values = session.scalars(select(_value(session, key)).distinct())
                found.append(sorted(one for one in values if one))
        return found[0], found[1]

    def head(self) -> Head:
        """Where the log ends now; nothing is recomputed."""
        return self._state.audit.head()

    def verify(self, visitor: Visitor, noted: Collection[Head] = ()) -> Head:
        """Recomputes the whole chain, and notes that somebody did.

        Returns:
            The head that was verified: the entry of the verification comes after it.

        Raises:
            Problem: Exit code VERIFICATION, naming the first entry that does not fit or the head
                that is missing.
        """
        head = self._state.audit.verify(noted)
        with self._state.database.writing() as session:
            detail = {"head": str(head)}
            self._state.audit.record(session, VERIFIED, visitor.name, detail)
        return head

    def household(self, visitor: Visitor, uprn: int, reason: str) -> str | None:
        """By which id the log knows a household, noted before it is shown; None if by none.

        Args:
            visitor: Who asks.
            uprn: Unique property reference number, as a resident's complaint has it.
            reason: As they stated it.

        Raises:
            WebProblem: Status 403, if they may not.
        """
        with self._state.database.writing() as session:
            if not visitor.may(Right.AUDIT):
                raise problem_of_status(403)
            household = known_id(session, uprn)
            detail = {"household": household, "reason": reason}
            self._state.audit.record(session, LOOKED_UP, visitor.name, detail)
            return household


def note_reading(state: State, by: str) -> None:
    """Notes that a command shows the log."""
    with state.database.writing() as session:
        state.audit.record(session, READ, by)


def log_entry(entry: Entry) -> LogEntry:
    """An entry of the log as people read it."""
    body = entry.body
    reasons = (str(body[key]) for key in WHY if body.get(key))
    details = {
        key: value for key, value in body.items() if key not in _OWN_COLUMNS and value is not None
    }
    return LogEntry(
        entry.sequence,
        entry.at,
        str(body.get("by", "")),
        str(body.get("action", "")),
        str(body.get("case") or ""),
        str(body.get("household") or ""),
        next(reasons, ""),
        details,
    )


def _entry(row: AuditRow) -> Entry:
    return Entry(row.sequence, row.at, json.loads(row.body), row.previous, row.digest)


def _chosen(session: Session, query: Select[Any], choice: Choice) -> Select[Any]:
    for key in ("by", "case", "household", "action"):
        wanted = getattr(choice, key)
        if wanted:
            query = query.where(_value(session, key) == wanted)
    if choice.first is not None:
        query = query.where(AuditRow.at >= choice.first)
    if choice.last is not None:
        query = query.where(AuditRow.at < choice.last)
    return query


def household_in_log(session: Session, case_id: str) -> str | None:
    """Id of the household that a case was last about, also of a case that is not there any more.

    Args:
        session: Of a transaction.
        case_id: Id of the case; None is returned if no entry names it with a household.
    """
    household = _value(session, "household")
    query = select(household).where(_value(session, "case") == case_id, household.isnot(None))
    return session.scalar(query.order_by(AuditRow.sequence.desc()).limit(1))


def _value(session: Session, key: str) -> ColumnElement[str | None]:
    """A text in the body of an entry."""
    if session.get_bind().dialect.name == "postgresql":
        found: ColumnElement[str | None] = cast(AuditRow.body, JSONB)[key].astext
        return found
    return func.json_extract(AuditRow.body, f"$.{key}", type_=Text())


def _detail(key: str, value: Any) -> str:
    return to_text(value) if key in _MOMENTS and isinstance(value, int) else _text(value)


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
