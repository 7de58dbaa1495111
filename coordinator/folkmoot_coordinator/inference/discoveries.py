"""Which of many tests count as discoveries, so that few of those are false.

Benjamini and Hochberg ("Controlling the false discovery rate", 1995). It is proved for independent
tests, and for one-sided tests of normal statistics that are correlated positively or not at all
(Benjamini and Yekutieli, "The control of the false discovery rate in multiple testing under
dependency", 2001). Statistics of neighbourhoods that overlap are correlated so, apart from a small
negative correlation because all are measured from one mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

RATE = 0.05
"""Expected share of false discoveries among all discoveries."""


@dataclass(frozen=True, slots=True, eq=False)
class Discoveries:
    """What was discovered; arrays have the shape of the tests.

    Attributes:
        found: Whether a test is a discovery, bool.
        adjusted: The lowest rate at which it would be one, 0 to 1, float64; NaN where the
            probability is missing.
        cut_off: Up to this probability tests are discoveries; where there are none, up to which the
            first would be one.
    """

    found: Mask
    adjusted: Float64
    cut_off: float


def discoveries(probability: Float64, *, rate: float = RATE) -> Discoveries:
    """Controls the false discovery rate.

    Args:
        probability: Of each test where nothing is there to be found, float64, any shape; NaN for
            what was not tested.
        rate: Expected share of false discoveries.

    Returns:
        What was found: bool and float64, in the shape of `probability`; NaN where it is.
    """
    flat = probability.ravel()
    tested = np.flatnonzero(~np.isnan(flat))
    count = len(tested)
    order = tested[np.argsort(flat[tested], kind="stable")]
    stepped = flat[order] * count / np.arange(1, count + 1)
    adjusted = np.full(flat.shape, np.nan)
    adjusted[order] = np.minimum(np.minimum.accumulate(stepped[::-1])[::-1], 1.0)
    found = np.zeros(flat.shape, dtype=np.bool_)
    found[tested] = adjusted[tested] <= rate
    cut_off = rate * max(1, int(found.sum())) / max(1, count)
    return Discoveries(
        found.reshape(probability.shape), adjusted.reshape(probability.shape), cut_off
    )
