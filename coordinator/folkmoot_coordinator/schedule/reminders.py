"""What people should know soon: deadlines, rounds that will open, drafts that wait, faults."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select

from folkmoot.rounds import RoundState
from folkmoot_coordinator.clock import DAY
from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import AnswerRow, RoundRow
from folkmoot_coordinator.drafts.drafts import DraftState, list_drafts, waiting_for
from folkmoot_coordinator.rounds.round_store import stored_round
from folkmoot_coordinator.schedule.exports import failed_exports
from folkmoot_coordinator.schedule.recurring import DueState, last_outcome

SOON_DAYS = 7
"""How far ahead deadlines and openings are told."""


class ReminderKind(StrEnum):
    """What a reminder is about."""

    DEADLINE = "deadline"
    OPENING = "opening"
    DRAFT = "draft"
    STOPPED = "stopped"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class Reminder:
    """Something that people should know.

    Attributes:
        kind: What it is about.
        key: Id of the round or draft, or name of the entry of the schedule.
        text: For people, without full stop.
        at: When it is, seconds since 1970-01-01T00:00:00Z; None if it is now.
        waits_for: GSS codes of councils that have not answered; of a deadline.
    """

    kind: ReminderKind
    key: str
    text: str
    at: int | None = None
    waits_for: tuple[str, ...] = ()


def reminders(
    region: Database,
    settings: CoordinatorSettings,
    now: int,
    drafts: Database | None = None,
    days: int = SOON_DAYS,
) -> list[Reminder]:
    """What people should know: what is now first, then in order of time.

    Args:
        region: The region's database; it is only read.
        settings: The coordinator's settings.
        now: Seconds since 1970-01-01T00:00:00Z.
        drafts: The database of drafts; None if there is none.
        days: How far ahead.
    """
    until = now + days * DAY
    found = [
        *_deadlines(region, settings, now, until),
        *_schedule(region, settings, now, until),
        *(
            Reminder(ReminderKind.EXPORT, round_id, f"a closed round is not exported: {why}")
            for round_id, why in failed_exports(region).items()
        ),
    ]
    if drafts is not None:
        for draft in list_drafts(drafts, (DraftState.WAITING, DraftState.APPROVED)):
            waiting = waiting_for(draft, settings.rounds.approvers)
            assert waiting is not None
            text = f"{draft.title}: {waiting.who} {waiting.why}"
            found.append(Reminder(ReminderKind.DRAFT, draft.draft_id, text))
    return sorted(found, key=lambda one: (one.at is not None, one.at or 0, one.kind, one.key))


def _deadlines(
    region: Database, settings: CoordinatorSettings, now: int, until: int
) -> list[Reminder]:
    query = select(RoundRow).where(
        RoundRow.state == RoundState.OPEN.value, RoundRow.deadline.between(now, until)
    )
    with region.reading() as session:
        rounds = [stored_round(row) for row in session.scalars(query)]
        identifiers = [one.round_.round_id for one in rounds]
        answered = session.execute(
            select(AnswerRow.round_id, AnswerRow.council).where(AnswerRow.round_id.in_(identifiers))
        ).all()
    have = {(row.round_id, row.council) for row in answered}
    found = []
    for stored in rounds:
        round_ = stored.round_
        missing = tuple(one for one in round_.councils if (round_.round_id, one) not in have)
        text = f"{round_.title or round_.purpose} closes; {len(missing)} of {len(round_.councils)} "
        text += "councils have not answered"
        found.append(
            Reminder(ReminderKind.DEADLINE, round_.round_id, text, round_.deadline, missing)
        )
    return found


def _schedule(
    region: Database, settings: CoordinatorSettings, now: int, until: int
) -> list[Reminder]:
    found = []
    for entry in settings.schedule.rounds:
        last = last_outcome(region, entry.name)
        if last is not None and last.state is DueState.FAILED:
            text = f"the recurring round {entry.name} has stopped: {last.detail}"
            found.append(Reminder(ReminderKind.STOPPED, entry.name, text))
            continue
        following = settings.schedule.times(entry).next(now)
        if following <= until:
            text = f"the recurring round {entry.name} opens"
            found.append(Reminder(ReminderKind.OPENING, entry.name, text, following))
    return found
