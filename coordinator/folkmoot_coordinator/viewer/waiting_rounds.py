"""Rounds that wait for councils or for their day: whom for, and how long there is."""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot.rounds import RoundState
from folkmoot_coordinator.clock import DAY, HOUR
from folkmoot_coordinator.rounds.progress import council_responses
from folkmoot_coordinator.rounds.round_store import find_round
from folkmoot_coordinator.schedule.reminders import Reminder, ReminderKind, reminders
from folkmoot_coordinator.viewer.permissions import may_see_all
from folkmoot_coordinator.viewer.region import Region
from folkmoot_coordinator.viewer.round_facts import RoundFacts, round_facts
from folkmoot_coordinator.viewer.words import plural
from folkmoot_web.visitors import Visitor


@dataclass(frozen=True, slots=True)
class OpenRound:
    """A round that councils can still answer.

    Attributes:
        facts: The round.
        missing: Names of the councils that have not answered, with why as far as it is known.
        left: Time until the deadline, in words.
        is_urgent: Whether less than a day is left.
    """

    facts: RoundFacts
    missing: tuple[str, ...]
    left: str
    is_urgent: bool


def open_rounds(region: Region, visitor: Visitor) -> list[OpenRound]:
    """Rounds that councils can still answer, the one that is due first before the others."""
    found = []
    now = region.clock()
    for one in round_facts(region.database):
        if one.state is not RoundState.OPEN or not region.sees(visitor, one.question.purpose):
            continue
        round_ = find_round(region.database, one.round_id).round_
        missing = tuple(
            region.council(answer.council) + _not_there(answer.enrolled, answer.last_seen)
            for answer in council_responses(region.database, round_)
            if not answer.released and answer.refusal is None
        )
        left = one.deadline - now
        found.append(OpenRound(one, missing, time_left(left), is_urgent=left < DAY))
    return sorted(found, key=lambda one: one.facts.deadline)


def coming_up(region: Region, visitor: Visitor) -> list[Reminder]:
    """Recurring rounds that open soon or have stopped, and rounds that were not exported.

    Whose purposes a schedule serves is not known from its name, so that it is for those who may
    see every purpose.
    """
    if not may_see_all(region.settings.viewer, visitor.roles):
        return []
    return [
        one
        for one in reminders(region.database, region.settings, region.clock())
        if one.kind in (ReminderKind.OPENING, ReminderKind.STOPPED, ReminderKind.EXPORT)
    ]


def time_left(seconds: int) -> str:
    """Time until a deadline, in words."""
    if seconds <= 0:
        return "its deadline has passed"
    if seconds >= 2 * DAY:
        return f"{seconds // DAY} days left"
    if seconds >= HOUR:
        return f"{plural(seconds // HOUR, 'hour')} left"
    return f"{plural(max(1, seconds // 60), 'minute')} left"


def _not_there(is_enrolled: bool, last_seen: int | None) -> str:
    if not is_enrolled:
        return " (it has not enrolled)"
    return " (its node has never called)" if last_seen is None else ""
