"""What people decide about drafts, and how these go on.

    DRAFT --submit--> WAITING --another person approves--> APPROVED --the coordinator--> OPENED
      ^                  |                                    |
      |                  +--refused by a person               +--refused by the coordinator
      +--saved again-----+----------------> REFUSED <---------+
    All but OPENED may become WITHDRAWN; both are the end.

Whoever approves names the digest of what they saw. A draft that is saved again is another question,
which nobody has approved.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.drafts.drafts import (
    Draft,
    DraftState,
    locked,
    printable,
    refusal,
    require_state,
)
from folkmoot_coordinator.drafts.models import DecisionRow, DraftRow
from folkmoot_coordinator.drafts.people import AccountKind, Person, check_second
from folkmoot_coordinator.rounds.withdrawal import check_reason

_NOT_ENDED = (DraftState.DRAFT, DraftState.WAITING, DraftState.APPROVED, DraftState.REFUSED)


class Action(StrEnum):
    """What somebody decided about a draft."""

    SUBMITTED = "submitted"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    OPENED = "opened"


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
        row = locked(session, draft_id)
        require_state(row, (DraftState.DRAFT,), "submitted")
        if not Draft.of(row).author.is_same(person):
            raise refusal(draft_id, f"is {row.author}'s", "Ask its author to submit it")
        state = DraftState.WAITING if second_person else DraftState.APPROVED
        return _decide(session, row, Action.SUBMITTED, person, now, state)


def submit_once(drafts: Database, draft: Draft, program: Person, now: int) -> None:
    """Submits a draft that a program wrote, unless it has done so before."""
    if draft.state is DraftState.DRAFT:
        submit_draft(drafts, draft.draft_id, program, now, second_person=True)


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
        row = locked(session, draft_id)
        require_state(row, (DraftState.WAITING,), "approved")
        check_second(person, Draft.of(row).author, approvers)
        if row.digest != digest:
            raise refusal(draft_id, "was changed since you saw it", "Read it again, then approve")
        return _decide(session, row, Action.APPROVED, person, now, DraftState.APPROVED)


def refuse(drafts: Database, draft_id: str, person: Person, reason: str, now: int) -> Draft:
    """A second person refuses a draft. Its author may change and submit it again.

    Raises:
        Problem: USAGE if the reason is no line of text; REFUSED if the draft does not wait, or is
            this person's own.
    """
    reason = check_reason(reason)
    with drafts.writing() as session:
        row = locked(session, draft_id)
        require_state(row, (DraftState.WAITING,), "refused")
        if Draft.of(row).author.is_same(person):
            raise refusal(draft_id, "is your own", "Withdraw it")
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
        row = locked(session, draft_id)
        require_state(row, _NOT_ENDED, "withdrawn")
        return _decide(session, row, Action.WITHDRAWN, person, now, DraftState.WITHDRAWN, reason)


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
        row = locked(session, draft_id)
        if row.state == DraftState.OPENED.value:
            return  # another process was first
        if round_id is not None:
            row.round_id = round_id
            _decide(session, row, Action.OPENED, program, now, DraftState.OPENED)
        elif row.state == DraftState.APPROVED.value:
            _decide(session, row, Action.REFUSED, program, now, DraftState.REFUSED, reason)


def note_trouble(drafts: Database, draft_id: str, trouble: str) -> None:
    """Writes down why an approved draft could not be opened yet."""
    with drafts.writing() as session:
        row = locked(session, draft_id)
        if row.state == DraftState.APPROVED.value:
            row.note = trouble


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
                printable(row.reason or ""),
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
    return Draft.of(row)
