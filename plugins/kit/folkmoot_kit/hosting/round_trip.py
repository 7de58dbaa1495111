"""One round trip to a process: the columns of a chunk there, scores back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from folkmoot_kit.channel import columns
from folkmoot_kit.channel.frames import FrameError, Message, Part
from folkmoot_kit.channel.words import THOUSANDTHS, Call
from folkmoot_kit.hosting.answers import Garbage
from folkmoot_kit.hosting.errors import Asked
from folkmoot_kit.hosting.process import PluginProcess
from folkmoot_sdk.factor import Input, ScoringContext
from folkmoot_sdk.loading import Origin

FactorScores = npt.NDArray[np.float64]
Arrays = Mapping[str, npt.NDArray[Any]]

_TYPES = {"float64": pa.float64(), "int16": pa.int16(), "datetime64[D]": pa.int64()}


class Apart(Protocol):
    """A factor that was made in a process."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def inputs(self) -> tuple[Input, ...]:
        """What it needs."""
        ...

    @property
    def origin(self) -> Origin:
        """Where it comes from."""
        ...

    handle: int


def scored_apart(
    process: PluginProcess,
    factors: Sequence[Apart],
    inputs: Sequence[Arrays],
    context: ScoringContext,
    places: Sequence[int | None],
) -> list[FactorScores]:
    """Scores the same households by several factors of one process.

    Args:
        process: The process.
        factors: Factors that were made in it.
        inputs: For each of them its inputs, each of shape (households,).
        context: The reference date.
        places: For each of them what `PluginFailure.at` says if it fails.

    Returns:
        For each factor float64 of shape (households,): whole thousandths, from 0 to 1,000; NaN
        where unknown.

    Raises:
        PluginFailure: If a factor fails or breaks its contract.
    """
    keys: dict[int, str] = {}
    arrays: list[npt.NDArray[Any]] = []
    wanted = []
    for factor, given in zip(factors, inputs, strict=True):
        named = {}
        for entry in factor.inputs:
            array = given[entry.name]
            if id(array) not in keys:
                keys[id(array)] = str(len(arrays))
                arrays.append(array)
            named[entry.name] = keys[id(array)]
        wanted.append({"handle": factor.handle, "inputs": named})
    count = len(arrays[0])
    request = {"date": context.reference_date.isoformat(), "factors": wanted}
    asked = [
        Asked(factor.origin, "score", factor.name, at=at)
        for factor, at in zip(factors, places, strict=True)
    ]
    answer = process.ask(Call.SCORE, request, asked, _crossing(arrays, count))
    try:
        return _read_scores(answer, len(factors), count)
    except (Garbage, FrameError) as fault:
        raise process.distrust(asked[0], Garbage(str(fault))) from None


def _crossing(arrays: Sequence[npt.NDArray[Any]], count: int) -> list[Part]:
    made = []
    for array in arrays:
        kind = _TYPES[str(array.dtype)]
        if array.shape != (count,):
            raise ValueError("inputs of different lengths")
        held = np.ascontiguousarray(array)
        made.append(columns.made(kind, held.view(np.int64) if held.dtype.kind == "M" else held))
    batch = pa.RecordBatch.from_arrays(made, [str(at) for at in range(len(made))])
    return columns.written([batch], batch.schema)


def _read_scores(answer: Message, factors: int, count: int) -> list[FactorScores]:
    """The scores in an answer, each of them looked at."""
    if answer.columns is None:
        raise Garbage("an answer without scores")
    table = columns.read(answer.columns)
    expected = pa.schema([(str(at), pa.int32()) for at in range(factors)])
    if not table.schema.equals(expected, check_metadata=True) or table.num_rows != count:
        raise Garbage("scores of other factors, types or households")
    columns.validate(table)
    return [_scores(column, count) for column in table.columns]


def _scores(column: pa.ChunkedArray, count: int) -> FactorScores:
    if count == 0:
        return np.empty(0)
    if column.num_chunks != 1:
        raise Garbage("scores in several pieces")
    chunk = column.chunk(0)
    validity, held = chunk.buffers()
    # As if they had no sign: one below zero is then above all.
    if np.frombuffer(held, np.uint32, count).max() > THOUSANDTHS:
        raise Garbage("a score outside 0 to 1")
    scores: FactorScores = np.frombuffer(held, np.int32, count).astype(np.float64)
    if chunk.null_count:
        bits = np.frombuffer(validity, np.uint8)
        known = np.unpackbits(bits, count=count, bitorder="little")
        np.putmask(scores, known == 0, np.nan)
    return scores
