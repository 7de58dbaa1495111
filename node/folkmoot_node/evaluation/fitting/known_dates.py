"""What a fit keeps of each date of a back-test, and the rows that are equal taken together."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_node.evaluation.measures.observed import observed
from folkmoot_node.evaluation.measures.orders import Codes, thousandths
from folkmoot_node.evaluation.snapshot import Bools, Floats, Groups, Points, Snapshot
from folkmoot_node.scoring.factors import THOUSANDTHS
from folkmoot_node.store.schema import POINT

Levels = npt.NDArray[np.uint16]
"""Factor scores in thousandths, shape (rows, factors). What is not known is 0, as in the score."""


@dataclass(frozen=True, slots=True)
class KnownDate:
    """One date: 2 bytes for each factor and household, and 16 more.

    Attributes:
        date: The date.
        until: Last day of the horizon.
        uprn: int64, shape (households,); for joins alone.
        levels: uint16, shape (households, factors): factor scores in thousandths, 0 if unknown.
        considered: bool, shape (households,): could be visited; False if the household had the
            event before and is left out.
        judged: bool, shape (households,): considered, and it is known whether it had the event.
        event: bool, shape (households,): judged, and had the event within the horizon.
        score: By the present policy, in thousandths of a point, int32, shape (households,).
        band: uint8, shape (households,): index of the present band.
        groups: Protected characteristics held for audit.
    """

    date: datetime.date
    until: datetime.date
    uprn: npt.NDArray[np.int64]
    levels: Levels
    considered: Bools
    judged: Bools
    event: Bools
    score: Codes
    band: npt.NDArray[np.uint8]
    groups: tuple[Groups, ...]

    def group_of(self, field: str) -> Groups | None:
        """The groups of a field, or None if it is not held."""
        return next((one for one in self.groups if one.field == field), None)


@dataclass(frozen=True, slots=True)
class Patterns:
    """Households with the same factor scores, taken together.

    Attributes:
        levels: uint16, shape (patterns, factors), in thousandths.
        households: float64, shape (patterns,): how many were judged.
        events: float64, shape (patterns,): how many of them had the event, weighted if a fit
            weighs them.
    """

    levels: Levels
    households: Floats
    events: Floats


def known_date(snapshot: Snapshot, outcome: str, *, repeated: bool) -> KnownDate:
    """Takes from a snapshot what a fit needs.

    Args:
        snapshot: One date.
        outcome: Name of the outcome.
        repeated: Whether households with an event on the date or before are judged too.
    """
    happened = snapshot.happened[outcome]
    seen = observed(happened, repeated=repeated)
    considered, judged, event = (np.full(snapshot.households, one) for one in (True, True, False))
    considered[seen.excluded] = False
    judged[seen.excluded] = judged[seen.lost] = False
    event[seen.events] = True
    return KnownDate(
        date=snapshot.date,
        until=happened.until,
        uprn=snapshot.uprn,
        levels=to_levels(snapshot.points, snapshot.weights),
        considered=considered,
        judged=judged,
        event=event,
        score=thousandths(snapshot.score),
        band=snapshot.band,
        groups=snapshot.groups,
    )


def to_levels(points: Points, weights: Floats) -> Levels:
    """Factor scores in thousandths.

    Args:
        points: What each factor adds, as `Snapshot.points`.
        weights: Points at a factor score of 1, shape (factors,).

    Returns:
        uint16, shape (households, factors); never null: 0 where it is not known.
    """
    found = np.empty(points.shape, dtype=np.uint16)
    for at, weight in enumerate(weights):
        # What is not known is below 0.
        scores = np.rint(points[:, at] / POINT * (THOUSANDTHS / weight))
        found[:, at] = np.clip(scores, 0, THOUSANDTHS)
    return found


def patterns(
    dates: Sequence[KnownDate],
    factors: npt.NDArray[np.int64],
    weights: Sequence[Floats] | None = None,
) -> Patterns:
    """Takes equal rows of some dates together.

    Args:
        dates: The dates.
        factors: Indexes of the factors that count, int64.
        weights: For each date float64, shape (households,): how often a household counts; once
            each if None.
    """
    names = [f"f{at}" for at in range(len(factors))]
    frames = []
    for at, one in enumerate(dates):
        levels = one.levels[one.judged][:, factors]
        count = np.ones(len(levels)) if weights is None else weights[at][one.judged]
        columns = {name: levels[:, f] for f, name in enumerate(names)}
        frame = pl.DataFrame(columns | {"n": count, "e": count * one.event[one.judged]})
        frames.append(_together(frame, names))
    whole = _together(pl.concat(frames), names)
    return Patterns(
        levels=whole.select(names).to_numpy().astype(np.uint16, copy=False).reshape(-1, len(names)),
        households=whole["n"].to_numpy(),
        events=whole["e"].to_numpy(),
    )


def _together(frame: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    if not names:
        return frame.select(pl.col("n", "e").sum())
    grouped = frame.group_by(names).agg(pl.col("n", "e").sum())
    return grouped.sort(names)  # the order of groups is none; sums depend on it in the last digit


def households_with_event(dates: Sequence[KnownDate]) -> int:
    """Different households that had an event after any of the dates."""
    found = [one.uprn[one.event] for one in dates]
    return len(np.unique(np.concatenate(found))) if found else 0


def households_without_event(dates: Sequence[KnownDate]) -> int:
    """Different households that were judged without an event after one of the dates."""
    found = [one.uprn[one.judged & ~one.event] for one in dates]
    return len(np.unique(np.concatenate(found))) if found else 0
