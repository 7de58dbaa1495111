"""A quantity shared out over areas by estimated need, with what the noise does to it.

Three alternatives stand side by side: in proportion to the estimates, to areas that probably exceed
a threshold, and in proportion to shrunken estimates. All are judged by the same measure: what each
area would get in proportion to its true need. True needs are not known; a thousand sets of them
that go with the estimates and the known noise are drawn (`plausible`), and each alternative is
compared with all of them. The model behind the draws is that of the shrunken estimates, so that it
favours them where it is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from folkmoot.interval import CONFIDENCE
from folkmoot_coordinator.aggregation.consistent_tables.controlled_rounding import round_one_way
from folkmoot_coordinator.aggregation.consistent_tables.projection import OneWay
from folkmoot_coordinator.inference.nonnegative import without_negatives
from folkmoot_coordinator.inference.plausible import DRAWS, plausible_figures
from folkmoot_coordinator.inference.small_area import Shrunken, fay_herriot, intercepts
from folkmoot_coordinator.inference.tails import Tails
from folkmoot_operator.problems import ExitCode, Problem

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

TOLERANCE = 0.1
"""An area is under-served from this part of its due, unless it lacks less than one unit."""


class Rule(StrEnum):
    """How a quantity is shared out."""

    PROPORTIONAL = "in proportion to estimates"
    THRESHOLD = "to areas that probably exceed a threshold"
    SHRUNKEN = "in proportion to shrunken estimates"


@dataclass(frozen=True, slots=True)
class Threshold:
    """Which areas get something.

    Attributes:
        need: Households that an area has to exceed.
        probability: How probable that has to be at least, above 0 and below 1.
        equally: True to share equally among these areas, False in proportion to their shrunken
            estimates. Their estimates themselves would be too high, since they were chosen by them.
    """

    need: float
    probability: float = 0.8
    equally: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.probability < 1:
            raise ValueError("a probability lies between 0 and 1")


@dataclass(frozen=True, slots=True, eq=False)
class Needs:
    """What is known of the needs of areas.

    Attributes:
        value: Estimates, households, float64, shape (areas,).
        variance: Of their noise, households squared, float64, shape (areas,).
        district: District of each area, from 0, int64, shape (areas,).
    """

    value: Float64
    variance: Float64
    district: Int64

    @property
    def districts(self) -> int:
        """How many districts there are numbers for."""
        return int(self.district.max(initial=-1)) + 1


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """How an alternative serves some places, areas or districts; arrays have shape (places,).

    Attributes:
        units: Whole units that each gets, int64.
        under_served: How often over the draws it lacks more than the tolerance, 0 to 1, float64.
        over_served: How often it has more than the tolerance too much, 0 to 1, float64.
    """

    units: Int64
    under_served: Float64
    over_served: Float64


@dataclass(frozen=True, slots=True, eq=False)
class Allocation:
    """One alternative.

    Attributes:
        rule: How the quantity is shared out.
        areas: How it serves areas.
        districts: How it serves districts.
        misplaced: Units that would have to move for every area to have its due: mean over the
            draws. It judges the region as a whole.
        misplaced_at_most: The same, which 95 % of the draws do not exceed.
    """

    rule: Rule
    areas: Service
    districts: Service
    misplaced: float
    misplaced_at_most: float


@dataclass(frozen=True, slots=True, eq=False)
class Allocations:
    """Alternatives side by side, and what each place is due.

    Attributes:
        alternatives: One for each rule asked for.
        lower: Lower end of the 95 % interval of the units that each area is due in proportion to
            its true need, float64, shape (areas,).
        upper: Upper end of it.
        district_lower: The same for districts, float64, shape (districts,).
        district_upper: Upper end of it.
        quantity: Units in all.
    """

    alternatives: tuple[Allocation, ...]
    lower: Float64
    upper: Float64
    district_lower: Float64
    district_upper: Float64
    quantity: int


def allocate(
    needs: Needs,
    quantity: int,
    *,
    seed: str,
    threshold: Threshold | None = None,
    tolerance: float = TOLERANCE,
    tails: Tails = Tails.NORMAL,
) -> Allocations:
    """Shares out a quantity by each rule and says how well that serves the areas.

    Args:
        needs: Estimates, their noise, and districts.
        quantity: Whole units to share out, 1 or more.
        seed: What the draws depend on, for example the round's id: a page shows the same figures
            each time.
        threshold: Which areas the second rule serves; None to leave it out.
        tolerance: Part of its due that an area may lack or have too much.
        tails: Shape of the noise.

    Returns:
        The alternatives; arrays are float64 and int64, shape (areas,) or (districts,), none
        missing.

    Raises:
        Problem: REFUSED if the total need is not above zero, no area exceeds the threshold
            with enough probability, or there are too few areas.
        ValueError: If the quantity is less than 1.
    """
    if quantity < 1:
        raise ValueError("there has to be something to share out")
    model = fitted(needs)
    shares = {Rule.PROPORTIONAL: _proportional(needs.value, needs)}
    if threshold is not None:
        shares[Rule.THRESHOLD] = _by_threshold(needs, model, threshold, tails)
    shares[Rule.SHRUNKEN] = _proportional(model.value, needs)
    due = quantity * true_shares(needs, model, seed)
    of_districts = _by_district(due, needs)
    alternatives = []
    for rule, share in shares.items():
        units = whole_units(share, needs.district, quantity)
        districts = np.bincount(needs.district, units, needs.districts).astype(np.int64)
        moved = np.maximum(units - due, 0.0).sum(axis=1)
        alternatives.append(
            Allocation(
                rule=rule,
                areas=_service(units, due, tolerance),
                districts=_service(districts, of_districts, tolerance),
                misplaced=float(moved.mean()),
                misplaced_at_most=float(np.quantile(moved, CONFIDENCE)),
            )
        )
    ends = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    lower, upper = np.quantile(due, ends, axis=0)
    district_lower, district_upper = np.quantile(of_districts, ends, axis=0)
    return Allocations(tuple(alternatives), lower, upper, district_lower, district_upper, quantity)


def fitted(needs: Needs) -> Shrunken:
    """The Fay-Herriot model of needs, with a mean for each district where there are areas enough.

    Returns:
        Predictions: float64, shape (areas,), none missing.

    Raises:
        Problem: REFUSED if there is one area only.
    """
    areas = len(needs.value)
    if areas < 2:
        raise Problem(
            "one area alone gets all there is",
            remedy="choose a statistic by smaller areas",
            exit_code=ExitCode.REFUSED,
        )
    means = intercepts(needs.district)
    by_district = areas >= 2 * means.shape[1] + 3
    return fay_herriot(needs.value, needs.variance, means if by_district else None)


def true_shares(needs: Needs, model: Shrunken, seed: str, draws: int = DRAWS) -> Float64:
    """Shares that areas may truly be due, drawn from what the model leaves open.

    Args:
        needs: Estimates, their noise, and districts.
        model: Fitted to them.
        seed: What the draws depend on.
        draws: How many.

    Returns:
        float64, shape (draws, areas), each row adding up to 1, none negative or missing.
    """
    drawn = plausible_figures(needs.value, needs.variance, model, seed, draws)
    # A draw without need in all says nothing about shares; that of the estimates stands for it.
    drawn[drawn.sum(axis=1) <= 0] = np.maximum(model.value, 0.0)
    for row in np.flatnonzero((drawn < 0).any(axis=1)):
        drawn[row] = without_negatives(drawn[row], model.mean_squared_error, needs.district)
    shares: Float64 = drawn / drawn.sum(axis=1, keepdims=True)
    return shares


def whole_units(share: Float64, district: Int64, quantity: int) -> Int64:
    """Whole units by largest remainders, first over districts and then over their areas.

    Args:
        share: Of each area, not negative, adding up to 1, float64, shape (areas,).
        district: District of each area, from 0, int64, shape (areas,).
        quantity: Units in all.

    Returns:
        int64, shape (areas,), none missing; an area's units are less than 2 away from its share,
        a district's less than 1.
    """
    exact = quantity * share
    totals = np.bincount(district, weights=exact).astype(np.float64)
    everywhere = OneWay(np.zeros(len(totals), dtype=np.int64), np.array([quantity]))
    whole = round_one_way(totals, everywhere)
    # Areas of a district are scaled to its whole units, so that largest remainders suffice.
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(totals > 0, whole / totals, 0.0)
    return round_one_way(exact * scale[district], OneWay(district, whole))


def _proportional(value: Float64, needs: Needs) -> Float64:
    found = without_negatives(value, needs.variance, needs.district)
    return found / float(found.sum())


def _by_threshold(needs: Needs, model: Shrunken, threshold: Threshold, tails: Tails) -> Float64:
    error = np.maximum(model.standard_error, np.finfo(float).tiny)
    with np.errstate(over="ignore"):
        exceeds = tails.beyond((threshold.need - model.value) / error)
    chosen = exceeds >= threshold.probability
    if not chosen.any():
        raise Problem(
            "no area exceeds the threshold with that probability",
            remedy="lower the threshold or the probability",
            exit_code=ExitCode.REFUSED,
        )
    weight = np.where(chosen, 1.0 if threshold.equally else np.maximum(model.value, 0.0), 0.0)
    if not weight.sum() > 0:
        weight = chosen.astype(np.float64)
    return weight / float(weight.sum())


def _service(units: Int64, due: Float64, tolerance: float) -> Service:
    # What rounding to whole units takes or gives is nobody's error.
    allowed = np.maximum(tolerance * due, 1.0)
    return Service(
        units=units,
        under_served=(due - units > allowed).mean(axis=0),
        over_served=(units - due > allowed).mean(axis=0),
    )


def _by_district(due: Float64, needs: Needs) -> Float64:
    found = np.zeros((len(due), needs.districts))
    for one in range(needs.districts):
        found[:, one] = due[:, needs.district == one].sum(axis=1)
    return found
