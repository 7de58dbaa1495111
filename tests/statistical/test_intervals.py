"""Published intervals cover the true count at least as often as they say.

Two councils release again and again; the coordinator aggregates. The share of intervals that
hold the true count is measured for each marginal at council and at region level, from losses
at which the noise is large to losses at which most of it is zero.

False alarms: releases are independent and the intervals of one are not, so a share is judged
by its spread between releases; each comparison fails once in a million times though the
coverage is what is promised.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import product
from statistics import NormalDist

import numpy as np
import pytest
from scipy import stats

from folkmoot import rounds
from folkmoot.interval import CONFIDENCE, half_width
from folkmoot.privacy import Epsilon, Rho
from folkmoot.rounds import Round
from folkmoot.strategy import plan
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.aggregation.aggregate import aggregate
from tests.night import by_night
from tests.statistical.fit import FALSE_ALARM, Float64, Z, discrete_gaussian
from tests.statistical.questions import (
    BURY,
    TRAFFORD,
    exact,
    households,
    question,
    release,
    workload,
)
from tests.tables import measured

REPEATS = 250
WARDS = {BURY: (1, 2), TRAFFORD: (2, 1, 4)}


@dataclass(frozen=True)
class Coverage:
    """How often the intervals of one statistic covered.

    Attributes:
        shares: For each release the share of cells whose interval held the true count.
        cells: For each cell the share of releases.
    """

    shares: Float64
    cells: Float64

    @property
    def spread(self) -> float:
        """Standard error of the mean share, from the shares or, at least, one binomial."""
        least = math.sqrt(CONFIDENCE * (1 - CONFIDENCE) / (self.shares.size * self.cells.size))
        return max(float(self.shares.std()) / math.sqrt(self.shares.size), least)

    @property
    def is_enough(self) -> bool:
        return bool(self.shares.mean() > CONFIDENCE - Z * self.spread)


def coverages(round_: Round, repeats: int = REPEATS) -> dict[str, Coverage]:
    """Coverage of every statistic of a round, by level, place and marginal."""
    plans = {council: round_.plan(council) for council in round_.councils}
    tables = {
        council: households(made, 20, seed=at) for at, (council, made) in enumerate(plans.items())
    }
    counts = {council: exact(plans[council], table) for council, table in tables.items()}
    truth = aggregate(
        round_,
        "Region",
        {council: measured(plans[council], table) for council, table in tables.items()},
    )
    held: list[list[np.ndarray]] = [[] for _ in truth]
    for _ in range(repeats):
        noisy = {council: release(plans[council], counts[council]) for council in plans}
        for at, found in enumerate(aggregate(round_, "Region", noisy)):
            true = np.rint(truth[at].value)
            held[at].append((found.lower <= true + 1e-9) & (true - 1e-9 <= found.upper))
    return {
        f"{one.place} {one.marginal.name}, {len(one)} cells": Coverage(
            np.mean(inside, axis=1), np.mean(inside, axis=0)
        )
        for one, inside in zip(truth, held, strict=True)
    }


def asked(rho: str) -> Round:
    return question(workload(WARDS), Rho.of(rho), [BURY, TRAFFORD])


@pytest.mark.slow
@pytest.mark.parametrize("rho", by_night(["0.001", "0.5", "10", "0.05", "3", "100"], by_day=3))
def test_coverage_is_at_least_what_is_promised(rho: str) -> None:
    """Eighteen statistics, a comparison for each, and one for some hundred and thirty cells.

    A cell that is covered in four of five releases is found in 98 of 100 cases.
    """
    found = coverages(asked(rho))
    cells = sum(one.cells.size for one in found.values())
    for name, coverage in found.items():
        assert coverage.is_enough, name
        # By the binomial, whose lower tail is heavier than a normal's, and for all cells together.
        fewest = round(coverage.cells.min() * REPEATS)
        assert stats.binom.cdf(fewest, REPEATS, CONFIDENCE) > FALSE_ALARM / cells, name
        if rho == "0.001":  # scales in the hundreds: there is no reason to cover more
            assert coverage.shares.mean() < CONFIDENCE + Z * coverage.spread, name


@pytest.mark.slow
@pytest.mark.parametrize("epsilon", by_night(["0.05", "5", "1", "20"], by_day=2))
def test_coverage_under_pure_privacy(epsilon: str) -> None:
    """Laplace noise: the interval is wide enough for one term, and so for several."""
    one_level = Workload(
        tuple(
            replace(one, within="", parents={})
            for one in workload(WARDS).attributes
            if one.name != "ward"
        ),
        (Marginal(("lsoa", "age")), Marginal(("tenure",)), Marginal(("lsoa", "tenure"))),
    )
    round_ = question(one_level, Epsilon.of(epsilon), [BURY, TRAFFORD])
    for name, coverage in coverages(round_).items():
        assert coverage.is_enough, name


@pytest.mark.slow
def test_intervals_of_ninety_per_cent_are_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = NormalDist().inv_cdf(0.95)
    monkeypatch.setattr(rounds, "plan", lambda *asked_: replace(plan(*asked_), quantile=narrow))
    found = coverages(asked("0.05"))
    assert sum(not coverage.is_enough for coverage in found.values()) >= 5


def held_by_interval(terms: list[tuple[float, float]], correction: bool = True) -> float:
    """Exact probability that the interval around a weighted sum of noises holds zero.

    Args:
        terms: Scale and weight of each term.
        correction: False for the interval without half a step.
    """
    values, probabilities = np.zeros(1), np.ones(1)
    for sigma, weight in terms:
        numbers, chances = discrete_gaussian(sigma)
        values = np.add.outer(values, numbers * weight).ravel()
        probabilities = np.multiply.outer(probabilities, chances).ravel()
    error = math.hypot(*(sigma * weight for sigma, weight in terms))
    step = max(weight for _, weight in terms) if correction else 0.0
    return float(probabilities[np.abs(values) <= half_width(error, step) + 1e-9].sum())


def test_a_single_noise_is_covered_at_every_scale() -> None:
    """Exact, from scale 0.1 to 30; without the correction of half a step it is not."""
    scales = np.geomspace(0.1, 30, 1_500).tolist()
    assert min(held_by_interval([(sigma, 1.0)]) for sigma in scales) >= CONFIDENCE
    assert min(held_by_interval([(sigma, 1.0)], correction=False) for sigma in scales) < 0.9


def test_two_noises_are_covered_whatever_their_weights() -> None:
    """Exact: the share of a total and a contrast, as a cell of a group of 2 to 8 has them."""
    scales = np.geomspace(0.2, 6, 12).tolist()
    least = min(
        held_by_interval([(first, 1 / size), (second, weight)])
        for first, second, size in product(scales, scales, (2, 3, 5, 8))
        for weight in (1 / size, 1 - 1 / size)
    )
    assert least >= CONFIDENCE
