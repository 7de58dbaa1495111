"""Of hotspots that are found, about one in twenty is false, whatever the noise of councils.

The seeds are fixed. With other seeds each comparison fails once in a million times though the true
rate is at the end of the band that is named; the rates themselves are measured by
`tests/benchmarks/hotspots.py` with more regions. That the usual G* fails the same tests shows that
they can fail.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from folkmoot_coordinator.inference.classes import CERTAIN_FROM
from folkmoot_coordinator.inference.discoveries import RATE
from folkmoot_coordinator.inference.local_moran import local_moran
from tests.benchmarks.hotspots import NOISE, false_discoveries, noise
from tests.grids import Region, places, touching
from tests.night import by_night
from tests.statistical.fit import FALSE_ALARM, Z

REPEATS = 250


@pytest.mark.slow
@pytest.mark.parametrize("name", by_night(["1 to 20 by council", "1 everywhere", "20 everywhere"]))
def test_false_discoveries_are_as_rare_as_stated(name: str) -> None:
    found = false_discoveries(name, NOISE[name], REPEATS)
    ours, usual = found["ours"], found["usual"]
    slack = Z * ours["with_hotspots_error"]
    assert 0.04 - slack < ours["with_hotspots"] < 0.06 + slack
    assert ours["any"] * REPEATS <= stats.binom.isf(FALSE_ALARM, REPEATS, 0.06)
    assert ours["alone"] == pytest.approx(RATE, abs=0.002)
    assert ours["worst_council"] == pytest.approx(RATE, abs=0.006)
    assert ours["found"] > usual["found"]
    if name == "1 to 20 by council":
        assert usual["any"] * REPEATS > stats.binom.isf(FALSE_ALARM, REPEATS, 0.06)
        assert usual["worst_council"] > 2 * RATE


@pytest.mark.slow
def test_local_moran_keeps_its_rate_under_unequal_noise() -> None:
    region = Region(40, (5, 15, 20, 5), (20.0, 1.0, 5.0, 10.0))
    near = touching(region.rows, region.columns)
    rng = np.random.default_rng(11)
    alone, any_, unlike, by_council = [], 0, 0, np.zeros(4)
    for _ in range(REPEATS):
        truth = rng.poisson(rng.gamma(16, 60 / 16, region.areas))
        found = local_moran(truth + noise(region, rng), region.error**2, near)
        low = found.probability <= RATE
        alone.append(float(low.mean()))
        by_council += np.bincount(region.council, low) / np.bincount(region.council) / REPEATS
        any_ += bool(found.clustered.found.any())
        unlike += bool(found.unlike.found.any())
    assert np.mean(alone) == pytest.approx(RATE, abs=0.003)
    np.testing.assert_allclose(by_council, RATE, atol=0.008)
    assert any_ <= stats.binom.isf(FALSE_ALARM, REPEATS, 0.06)
    assert unlike <= stats.binom.isf(FALSE_ALARM, REPEATS, 0.06)


@pytest.mark.slow
def test_of_areas_unlike_their_neighbours_few_are_false_beside_clusters() -> None:
    """Those that are picked from areas with unusual neighbours, without a test of their own, fail.

    In each region are blocks with more need, and in half of the regions no area of a block has
    less: there each area that is found is false.
    """
    region = Region(40, (5, 15, 20, 5), (20.0, 1.0, 5.0, 10.0))
    near = touching(region.rows, region.columns)
    rng = np.random.default_rng(12)
    ours, picked, found_holes = [], [], 0
    for repeat in range(REPEATS):
        truth = rng.poisson(rng.gamma(16, 60 / 16, region.areas)).astype(np.float64)
        blocks = places(region, 6, 5, rng)
        holes = rng.choice(np.flatnonzero(blocks), 6 if repeat % 2 else 0, replace=False)
        few = 0.3 * truth[holes]
        truth[blocks] += 60
        truth[holes] = few
        found = local_moran(truth + noise(region, rng), region.error**2, near)
        real = (found.z > 0) & (near.sums(blocks.astype(np.float64)) > 0) & (truth < truth.mean())
        side = np.where(found.z > 0, 1 - found.own_high, found.own_high)
        those = found.clustered.found & (side >= CERTAIN_FROM)
        for shares, listed in ((ours, found.unlike.found), (picked, those)):
            shares.append(float((listed & ~real).sum() / max(1, listed.sum())))
        found_holes += int(found.unlike.found[holes].sum())
    slack = Z * float(np.std(ours)) / REPEATS**0.5
    assert np.mean(ours) < RATE + slack
    assert np.mean(picked) > RATE + slack
    assert found_holes > REPEATS / 2
