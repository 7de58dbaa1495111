"""One round trip to a process: the columns of a chunk there, scores back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

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

    handle: int
    name: ClassVar[str]
    inputs: ClassVar[tuple[Input, ...]]
    origin: ClassVar[Origin]
    process: ClassVar[PluginProcess]


def thousandths_together(
    factors: Sequence[Apart], inputs: Sequence[Arrays], context: ScoringContext
) -> list[FactorScores]:
    """Scores the same households by confined factors, with one round trip for each process.

    Args:
        factors: The factors.
        inputs: For each of them its inputs, each of shape (households,). An array that several
            factors of a process share crosses once.
        context: The reference date.

    Returns:
        For each factor float64 of shape (households,): whole thousandths, from 0 to 1,000; NaN
        where unknown.

    Raises:
        PluginFailure: If a factor fails or breaks its contract; `at` is its place, if it is
            known.
    """
    by_process: dict[PluginProcess, list[int]] = {}
    for at, factor in enumerate(factors):
        by_process.setdefault(factor.process, []).append(at)
    scores: dict[int, FactorScores] = {}
    for process, places in by_process.items():
        some = _scored_apart(process, factors, inputs, context, places)
        scores.update(zip(places, some, strict=True))
    return [scores[at] for at in range(len(factors))]


def _scored_apart(
    process: PluginProcess,
    factors: Sequence[Apart],
    inputs: Sequence[Arrays],
    context: ScoringContext,
    places: Sequence[int],
) -> list[FactorScores]:
    """The scores of the factors at some places, which are in one process."""
    keys: dict[int, str] = {}
    arrays: list[npt.NDArray[Any]] = []
    wanted = []
    asked = []
    for at in places:
        factor = factors[at]
        named = {}
        for entry in factor.inputs:
            array = inputs[at][entry.name]
            if id(array) not in keys:
                keys[id(array)] = str(len(arrays))
                arrays.append(array)
            named[entry.name] = keys[id(array)]
        wanted.append({"handle": factor.handle, "inputs": named})
        asked.append(Asked(factor.origin, "score", factor.name, at=at))
    count = len(arrays[0])
    request = {"date": context.reference_date.isoformat(), "factors": wanted}
    answer = process.ask(Call.SCORE, request, asked, _crossing(arrays, count))
    try:
        return _read_scores(answer, len(places), count)
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
    expected = pa.schema([(str(at), pa.int16()) for at in range(factors)])
    if not table.schema.equals(expected, check_metadata=True) or table.num_rows != count:
        raise Garbage("scores of other factors, types or households")
    columns.validate(table)
    # One piece of memory: allocators give small ones back, and fresh pages cost time.
    scores = np.empty((factors, count))
    for column, into in zip(table.columns, scores, strict=True):
        _take_scores(column, into)
    return list(scores)


def _take_scores(column: pa.ChunkedArray, into: FactorScores) -> None:
    if not len(into):
        return
    if column.num_chunks != 1:
        raise Garbage("scores in several pieces")
    chunk = column.chunk(0)
    validity, held = chunk.buffers()
    # As if they had no sign: one below zero is then above all.
    if np.frombuffer(held, np.uint16, len(into)).max() > THOUSANDTHS:
        raise Garbage("a score outside 0 to 1")
    into[:] = np.frombuffer(held, np.int16, len(into))
    if chunk.null_count:
        bits = np.frombuffer(validity, np.uint8)
        known = np.unpackbits(bits, count=len(into), bitorder="little")
        np.putmask(into, known == 0, np.nan)
