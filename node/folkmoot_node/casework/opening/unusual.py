"""Unusual reading: simple rules over the log, each of which says why it reports something.

A report accuses nobody. It says what to ask about: many openings in an hour may be a campaign, an
opening at night an emergency.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from folkmoot_node.casework.authority.reading import UnusualPolicy
from folkmoot_node.casework.opening.log import Choice, Log, LogEntry
from folkmoot_node.casework.opening.openings import CLOSED, OPENED, REFUSED, RENEWED, SHOWN
from folkmoot_node.casework.opening.searches import SEARCHED
from folkmoot_node.casework.uk_time import uk_moment

Key = TypeVar("Key")

_HOUR = 3600
_DAY = 86_400
MEMBER_SHOWN = "cohort member shown"
"""Action of cohorts: what conditions found of a household that somebody decides about."""
COUNTS = frozenset({"cohort counted", "cohort run"})
"""Actions of cohorts by which somebody learns how many households meet conditions."""
_FIRST_LOOKS = frozenset({OPENED, SEARCHED, MEMBER_SHOWN})
_READING = frozenset({*_FIRST_LOOKS, RENEWED, CLOSED, SHOWN, REFUSED})
"""Actions of which none is work done in a case."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to ask about.

    Attributes:
        rule: Its title.
        why: What was found and what the policy says of it, in a sentence.
        by: Name of the account; empty if it is about a household.
        household: Id of the household; empty if it is about a person.
        first: When it began, seconds since 1970-01-01T00:00:00Z.
        last: When the last of it was.
    """

    rule: str
    why: str
    by: str
    household: str
    first: int
    last: int


def unusual_reading(log: Log, policy: UnusualPolicy, now: int) -> list[Finding]:
    """What the rules find in the log, newest first.

    Args:
        log: The log.
        policy: From what on something is reported.
        now: Seconds since 1970-01-01T00:00:00Z.
    """
    entries = list(log.entries(Choice(first=now - policy.days * _DAY)))
    return findings(entries, policy, now)


def findings(entries: Sequence[LogEntry], policy: UnusualPolicy, now: int) -> list[Finding]:
    """What the rules find in entries, newest first.

    Args:
        entries: Of the last `policy.days`, oldest first.
        policy: From what on something is reported.
        now: Seconds since 1970-01-01T00:00:00Z: an opening whose time for work is not over yet
            is not reported for lack of it.
    """
    found = [
        *_many_in_an_hour(entries, policy),
        *_many_counts(entries, policy),
        *_at_night(entries, policy),
        *_not_assigned(entries, policy),
        *_many_readers(entries, policy),
        *_without_work(entries, policy, now),
        *_refused(entries, policy),
    ]
    return sorted(found, key=lambda one: (-one.last, one.rule, one.by, one.household))


def _many_in_an_hour(entries: Iterable[LogEntry], policy: UnusualPolicy) -> Iterator[Finding]:
    limit = policy.openings_per_hour
    reading = [one for one in entries if one.action in _FIRST_LOOKS]
    for by, theirs in _grouped(reading, lambda one: one.by):
        for burst in _bursts(theirs, limit, _HOUR):
            yield _of_person(
                "Many in an hour",
                f"Opened, searched for or looked at {len(burst)} households within an hour at its "
                "busiest; "
                f"more than {limit} are reported.",
                by,
                burst,
            )


def _many_counts(entries: Iterable[LogEntry], policy: UnusualPolicy) -> Iterator[Finding]:
    counts = [one for one in entries if one.action in COUNTS]
    for by, theirs in _grouped(counts, lambda one: one.by):
        for burst in _bursts(theirs, policy.counts_per_hour, _HOUR):
            yield _of_person(
                "Many counts in an hour",
                f"Counted or ran cohorts {len(burst)} times within an hour at its busiest; more "
                f"than {policy.counts_per_hour} are reported, since counts that differ a little "
                "tell of single households.",
                by,
                burst,
            )


def _at_night(entries: Iterable[LogEntry], policy: UnusualPolicy) -> Iterator[Finding]:
    at_night = [one for one in entries if one.action in _FIRST_LOOKS and _is_night(one.at, policy)]
    for (by, _), theirs in _grouped(at_night, lambda one: (one.by, _evening(one.at))):
        yield _of_person(
            "At night",
            f"Opened, searched for or looked at {_households(len(theirs))} "
            f"between {policy.night_from}:00 and {policy.night_to}:00.",
            by,
            theirs,
        )


def _not_assigned(entries: Iterable[LogEntry], policy: UnusualPolicy) -> Iterator[Finding]:
    others = [
        one for one in entries if one.action == OPENED and one.details.get("assigned") == "other"
    ]
    for by, theirs in _grouped(others, lambda one: one.by):
        for burst in _bursts(theirs, policy.not_assigned, _DAY):
            yield _of_person(
                "Cases of other people",
                f"Opened {len(burst)} households within a day whose cases somebody else has; "
                f"more than {policy.not_assigned} are reported.",
                by,
                burst,
            )


def _many_readers(entries: Iterable[LogEntry], policy: UnusualPolicy) -> Iterator[Finding]:
    opened = [one for one in entries if one.action == OPENED]
    for household, theirs in _grouped(opened, lambda one: one.household):
        readers = {one.by for one in theirs}
        if household and len(readers) >= policy.readers:
            yield Finding(
                "One household, many people",
                f"{len(readers)} people opened this household within {policy.days} days; "
                f"{policy.readers} or more are reported.",
                "",
                household,
                theirs[0].at,
                theirs[-1].at,
            )


def _without_work(
    entries: Sequence[LogEntry], policy: UnusualPolicy, now: int
) -> Iterator[Finding]:
    window = policy.work_hours * _HOUR
    worked: dict[tuple[str, str], list[int]] = defaultdict(list)
    for one in entries:
        if one.case and one.action not in _READING:
            worked[one.by, one.case].append(one.at)
    idle = [
        one
        for one in entries
        if one.action == OPENED
        and one.at + window < now
        and not any(one.at <= at <= one.at + window for at in worked[one.by, one.case])
    ]
    for by, theirs in _grouped(idle, lambda one: one.by):
        if len(theirs) > policy.without_work:
            yield _of_person(
                "Opened, and nothing recorded",
                f"Opened {len(theirs)} households within {policy.days} days and recorded nothing "
                f"in their cases in the {policy.work_hours} hours after it; more than "
                f"{policy.without_work} are reported.",
                by,
                theirs,
            )


def _refused(entries: Iterable[LogEntry], policy: UnusualPolicy) -> Iterator[Finding]:
    refused = [one for one in entries if one.action == REFUSED]
    for by, theirs in _grouped(refused, lambda one: one.by):
        for burst in _bursts(theirs, policy.refused, _DAY):
            yield _of_person(
                "Often refused",
                f"Was refused {len(burst)} times within a day; more than {policy.refused} are "
                "reported.",
                by,
                burst,
            )


def _of_person(rule: str, why: str, by: str, theirs: Sequence[LogEntry]) -> Finding:
    return Finding(rule, why, by, "", theirs[0].at, theirs[-1].at)


def _grouped(
    entries: Iterable[LogEntry], key: Callable[[LogEntry], Key]
) -> Iterator[tuple[Key, list[LogEntry]]]:
    groups: dict[Key, list[LogEntry]] = defaultdict(list)
    for one in entries:
        groups[key(one)].append(one)
    yield from groups.items()


def _bursts(entries: Sequence[LogEntry], limit: int, seconds: int) -> Iterator[Sequence[LogEntry]]:
    """The busiest stretch of each time in which more entries than a limit follow each other.

    Stretches that overlap are reported once.
    """
    best: Sequence[LogEntry] = ()
    first = 0
    for at, one in enumerate(entries):
        while entries[first].at <= one.at - seconds:
            first += 1
        stretch = entries[first : at + 1]
        if best and stretch[0].at > best[-1].at:
            yield best
            best = ()
        if len(stretch) > max(limit, len(best)):
            best = stretch
    if best:
        yield best


def _is_night(at: int, policy: UnusualPolicy) -> bool:
    hour = uk_moment(at).hour
    if policy.night_from <= policy.night_to:
        return policy.night_from <= hour < policy.night_to
    return hour >= policy.night_from or hour < policy.night_to


def _evening(at: int) -> datetime.date:
    """The date on which a night began: noon to noon."""
    return (uk_moment(at) - datetime.timedelta(hours=12)).date()


def _households(count: int) -> str:
    return "1 household" if count == 1 else f"{count} households"
