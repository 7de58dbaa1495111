"""Pairs of areas, ranks and changes: what is said, and how often it is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from folkmoot.interval import GAUSSIAN_QUANTILE, LAPLACE_QUANTILE
from folkmoot_coordinator.inference.change import Direction, change
from folkmoot_coordinator.inference.comparisons import Verdict, compare, pairs, sidak
from folkmoot_coordinator.inference.ranks import ranks
from folkmoot_coordinator.inference.tails import Tails


def test_tails_are_those_of_the_distributions() -> None:
    z = np.array([-np.inf, -3.0, -0.2, 0.0, 0.7, 2.0, 8.0, np.inf])
    np.testing.assert_allclose(Tails.NORMAL.beyond(z), stats.norm.sf(z), rtol=1e-12)
    laplace = stats.laplace.sf(z, scale=1 / np.sqrt(2))
    np.testing.assert_allclose(Tails.LAPLACE.beyond(z)[-3:], laplace[-3:])
    assert Tails.LAPLACE.beyond(z)[4] == pytest.approx(stats.norm.sf(0.7))
    assert Tails.NORMAL.quantile(0.025) == pytest.approx(GAUSSIAN_QUANTILE)
    assert Tails.LAPLACE.quantile(0.025) == pytest.approx(LAPLACE_QUANTILE)
    assert Tails.of_quantile(LAPLACE_QUANTILE) is Tails.LAPLACE
    assert Tails.of_quantile(GAUSSIAN_QUANTILE) is Tails.NORMAL


def test_one_planned_comparison_is_the_usual_test() -> None:
    found = compare(
        np.array([110.0]), np.array([100.0]), np.array([9.0]), np.array([16.0]), offered=1
    )
    assert found.probability[0] == pytest.approx(stats.norm.cdf(2))
    assert found.corrected[0] == pytest.approx(stats.norm.cdf(2))
    assert found.lower[0] == pytest.approx(10 - GAUSSIAN_QUANTILE * 5)
    assert found.verdict[0] is Verdict.FIRST_LARGER


def test_the_correction_counts_what_is_on_offer() -> None:
    one = compare(
        np.array([100.0]), np.array([110.0]), np.array([9.0]), np.array([16.0]), offered=pairs(10)
    )
    assert one.verdict[0] is Verdict.UNDECIDED
    assert one.corrected[0] == pytest.approx(1 - (1 - (1 - 2 * stats.norm.sf(2)) ** 45) / 2)
    assert one.lower[0] < 0 < one.upper[0]
    far = compare(
        np.array([100.0]), np.array([200.0]), np.array([9.0]), np.array([16.0]), offered=10**7
    )
    assert far.verdict[0] is Verdict.SECOND_LARGER


def test_shared_noise_makes_a_difference_more_precise() -> None:
    given = [np.array([110.0]), np.array([100.0]), np.array([25.0]), np.array([25.0])]
    assert compare(*given, offered=1).verdict[0] is Verdict.UNDECIDED
    assert compare(*given, offered=1, covariance=20.0).verdict[0] is Verdict.FIRST_LARGER
    with pytest.raises(ValueError, match="covariance"):
        compare(*given, offered=1, covariance=26.0)


def test_figures_without_noise_are_compared_as_they_are() -> None:
    none = np.zeros(3)
    found = compare(np.array([1.0, 2.0, 3.0]), np.full(3, 2.0), none, none, offered=3)
    assert list(found.verdict) == [
        Verdict.SECOND_LARGER,
        Verdict.UNDECIDED,
        Verdict.FIRST_LARGER,
    ]
    assert found.probability.tolist() == [0.0, 0.5, 1.0]
    with pytest.raises(ValueError, match="on offer"):
        compare(np.zeros(3), none, none, none, offered=2)
    with pytest.raises(ValueError, match="negative"):
        compare(np.zeros(3), none, none - 1, none, offered=3)


def test_ranks_are_from_all_pairs_as_holm_decides_them() -> None:
    rng = np.random.default_rng(3)
    value, variance = rng.normal(0, 6, 12), rng.uniform(0.5, 2, 12)
    shared = 0.3 * np.sqrt(np.outer(variance, variance))
    for covariance in (None, shared):
        both = np.zeros((12, 12)) if covariance is None else covariance
        z = (value[:, None] - value) / np.sqrt(variance[:, None] + variance - 2 * both)
        at = ~np.eye(12, dtype=bool)
        tail = np.where(at, stats.norm.sf(z), np.inf)
        expected = np.zeros((12, 12), dtype=bool)
        for rank, place in enumerate(np.argsort(tail.ravel())):
            if tail.ravel()[place] > 0.05 / (132 - rank):
                break
            expected.ravel()[place] = True
        found = ranks(value, variance, covariance=covariance)
        assert expected.sum() > 66 // 2
        assert (12 - found.worst).tolist() == expected.sum(axis=1).tolist()
        assert (found.best - 1).tolist() == expected.sum(axis=0).tolist()


def test_without_noise_ranks_are_exact_and_ties_share() -> None:
    found = ranks(np.array([5.0, 9.0, 9.0, 1.0]), np.zeros(4))
    assert found.rank.tolist() == [3, 1, 1, 4]
    assert found.best.tolist() == [3, 1, 1, 4]
    assert found.worst.tolist() == [3, 2, 2, 4]


def test_with_much_noise_every_rank_is_possible() -> None:
    found = ranks(np.arange(6.0), np.full(6, 1e6))
    assert found.best.tolist() == [1] * 6
    assert found.worst.tolist() == [6] * 6
    assert ranks(np.array([3.0]), np.ones(1)).worst.tolist() == [1]
    assert len(ranks(np.zeros(0), np.zeros(0)).rank) == 0


@pytest.mark.parametrize("spread", [0.0, 3.0, 30.0])
@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_all_rank_intervals_hold_together(spread: float, correlation: float) -> None:
    """Fewer than 95 % of 400 tables by chance: a test at 1 in a million allows 44 misses."""
    rng = np.random.default_rng(4)
    error = np.where(np.arange(30) % 2, 1.0, 4.0)
    truth = spread * np.sort(rng.normal(size=30))
    true_rank = 1 + (truth > truth[:, None]).sum(axis=1)
    last_rank = 30 - (truth < truth[:, None]).sum(axis=1)
    matrix = (correlation + (1 - correlation) * np.eye(30)) * np.outer(error, error)
    factor = np.linalg.cholesky(matrix)
    missed, widths = 0, []
    for _ in range(400):
        value = truth + factor @ rng.normal(size=30)
        found = ranks(value, error**2, covariance=matrix if correlation else None)
        assert ((found.best <= found.rank) & (found.rank <= found.worst)).all()
        missed += not ((found.best <= true_rank) & (last_rank <= found.worst)).all()
        widths.append((found.worst - found.best).mean())
    assert missed <= stats.binom.isf(1e-6, 400, 0.05)
    if spread == 30.0:
        assert np.mean(widths) < 8  # an interval that says nothing would hold too


def test_uncorrected_intervals_would_not_hold_together() -> None:
    rng = np.random.default_rng(5)
    wrong = 0
    for _ in range(200):
        value = rng.normal(size=30)
        wrong += bool((np.abs(value[:, None] - value) > 1.96 * np.sqrt(2)).any())
    assert wrong > 150


def test_a_change_has_an_interval_of_its_own() -> None:
    later, earlier = np.array([120.0, 100.0, 70.0]), np.array([100.0, 101.0, 100.0])
    found = change(later, earlier, np.full(3, 9.0), np.full(3, 16.0), step=2.0)
    assert found.difference.tolist() == [20, -1, -30]
    assert found.lower[0] == pytest.approx(20 - GAUSSIAN_QUANTILE * 5 - 1)
    assert list(found.direction) == [Direction.HIGHER, Direction.UNDECIDED, Direction.LOWER]


def test_changes_are_corrected_for_the_areas_on_the_page() -> None:
    none, error = np.zeros(1000), np.full(1000, 12.5)
    moved = none.copy()
    moved[0] = 12.0  # 2.4 standard errors
    many = change(moved, none, error, error)
    assert many.lower[0] > 0
    assert many.direction[0] is Direction.UNDECIDED
    alone = change(moved[:1], none[:1], error[:1], error[:1])
    assert alone.direction[0] is Direction.HIGHER
    shared = change(moved, none, error, error, covariance=error * 0.9)
    assert shared.direction[0] is Direction.HIGHER


def test_false_changes_are_as_rare_as_stated() -> None:
    rng = np.random.default_rng(6)
    error = rng.uniform(1, 20, 50)
    false = 0
    for _ in range(1000):
        later, earlier = error * rng.normal(size=50), error * rng.normal(size=50)
        found = change(later, earlier, error**2, error**2)
        false += any(one is not Direction.UNDECIDED for one in found.direction)
    assert stats.binom.ppf(1e-6, 1000, 0.05) <= false <= stats.binom.isf(1e-6, 1000, 0.05)


def test_sidak_s_level() -> None:
    assert 1 - (1 - sidak(0.05, 20)) ** 20 == pytest.approx(0.05)
