"""A score moves the way that an input declares."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from folkmoot_sdk import samples
from folkmoot_sdk.conformance.findings import Check, Finding, Found
from folkmoot_sdk.conformance.trial import TODAY, Arrays, Trial
from folkmoot_sdk.factor import Input
from folkmoot_sdk.schema import FieldType

DIRECTION = Check(
    "direction", "factor", "A declared direction holds for every household",
    "A council that reads `rises` must be able to tell a resident that less would not score more.",
    "Correct `score`, or leave `direction` out where it does not hold for everybody",
)  # fmt: skip

_HOUSEHOLDS = 60
_STEPS = 40
_ROUNDING = 1e-9


def directions(trial: Trial, drawn: Arrays) -> list[Finding]:
    """Raises one input of each household step by step while all else stays alike.

    Where both scores are known, the later is not below the earlier (`rises`), or not above
    it (`falls`). Categories are raised in the order of their codes, booleans from false to
    true, dates from early to late.
    """
    findings = []
    for entry in trial.inputs:
        if entry.direction is None:
            continue
        try:
            _holds(trial, entry, drawn)
        except Found as found:
            findings.append(found.finding)
    return findings


def _holds(trial: Trial, entry: Input, drawn: Arrays) -> None:
    steps = _ascending(trial, entry, drawn)
    count = len(steps)
    arrays = {name: np.repeat(array[:_HOUSEHOLDS], count) for name, array in drawn.items()}
    arrays[entry.name] = np.tile(steps, _HOUSEHOLDS)
    scores = trial.score(trial.fresh(), samples.frozen(arrays), f"rising {entry.name}")
    by_household = scores.reshape(_HOUSEHOLDS, count)
    sign = 1 if entry.direction == "rises" else -1
    for row in by_household:
        known = np.flatnonzero(~np.isnan(row))
        wrong = np.flatnonzero(np.diff(row[known]) * sign < -_ROUNDING)
        if len(wrong):
            low, high = known[wrong[0]], known[wrong[0] + 1]
            moved = "falls" if sign > 0 else "rises"
            seen = (
                f"with `{entry.name}` up from {_shown(entry, steps[low])} to "
                f"{_shown(entry, steps[high])} and all else alike, the score {moved} from "
                f"{row[low]:g} to {row[high]:g}; declared is {entry.direction!r}"
            )
            raise Found(trial.finding(DIRECTION, seen))


def _ascending(trial: Trial, entry: Input, drawn: Arrays) -> npt.NDArray[Any]:
    """Values of an input from low to high: of the sample, and about each parameter."""
    if entry.type is FieldType.CATEGORY:
        return np.arange(len(entry.codes), dtype=np.int16)
    if entry.type is FieldType.BOOLEAN:
        return np.array([0.0, 1.0])
    values = drawn[entry.name]
    known = np.unique(values[~np.isnan(values)])
    if entry.type is FieldType.DATE:
        ages = np.arange(0, 4000, 45)
        return np.unique(np.concatenate([known, np.datetime64(TODAY, "D") - ages]))
    spread = known[np.linspace(0, len(known) - 1, _STEPS).astype(int)]
    small = np.arange(-2, 121, 3)
    about = [value + step for value in numbers_of(trial.fresh().parameters) for step in (-1, 0, 1)]
    found = np.unique(np.concatenate([spread, small, np.asarray(about, dtype=np.float64)]))
    return np.unique(np.floor(found)) if entry.type is FieldType.INTEGER else found


def numbers_of(parameters: object) -> list[float]:
    """Every number among parameters, also nested ones; true and false are no numbers."""
    if dataclasses.is_dataclass(parameters) and not isinstance(parameters, type):
        names = [entry.name for entry in dataclasses.fields(parameters)]
        return [n for name in names for n in numbers_of(getattr(parameters, name))]
    if isinstance(parameters, dict):
        return [number for value in parameters.values() for number in numbers_of(value)]
    if isinstance(parameters, list | tuple):
        return [number for value in parameters for number in numbers_of(value)]
    if isinstance(parameters, int | float) and not isinstance(parameters, bool):
        return [float(parameters)]
    return []


def _shown(entry: Input, value: Any) -> str:
    if entry.type is FieldType.CATEGORY:
        return repr(entry.codes[int(value)])
    return str(value) if entry.type is FieldType.DATE else f"{value:g}"
