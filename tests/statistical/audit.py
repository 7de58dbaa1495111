"""Empirical lower bounds on the privacy loss of a release, from neighbouring tables.

An adversary knows everything but one household, and guesses from the answer whether it was
counted. How often such a guess is right bounds the privacy loss from below, whatever the
mechanism claims (Jagielski, Ullman and Oprea, "Auditing Differentially Private Machine
Learning", NeurIPS 2020; for the Gaussian bound Nasr et al., "Tight Auditing of Differentially
Private Machine Learning", USENIX Security 2023).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Audit:
    """What an adversary's guesses show.

    Attributes:
        without: Releases of the table without the household.
        accused: Those of them of which the adversary says that it is there.
        with_: Releases of the table with the household.
        missed: Those of them of which it says that it is not.
        false_alarm: How often a bound may exceed the truth.
    """

    without: int
    accused: int
    with_: int
    missed: int
    false_alarm: float

    def _at_most(self, errors: int, trials: int) -> float:
        """Upper end of the interval of Clopper and Pearson, half the false alarm each."""
        if errors == trials:
            return 1.0
        return float(stats.beta.isf(self.false_alarm / 2, errors + 1, trials - errors))

    @property
    def rates(self) -> tuple[float, float]:
        """Most that false positive and false negative rate can be."""
        return (
            self._at_most(self.accused, self.without),
            self._at_most(self.missed, self.with_),
        )

    def epsilon(self, delta: float) -> float:
        """Lower bound on epsilon at delta; supposes nothing about the mechanism.

        (epsilon, delta)-DP demands `1 - FNR <= exp(epsilon) FPR + delta`, and the same with
        the two tables exchanged.
        """
        positive, negative = self.rates
        return max(
            0.0,
            *(
                math.log((1 - delta - other) / one) if 1 - delta - other > 0 else 0.0
                for one, other in ((positive, negative), (negative, positive))
            ),
        )

    @property
    def mu(self) -> float:
        """Lower bound on mu of Gaussian DP: how far two unit normals must be apart."""
        positive, negative = self.rates
        return max(0.0, float(stats.norm.isf(positive) + stats.norm.isf(negative)))

    @property
    def rho(self) -> float:
        """Lower bound on the zCDP loss of a Gaussian mechanism: mu squared over 2."""
        return self.mu**2 / 2

    def gaussian_epsilon(self, delta: float) -> float:
        """Lower bound on epsilon at delta of a Gaussian mechanism: tight where it is one."""
        return gaussian_epsilon(self.mu, delta)


def gaussian_epsilon(mu: float, delta: float) -> float:
    """epsilon at delta of mu-Gaussian DP (Dong, Roth and Su 2022, corollary 1)."""

    def excess(epsilon: float) -> float:
        spent = stats.norm.cdf(mu / 2 - epsilon / mu)
        return float(spent - math.exp(epsilon) * stats.norm.cdf(-mu / 2 - epsilon / mu) - delta)

    if mu == 0 or excess(0.0) <= 0:
        return 0.0
    return float(optimize.brentq(excess, 0.0, mu * (mu / 2 + 8) + 1))


def audit(without: Float64, with_: Float64, threshold: float, false_alarm: float) -> Audit:
    """Audits a statistic; the adversary says that the household is there above a threshold.

    The threshold must not be chosen by the releases that are judged.
    """
    return Audit(
        without=without.size,
        accused=int((without > threshold).sum()),
        with_=with_.size,
        missed=int((with_ <= threshold).sum()),
        false_alarm=false_alarm,
    )
