"""The noise of a series has the variance that the coordinator states, month by month.

Each comparison of a sample variance has a false-alarm rate of one in a million; each test also
shows that it rejects a scale that is wrong by five per cent, so that passing means something.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot.series import (
    SeriesRow,
    coefficients,
    cumulative_weights,
    squared_norm,
    variance_factor,
)
from folkmoot.strategy import Plan, plan
from folkmoot.workload import Marginal, Workload
from folkmoot_node.release.contrasts import contrasts
from folkmoot_node.release.exact_counts import ExactCounts
from folkmoot_node.release.mechanism import _measure

Float64 = npt.NDArray[np.float64]

CODES, LENGTH = 20_000, 12
NEW = 3
"""Households that each month finds in each cell; in all cells the same, so that contrasts
are zero and the total is known."""
Z = 4.9
"""Two-sided normal quantile with a false-alarm rate of one in a million."""


def wide_plan() -> Plan:
    names = tuple(f"c{at}" for at in range(CODES))
    asked = Workload((Attribute("kind", names),), (Marginal(("kind",)),))
    return plan(asked, GssCode("E08000009"), Rho.of("0.5"))


@cache
def series(length: int) -> tuple[Plan, Float64]:
    """Released rows of every month, shape (length, rows), all measured as a node does."""
    planned = wide_plan()
    found = []
    for month in range(1, length + 1):
        row = SeriesRow(month, month)
        weight = sum(row.coefficient(cohort, length) for cohort in range(1, month + 1))
        table = np.full(CODES, NEW * weight, dtype=np.int64)
        counts = ExactCounts(planned.largest, [table])
        released = _measure(counts, planned, 2, squared_norm(length))
        found.append(np.array(released.values, dtype=np.float64))
    return planned, np.array(found)


def contrast_rows(planned: Plan) -> tuple[slice, float]:
    """Where the rows of the contrast are, and the variance that a single round would have."""
    total, contrast = planned.measurements
    assert total.depths == (0,)
    assert contrast.rows == CODES
    return slice(total.rows, None), contrast.tau_squared * CODES * (CODES - 1)


def has_variance(sample: Float64, expected: float) -> bool:
    """Of a nearly normal sample with mean 0; the variance of it is 2 sigma^4 / n."""
    return abs((sample**2).mean() / expected - 1) < Z * math.sqrt(2 / sample.size)


@pytest.mark.parametrize("month", range(1, LENGTH + 1))
def test_cumulative_counts_have_the_stated_variance(month: int) -> None:
    planned, released = series(LENGTH)
    rows, single = contrast_rows(planned)
    weights = cumulative_weights([SeriesRow(at, at) for at in range(1, month + 1)], LENGTH)[-1]
    estimate = np.array(weights) @ released[:month, rows]
    expected = single * variance_factor(weights, LENGTH)
    assert has_variance(estimate, expected)
    for wrong in (1.05, 0.95):
        assert not has_variance(estimate, expected * wrong**2)


@pytest.mark.parametrize("month", [2, 6, 12])
def test_new_counts_have_the_stated_variance(month: int) -> None:
    planned, released = series(LENGTH)
    rows, single = contrast_rows(planned)
    found = cumulative_weights([SeriesRow(at, at) for at in range(1, month + 1)], LENGTH)
    weights = np.array(found[-1]) - np.array([*found[-2], 0.0])
    estimate = weights @ released[:month, rows]
    expected = single * variance_factor(weights, LENGTH)
    assert has_variance(estimate, expected)
    for wrong in (1.05, 0.95):
        assert not has_variance(estimate, expected * wrong**2)


def test_noise_of_different_months_is_independent_before_the_coordinator_sums_it() -> None:
    planned, released = series(LENGTH)
    rows, _ = contrast_rows(planned)
    correlation = np.corrcoef(released[:, rows])
    apart = correlation[~np.eye(LENGTH, dtype=bool)]
    assert np.abs(apart).max() < 5.7 / math.sqrt(CODES)  # 66 pairs, one in a million together


def test_estimates_are_unbiased() -> None:
    """Of the total, by its mean over the months' noise: within the stated error."""
    planned, released = series(LENGTH)
    total = planned.measurements[0]
    for month, weights in enumerate(
        cumulative_weights([SeriesRow(at, at) for at in range(1, LENGTH + 1)], LENGTH), start=1
    ):
        estimate = float(np.array(weights) @ released[:month, 0])
        error = math.sqrt(total.tau_squared * variance_factor(weights, LENGTH))
        assert abs(estimate - NEW * month * CODES) < Z * error


def test_each_release_alone_costs_what_its_coefficient_says() -> None:
    """Noise is the same in each month; a household's part of it is not."""
    planned, released = series(LENGTH)
    rows, single = contrast_rows(planned)
    for month in range(LENGTH):
        assert has_variance(released[month, rows], single * squared_norm(LENGTH))
    first = contrasts(
        np.eye(1, CODES, dtype=np.int64).ravel() * coefficients(LENGTH)[0],
        planned.axes,
        planned.largest[0],
        planned.measurements[1].depths,
    )
    lost = float((first.astype(float) ** 2).sum()) / (2 * single * squared_norm(LENGTH))
    share = coefficients(LENGTH)[0] ** 2 / squared_norm(LENGTH)
    assert lost == pytest.approx(planned.measurements[1].rho.value * share)
