"""Hotspots beside esda where there is no noise, and beside dense matrices where there is."""

from __future__ import annotations

import esda
import libpysal
import numpy as np
import pytest
from scipy import stats

from folkmoot_coordinator.inference.background import as_normal, as_skewed, background
from folkmoot_coordinator.inference.classes import CERTAIN_FROM
from folkmoot_coordinator.inference.discoveries import discoveries
from folkmoot_coordinator.inference.hotspots import hotspots, local_sums
from folkmoot_coordinator.inference.local_moran import local_moran
from folkmoot_coordinator.inference.neighbours import Neighbours
from folkmoot_coordinator.inference.tails import Tails
from tests.grids import Region, touching

GRID = touching(12, 15)


def weights(neighbours: Neighbours) -> libpysal.weights.W:
    rows = {
        area: neighbours.others[neighbours.starts[area] : neighbours.starts[area + 1]].tolist()
        for area in range(len(neighbours))
    }
    return libpysal.weights.W(rows, silence_warnings=True)


@pytest.fixture
def counts() -> np.ndarray:
    return np.random.default_rng(0).gamma(2, 10, 180)


def test_without_noise_g_star_is_esda_s(counts: np.ndarray) -> None:
    found = hotspots(counts, np.zeros(180), GRID, fits=1)
    theirs = esda.G_Local(counts, weights(GRID), transform="B", star=True, permutations=0)
    np.testing.assert_allclose(found.sums.z, theirs.Zs, rtol=1e-9, atol=1e-9)


def test_without_noise_local_moran_is_esda_s(counts: np.ndarray) -> None:
    found = local_moran(counts, np.zeros(180), GRID)
    theirs = esda.Moran_Local(counts, weights(GRID), transformation="r", permutations=0)
    np.testing.assert_allclose(found.value, theirs.Is, rtol=1e-9, atol=1e-12)
    # esda divides the statistic by n - 1 and its conditional moments by n.
    scaled = (theirs.Is * 180 / 179 - theirs.EIc) / np.sqrt(theirs.VIc)
    np.testing.assert_allclose(found.z, scaled * np.sign(counts - counts.mean()), rtol=1e-9)
    assert set(found.own_high.tolist()) == {0.0, 1.0}
    lags = libpysal.weights.lag_spatial(weights(GRID), counts) / GRID.counts
    np.testing.assert_allclose(found.lag, lags - counts.mean(), rtol=1e-9, atol=1e-9)


def test_with_noise_the_variance_is_that_of_dense_matrices() -> None:
    rng = np.random.default_rng(1)
    variance = rng.uniform(1, 40, 180)
    factor = rng.normal(size=(180, 180)) / 30
    shared = factor @ factor.T
    np.fill_diagonal(shared, 0.0)
    value = 50 + 4 * rng.normal(size=180) + np.sqrt(variance) * rng.normal(size=180)
    inside = np.ones(180, dtype=bool)
    inside[:20] = False
    for areas, covariance in ((None, None), (inside, None), (None, shared), (inside, shared)):
        found = background(value, variance, areas)
        sums = local_sums(value, variance, GRID, found, covariance)
        used = np.ones(180) if areas is None else areas.astype(float)
        reach = np.eye(180)
        reach[GRID.owners, GRID.others] = 1
        mean = used / found.total / (used / found.total).sum()
        contrast = reach - reach.sum(axis=1, keepdims=True) * mean
        matrix = np.diag(found.total) + (0 if covariance is None else covariance)
        spread = np.einsum("ij,jk,ik->i", contrast, matrix, contrast)
        np.testing.assert_allclose(sums.z, contrast @ value / np.sqrt(spread), rtol=1e-9)


def test_what_noise_alone_does_is_no_hotspot() -> None:
    """One in twenty regions may have a false hotspot; fails by chance once in a million times."""
    region = Region(20, (6, 8, 6), (1.0, 20.0, 3.0))
    near = touching(region.rows, region.columns)
    rng = np.random.default_rng(2)
    ours = naive = 0
    for _ in range(200):
        value = 60 + region.error * rng.normal(size=region.areas)
        ours += bool(hotspots(value, region.error**2, near).hot.found.any())
        naive += bool(hotspots(value, np.zeros(region.areas), near).hot.found.any())
    assert ours <= stats.binom.isf(1e-6, 200, 0.05)
    assert naive > 100


def test_a_hotspot_is_found_in_a_precise_council_and_not_in_a_noisy_one() -> None:
    region = Region(20, (10, 10), (1.0, 20.0))
    near = touching(20, 20)
    rng = np.random.default_rng(3)
    truth = 60 + 2 * rng.normal(size=400)
    for column in (3, 13):
        truth[region.block(8, column, 3)] += 8
    value = truth + region.error * rng.normal(size=400)
    found = hotspots(value, region.error**2, near)
    middles = [9 * 20 + 4, 9 * 20 + 14]
    assert found.hot.found[middles].tolist() == [True, False]
    assert found.detectable[middles[0]] < 8 < found.detectable[middles[1]]
    assert found.background.mean == pytest.approx(60, abs=0.6)
    cold = hotspots(120 - value, region.error**2, near)
    assert (cold.cold.found == found.hot.found).all()


