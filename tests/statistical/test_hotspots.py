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

from folkmoot_coordinator.inference.discoveries import RATE
from folkmoot_coordinator.inference.local_moran import local_moran
from tests.benchmarks.hotspots import NOISE, false_discoveries, noise
from tests.grids import Region, touching
from tests.statistical.fit import FALSE_ALARM, Z

REPEATS = 250


@pytest.mark.slow
@pytest.mark.parametrize("name", ["1 everywhere", "20 everywhere", "1 to 20 by council"])
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
    alone, any_, by_council = [], 0, np.zeros(4)
    for _ in range(REPEATS):
        truth = rng.poisson(rng.gamma(16, 60 / 16, region.areas))
        found = local_moran(truth + noise(region, rng), region.error**2, near)
        low = found.probability <= RATE
        alone.append(float(low.mean()))
        by_council += np.bincount(region.council, low) / np.bincount(region.council) / REPEATS
        any_ += bool(found.clustered.found.any())
    assert np.mean(alone) == pytest.approx(RATE, abs=0.003)
    np.testing.assert_allclose(by_council, RATE, atol=0.008)
    assert any_ <= stats.binom.isf(FALSE_ALARM, REPEATS, 0.06)
