"""Scores one chunk of households by all the factors that are asked for."""

from __future__ import annotations

import datetime
import threading
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
        An Arrow stream with a column for each factor: int16 thousandths from 0 to 1000, null
        where unknown. To be sent before the thread scores again.

    Raises:
        FactorFailed: From what a factor raised, or from the breach of its contract.
    """
    table = columns.read(content)
    arrays = {name: _array(table.column(name)) for name in table.column_names}
    context = ScoringContext(datetime.date.fromisoformat(date))
    scored: list[pa.Array] = []
    thousandths = _kept.thousandths(len(factors), table.num_rows)
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
        self._whole = np.empty((factors, count), np.int16)
        self._exact = np.empty(count)

    def column(self, at: int, scores: object) -> pa.Array:
        """The scores of one factor: int16 thousandths, null where unknown."""
        if not isinstance(scores, np.ndarray):
            raise BreachError(Breach.NO_ARRAY, type(scores).__name__)
        if scores.dtype != np.float64:
            raise BreachError(Breach.WRONG_TYPE, str(scores.dtype))
        if scores.shape != (self._count,):
            raise BreachError(Breach.WRONG_SHAPE)
        exact, whole = self._exact, self._whole[at]
        np.multiply(scores, THOUSANDTHS, out=exact)
        # fmin and fmax leave NaN out; if all are NaN the comparisons are false.
        if self._count and (np.fmin.reduce(exact) < 0 or np.fmax.reduce(exact) > THOUSANDTHS):
            raise BreachError(Breach.OUT_OF_RANGE)
        np.rint(exact, out=exact)
        unknown = np.isnan(exact)
        validity = None
        with np.errstate(invalid="ignore"):
            whole[:] = exact
        if unknown.any():
            known = ~unknown
            # Which number becomes of NaN depends on the processor.
            np.multiply(whole, known, out=whole)
            validity = pa.py_buffer(np.packbits(known, bitorder="little"))
        return pa.Array.from_buffers(pa.int16(), self._count, [validity, pa.py_buffer(whole)])


class _Kept(threading.local):
    """The memory of this thread's last call: fresh pages cost more than what is written there."""

    def __init__(self) -> None:
        self._shape = (0, 0)
        self._thousandths = _Thousandths(*self._shape)

    def thousandths(self, factors: int, count: int) -> _Thousandths:
        """To be used until this thread's answer is sent."""
        if self._shape != (factors, count):
            self._shape = (factors, count)
            self._thousandths = _Thousandths(factors, count)
        return self._thousandths


_kept = _Kept()
