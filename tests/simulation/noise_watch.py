"""Whether released rows have the noise that was planned, judged from outside.

The exact counts come by the node's own way of counting, from the originals of its stores;
what they are compared with was taken from the wire.

False alarms: a single release is called bare with probability below 1e-9; the variance of
what was seen so far is called wrong with probability below 2e-8, for each of the two kinds of
rows, each time it is judged, however few the rows are.
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
from folkmoot_node.release import mechanism as release
from folkmoot_node.release.contrasts import sensitivities
from folkmoot_node.release.tabulate import tabulate
from folkmoot_node.store.reader import HouseholdStore

_BARE = 1e-9
_WRONG = 1e-8
"""For a variance that is too large, and for one that is too small."""
_Z = 5.6
"""Normal quantile with that false-alarm rate."""


@dataclass(frozen=True)
class Expected:
    """What a release of a round must be centred on.

    Attributes:
        exact: Exact value of each row, int64.
        sigma: Scale of the discrete Gaussian of each row.
        is_total: True for the rows that count the whole council.
    """

    exact: npt.NDArray[np.int64]
    sigma: npt.NDArray[np.float64]
    is_total: npt.NDArray[np.bool_]


def expected(store: HouseholdStore, round_: Round, council: str) -> Expected:
    """The exact vector that the node's release of `round_` hides, and its noise scales."""
    plan = round_.plan(GssCode(council))
    exact = np.empty(plan.rows, dtype=np.int64)
    for task in release._tasks(tabulate(store, round_, GssCode(council)), plan, 1, 1):
        exact[task.rows] = task.exact
    return Expected(
        exact,
        np.concatenate(
            [
                np.sqrt(one.tau_squared * sensitivities(plan.axes, one.depths))
                for one in plan.measurements
            ]
        ),
        np.repeat(
            [not any(one.depths) for one in plan.measurements],
            [one.rows for one in plan.measurements],
        ),
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
    """Squares of standardised noise, for one kind of row."""

    rows: int = 0
    squares: float = 0.0

    def add(self, noise: npt.NDArray[np.int64], sigma: npt.NDArray[np.float64]) -> None:
        scales = np.array([_moments(float(one))[1] for one in sigma])
        self.rows += noise.size
        self.squares += float((noise**2 / scales).sum())

    @property
    def is_wrong(self) -> bool:
        """Whether the variance is not the planned one.

        From sigma 0.8 on the squares of a discrete Gaussian are spread no more than a normal's,
        whose mean is skewed. That it is too large is judged by Chernoff's bound (1952), since of
        few rows it often is by many standard errors: of five by 5.6 once in 2,600 times. That it
        is too small by standard errors, since it seldom is: of fewer than 63 rows never by 5.6.
        """
        if not self.rows:
            return False
        ratio = self.squares / self.rows
        if ratio > 1:
            return self.rows * (ratio - 1 - math.log(ratio)) / 2 > -math.log(_WRONG)
        return (1 - ratio) / math.sqrt(2 / self.rows) > _Z


@dataclass
class NoiseWatch:
    """The noise of a whole run of sequences."""

    watch: Watch = field(default_factory=Watch)
    contrasts: _Pool = field(default_factory=_Pool)
    totals: _Pool = field(default_factory=_Pool)
    _seen: Counter[tuple[int, ...]] = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        """Rows looked at."""
        return self.contrasts.rows + self.totals.rows

    def look(self, values: npt.NDArray[np.int64], plan: Expected, what: str) -> None:
        """Judges one release by itself, and keeps its noise for the run.

        Raises:
            Broken: NOISE, if it has none, or the noise of another release.
        """
        if values.shape != plan.exact.shape:
            text = f"{what}: {values.size} rows, not {plan.exact.size}"
            self.watch.broken(Invariant.NOISE, text)
            return
        noise = values - plan.exact
        self.contrasts.add(noise[~plan.is_total], plan.sigma[~plan.is_total])
        self.totals.add(noise[plan.is_total], plan.sigma[plan.is_total])
        # No noise is the likeliest noise, so this bounds the chance of any repetition too.
        chance = _chance_of_none(plan.sigma)
        if not noise.any() and chance < _BARE:
            self.watch.broken(Invariant.NOISE, f"{what}: none of {noise.size} rows has noise")
        self._seen[tuple(noise.tolist())] += 1
        if self._seen[tuple(noise.tolist())] > 1 and chance < _BARE:
            self.watch.broken(Invariant.NOISE, f"{what}: the noise of an earlier release again")

    def judge(self) -> None:
        """Judges the run so far.

        Raises:
            Broken: NOISE, if the variance is not the planned one.
        """
        for name, pool in (("contrasts", self.contrasts), ("totals", self.totals)):
            if pool.is_wrong:
                self.watch.broken(
                    Invariant.NOISE,
                    f"the noise of {pool.rows} {name} has "
                    f"{pool.squares / pool.rows:.3f} times the planned variance",
                )
