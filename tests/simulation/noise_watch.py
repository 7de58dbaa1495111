"""Whether released cells have the noise that was planned, judged from outside.

The exact counts come by the node's own way of counting, from the originals of its stores;
what they are compared with was taken from the wire.

False alarms: a single release is called bare with probability below 1e-9; the variance over
a run is called wrong with probability below 1e-6 for each of the two kinds of cells.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from invariants import Invariant, Watch

from folkmoot.geography import GssCode
from folkmoot.rounds import Round
from folkmoot_node.store import HouseholdStore
from folkmoot_node.tabulate import tabulate

_BARE = 1e-9
_Z = 4.9
"""Two-sided normal quantile with a false-alarm rate of one in a million."""


@dataclass(frozen=True)
class Expected:
    """What a release of a round must be centred on.

    Attributes:
        exact: Exact value of each cell, int64.
        sigma: Scale of the discrete Gaussian of each cell.
    """

    exact: npt.NDArray[np.int64]
    sigma: npt.NDArray[np.float64]


def expected(store: HouseholdStore, round_: Round, council: str) -> Expected:
    """The exact vector that the node's release of `round_` hides, and its noise scales."""
    counts = tabulate(store, round_, GssCode(council))
    sizes = counts.sizes
    return Expected(
        np.concatenate(counts._marginals),
        np.repeat([item.sigma for item in round_.plan()], sizes),
    )


@lru_cache
def _moments(sigma: float) -> tuple[float, float]:
    """Mass at zero, and variance, of the discrete Gaussian of scale `sigma`."""
    reach = max(3, math.ceil(12 * sigma))
    weights = {k: math.exp(-(k * k) / (2 * sigma * sigma)) for k in range(-reach, reach + 1)}
    total = sum(weights.values())
    return 1 / total, sum(k * k * weight for k, weight in weights.items()) / total


def _chance_of_none(sigma: npt.NDArray[np.float64]) -> float:
    return math.prod(_moments(float(one))[0] for one in sigma)


@dataclass
class _Pool:
    """Squares of standardised noise, for one kind of cell."""

    cells: int = 0
    squares: float = 0.0

    def add(self, noise: npt.NDArray[np.int64], sigma: npt.NDArray[np.float64]) -> None:
        scales = np.array([_moments(float(one))[1] for one in sigma])
        self.cells += noise.size
        self.squares += float((noise**2 / scales).sum())

    @property
    def deviation(self) -> float:
        """How far the variance is from the planned one, in standard errors."""
        if not self.cells:
            return 0.0
        # The kurtosis of a discrete Gaussian is at most that of a normal from sigma 0.8 on.
        return (self.squares / self.cells - 1) / math.sqrt(2 / self.cells)


@dataclass
class NoiseWatch:
    """The noise of a whole run of sequences."""

    watch: Watch = field(default_factory=Watch)
    occupied: _Pool = field(default_factory=_Pool)
    empty: _Pool = field(default_factory=_Pool)
    _seen: Counter[tuple[int, ...]] = field(default_factory=Counter)

    @property
    def cells(self) -> int:
        """Cells looked at."""
        return self.occupied.cells + self.empty.cells

    def look(self, values: npt.NDArray[np.int64], plan: Expected, what: str) -> None:
        """Judges one release by itself, and keeps its noise for the run.

        Raises:
            Broken: NOISE, if it has none, or the noise of another release.
        """
        if values.shape != plan.exact.shape:
            text = f"{what}: {values.size} cells, not {plan.exact.size}"
            self.watch.broken(Invariant.NOISE, text)
            return
        noise = values - plan.exact
        empty = plan.exact == 0
        self.occupied.add(noise[~empty], plan.sigma[~empty])
        self.empty.add(noise[empty], plan.sigma[empty])
        # No noise is the likeliest noise, so this bounds the chance of any repetition too.
        chance = _chance_of_none(plan.sigma)
        if not noise.any() and chance < _BARE:
            self.watch.broken(Invariant.NOISE, f"{what}: none of {noise.size} cells has noise")
        self._seen[tuple(noise.tolist())] += 1
        if self._seen[tuple(noise.tolist())] > 1 and chance < _BARE:
            self.watch.broken(Invariant.NOISE, f"{what}: the noise of an earlier release again")

    def judge(self) -> None:
        """Judges the run.

        Raises:
            Broken: NOISE, if the variance is not the planned one.
        """
        for name, pool in (("occupied", self.occupied), ("empty", self.empty)):
            if abs(pool.deviation) > _Z:
                self.watch.broken(
                    Invariant.NOISE,
                    f"the noise of {pool.cells} {name} cells has "
                    f"{pool.squares / pool.cells:.3f} times the planned variance",
                )
