"""Scores households by the policy's factors, a chunk of columns at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_node.faults import plugin_fault
from folkmoot_node.scoring.binding import BoundFactor, BoundInput
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.factor import ScoringContext
from folkmoot_sdk.schema import FieldType

CHUNK = 61_440
"""Households scored at once. Fixed, so that results depend neither on threads nor on
partitions; small, so that a chunk's arrays stay in the processor's cache."""


def input_array(households: pl.DataFrame, wanted: BoundInput) -> npt.NDArray[Any]:
    """The array that a factor receives for one input, as `FieldType` says; read-only.

    Args:
        households: Rows to score, as `link` gives them.
        wanted: The input; an array of unknowns if no source provides it.

    Returns:
        Shape (households,). Zero-copy where the column has the type already and no
        unknown value.
    """
    kind = wanted.input.type
    if not wanted.available:
        array = _unknowns(kind, households.height)
    elif kind is FieldType.CATEGORY:
        array = _categories(households[wanted.input.name], wanted.codes)
    elif kind is FieldType.DATE:
        array = households[wanted.input.name].to_numpy()
    else:
        array = households[wanted.input.name].cast(pl.Float64).to_numpy()
    array.flags.writeable = False
    return array


def _unknowns(kind: FieldType, length: int) -> npt.NDArray[Any]:
    if kind is FieldType.CATEGORY:
        return np.full(length, -1, dtype=np.int16)
    if kind is FieldType.DATE:
        return np.full(length, np.datetime64("NaT"), dtype="datetime64[D]")
    return np.full(length, np.nan)


def _categories(series: pl.Series, codes: npt.NDArray[np.int16] | None) -> npt.NDArray[np.int16]:
    indexes: npt.NDArray[np.int16] = series.cast(pl.Int16).fill_null(-1).to_numpy()
    if codes is None or np.array_equal(codes, np.arange(len(codes))):
        return indexes
    # The last entry answers for -1, unknown.
    return np.append(codes, np.int16(-1))[indexes]


def score_factor(
    bound: BoundFactor, arrays: Mapping[str, npt.NDArray[Any]], context: ScoringContext, count: int
) -> npt.NDArray[np.float64]:
    """Calls one factor and checks what it returns.

    Returns:
        float64 of shape (count,), values in [0, 1], NaN where unknown.

    Raises:
        Problem: Exit code FAULT, naming distribution, version and factor.
    """
    inputs = {wanted.input.name: arrays[_key(wanted)] for wanted in bound.inputs}
    try:
        scores = bound.factor.score(inputs, context)
    except Exception as error:
        raise plugin_fault(bound.origin, f"factor {bound.name}", error) from None
    if not isinstance(scores, np.ndarray) or scores.dtype != np.float64:
        found = getattr(scores, "dtype", type(scores).__name__)
        raise _broken_contract(bound, f"returned {found}, not an array of float64")
    if scores.shape != (count,):
        raise _broken_contract(bound, "returned an array of another shape than its inputs")
    # fmin and fmax leave NaN out; if all are NaN the comparisons are false.
    if count and (np.fmin.reduce(scores) < 0 or np.fmax.reduce(scores) > 1):
        raise _broken_contract(bound, "returned a score outside 0 to 1")
    return scores


def chunk_arrays(
    households: pl.DataFrame, factors: Sequence[BoundFactor]
) -> dict[str, npt.NDArray[Any]]:
    """Makes the arrays of all inputs of all factors for one chunk.

    Returns:
        By `_key`, an array of shape (households,) in the type of the input, as `input_array`
        makes it, with NaN, -1 or NaT where unknown.
    """
    arrays: dict[str, npt.NDArray[Any]] = {}
    for bound in factors:
        for wanted in bound.inputs:
            key = _key(wanted)
            if key not in arrays:
                arrays[key] = input_array(households, wanted)
    return arrays


def _key(wanted: BoundInput) -> str:
    """Inputs that share a field share the array, unless their codes or types differ."""
    return f"{wanted.input.name}|{wanted.input.type.value}|{wanted.input.codes}"


def _broken_contract(bound: BoundFactor, what: str) -> Problem:
    return Problem(
        f"plugin {bound.origin} {what}",
        where=f"factor {bound.name}",
        remedy="Run `folkmoot-plugin check`, or report it to the plugin's supplier",
        exit_code=ExitCode.FAULT,
    )
