"""How far noise reaches: tail probabilities and quantiles, in standard errors.

Estimates are sums of independent discrete noise. With the discrete Gaussian the sum is normal for
all practical purposes. With the discrete Laplace mechanism it lies between Laplace (one term) and
normal (many): the larger of both tails is taken, so that nothing is called certain too early.
"""

from __future__ import annotations

import math
from enum import StrEnum
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from folkmoot.interval import GAUSSIAN_QUANTILE

Float64 = NDArray[np.float64]

_NORMAL = NormalDist()
_erfc = np.vectorize(math.erfc, otypes=[np.float64])


class Tails(StrEnum):
    """The shape of the noise of a statistic."""

    NORMAL = "normal"
    LAPLACE = "laplace"

    @classmethod
    def of_quantile(cls, quantile: float) -> Tails:
        """The shape that belongs to a statistic's `quantile`, standard errors."""
        return cls.NORMAL if quantile <= GAUSSIAN_QUANTILE * (1 + 1e-9) else cls.LAPLACE

    def beyond(self, z: Float64) -> Float64:
        """Probability that noise exceeds `z` standard errors.

        Args:
            z: float64 of any shape; infinities are allowed.

        Returns:
            float64 in the shape of `z`, 0 to 1; NaN where `z` is.
        """
        z = np.asarray(z, dtype=np.float64)
        size = np.abs(z)
        tail: Float64 = 0.5 * _erfc(size / math.sqrt(2))
        if self is Tails.LAPLACE:
            tail = np.maximum(tail, 0.5 * np.exp(-math.sqrt(2) * size))
        return np.where(z >= 0, tail, 1 - tail)

    def between(self, lower: Float64, upper: Float64) -> Float64:
        """Probability that noise lies between two numbers of standard errors.

        Args:
            lower: float64; may be minus infinity.
            upper: float64 of the same shape, not less than `lower`; may be infinity.

        Returns:
            float64 in the shape of both, 0 to 1; never missing.
        """
        return np.maximum(self.beyond(lower) - self.beyond(upper), 0.0)

    def quantile(self, tail: float) -> float:
        """How many standard errors noise exceeds with probability `tail`, 0 < `tail` <= 0.5."""
        found = -_NORMAL.inv_cdf(tail)
        if self is Tails.LAPLACE:
            found = max(found, -math.log(2 * tail) / math.sqrt(2))
        return found
