"""A fair order of referrals that wait for a place at a service, explained line by line.

A referral has points for three things, and more points come first:

- the risk of waiting, as the worker judges it: 40 immediate, 20 soon, 0 routine;
- the band of the case: 30 for the highest band, 0 for the lowest, in equal steps between;
- one point for each whole day that it has waited, without limit, so that everybody gets a place.

Who has the same points comes first if they have waited longer, and after that by reference. The
same referrals at the same time are always in the same order. Nothing of this leaves the queue:
neither points nor places are an input of any score, source or statistic.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from folkmoot_node.casework.referrals.kinds import URGENCIES, Urgency
from folkmoot_operator.moments import to_datetime

URGENCY_POINTS = {Urgency.IMMEDIATE: 40, Urgency.SOON: 20, Urgency.ROUTINE: 0}
BAND_POINTS = 30
POINTS_PER_DAY = 1
_DAY = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Waiting:
    """A referral that waits.

    Attributes:
        referral_id: The reference.
        case_id: Its case.
        urgency: As the worker judges it.
        band: Of the case; None if it has none.
        since: Since when it waits, seconds since 1970-01-01T00:00:00Z.
    """

    referral_id: str
    case_id: str
    urgency: Urgency
    band: str | None
    since: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a referral stands in the order.

    Attributes:
        number: From 1.
        waiting: The referral.
        points: All together.
        lines: Why: a line for each thing that counts.
        has_place: Whether a place of this week is left for it.
    """

    number: int
    waiting: Waiting
    points: float
    lines: tuple[str, ...]
    has_place: bool


def in_order(
    waiting: Iterable[Waiting], bands: Sequence[str], now: int, left: int | None
) -> list[Place]:
    """The order.

    Args:
        waiting: The referrals that wait for one service.
        bands: Names of the bands of the policy, the lowest first.
        now: Seconds since 1970-01-01T00:00:00Z.
        left: Places left this week; None for no limit.
    """
    found = [(one, *_points(one, bands, now)) for one in waiting]
    found.sort(key=lambda one: (-one[1], one[0].since, one[0].referral_id))
    return [
        Place(at, one, points, lines, left is None or at <= left)
        for at, (one, points, lines) in enumerate(found, start=1)
    ]


def week_of(now: int) -> tuple[int, int]:
    """Beginning and end of the week (Monday to Sunday, UTC), seconds since 1970-01-01T00:00:00Z."""
    moment = to_datetime(now)
    monday = datetime.datetime.combine(
        moment.date() - datetime.timedelta(days=moment.weekday()), datetime.time(), datetime.UTC
    )
    begins = int(monday.timestamp())
    return begins, begins + 7 * _DAY


def _points(one: Waiting, bands: Sequence[str], now: int) -> tuple[float, tuple[str, ...]]:
    days = max(0, now - one.since) // _DAY
    urgency = URGENCY_POINTS[one.urgency]
    highest = len(bands) - 1
    if one.band in bands:
        band = BAND_POINTS * bands.index(one.band) / highest if highest else BAND_POINTS
        of_band = f"Band {one.band}: {band:g} of {BAND_POINTS} points"
    else:
        band = 0.0
        of_band = (
            f"Band {one.band} is no longer in the policy: 0 points"
            if one.band
            else "The case has no band: 0 points"
        )
    day, point = ("day", "point") if days == 1 else ("days", "points")
    points = urgency + band + POINTS_PER_DAY * days
    return points, (
        f"{URGENCIES[one.urgency]}: {urgency} of {max(URGENCY_POINTS.values())} points",
        of_band,
        f"Waits {days} {day}: {POINTS_PER_DAY * days} {point}",
    )
