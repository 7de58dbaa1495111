"""Scores households by the policy's factors, a chunk of columns at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_kit.hosting import ConfinedFactor, PluginFailure, thousandths_together
from folkmoot_node.plugins.failures import FactorsFailed, is_its_own, plugin_fault
from folkmoot_node.scoring.bound import BoundFactor, BoundInput
from folkmoot_sdk.errors import PluginError
from folkmoot_sdk.factor import ScoringContext
from folkmoot_sdk.schema import FieldType

CHUNK = 61_440
"""Households scored at once. Fixed, so that results depend neither on threads nor on
partitions; small, so that a chunk's arrays stay in the processor's cache."""

THOUSANDTHS = 1000
"""A factor score counts in whole thousandths, wherever it was computed."""


def input_arrays(
    households: pl.DataFrame, wanted: Mapping[str, BoundInput]
) -> dict[str, npt.NDArray[Any]]:
    """The arrays that factors receive, as `FieldType` says; read-only.

    Args:
        households: Rows to score, as `link` gives them.
        wanted: Inputs, by any key; an array of unknowns for one that no source provides.

    Returns:
        By the same keys arrays of shape (households,). Zero-copy where the column has the type
        already and no unknown value.
    """
    available = {key: entry for key, entry in wanted.items() if entry.available}
    # All at once: each trip to Polars and back costs as much as a column of a chunk.
    columns = households.select(**{key: _converted(entry) for key, entry in available.items()})
    arrays = {}
    for key, entry in wanted.items():
        kind = entry.input.type
        if not entry.available:
            array = _unknowns(kind, households.height)
        elif kind is FieldType.CATEGORY:
            array = _categories(columns[key].to_numpy(), entry.codes)
        else:
            array = columns[key].to_numpy()
        array.flags.writeable = False
        arrays[key] = array
    return arrays


def _converted(wanted: BoundInput) -> pl.Expr:
    value = pl.col(wanted.input.name)
    if wanted.input.type is FieldType.DATE:
        return value
    if wanted.input.type is FieldType.CATEGORY:
        return value.cast(pl.Int16).fill_null(-1)
    return value.cast(pl.Float64).fill_null(float("nan"))


def _unknowns(kind: FieldType, length: int) -> npt.NDArray[Any]:
    if kind is FieldType.CATEGORY:
        return np.full(length, -1, dtype=np.int16)
    if kind is FieldType.DATE:
        return np.full(length, np.datetime64("NaT"), dtype="datetime64[D]")
    return np.full(length, np.nan)


def _categories(
    indexes: npt.NDArray[np.int16], codes: npt.NDArray[np.int16] | None
) -> npt.NDArray[np.int16]:
    if codes is None or np.array_equal(codes, np.arange(len(codes))):
        return indexes
    # The last entry answers for -1, unknown.
    return np.append(codes, np.int16(-1))[indexes]


def score_chunk(
    factors: Sequence[BoundFactor],
    arrays: Mapping[str, npt.NDArray[Any]],
    context: ScoringContext,
    count: int,
) -> list[npt.NDArray[np.float64]]:
    """Calls the factors for one chunk, checks what they return, and rounds it.

    Args:
        factors: The factors.
        arrays: Their inputs, as `chunk_arrays` makes them.
        context: That of the run.
        count: Households of the chunk.

    Returns:
        For each factor float64 of shape (count,): whole thousandths from 0 to 1000, NaN where
        unknown. Lower digits are dropped, so that a factor cannot write anything into them.

    Raises:
        FactorsFailed: Exit code FAULT, naming distribution, version, hook and factor.
    """
    inputs = [
        {wanted.input.name: arrays[_key(wanted)] for wanted in bound.inputs} for bound in factors
    ]
    found: list[npt.NDArray[np.float64]] = [np.empty(0)] * len(factors)
    apart = [at for at, bound in enumerate(factors) if isinstance(bound.factor, ConfinedFactor)]
    if apart:
        confined = [factors[at] for at in apart]
        scores = _scored_apart(confined, [inputs[at] for at in apart], context)
        for at, one in zip(apart, scores, strict=True):
            found[at] = one
    for at, bound in enumerate(factors):
        if not isinstance(bound.factor, ConfinedFactor):
            found[at] = _thousandths(bound, _scored_here(bound, inputs[at], context), count)
    return found


def _scored_apart(
    factors: Sequence[BoundFactor],
    inputs: Sequence[Mapping[str, npt.NDArray[Any]]],
    context: ScoringContext,
) -> list[npt.NDArray[np.float64]]:
    """Whole thousandths of confined factors, as the kit has checked them."""
    confined = [one.factor for one in factors if isinstance(one.factor, ConfinedFactor)]
    try:
        return thousandths_together(confined, inputs, context)
    except PluginFailure as failure:
        named = [bound for bound in factors if bound.origin == failure.origin]
        if failure.at is not None and is_its_own(failure):
            named = [factors[failure.at]]
        which = ", ".join(bound.name for bound in named)
        where = f"factor {which}" if len(named) == 1 else f"factors {which}"
        fault = plugin_fault(failure.origin, "score", where, failure)
    except PluginError as error:  # its words may quote a record
        named = list(factors)
        which = ", ".join(bound.name for bound in named)
        fault = plugin_fault(
            named[0].origin, "score", f"factors {which}", error.with_traceback(None)
        )
    raise FactorsFailed.of(
        fault, named[0].origin.distribution, may_be_spared=not named[0].is_shipped
    )


def _scored_here(
    bound: BoundFactor, inputs: Mapping[str, npt.NDArray[Any]], context: ScoringContext
) -> object:
    """What a factor in the node's own process returns, unchecked."""
    try:
        return bound.factor.score(inputs, context)
    except Exception as error:
        fault = plugin_fault(bound.origin, "score", f"factor {bound.name}", error)
    raise FactorsFailed.of(fault, bound.origin.distribution, may_be_spared=not bound.is_shipped)


