"""Scores one chunk of households by all the factors that are asked for."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from folkmoot_kit.channel import columns, values
from folkmoot_kit.channel.frames import Buffer, Part
from folkmoot_kit.channel.words import THOUSANDTHS, Breach
from folkmoot_kit.inside.faults import BreachError
from folkmoot_sdk.factor import RiskFactor, ScoringContext

_DAYS = "datetime64[D]"


class FactorFailed(Exception):
    """A factor of a call failed; the cause is the error.

    Attributes:
        at: Its place among the factors of the call.
    """

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


def score(
    factors: Sequence[RiskFactor], wanted: Sequence[Mapping[str, str]], date: str, content: Buffer
) -> list[Part]:
    """Scores the households of a chunk.

    Args:
        factors: The factors.
        wanted: For each of them the column that holds each of its inputs.
        date: The reference date, ISO 8601.
        content: An Arrow stream with the columns.

    Returns:
        An Arrow stream with a column for each factor: int32 thousandths from 0 to 1000, null
        where unknown.

    Raises:
        FactorFailed: From what a factor raised, or from the breach of its contract.
    """
    table = columns.read(content)
    arrays = {name: _array(table.column(name)) for name in table.column_names}
    context = ScoringContext(datetime.date.fromisoformat(date))
    scored: list[pa.Array] = []
    thousandths = _Thousandths(len(factors), table.num_rows)
    for at, (factor, inputs) in enumerate(zip(factors, wanted, strict=True)):
        try:
            scores = factor.score({name: arrays[key] for name, key in inputs.items()}, context)
            scored.append(thousandths.column(at, scores))
        except Exception as error:
            raise FactorFailed(at) from error
    names = [str(at) for at in range(len(scored))]
    batch = pa.RecordBatch.from_arrays(scored, names)
    return columns.written([batch], batch.schema)


def explain(factor: RiskFactor, household: object, score_: object, date: str) -> str:
    """Why a household has a score, in words.

    Raises:
        BreachError: If the factor gives no text.
    """
    context = ScoringContext(datetime.date.fromisoformat(date))
    known = values.decode(household)
    said: object = factor.explain(known, values.decode(score_), context)
    if not isinstance(said, str):
        raise BreachError(Breach.NO_TEXT, type(said).__name__)
    return said


def _array(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """The input as a factor receives it: a view that cannot be written to."""
    chunk = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    array = columns.fixed(chunk)
    array.flags.writeable = False
    return array.view(_DAYS) if column.type == pa.int64() else array


class _Thousandths:
    """Makes columns of scores, in memory that all factors of a chunk share."""

    def __init__(self, factors: int, count: int) -> None:
        self._count = count
        self._whole = np.empty((factors, count), np.int32)
        self._exact = np.empty(count)

    def column(self, at: int, scores: object) -> pa.Array:
        """The scores of one factor: int32 thousandths, null where unknown."""
        if not isinstance(scores, np.ndarray):
            raise BreachError(Breach.NO_ARRAY, type(scores).__name__)
        if scores.dtype != np.float64:
            raise BreachError(Breach.WRONG_TYPE, str(scores.dtype))
        if scores.shape != (self._count,):
            raise BreachError(Breach.WRONG_SHAPE)
        exact, whole = self._exact, self._whole[at]
        np.copyto(exact, scores)
        unknown = np.isnan(exact)
        validity = None
        if unknown.any():
            np.putmask(exact, unknown, 0.0)
            validity = pa.py_buffer(np.packbits(~unknown, bitorder="little"))
        if self._count and (exact.min() < 0 or exact.max() > 1):
            raise BreachError(Breach.OUT_OF_RANGE)
        np.multiply(exact, THOUSANDTHS, out=exact)
        np.rint(exact, out=exact)
        whole[:] = exact
        return pa.Array.from_buffers(pa.int32(), self._count, [validity, pa.py_buffer(whole)])
