"""False discoveries among hotspots, ours beside the usual G*, at a nominal 5 %.

Regions of 1,800 areas in ten councils of unequal size. Counts are skewed as counts of households
are (negative binomial, 60 for each area on average). Noise is discrete Gaussian, of the same scale
everywhere or from 1 to 20 households by council. In half of the regions four squares of 16 areas
have 40 households more in each area. The usual G* takes all areas to vary alike and sums to be
normal; without noise ours has the same scores (tests compare them with esda's).

Discoveries are false if no area of the neighbourhood has an excess. In regions without a hotspot,
every discovery is false: there the rate is how often there is any.
"""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from folkmoot_coordinator.inference.background import background
from folkmoot_coordinator.inference.discoveries import RATE, discoveries
from folkmoot_coordinator.inference.hotspots import hotspots, local_sums
from folkmoot_coordinator.inference.tails import Tails
from tests.grids import Float64, Mask, Region, places, reached, touching
from tests.statistical.fit import discrete_gaussian

WIDTHS = (2, 2, 3, 3, 4, 4, 5, 6, 7, 9)
NOISE = {
    "1 everywhere": (1.0,) * 10,
    "5 everywhere": (5.0,) * 10,
    "20 everywhere": (20.0,) * 10,
    "1 to 20 by council": (20.0, 1.0, 14.0, 2.0, 10.0, 3.0, 7.0, 4.0, 5.0, 1.5),
    "1 or 20, large ones noisy": (1.0, 1.0, 1.0, 1.0, 1.0, 20.0, 1.0, 20.0, 1.0, 20.0),
}
"""Standard error of each council, households."""
EXCESS = 40.0
SQUARES = 4
REPEATS = 1000
"""Regions of each kind; a rate of 5 % is then known to 0.7 points."""
BAND = (0.04, 0.06)
SEED = 20261129


def main(repeats: int = REPEATS) -> list[dict[str, Any]]:
    """Measures each kind of noise; see `false_discoveries`."""
    return [false_discoveries(name, errors, repeats) for name, errors in NOISE.items()]


def false_discoveries(name: str, errors: tuple[float, ...], repeats: int) -> dict[str, Any]:
    """Rates of one kind of noise.

    Returns:
        For ours and the usual statistic: `alone`, how often one area without hotspots is below 5 %
        by itself; `worst_council`, the same of the council where it is furthest off; `any`, how
        often a region without hotspots has a discovery; `with_hotspots`, the share of false
        discoveries among all where there are hotspots; `found`, the share of areas of squares that
        are found; and errors of the rates.
    """
    region = Region(40, WIDTHS, errors)
    near = touching(region.rows, region.columns)
    rng = np.random.default_rng(SEED)
    tallies = {which: Tally(region) for which in ("ours", "usual")}
    seconds = 0.0
    for at in range(2 * repeats):
        squares = places(region, SQUARES if at % 2 else 0, 4, rng)
        truth = rng.poisson(rng.gamma(16, 60 / 16, region.areas)) + EXCESS * squares
        value = truth + noise(region, rng)
        touched = reached(near, squares)
        started = time.perf_counter()
        found = hotspots(value, region.error**2, near)
        seconds += time.perf_counter() - started
        tallies["ours"].add(found.probability, found.hot.found, touched, squares)
        none = np.zeros(region.areas)
        scores = local_sums(value, none, near, background(value, none)).z
        usual = Tails.NORMAL.beyond(scores)
        tallies["usual"].add(usual, discoveries(usual).found, touched, squares)
    measured: dict[str, Any] = {"noise": name, "repeats": repeats, "band": BAND, "nominal": RATE}
    measured |= {which: tally.rates() for which, tally in tallies.items()}
    return measured | {"milliseconds": 1000 * seconds / (2 * repeats)}


def noise(region: Region, rng: np.random.Generator) -> Float64:
    """Discrete Gaussian noise of each area's scale."""
    found = np.zeros(region.areas)
    for error in set(region.errors):
        inside = region.error == error
        numbers, chances = discrete_gaussian(error)
        found[inside] = rng.choice(numbers, int(inside.sum()), p=chances)
    return found


class Tally:
    """Counts what one statistic finds."""

    def __init__(self, region: Region) -> None:
        self._council = region.council
        self._low = np.zeros(len(region.widths))
        self._tested = 0
        self._any: list[float] = []
        self._false: list[float] = []
        self._found: list[float] = []

    def add(self, probability: Float64, found: Mask, touched: Mask, squares: Mask) -> None:
        """Adds a region."""
        if not touched.any():
            low = (probability <= RATE).astype(np.float64)
            self._low += np.bincount(self._council, low, len(self._low))
            self._tested += 1
            self._any.append(float(found.any()))
            return
        self._false.append(float((found & ~touched).sum() / max(1, found.sum())))
        self._found.append(float(found[squares].mean()))

    def rates(self) -> dict[str, float]:
        """The rates so far."""
        areas = np.bincount(self._council)
        by_council = self._low / areas / self._tested
        any_, false = float(np.mean(self._any)), float(np.mean(self._false))
        return {
            "alone": float(self._low.sum() / areas.sum() / self._tested),
            "worst_council": float(by_council[np.argmax(np.abs(by_council - RATE))]),
            "any": any_,
            "any_error": math.sqrt(any_ * (1 - any_) / len(self._any)),
            "with_hotspots": false,
            "with_hotspots_error": float(np.std(self._false)) / math.sqrt(len(self._false)),
            "found": float(np.mean(self._found)),
        }


if __name__ == "__main__":
    for case in main():
        print(case)
