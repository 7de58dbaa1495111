"""From a fitted model to whole points, within the limits that a fit file declares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from folkmoot_node.evaluation.fitting.additive_model import AdditiveModel, fit
from folkmoot_node.evaluation.fitting.known_dates import KnownDate, Patterns, patterns
from folkmoot_node.evaluation.fitting.selection import found_by, inclusion
from folkmoot_node.evaluation.fitting.separation import check_together
from folkmoot_node.evaluation.snapshot import Bools, Floats
from folkmoot_operator.problems import ExitCode, Problem

Indexes = npt.NDArray[np.int64]

STRONGER = 1.5
"""By so much the events of a group weigh more in the next attempt to find more of them."""
ATTEMPTS = 12


@dataclass(frozen=True, slots=True)
class Limits:
    """What points must keep to; one value for each factor that may be used.

    Attributes:
        factors: Indexes in the policy, int64.
        names: Their names.
        keep: bool: whether it has one point at least.
        most: int64: most points.
        total: What the points add up to, where `most` leaves so many.
    """

    factors: Indexes
    names: tuple[str, ...]
    keep: Bools
    most: Indexes
    total: int


@dataclass(frozen=True, slots=True)
class Floor:
    """A share of a group's households with the event that must be found; see `LeastRecall`."""

    field: str
    group: str
    at: int
    capacity: int
    least: float


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Whole points, and the model they come from.

    Attributes:
        points: int64, one value for each factor that may be used; 0 if it is not.
        model: The model, before it was rounded.
        per_log_odds: Points for which the odds of the event are e times as high.
        lower: Limits of the effects, float64, one value for each factor.
        upper: The same.
        event_weights: For each date float64, shape (households,), how often a household counted;
            None if each did once.
    """

    points: Indexes
    model: AdditiveModel
    per_log_odds: float
    lower: Floats
    upper: Floats
    event_weights: tuple[Floats, ...] | None = None

    def scores(self, observed: KnownDate, factors: Indexes) -> Indexes:
        """Scores of the households of a date, in thousandths of a point.

        Returns:
            int64, shape (households,); never null.
        """
        found: Indexes = observed.levels[:, factors].astype(np.int64) @ self.points
        return found


def make_scorecard(data: Patterns, left: Bools, limits: Limits) -> Scorecard:
    """Fits the factors that are left, and scales the effects to whole points.

    The scale is set by the model without limits on points, so that a limit on one factor does
    not add points to the others for no reason.

    Args:
        data: The households.
        left: bool, for each factor whether it may have points.
        limits: What the points keep to.

    Raises:
        Problem: Exit code DATA, if nothing is found or the factors separate the households.
    """
    nothing = np.zeros(len(left))
    model = fit(data, nothing, np.where(left, np.inf, 0.0))
    check_together(data, limits.names, model)
    whole = model.effects.sum()
    if whole < 1e-6:
        raise Problem(
            "no factor goes with the outcome: none is higher where the event came",
            where="fit",
            remedy="See `folkmoot-node evaluate`, and whether the outcome is the right one; "
            "Folkmoot gives no factor fewer than 0 points",
            exit_code=ExitCode.DATA,
        )
    per_log_odds = limits.total / whole
    lower = np.where(limits.keep, 1.0, 0.0) / per_log_odds
    upper = np.where(left, np.maximum(limits.most, limits.keep) / per_log_odds, 0.0)
    if (model.effects < lower).any() or (model.effects > upper).any():
        model = fit(data, lower, upper, start=model)
    points = np.rint(model.effects * per_log_odds).astype(np.int64)
    return Scorecard(points, model, float(per_log_odds), lower, upper)


def floors_of(
    observed: Sequence[KnownDate], asked: Sequence[tuple[str, int, float]], smallest: int
) -> tuple[list[Floor], list[str]]:
    """The groups for which a share of events must be found.

    Args:
        observed: The dates.
        asked: Field, capacity and share; fields that are held for audit.
        smallest: Groups of which fewer households had the event are not judged.

    Returns:
        The groups, and the names of those that are too small.
    """
    found, small = [], []
    for field, capacity, least in asked:
        groups = observed[0].group_of(field)
        if groups is None:
            continue
        for index, name in enumerate(groups.names):
            if _events(observed, field, index) < smallest:
                small.append(f"{field} {name}")
            else:
                found.append(Floor(field, name, index, capacity, least))
    return found, small


def meet_floors(
    observed: Sequence[KnownDate],
    left: Bools,
    limits: Limits,
    floors: Sequence[Floor],
    *,
    must: bool,
    where: str,
) -> Scorecard:
    """Makes a scorecard that finds enough events of each group, on the dates it is fitted to.

    The events of a group of which too few are found weigh more in the next attempt (Agarwal et
    al. 2018 reduce such limits to weights). The groups are used here alone: the scorecard knows
    none.

    Args:
        observed: The dates.
        left: As `make_scorecard`.
        limits: As there.
        floors: What is to be met.
        must: Whether a floor that is not met is refused; otherwise the last attempt stands.
        where: The fit file.

    Raises:
        Problem: Exit code REFUSED, if a floor cannot be met; groups and figures are for the
            terminal alone.
    """
    card = make_scorecard(patterns(observed, limits.factors), left, limits)
    strength = np.ones(len(floors))
    weights: tuple[Floats, ...] | None = None
    for attempt in range(ATTEMPTS + 1):
        reached = [_reached(observed, card, limits, floor) for floor in floors]
        missed = [at for at, floor in enumerate(floors) if reached[at] < floor.least]
        if not missed or attempt == ATTEMPTS:
            break
        strength[missed] *= STRONGER
        weights = tuple(_weights(one, floors, strength) for one in observed)
        data = patterns(observed, limits.factors, weights)
        card = make_scorecard(data, left, limits)
    if missed and must:
        raise Problem(
            "no weights were found with which each group is found as often as recall asks",
            where=f"{where}: recall",
            remedy="Ask for a smaller share or a larger capacity, leave fewer factors out, or "
            "find out what the records do not say of the group",
            exit_code=ExitCode.REFUSED,
            for_operator=[
                f"{one.field} {one.group}: {at:.0%} are found, {one.least:.0%} are asked for"
                for one, at in zip(floors, reached, strict=True)
                if at < one.least
            ],
        )
    return Scorecard(card.points, card.model, card.per_log_odds, card.lower, card.upper, weights)


def _events(observed: Sequence[KnownDate], field: str, index: int) -> int:
    """Different households of a group with the event."""
    found = [one.uprn[one.event & _member(one, field, index)] for one in observed]
    return len(np.unique(np.concatenate(found)))


def _member(one: KnownDate, field: str, index: int) -> Bools:
    groups = one.group_of(field)
    if groups is None:
        return np.zeros(len(one.event), dtype=np.bool_)
    member: Bools = groups.index == index
    return member


def _reached(observed: Sequence[KnownDate], card: Scorecard, limits: Limits, floor: Floor) -> float:
    found = events = 0.0
    for one in observed:
        member = one.event & _member(one, floor.field, floor.at)
        included = inclusion(card.scores(one, limits.factors), one.considered, floor.capacity)
        found += found_by(included, member)
        events += float(member.sum())
    return found / events if events else 1.0


def _weights(one: KnownDate, floors: Sequence[Floor], strength: Floats) -> Floats:
    weights = np.ones(len(one.event))
    for floor, times in zip(floors, strength, strict=True):
        weights[one.event & _member(one, floor.field, floor.at)] *= times
    return weights
