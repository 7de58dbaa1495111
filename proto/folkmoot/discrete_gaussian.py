"""Variance and quantiles of the discrete Gaussian, for stating errors.

The distribution has mass proportional to `exp(-k^2 / (2 sigma^2))` on the integers
(Canonne, Kamath and Steinke 2020). Nothing here draws noise.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

_CONTINUOUS_FROM = 10.0
"""From this sigma on, the variance is sigma^2 to double precision."""


def _weights(sigma: float) -> list[float]:
    """Masses of 0, 1, 2, ... up to 12 sigma, not normalised."""
    last = max(3, math.ceil(12 * sigma))
    return [math.exp(-(k * k) / (2 * sigma * sigma)) for k in range(last + 1)]


@lru_cache(maxsize=4096)
def variance(sigma: float) -> float:
    """Variance of the discrete Gaussian of scale `sigma` > 0; at most `sigma ** 2`."""
    if sigma >= _CONTINUOUS_FROM:
        return sigma * sigma
    weights = _weights(sigma)
    mass = weights[0] + 2 * sum(weights[1:])
    return 2 * sum(k * k * weight for k, weight in enumerate(weights)) / mass


@lru_cache(maxsize=4096)
def half_width(scale_squared: float, confidence: float = 0.95) -> int:
    """Smallest whole h with P(|noise| <= h) at least `confidence`.

    Noise on whole numbers cannot miss by a fraction, so the usual 1.96 standard errors
    would cover too little when the noise is small. The sum of independent discrete
    Gaussians is treated as one of the summed variance, which Canonne, Kamath and
    Steinke 2020 show to be close beyond what any sample could tell.

    Args:
        scale_squared: `sigma ** 2` of the noise; for a sum the sum of its terms' `sigma ** 2`.
            Not the variance, which is smaller where sigma is below one half. 0 or more.
        confidence: Between 0 and 1.
    """
    if scale_squared <= 0:
        return 0
    sigma = math.sqrt(scale_squared)
    if sigma >= _CONTINUOUS_FROM:
        # Half a household more than the whole number: the continuity correction.
        quantile = NormalDist(0, sigma).inv_cdf((1 + confidence) / 2)
        return max(0, math.ceil(quantile - 0.5))
    weights = _weights(max(sigma, 0.05))
    mass = weights[0] + 2 * sum(weights[1:])
    covered = weights[0]
    h = 0
    while covered < confidence * mass:
        h += 1
        covered += 2 * weights[h]
    return h
