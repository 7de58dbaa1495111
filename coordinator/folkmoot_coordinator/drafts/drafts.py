"""Drafts of rounds, and what people decide about them.

    DRAFT --submit--> WAITING --another person approves--> APPROVED --the coordinator--> OPENED
      ^                  |                                    |
      |                  +--refused by a person               +--refused by the coordinator
      +--saved again-----+----------------> REFUSED <---------+
    All but OPENED may become WITHDRAWN; both are the end.

Whoever approves names the digest of what they saw. A draft that is saved again is another question,
which nobody has approved.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, defer

from folkmoot.geography import GssCode
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.drafts.models import DecisionRow, DraftRow
from folkmoot_coordinator.drafts.people import AccountKind, Person, check_second
from folkmoot_coordinator.rounds.question import (
    MAX_QUESTION_BYTES,
    Question,
    deserialise,
    digest_of,
)
from folkmoot_coordinator.rounds.round_making import make_round
from folkmoot_coordinator.rounds.withdrawal import check_reason
from folkmoot_operator.moments import to_text
from folkmoot_operator.problems import ExitCode, Problem


class DraftState(StrEnum):
    """Where a draft stands."""

    DRAFT = "draft"
    WAITING = "waiting"
    APPROVED = "approved"
    OPENED = "opened"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"

    @property
    def meaning(self) -> str:
        """For people."""
        return _MEANINGS[self]


_MEANINGS = {
    DraftState.DRAFT: "draft",
    DraftState.WAITING: "waiting for a second person",
    DraftState.APPROVED: "approved, to be opened",
    DraftState.OPENED: "opened",
    DraftState.REFUSED: "refused",
    DraftState.WITHDRAWN: "withdrawn",
}
_EDITABLE = (DraftState.DRAFT, DraftState.WAITING, DraftState.REFUSED)
_ALIVE = (DraftState.DRAFT, DraftState.WAITING, DraftState.APPROVED)


class Action(StrEnum):
    """What somebody decided about a draft."""

    SUBMITTED = "submitted"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    OPENED = "opened"


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft of a round, without its question; see `question_of`.

    Attributes:
        draft_id: 32 hexadecimal digits.
        title: Of the question.
        digest: SHA-256 of the serialised question, 32 bytes.
        author: Who wrote it last.
        created_at: Seconds since 1970-01-01T00:00:00Z.
        changed_at: Likewise: when it was last saved or decided about.
        state: Where it stands.
        round_id: The round that was opened from it; None while there is none.
        note: Why it was refused or withdrawn, or could not be opened yet; empty if neither.
    """

    draft_id: str
    title: str
    digest: bytes
    author: Person
    created_at: int
    changed_at: int
    state: DraftState
    round_id: str | None
    note: str

    @property
    def origin(self) -> str:
        """What a round says that is opened from it."""
        return f"draft {self.draft_id}"

    def facts(self) -> dict[str, Any]:
        """For `--json` and pages."""
        return {
            "draft_id": self.draft_id,
            "title": self.title,
            "digest": self.digest.hex(),
            "author": self.author.name,
            "author_kind": self.author.kind.value,
            "created_at": to_text(self.created_at),
            "changed_at": to_text(self.changed_at),
            "state": self.state.value,
            "meaning": self.state.meaning,
            "round_id": self.round_id,
            "note": self.note or None,
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided about a draft.

    Attributes:
        action: What.
        digest: Of the question that they saw, 32 bytes.
        person: Who.
        at: Seconds since 1970-01-01T00:00:00Z.
        reason: Why; empty if they did not say.
    """

    action: Action
    digest: bytes
    person: Person
    at: int
    reason: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Who has to do something before a draft goes on.

    Attributes:
        who: For people.
        why: What they have to do, and what stands in the way.
    """

    who: str
    why: str


def save_draft(
    drafts: Database,
    question: Question,
    author: Person,
    now: int,
    *,
    enrolled: Sequence[GssCode] = (),
    draft_id: str | None = None,
) -> Draft:
    """Stores a question as a draft, after checking that a round can be made of it.

    Args:
        drafts: The database of drafts.
        question: What is to be asked.
        author: Who wrote it.
        now: Seconds since 1970-01-01T00:00:00Z.
        enrolled: The councils that `councils = "all"` stands for. They are named in the draft, so
            that whoever approves it knows who is asked.
        draft_id: The draft that it replaces; None for a new one. Approvals of what it was before
            do not count any more.

    Raises:
        Problem: SETTINGS if no round can be made of it, and nothing is stored; REFUSED if the draft
            is somebody else's, or is not to be changed any more.
    """
    planned = make_round(question, enrolled, now)
    text = question.asking(planned.round_.councils).serialise()
    with drafts.writing() as session:
        if draft_id is None:
            row = DraftRow(draft_id=secrets.token_hex(16), created_at=now)
            session.add(row)
        else:
            row = _locked(session, draft_id)
            before = _author(row)
            if not (before.is_same(author) and before.kind is author.kind):
                raise _refused(row.draft_id, f"is {row.author}'s", "Save it as a draft of your own")
            _require(row, _EDITABLE, "changed")
        row.title, row.question, row.digest = question.file.title, text, digest_of(text)
        row.author, row.author_kind = author.name, author.kind.value
        row.changed_at, row.state, row.note = now, DraftState.DRAFT.value, None
        session.flush()
        return _draft(row)


def save_once(
    drafts: Database, question: Question, program: Person, now: int, origin: str
) -> Draft:
    """Stores a draft that a program writes; the same one if it has written it before.

    Args:
        drafts: The database of drafts.
        question: What is to be asked, of councils that are named.
        program: Who writes it.
        now: Seconds since 1970-01-01T00:00:00Z.
        origin: What it is written for; there is one draft for it.

    Raises:
        Problem: SETTINGS if no round can be made of it.
    """
    make_round(question, (), now)
    draft_id = hashlib.sha256(origin.encode()).hexdigest()[:32]
    text = question.serialise()
    with drafts.writing() as session:
        row = session.get(DraftRow, draft_id, with_for_update=True)
        if row is None:
            row = DraftRow(
                draft_id=draft_id,
                title=question.file.title,
                question=text,
                digest=digest_of(text),
                author=program.name,
                author_kind=program.kind.value,
                created_at=now,
                changed_at=now,
                state=DraftState.DRAFT.value,
            )
            session.add(row)
            session.flush()
        return _draft(row)


def submit_once(drafts: Database, draft: Draft, program: Person, now: int) -> None:
    """Submits a draft that a program wrote, unless it has done so before."""
    if draft.state is DraftState.DRAFT:
        submit_draft(drafts, draft.draft_id, program, now, second_person=True)


def submit_draft(
    drafts: Database, draft_id: str, person: Person, now: int, *, second_person: bool
) -> Draft:
    """The author says that a draft is ready.

    Args:
        drafts: The database of drafts.
        draft_id: The draft.
        person: The author.
        now: Seconds since 1970-01-01T00:00:00Z.
        second_person: Whether somebody else must approve it, by `people.needs_second`. If not, the
            coordinator opens it.

    Raises:
        Problem: REFUSED if it is somebody else's, or was submitted already.
    """
    with drafts.writing() as session:
        row = _locked(session, draft_id)
        _require(row, (DraftState.DRAFT,), "submitted")
        if not _author(row).is_same(person):
            raise _refused(draft_id, f"is {row.author}'s", "Ask its author to submit it")
        state = DraftState.WAITING if second_person else DraftState.APPROVED
        return _decide(session, row, Action.SUBMITTED, person, now, state)


def approve(
    drafts: Database,
    draft_id: str,
    person: Person,
    digest: bytes,
    now: int,
    *,
    approvers: Collection[str] = (),
) -> Draft:
    """A second person approves a draft; the coordinator then opens it.

    Args:
        drafts: The database of drafts.
        draft_id: The draft.
        person: Who approves.
        digest: Of the question that they were shown, 32 bytes.
        now: Seconds since 1970-01-01T00:00:00Z.
        approvers: Names of accounts that may approve; any other person if empty.

    Raises:
        Problem: REFUSED if they may not, the draft does not wait for it, or it was changed since
            they saw it.
    """
    with drafts.writing() as session:
        row = _locked(session, draft_id)
        _require(row, (DraftState.WAITING,), "approved")
        check_second(person, _author(row), approvers)
        if row.digest != digest:
            raise _refused(draft_id, "was changed since you saw it", "Read it again, then approve")
        return _decide(session, row, Action.APPROVED, person, now, DraftState.APPROVED)


def refuse(drafts: Database, draft_id: str, person: Person, reason: str, now: int) -> Draft:
    """A second person refuses a draft. Its author may change and submit it again.

    Raises:
        Problem: USAGE if the reason is no line of text; REFUSED if the draft does not wait, or is
            this person's own.
    """
    reason = check_reason(reason)
    with drafts.writing() as session:
        row = _locked(session, draft_id)
        _require(row, (DraftState.WAITING,), "refused")
        if _author(row).is_same(person):
            raise _refused(draft_id, "is your own", "Withdraw it")
        return _decide(session, row, Action.REFUSED, person, now, DraftState.REFUSED, reason)


def withdraw_draft(
    drafts: Database, draft_id: str, person: Person, now: int, reason: str = ""
) -> Draft:
    """Somebody ends a draft that was not opened; it is kept.

    Raises:
        Problem: USAGE if the reason is no line of text; REFUSED if it was opened or has ended.
    """
    reason = check_reason(reason) if reason.strip() else ""
    with drafts.writing() as session:
        row = _locked(session, draft_id)
        _require(row, (*_ALIVE, DraftState.REFUSED), "withdrawn")
        return _decide(session, row, Action.WITHDRAWN, person, now, DraftState.WITHDRAWN, reason)


def list_drafts(drafts: Database, states: Collection[DraftState] = ()) -> list[Draft]:
    """Drafts, changed last first; of these states, or all if empty."""
    query = select(DraftRow).options(defer(DraftRow.question))
    if states:
        query = query.where(DraftRow.state.in_([state.value for state in states]))
    with drafts.reading() as session:
        rows = session.scalars(query.order_by(DraftRow.changed_at.desc(), DraftRow.draft_id))
        return [_draft(row) for row in rows]


def find_draft(drafts: Database, reference: str) -> Draft:
    """The draft of that id, or unique beginning of an id.

    Raises:
        Problem: USAGE, if there is none, or more than one.
    """
    query = select(DraftRow).options(defer(DraftRow.question))
    query = query.where(DraftRow.draft_id.startswith(reference, autoescape=True)).limit(2)
    with drafts.reading() as session:
        found = [_draft(row) for row in session.scalars(query)]
    if len(found) == 1 and reference:
        return found[0]
    raise Problem(
        "more than one draft begins so" if found else "there is no such draft",
        where=f"draft {reference[:40]!r}",
        remedy="`folkmoot-coordinator round drafts` shows the ids",
        exit_code=ExitCode.USAGE,
    )


def question_of(drafts: Database, draft: Draft) -> Question:
    """What a draft asks.

    Raises:
        Problem: REFUSED if it is not what the draft's digest says; SETTINGS if it is no question.
    """
    this = DraftRow.draft_id == draft.draft_id
    with drafts.reading() as session:
        size = session.scalar(select(func.length(DraftRow.question)).where(this)) or 0
        if size > MAX_QUESTION_BYTES:  # before it is read: the viewer may be in strange hands
            raise _refused(draft.draft_id, "its question is too large", "Ask for larger areas")
        text = session.scalar(select(DraftRow.question).where(this))
    if text is None or digest_of(text) != draft.digest:
        raise _refused(
            draft.draft_id,
            "its question does not have the digest noted beside it",
            "Find out who changed the database of drafts; write the draft again",
        )
    return deserialise(text, f"draft {draft.draft_id[:12]}")


def decisions_of(drafts: Database, draft_id: str) -> list[Decision]:
    """What was decided about a draft, oldest first."""
    query = select(DecisionRow).where(DecisionRow.draft_id == draft_id)
    with drafts.reading() as session:
        return [
            Decision(
                Action(row.action),
                row.digest,
                Person(row.person, AccountKind(row.kind)),
                row.at,
                _printable(row.reason or ""),
            )
            for row in session.scalars(query.order_by(DecisionRow.number))
        ]


def approval_of(drafts: Database, draft: Draft) -> Decision | None:
    """Who has approved a draft as it is, since it was submitted last; None if nobody has."""
    found = None
    for one in decisions_of(drafts, draft.draft_id):
        if one.action is Action.SUBMITTED:
            found = None
        elif one.action is Action.APPROVED and one.digest == draft.digest:
            found = one
    return found


def waiting_for(draft: Draft, approvers: Collection[str] = ()) -> Waiting | None:
    """Who is waited for and why; None if nobody is.

    Args:
        draft: The draft.
        approvers: Names of accounts that may approve; any other person if empty.
    """
    if draft.state is DraftState.DRAFT:
        return Waiting(str(draft.author), "has to submit the draft")
    if draft.state is DraftState.WAITING:
        others = [name for name in approvers if name.casefold() != draft.author.name.casefold()]
        who = (
            f"one of {', '.join(others)}" if others else f"somebody other than {draft.author.name}"
        )
        return Waiting(who, "has to approve the draft, or refuse it")
    if draft.state is DraftState.APPROVED:
        trouble = f": {draft.note}. It tries again" if draft.note else ", while it runs"
        return Waiting("the coordinator", f"opens the round{trouble}")
    return None


def _decide(
    session: Session,
    row: DraftRow,
    action: Action,
    person: Person,
    now: int,
    state: DraftState,
    reason: str = "",
) -> Draft:
    session.add(
        DecisionRow(
            draft_id=row.draft_id,
            action=action.value,
            digest=row.digest,
            person=person.name,
            kind=person.kind.value,
            at=now,
            reason=reason or None,
        )
    )
    row.state, row.changed_at, row.note = state.value, now, reason or None
    session.flush()
    return _draft(row)


def end_opening(
    drafts: Database,
    draft_id: str,
    program: Person,
    now: int,
    *,
    round_id: str | None = None,
    reason: str = "",
) -> None:
    """Writes down what became of an approved draft.

    Args:
        drafts: The database of drafts.
        draft_id: The draft.
        program: Who opened it, or could not.
        now: Seconds since 1970-01-01T00:00:00Z.
        round_id: The round that was opened. That counts, whatever was decided meanwhile.
        reason: Why there is none.
    """
    with drafts.writing() as session:
        row = _locked(session, draft_id)
        if round_id is not None:
            row.round_id = round_id
            _decide(session, row, Action.OPENED, program, now, DraftState.OPENED)
        elif row.state == DraftState.APPROVED.value:
            _decide(session, row, Action.REFUSED, program, now, DraftState.REFUSED, reason)


def note_trouble(drafts: Database, draft_id: str, trouble: str) -> None:
    """Writes down why an approved draft could not be opened yet."""
    with drafts.writing() as session:
        row = _locked(session, draft_id)
        if row.state == DraftState.APPROVED.value:
            row.note = trouble


def delete_ended(drafts: Database, before: int) -> int:
    """Deletes drafts that were refused or withdrawn before a time; returns how many.

    Those from which a round was opened stay: the round names them.

    Args:
        drafts: The database of drafts.
        before: Seconds since 1970-01-01T00:00:00Z.
    """
    ended = [DraftState.REFUSED.value, DraftState.WITHDRAWN.value]
    with drafts.writing() as session:
        old = session.scalars(
            select(DraftRow.draft_id).where(
                DraftRow.state.in_(ended), DraftRow.changed_at < before, DraftRow.round_id.is_(None)
            )
        ).all()
        for draft_id in old:
            session.execute(delete(DecisionRow).where(DecisionRow.draft_id == draft_id))
            session.execute(delete(DraftRow).where(DraftRow.draft_id == draft_id))
    return len(old)


def _locked(session: Session, draft_id: str) -> DraftRow:
    row = session.get(DraftRow, draft_id, with_for_update=True)
    if row is None:
        raise Problem(
            "there is no such draft",
            where=f"draft {draft_id[:40]!r}",
            remedy="`folkmoot-coordinator round drafts` shows the ids",
            exit_code=ExitCode.USAGE,
        )
    return row


def _require(row: DraftRow, states: Collection[DraftState], what: str) -> None:
    state = DraftState(row.state)
    if state not in states:
        raise _refused(
            row.draft_id,
            f"cannot be {what}: it is {state.meaning}",
            "Look at it again: somebody may have decided meanwhile",
        )


def _author(row: DraftRow) -> Person:
    return Person(row.author, AccountKind(row.author_kind))


def _draft(row: DraftRow) -> Draft:
    return Draft(
        row.draft_id,
        _printable(row.title),
        row.digest,
        _author(row),
        row.created_at,
        row.changed_at,
        DraftState(row.state),
        row.round_id,
        _printable(row.note or ""),
    )


def _printable(text: str) -> str:
    """A text of the viewer's database, for a terminal: it may hold anything."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _refused(draft_id: str, problem: str, remedy: str) -> Problem:
    return Problem(
        problem, where=f"draft {draft_id[:12]}", remedy=remedy, exit_code=ExitCode.REFUSED
    )
