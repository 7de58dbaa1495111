"""Drafts of rounds: what they are, and where they are stored. `decisions` says how they go on."""

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
from folkmoot_coordinator.drafts.people import AccountKind, Person
from folkmoot_coordinator.rounds.question import (
    MAX_QUESTION_BYTES,
    Question,
    deserialise,
    digest_of,
)
from folkmoot_coordinator.rounds.round_making import make_round
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
_NO_DRAFT = "there is no such draft"


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

    @classmethod
    def of(cls, row: DraftRow) -> Draft:
        """A stored draft; its texts can be printed, whatever the viewer has written."""
        return cls(
            row.draft_id,
            printable(row.title),
            row.digest,
            Person(row.author, AccountKind(row.author_kind)),
            row.created_at,
            row.changed_at,
            DraftState(row.state),
            row.round_id,
            printable(row.note or ""),
        )

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
            row = locked(session, draft_id)
            before = Draft.of(row).author
            if not (before.is_same(author) and before.kind is author.kind):
                raise refusal(row.draft_id, f"is {row.author}'s", "Save it as a draft of your own")
            require_state(row, _EDITABLE, "changed")
        _fill(row, question, text, author, now)
        session.flush()
        return Draft.of(row)


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
            row = DraftRow(draft_id=draft_id, created_at=now)
            _fill(row, question, text, program, now)
            session.add(row)
            session.flush()
        return Draft.of(row)


def _fill(row: DraftRow, question: Question, text: str, author: Person, now: int) -> None:
    row.title, row.question, row.digest = question.file.title, text, digest_of(text)
    row.author, row.author_kind = author.name, author.kind.value
    row.changed_at, row.state, row.note = now, DraftState.DRAFT.value, None


def list_drafts(drafts: Database, states: Collection[DraftState] = ()) -> list[Draft]:
    """Drafts, changed last first; of these states, or all if empty."""
    query = select(DraftRow).options(defer(DraftRow.question))
    if states:
        query = query.where(DraftRow.state.in_([state.value for state in states]))
    with drafts.reading() as session:
        rows = session.scalars(query.order_by(DraftRow.changed_at.desc(), DraftRow.draft_id))
        return [Draft.of(row) for row in rows]


def find_draft(drafts: Database, reference: str) -> Draft:
    """The draft of that id, or unique beginning of an id.

    Raises:
        Problem: USAGE, if there is none, or more than one.
    """
    query = select(DraftRow).options(defer(DraftRow.question))
    query = query.where(DraftRow.draft_id.startswith(reference, autoescape=True)).limit(2)
    with drafts.reading() as session:
        found = [Draft.of(row) for row in session.scalars(query)]
    if len(found) == 1 and reference:
        return found[0]
    raise _not_found(reference, "more than one draft begins so" if found else _NO_DRAFT)


def question_of(drafts: Database, draft: Draft) -> Question:
    """What a draft asks.

    Raises:
        Problem: REFUSED if it is not what the draft's digest says; SETTINGS if it is no question.
    """
    this = DraftRow.draft_id == draft.draft_id
    with drafts.reading() as session:
        size = session.scalar(select(func.length(DraftRow.question)).where(this)) or 0
        if size > MAX_QUESTION_BYTES:  # before it is read: the viewer may be in strange hands
            raise refusal(draft.draft_id, "its question is too large", "Ask for larger areas")
        text = session.scalar(select(DraftRow.question).where(this))
    if text is None or digest_of(text) != draft.digest:
        raise refusal(
            draft.draft_id,
            "its question does not have the digest noted beside it",
            "Find out who changed the database of drafts; write the draft again",
        )
    return deserialise(text, f"draft {draft.draft_id[:12]}")


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
        if approvers and not others:
            return Waiting(
                "another approver",
                "has to be named in rounds.approvers (coordinator.toml): its author alone is",
            )
        who = (
            f"one of {', '.join(others)}" if others else f"somebody other than {draft.author.name}"
        )
        return Waiting(who, "has to approve the draft, or refuse it")
    if draft.state is DraftState.APPROVED:
        trouble = f": {draft.note}. It tries again" if draft.note else ", while it runs"
        return Waiting("the coordinator", f"opens the round{trouble}")
    return None


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


def locked(session: Session, draft_id: str) -> DraftRow:
    """A stored draft, which nobody else changes until the transaction ends.

    Raises:
        Problem: USAGE, if there is none of that whole id.
    """
    row = session.get(DraftRow, draft_id, with_for_update=True)
    if row is None:
        raise _not_found(draft_id, _NO_DRAFT)
    return row


def require_state(row: DraftRow, states: Collection[DraftState], what: str) -> None:
    """Checks that something can be done with a draft.

    Args:
        row: The draft.
        states: In which it can.
        what: What is done, as in `cannot be approved`.

    Raises:
        Problem: REFUSED, if it is in another state.
    """
    state = DraftState(row.state)
    if state not in states:
        raise refusal(
            row.draft_id,
            f"cannot be {what}: it is {state.meaning}",
            "Look at it again: somebody may have decided meanwhile",
        )


def printable(text: str) -> str:
    """A text of the viewer's database, for a terminal: it may hold anything."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _not_found(reference: str, problem: str) -> Problem:
    return Problem(
        problem,
        where=f"draft {reference[:40]!r}",
        remedy="`folkmoot-coordinator round drafts --all` shows the ids",
        exit_code=ExitCode.USAGE,
    )


def refusal(draft_id: str, problem: str, remedy: str) -> Problem:
    """Why something is not done with a draft, with exit code REFUSED."""
    return Problem(
        problem, where=f"draft {draft_id[:12]}", remedy=remedy, exit_code=ExitCode.REFUSED
    )
