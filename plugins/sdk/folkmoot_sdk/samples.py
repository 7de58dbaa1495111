"""Made-up households with every kind of value a factor may meet."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from folkmoot_sdk.factor import Input
from folkmoot_sdk.schema import FieldType

Arrays = dict[str, npt.NDArray[Any]]

_DAYS_AGO = (0, 1, 29, 90, 180, 365, 730, 3650, -30)


def households(
    inputs: Sequence[Input],
    today: datetime.date,
    count: int,
    seed: int = 20_260_401,
    unknown: float = 0.25,
) -> Arrays:
    """Draws households.

    Args:
        inputs: Of a factor.
        today: The reference date, near which dates are.
        count: How many.
        seed: Of the generator.
        unknown: The share of values that are unknown, about.

    Returns:
        For each input an array of shape (count,), read-only, in the type that the node hands
        over; unknown is NaN, -1 (categories) or NaT (dates).
    """
    generator = np.random.default_rng(seed)
    drawn = {entry.name: _draw(entry, today, count, generator, unknown) for entry in inputs}
    return frozen(drawn)


def frozen(arrays: Arrays) -> Arrays:
    """The same arrays made read-only: shape, type and unknown values stay."""
    for array in arrays.values():
        array.flags.writeable = False
    return arrays


def unknowns(entry: Input, count: int) -> npt.NDArray[Any]:
    """An input that is unknown for every household: shape (count,).

    Returns:
        float64 NaN; int16 -1 for a category; NaT for a date.
    """
    if entry.type is FieldType.CATEGORY:
        return np.full(count, -1, dtype=np.int16)
    if entry.type is FieldType.DATE:
        return np.full(count, np.datetime64("NaT"), dtype="datetime64[D]")
    return np.full(count, np.nan)


def zeros(entry: Input, today: datetime.date, count: int) -> npt.NDArray[Any]:
    """An input that is known to be nothing for every household: shape (count,).

    Returns:
        float64 zero, also for false; int16 0, the first code, for a category; a day long ago
        for a date. None is unknown.
    """
    if entry.type is FieldType.CATEGORY:
        return np.zeros(count, dtype=np.int16)
    if entry.type is FieldType.DATE:
        return np.full(count, np.datetime64(today, "D") - 36_500, dtype="datetime64[D]")
    return np.zeros(count)


def extremes(inputs: Sequence[Input]) -> Arrays:
    """Households with mistakes in their records, one value at a time; all else is unknown.

    Returns:
        For each input an array of shape (households,), in the type that the node hands over;
        unknown is NaN, -1 (categories) or NaT (dates).
    """
    rows = [(entry.name, value) for entry in inputs for value in _mistakes(entry)]
    made = {entry.name: unknowns(entry, len(rows)) for entry in inputs}
    for at, (name, value) in enumerate(rows):
        made[name][at] = value
    return made


def _mistakes(entry: Input) -> tuple[Any, ...]:
    if entry.type is FieldType.CATEGORY:
        return tuple(range(len(entry.codes)))
    if entry.type is FieldType.DATE:
        return tuple(np.datetime64(day) for day in ("1066-10-14", "1900-01-01", "2999-12-31"))
    if entry.type is FieldType.BOOLEAN:
        return (0.0, 1.0)
    whole = (0.0, -0.0, -1e12, 1e12)
    return whole if entry.type is FieldType.INTEGER else (*whole, 1e-12, 0.5)


def household(arrays: Mapping[str, npt.NDArray[Any]], inputs: Sequence[Input], at: int) -> Any:
    """One household's values as `explain` receives them."""
    return {entry.name: _value(entry, arrays[entry.name][at]) for entry in inputs}


def _draw(
    entry: Input,
    today: datetime.date,
    count: int,
    generator: np.random.Generator,
    share: float,
) -> npt.NDArray[Any]:
    unknown = unknowns(entry, count)
    if entry.type is FieldType.BOOLEAN:
        known: npt.NDArray[Any] = generator.integers(0, 2, count).astype(np.float64)
    elif entry.type is FieldType.CATEGORY:
        known = generator.integers(0, len(entry.codes), count).astype(np.int16)
    elif entry.type is FieldType.DATE:
        known = np.datetime64(today, "D") - generator.choice(_DAYS_AGO, count)
    else:
        small = generator.integers(0, 120, count).astype(np.float64)
        large = np.round(10 ** generator.uniform(0, 7, count), 2)
        if entry.type is FieldType.INTEGER:
            large = np.floor(large)
        sign = generator.choice([1, 1, 1, 1, -1], count)
        known = np.where(generator.random(count) < 0.7, small, large) * sign
    return np.where(generator.random(count) < share, unknown, known)


def _value(entry: Input, value: Any) -> Any:
    if entry.type is FieldType.CATEGORY:
        return entry.codes[value] if value >= 0 else None
    if entry.type is FieldType.DATE:
        return None if np.isnat(value) else value.astype("datetime64[D]").item()
    if np.isnan(value):
        return None
    if entry.type is FieldType.BOOLEAN:
        return bool(value)
    return int(value) if entry.type is FieldType.INTEGER else float(value)
