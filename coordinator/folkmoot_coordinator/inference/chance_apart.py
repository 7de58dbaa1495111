"""How far two shares of households lie apart by noise and chance, if the rate behind both is one.

Of many comparisons only the outermost tail decides, and there a share of a few households is not
normal: where 0.2 events are expected, 3 come far more often than three standard errors say. The
tail is that of both binomial counts and normal noise together, by the saddlepoint approximation of
Lugannani and Rice ("Saddle point approximation for the distribution of the sum of independent
random variables", 1980), which holds its relative error there. With many events it is the normal
one; shorter than that no tail is taken for.
"""

from __future__ import annotations

import math
from statistics import NormalDist

_NORMAL = NormalDist()
_STEPS = 60


def reach(rate: float, first: float, second: float, noise: float, tail: float) -> float:
    """What the share of the first less that of the second exceeds with a small probability.

    Args:
        rate: Behind both, 0 to 1.
        first: Households of the first, above 0.
        second: Households of the second, above 0.
        noise: Variance of the noise of the difference, not negative.
        tail: The probability, 0 < `tail` < 0.1.
    """
    spread = math.sqrt(noise + rate * (1 - rate) * (1 / first + 1 / second))
    if spread == 0:
        return 0.0
    low, high = 0.0, 1 / spread
    # Without noise, few households may not lie so far apart: then the most is found.
    for _ in range(_STEPS):
        if _beyond(high, rate, first, second, noise)[1] <= tail:
            break
        low, high = high, 2 * high
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _beyond(middle, rate, first, second, noise)[1] > tail:
            low = middle
        else:
            high = middle
        if high - low <= 1e-6 * high:
            break
    # The shorter tail of a skewed count is no shorter than the normal one: the rate is estimated.
    return max(_beyond(high, rate, first, second, noise)[0], spread * -_NORMAL.inv_cdf(tail))


def _beyond(
    tilt: float, rate: float, first: float, second: float, noise: float
) -> tuple[float, float]:
    """The difference that belongs to a tilt, above 0, and the probability to exceed it."""
    value, slope, bend = noise * tilt**2 / 2, noise * tilt, noise
    for sign, households in ((1.0, first), (-1.0, second)):
        each = sign * tilt / households
        # log(1 - rate + rate * e^each), without an overflow.
        most = max(0.0, each)
        grown = (1 - rate) * math.exp(-most) + rate * math.exp(each - most)
        tilted = rate * math.exp(each - most) / grown
        value += households * (most + math.log(grown)) - sign * tilt * rate
        slope += sign * (tilted - rate)
        bend += tilted * (1 - tilted) / households
    root = math.sqrt(max(0.0, 2 * (tilt * slope - value)))
    steep = tilt * math.sqrt(bend)
    if root < 1e-3 or steep == 0:
        return slope, 0.5
    found = _NORMAL.cdf(-root) + _NORMAL.pdf(root) * (1 / steep - 1 / root)
    return slope, found