def test_the_excess_that_is_printed_is_found_four_times_of_five() -> None:
    """Fails by chance once in a million times; the truth may be a little off 0.8."""
    region = Region(20, (10, 10), (1.0, 6.0))
    near = touching(20, 20)
    rng = np.random.default_rng(4)
    for column in (4, 14):
        middle = 9 * 20 + column
        hood = np.append(near.others[near.starts[middle] : near.starts[middle + 1]], middle)
        hits = total = 0
        for _ in range(600):
            value = 60 + 3 * rng.normal(size=400) + region.error * rng.normal(size=400)
            before = hotspots(value, region.error**2, near, fits=1)
            if before.hot.found.any():
                continue  # the cut-off is then another
            more = value.copy()
            more[hood] += before.detectable[middle]
            sums = local_sums(more, region.error**2, near, before.background)
            tail = Tails.NORMAL.beyond(as_normal(sums.z, sums.skewness))[middle]
            hits += bool(tail <= before.hot.cut_off)
            total += 1
        low, high = stats.binom.ppf(1e-6, total, 0.78), stats.binom.isf(1e-6, total, 0.82)
        assert low <= hits <= high


def test_probabilities_of_skewed_sums_are_pearson_s() -> None:
    for skew in (0.05, 0.4, 1.0):
        z = np.linspace(-1.5, 5, 40)
        ours = stats.norm.sf(as_normal(z, np.full(40, skew)))
        np.testing.assert_allclose(ours, stats.pearson3.sf(z, skew), rtol=0.12)
        back = as_normal(as_skewed(3.1, np.full(2, skew)), np.full(2, skew))
        np.testing.assert_allclose(back, 3.1)
    assert as_normal(np.array([2.5]), np.zeros(1))[0] == 2.5
    np.testing.assert_allclose(as_normal(np.array([2.5]), np.array([2e-6])), 2.5, atol=1e-4)


def test_local_moran_says_how_sure_the_area_itself_is() -> None:
    rng = np.random.default_rng(5)
    truth = 50 + 3 * rng.normal(size=400)
    truth[Region(20, (20,), (1,)).block(8, 8, 4)] += 15
    error = np.where(np.arange(400) % 2, 1.0, 30.0)
    value = truth + np.where(np.arange(400) % 2, 1.0, 0.0) * rng.normal(size=400)
    found = local_moran(value, error**2, touching(20, 20))
    middle = 9 * 20 + 9
    assert found.own_high[middle] > 0.99
    assert 0.4 < found.own_high[middle + 1] < 0.75
    precise = local_moran(value, np.full(400, 1.0), touching(20, 20))
    assert precise.clustered.found[[middle, middle + 1]].all()


def test_an_area_unlike_its_neighbours_is_found_by_its_own_test() -> None:
    rng = np.random.default_rng(6)
    value = 60 + 3 * rng.normal(size=400)
    block = Region(20, (20,), (1,)).block(7, 7, 5)
    value[block] += 40
    hole = 9 * 20 + 9
    value[hole] -= 60
    found = local_moran(value, np.full(400, 4.0), touching(20, 20))
    assert found.unlike.found[hole]
    assert found.value[hole] < 0
    assert found.lag[hole] == pytest.approx(100 - value.mean(), abs=6)
    # Areas of the block are like their neighbours: these are more unusual than most, and no matter.
    inside = np.setdiff1d(block, [hole])
    assert found.clustered.found[inside].sum() > 10
    assert not found.unlike.found[inside].any()
    unsure = np.maximum(found.own_high, 1 - found.own_high) < CERTAIN_FROM
    assert 0 < unsure.sum() < 400
    assert (np.isnan(found.unlike.adjusted) == unsure).all()
    # The same area with much noise may be high itself.
    variance = np.where(np.arange(400) == hole, 900.0, 4.0)
    assert not local_moran(value, variance, touching(20, 20)).unlike.found[hole]


def test_where_areas_do_not_differ_none_is_sure_to_be_high() -> None:
    value = 60 + 10 * np.random.default_rng(7).normal(size=180)
    found = local_moran(value, np.full(180, 100.0), GRID)
    alone = stats.norm.sf((value.mean() - value) / 10)
    assert (np.maximum(alone, 1 - alone) >= CERTAIN_FROM).sum() > 20
    assert (np.maximum(found.own_high, 1 - found.own_high) < CERTAIN_FROM).all()


