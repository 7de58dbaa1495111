"""Ends of an interval for a quotient of two noisy numbers.

Fieller, "Some problems in interval estimation" (1954): those quotients for which
`part - quotient * whole` is not significantly different from zero. They solve
`leading * quotient**2 - 2 * middle * quotient + last <= 0`.
"""

from __future__ import annotations

import math

_ROUNDING = 1e-9
"""Share of a term of the discriminant that is taken for rounding. Where part and whole are the
same number the discriminant is exactly 0, and rounding puts it on either side."""


def ends(leading: float, middle: float, last: float) -> tuple[float, float] | None:
    """Both ends of the interval, the lower first.

    Args:
        leading: Of the quotient squared; at most 0 if the denominator is not significantly
            different from 0.
        middle: Half of the quotient's own, with the sign turned.
        last: What does not depend on the quotient.

    Returns:
        None if the interval has no ends, or no quotient solves the inequality.
    """
    root = middle**2 - leading * last
    if leading <= 0 or root < -_ROUNDING * middle**2:
        return None
    reach = math.sqrt(max(0.0, root))
    return (middle - reach) / leading, (middle + reach) / leading
