"""Rates of bands by outcome: by hand, with too little to judge, and which places agree."""

from __future__ import annotations

import numpy as np
import pytest

from folkmoot.interval import GAUSSIAN_QUANTILE as Z
from folkmoot_coordinator.inference.comparisons import Verdict
from folkmoot_coordinator.inference.validation import (
    Counts,
    Figure,
    Groups,
    agreements,
    band_rates,
    of_councils,
)

BANDS = ("low", "high")


def counts(table: list[list[float]], variance: float = 0.0) -> Counts:
    value = np.array(table, dtype=float)
    return Counts(value, variance * np.eye(value.size))


def test_figures_are_those_by_hand() -> None:
    low, high = band_rates(BANDS, counts([[900, 100], [60, 40]]))
    assert low.precision.value == pytest.approx(0.1)
    assert high.precision.value == pytest.approx(0.4)
    assert low.precision_from.value == pytest.approx(140 / 1100)
    assert low.recall.value == 1.0
    assert high.recall.value == pytest.approx(40 / 140)
    assert high.selected.value == pytest.approx(100 / 1100)


def test_without_noise_the_interval_of_chance_is_wilsons() -> None:
    [_, high] = band_rates(BANDS, counts([[900, 100], [60, 40]]))
    n, p = 100, 0.4
    middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
    reach = Z * (p * (1 - p) / n + Z**2 / (4 * n**2)) ** 0.5 / (1 + Z**2 / n)
    assert high.precision.chance == pytest.approx((middle - reach, middle + reach))
    assert high.precision.noise == pytest.approx((0.4, 0.4))


def test_noise_widens_both_intervals_and_chance_is_the_wider() -> None:
    widths = []
    for variance in (0.0, 25.0, 100.0):
        [_, high] = band_rates(BANDS, counts([[900, 100], [60, 40]], variance))
        assert high.precision.noise is not None
        assert high.precision.chance is not None
        widths.append([high.precision.noise, high.precision.chance])
    spans = np.diff(np.array(widths), axis=-1)[..., 0]
    assert (np.diff(spans, axis=0) > 0).all()
    assert (spans[:, 1] > spans[:, 0]).all()


def test_a_band_within_the_noise_has_no_figure() -> None:
    low, high = band_rates(BANDS, counts([[900, 100], [6, 4]], 100.0))
    assert low.precision.value is not None
    assert (high.precision.value, high.precision.noise, high.precision.chance) == (None,) * 3
    assert [one.figure(about).value for one in (low, high) for about in (Figure.RECALL,)]


def test_counts_below_zero_give_rates_from_0_to_1() -> None:
    [_, high] = band_rates(BANDS, counts([[900, 100], [200, -3]], 9.0))
    assert high.precision.value == 0.0
    assert high.precision.noise is not None
    assert high.precision.noise[0] == 0.0
    assert high.precision.noise[1] > 0


def test_councils_that_differ_by_chance_agree_and_others_do_not() -> None:
    alike = {"A": counts([[900, 100], [60, 40]], 4.0), "B": counts([[890, 110], [64, 36]], 4.0)}
    found = agreements(BANDS, of_councils(alike))
    assert {one.verdict for one in found} == {Verdict.UNDECIDED}
    # Precision of two bands and recall of the upper one, of each council.
    assert len(found) == 6
    other = alike | {"C": counts([[990, 10], [95, 5]], 4.0)}
    apart = [one for one in agreements(BANDS, of_councils(other)) if one.place == "C"]
    assert [one.verdict for one in apart if one.about is Figure.PRECISION] == [
        Verdict.SECOND_LARGER
    ] * 2
    assert all(one.upper < 0 for one in apart if one.about is Figure.PRECISION)


def test_one_council_alone_is_compared_with_nobody() -> None:
    assert agreements(BANDS, of_councils({"A": counts([[900, 100], [60, 40]])})) == ()


def test_noise_that_groups_share_counts() -> None:
    """Two groups whose noise moves together differ more surely than with noise of their own."""
    value = np.array([[[500.0, 100.0]], [[500.0, 150.0]]])
    own = np.diag([400.0] * 4)
    shared = own + 390.0 * np.kron(np.array([[0, 1], [1, 0]]), np.eye(2))
    apart, together = (
        agreements(("all",), Groups(("a", "b"), value, noise))[0] for noise in (own, shared)
    )
    assert together.upper - together.lower < apart.upper - apart.lower
    assert together.difference == apart.difference


def test_wrong_shapes_and_missing_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="belong to other bands"):
        band_rates(("a", "b", "c"), counts([[1, 2], [3, 4]]))
    with pytest.raises(ValueError, match="missing"):
        band_rates(BANDS, counts([[float("nan"), 2], [3, 4]]))