def test_neighbours_lower_than_shared_noise_lets_expect_may_yet_be_high() -> None:
    """The area is high for noise that its neighbours share, and they are high, though less."""
    near = touching(12, 15)
    value = 60 + np.random.default_rng(9).normal(size=180)
    middle = 6 * 15 + 7
    around = near.others[near.starts[middle] : near.starts[middle + 1]]
    value[middle], value[around] = 140, 63
    together = np.isin(np.arange(180), [middle, *around])
    shared = np.where(np.outer(together, together), 20.0, 0.0)
    found = local_moran(value, np.full(180, 30.0), near, covariance=shared)
    assert found.own_high[middle] > CERTAIN_FROM
    assert found.z[middle] < -4
    assert found.lag[middle] > 0
    assert not found.unlike.found[middle]


def test_local_moran_expects_of_neighbours_what_shared_noise_does() -> None:
    rng = np.random.default_rng(8)
    variance = np.where(np.arange(180) % 15 < 6, 9.0, 100.0)
    same = np.arange(180)[:, None] // 6 == np.arange(180) // 6
    shared = np.where(same, 0.4, 0.0) * np.sqrt(np.outer(variance, variance))
    value = 60 + rng.normal(size=180)  # less than the noise: all of the variance is known
    found = local_moran(value, variance, GRID, covariance=shared)
    matrix = np.where(np.eye(180), np.diag(variance), shared)
    mean = float(value @ (1 / variance) / (1 / variance).sum())
    expected = []
    for area in range(180):
        contrast = np.zeros(180)
        contrast[GRID.others[GRID.starts[area] : GRID.starts[area + 1]]] = 1
        others = (np.arange(180) != area) / variance
        contrast -= GRID.counts[area] * others / others.sum()
        with_area = contrast @ matrix[area]
        rest = contrast @ value - with_area / variance[area] * (value[area] - mean)
        spread = contrast @ matrix @ contrast - with_area**2 / variance[area]
        expected.append(rest / np.sqrt(spread))
    np.testing.assert_allclose(found.z, expected, rtol=1e-6)
    assert not np.allclose(found.z, local_moran(value, variance, GRID).z, rtol=0.05)


def test_areas_without_neighbours_are_judged_by_themselves() -> None:
    near = Neighbours.of_pairs([(0, 1), (1, 2), (0, 2)], 6)
    value = np.array([5.0, 6.0, 4.0, 5.0, 5.5, 90.0])
    found = hotspots(value, np.ones(6), near, fits=1)
    assert found.sums.excess[5] == pytest.approx(90 - found.background.mean)
    moran = local_moran(value, np.ones(6), near)
    assert np.isnan(moran.z[3:]).all()
    assert not moran.clustered.found[3:].any()
    assert not moran.unlike.found[3:].any()
    assert np.isnan(moran.unlike.adjusted[3:]).all()
    assert np.isnan(moran.clustered.adjusted[3:]).all()


def test_a_neighbourhood_that_is_the_region_has_no_excess() -> None:
    near = Neighbours.of_pairs([(0, 1), (1, 2), (0, 2)], 3)
    found = hotspots(np.array([1.0, 5.0, 9.0]), np.ones(3), near)
    assert found.sums.z.tolist() == [0, 0, 0]
    assert np.isinf(found.detectable).all()


def test_areas_that_are_all_equal_have_no_hotspot() -> None:
    found = hotspots(np.full(180, 7.0), np.zeros(180), GRID)
    assert not found.hot.found.any()
    assert not found.cold.found.any()
    moran = local_moran(np.full(180, 7.0), np.zeros(180), GRID)
    assert not moran.clustered.found.any()
    assert not moran.unlike.found.any()


def test_discoveries_are_scipy_s() -> None:
    rng = np.random.default_rng(6)
    probability = np.concatenate([rng.uniform(size=80), rng.uniform(0, 0.01, 20)])
    found = discoveries(probability)
    expected = stats.false_discovery_control(probability)
    np.testing.assert_allclose(found.adjusted, expected)
    assert (found.found == (expected <= 0.05)).all()
    assert (found.found == (probability <= found.cut_off)).all()
    with_gap = discoveries(np.array([[0.001, np.nan], [0.2, 0.03]]))
    assert with_gap.found.tolist() == [[True, False], [False, True]]
    assert discoveries(np.array([0.9, 0.8])).cut_off == pytest.approx(0.025)
    assert len(discoveries(np.zeros(0)).found) == 0


def test_neighbours_that_cannot_be_are_refused() -> None:
    def made(starts: list[int], others: list[int]) -> Neighbours:
        return Neighbours(np.array(starts), np.array(others, dtype=np.int64))

    assert made([0, 1, 2], [1, 0]).sums(np.array([3.0, 5.0])).tolist() == [5, 3]
    with pytest.raises(ValueError, match="begin at 0"):
        made([0, 1, 3], [1, 0])
    with pytest.raises(ValueError, match="order"):
        made([0, 3, 2], [1, 0])
    with pytest.raises(ValueError, match="no area"):
        made([0, 1, 2], [1, 2])
    with pytest.raises(ValueError, match="its own"):
        made([0, 1, 2], [0, 0])
    with pytest.raises(ValueError, match="same areas"):
        hotspots(np.ones(3), np.ones(3), made([0, 1, 2], [1, 0]))
