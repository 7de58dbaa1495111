"""Households in the order of a value, so that equal values are counted together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from folkmoot_node.store.schema import POINT

Codes = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MAX_CODES = 1 << 19
"""Whole numbers that lie no further apart are counted as they are, and need no sorting."""
MAX_CODES_EACH = 4
"""The same for each household: of few, sorting costs less than counting what is not there."""
FIRST_FEW = 1000
"""Values that are looked at before all are."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order of households.

    Attributes:
        code: int32, shape (households,): higher comes first, equal values have equal codes.
        values: float64, shape (codes,): value of each code, ascending; NaN of the unknown.
        count: int64, shape (codes,): households of each code; 0 where none has it.
        lowest: Whole number that code 0 stands for, where each code is one more than the code
            before; None where it is not.
    """

    code: Codes
    values: Floats
    count: Ints
    lowest: int | None = None

    @property
    def codes(self) -> int:
        """How many there are."""
        return len(self.values)


def thousandths(points: Floats) -> Codes:
    """Points as whole thousandths: int32, same shape; never null, as they are not."""
    whole = points * POINT
    return np.rint(whole, out=whole).astype(np.int32)


def order_of_whole(values: npt.NDArray[np.signedinteger], unit: int = POINT) -> Order:
    """The order of whole numbers.

    Args:
        values: int16 or int32, shape (households,).
        unit: How many of them make 1 in `Order.values`.
    """
    if not len(values):
        return Order(values.astype(np.int32), np.zeros(1), np.zeros(1, dtype=np.int64))
    lowest, highest = int(values.min()), int(values.max())
    if highest - lowest >= _most(len(values)):
        found, inverse, count = np.unique(values, return_inverse=True, return_counts=True)
        return Order(inverse.astype(np.int32), found / unit, count.astype(np.int64))
    whole = values.astype(np.int32, copy=False)
    code = whole - np.int32(lowest) if lowest else whole
    count = np.bincount(code, minlength=highest - lowest + 1)
    return Order(code, np.arange(lowest, highest + 1) / unit, count, lowest)


def moved(order: Order, rows: Ints, by: Codes, unit: int = POINT) -> Order:
    """The order of whole numbers of which some are others now: only these are counted.

    Args:
        order: As `order_of_whole` gives it.
        rows: Whose number is another: int64, each once.
        by: What is added to it: int32, of the same shape.
        unit: As for `order_of_whole`.
    """
    if not len(rows):
        return order
    if order.lowest is None:
        values = np.rint(order.values * unit).astype(np.int32)[order.code]
        values[rows] += by
        return order_of_whole(values, unit)
    was = order.code[rows]
    now = was + by
    below = max(0, -int(now.min()))
    codes = below + max(order.codes, int(now.max()) + 1)
    count = np.zeros(codes, dtype=np.int64)
    count[below : below + order.codes] = order.count
    count -= np.bincount(was + below, minlength=codes)
    count += np.bincount(now + below, minlength=codes)
    code = order.code + np.int32(below)
    code[rows] = now + below
    lowest = order.lowest - below
    return Order(code, np.arange(lowest, lowest + codes) / unit, count, lowest)


def order_of(values: Floats) -> Order:
    """The order of any values; households whose value is not known (NaN) come last, together.

    Args:
        values: float64, shape (households,), at least one.
    """
    is_known = ~np.isnan(values)
    known = values[is_known]
    if len(known) and _are_whole(known):
        lowest, highest = known.min(), known.max()
        if highest - lowest < _most(len(values)):
            code = np.where(is_known, values - (lowest - 1), 0).astype(np.int32)
            named = np.concatenate([[np.nan], np.arange(lowest, highest + 1)])
            return Order(code, named, np.bincount(code, minlength=len(named)))
    # Most households owe nothing: only the others are sorted.
    is_zero = values == 0
    found, inverse = np.unique(values[is_known & ~is_zero], return_inverse=True)
    code = np.zeros(len(values), dtype=np.int32)
    below = int(np.searchsorted(found, 0))
    if is_zero.any():
        inverse = inverse + (inverse >= below)
        found = np.insert(found, below, 0.0)
        code[is_zero] = below + 1
    code[is_known & ~is_zero] = inverse + 1
    named = np.concatenate([[np.nan], found])
    return Order(code, named, np.bincount(code, minlength=len(named)))


def _are_whole(values: Floats) -> bool:
    """Whether all are whole numbers; amounts are found out by the first few."""
    return all(bool((np.rint(some) == some).all()) for some in (values[:FIRST_FEW], values))


def _most(households: int) -> int:
    return min(MAX_CODES, MAX_CODES_EACH * households)