def _thousandths(bound: BoundFactor, scores: object, count: int) -> npt.NDArray[np.float64]:
    if not isinstance(scores, np.ndarray) or scores.dtype != np.float64:
        found = getattr(scores, "dtype", type(scores).__name__)
        raise _broken_contract(bound, f"returned {found}, not an array of float64")
    if scores.shape != (count,):
        raise _broken_contract(bound, "returned an array of another shape than its inputs")
    # fmin and fmax leave NaN out; if all are NaN the comparisons are false.
    if count and (np.fmin.reduce(scores) < 0 or np.fmax.reduce(scores) > 1):
        raise _broken_contract(bound, "returned a score outside 0 to 1")
    return in_thousandths(scores)


def in_thousandths(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Rounds scores to whole thousandths.

    Returns:
        A new array of float64 and the same shape, values in [0, 1000], NaN where unknown.
    """
    thousandths: npt.NDArray[np.float64] = np.multiply(scores, THOUSANDTHS)
    return np.rint(thousandths, out=thousandths)


def chunk_arrays(
    households: pl.DataFrame, factors: Sequence[BoundFactor]
) -> dict[str, npt.NDArray[Any]]:
    """Makes the arrays of all inputs of all factors for one chunk.

    Returns:
        By `_key`, an array of shape (households,) in the type of the input, as `input_arrays`
        makes it, with NaN, -1 or NaT where unknown.
    """
    wanted = {_key(entry): entry for bound in factors for entry in bound.inputs}
    return input_arrays(households, wanted)


def _key(wanted: BoundInput) -> str:
    """Inputs that share a field share the array, unless their codes or types differ."""
    return f"{wanted.input.name}|{wanted.input.type.value}|{wanted.input.codes}"


def _broken_contract(bound: BoundFactor, what: str) -> FactorsFailed:
    return FactorsFailed(
        f"plugin {bound.origin} {what}",
        where=f"factor {bound.name}, score",
        remedy="Run `folkmoot-plugin check`, or report it to the plugin's supplier",
        distribution=bound.origin.distribution,
        may_be_spared=not bound.is_shipped,
    )
