"""Selection rates by group: arithmetic by hand, and how often noise is called a difference."""

from __future__ import annotations

import numpy as np
import pytest

from folkmoot_coordinator.inference.comparisons import Verdict
from folkmoot_coordinator.inference.selection import differences, from_each_band, selected

COUNTS = np.array([[700.0, 200.0, 100.0], [300.0, 150.0, 50.0]])
BANDS = ("low", "high")


def test_without_noise_shares_are_those_of_the_counts() -> None:
    found = from_each_band(("a", "b"), COUNTS, np.zeros((6, 6)), 1.96)
    assert [one.value for one in selected(found, "a")] == pytest.approx([0.3, 0.1])
    assert [one.value for one in selected(found, "b")] == pytest.approx([0.4, 0.1])
    assert selected(found, "a")[0].noise == pytest.approx((0.3, 0.3))
    [first, same, second, _] = differences(BANDS, found, 4)
    assert (first.place, first.band, first.verdict) == ("a", "low", Verdict.SECOND_LARGER)
    assert first.difference == pytest.approx(-0.1)
    assert same.verdict is Verdict.UNDECIDED
    assert second.difference == pytest.approx(0.1)


def test_noise_that_groups_share_cancels_and_a_reader_of_more_is_told_less() -> None:
    """Noise of a total, which all cells have a part of, says nothing against a difference."""
    shared = np.outer(COUNTS.ravel(), COUNTS.ravel()) * 0.01
    alone = np.diag(np.diag(shared))
    reach = [
        differences(BANDS, from_each_band(("a", "b"), COUNTS, noise, 1.96), offered)[0]
        for noise, offered in ((shared, 4), (alone, 4), (shared, 4000))
    ]
    widths = [one.upper - one.lower for one in reach]
    assert widths[0] < 0.6 * widths[1]
    assert widths[0] < widths[2]


def test_equal_groups_are_called_different_in_no_more_than_five_of_a_hundred() -> None:
    rng = np.random.default_rng(20_261_130)
    wrong, runs, noise = 0, 400, 8.0
    chances = np.array([0.7, 0.2, 0.1])
    names = tuple("abcde")
    for _ in range(runs):
        counts = rng.multinomial(2_000, chances, size=len(names)).astype(float)
        counts += rng.normal(0, noise, counts.shape)
        found = from_each_band(names, counts, noise**2 * np.eye(counts.size), 1.96)
        verdicts = differences(BANDS, found, 0)
        wrong += any(one.verdict is not Verdict.UNDECIDED for one in verdicts)
    assert wrong <= 0.05 * runs + 3 * np.sqrt(0.05 * 0.95 * runs)
