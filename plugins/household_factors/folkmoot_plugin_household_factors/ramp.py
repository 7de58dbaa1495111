"""A straight line from nothing to everything."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def ramp(
    values: npt.NDArray[np.float64],
    none_at: float,
    full_at: float,
    out: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.float64]:
    """0 at `none_at`, changing in a straight line to 1 at `full_at`, and no further.

    Args:
        values: Shape (households,), NaN where unknown.
        none_at: Where the line leaves 0; in the unit of the values.
        full_at: Where it reaches 1: above `none_at` if more is worse, else below.
        out: Where to write the result; may be `values` itself. A new array if None.

    Returns:
        float64 in [0, 1], NaN where unknown.
    """
    result: npt.NDArray[Any] = np.subtract(values, none_at, out=out)
    result *= 1 / (full_at - none_at)
    np.clip(result, 0, 1, out=result)
    return result
