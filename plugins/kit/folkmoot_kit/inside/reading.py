"""Reads a source: its batches as columns, and what it tells of them."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from folkmoot_kit.channel import columns as arrow
from folkmoot_kit.channel.frames import Part
from folkmoot_kit.channel.words import (
    LONGEST_LINE,
    LONGEST_NAME,
    LONGEST_VALUE,
    MOST_ROWS,
    MOST_TOLD,
    ROWS_COLUMN,
    UNREAD_COLUMN,
    Breach,
    cut,
)
from folkmoot_kit.inside.faults import BreachError
from folkmoot_sdk.schema import Identifier
from folkmoot_sdk.source import DataSource, ReadContext, Records, Rejection

Send = Callable[[Mapping[str, Any], "Sequence[Part] | None"], bool]
"""Sends one message of a stream once the node wants it; false if it wants no more."""
_MOST_LETTERS = 256 << 10
_MOST_PIECES = 100
"""Pieces of a batch of records that cross as they are; more are put together."""


class Ended(BaseException):
    """The node wants no more of a stream. No plugin is to take it for an error of its own."""


def read(source: DataSource, body: Mapping[str, Any], send: Send) -> None:
    """Sends the records of a source, and before each batch what was told of it.

    Args:
        source: The source.
        body: `fields`, `date`, `identifiers` and `known_on`, as `ReadContext` has them.
        send: See `Send`.

    Raises:
        BreachError: If what the source yields or tells is not what the SDK says.
        Ended: If the node wants no more.
    """
    told = _Told(send)
    known_on = body["known_on"]
    context = ReadContext(
        tuple(body["fields"]),
        datetime.date.fromisoformat(body["date"]),
        told.reject,
        leave_out=told.leave_out,
        identifiers=tuple(Identifier(entry) for entry in body["identifiers"]),
        note=told.note,
        known_on=datetime.date.fromisoformat(known_on) if known_on else None,
    )
    batches = iter(source.read(context))
    try:
        for records in batches:
            told.flush()
            for message, parts in _messages(records):
                if not send(message, parts):
                    raise Ended
        told.flush()
    finally:
        close = getattr(batches, "close", None)
        if close is not None:
            close()


class _Told:
    """Gathers what a source tells; it may do so from threads of its own."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._told: list[list[Any]] = []
        self._letters = 0

    def reject(self, rejections: Sequence[Rejection]) -> None:
        entry: object
        for entry in rejections:
            if not isinstance(entry, Rejection):
                raise BreachError(Breach.WRONG_REJECTION, type(entry).__name__)
            row: list[Any] = [
                "reject",
                cut(str(entry.file), LONGEST_LINE),
                int(entry.row),
                cut(str(entry.field), LONGEST_NAME),
                cut(str(entry.reason), LONGEST_VALUE),
                cut(str(entry.value), LONGEST_VALUE),
            ]
            self._add(row, len(row[1]) + len(row[3]) + len(row[4]) + len(row[5]))

    def leave_out(self, reason: str, records: int) -> None:
        if not isinstance(reason, str) or not isinstance(records, int) or records < 0:
            raise BreachError(Breach.WRONG_COUNT)
        reason = cut(reason, LONGEST_LINE)
        with self._lock:
            for entry in self._told:
                if entry[:2] == ["leave_out", reason]:
                    entry[2] += records
                    return
        self._add(["leave_out", reason, records], len(reason))

    def note(self, text: str) -> None:
        if not isinstance(text, str):
            raise BreachError(Breach.NO_TEXT, type(text).__name__)
        self._add(["note", cut(text, LONGEST_LINE)], len(text))

    def flush(self) -> None:
        with self._lock:
            self._flush()

    def _flush(self) -> None:
        told, self._told, self._letters = self._told, [], 0
        if told and not self._send({"told": told}, None):
            raise Ended

    def _add(self, entry: list[Any], letters: int) -> None:
        # Who holds the lock may wait until the node wants more: the others wait with it.
        with self._lock:
            self._told.append(entry)
            self._letters += letters
            if len(self._told) >= MOST_TOLD or self._letters >= _MOST_LETTERS:
                self._flush()


def _messages(records: object) -> Iterator[tuple[dict[str, Any], list[Part]]]:
    """A batch as messages of at most `MOST_ROWS` records."""
    if not isinstance(records, Records):
        raise BreachError(Breach.NO_RECORDS, type(records).__name__)
    table = _table(records.data)
    marked = _marked(records, table)
    for start in range(0, max(table.num_rows, 1), MOST_ROWS):
        part = marked.slice(start, MOST_ROWS)
        message = {
            "origin": cut(str(records.origin), LONGEST_LINE),
            "first_row": int(records.first_row) + start,
            "rows": part.num_rows,
        }
        batches = part.to_batches()
        if len(batches) > _MOST_PIECES:
            batches = part.combine_chunks().to_batches()
        yield message, arrow.written(batches, part.schema)


def _table(data: object) -> pa.Table:
    if isinstance(data, pa.Table):
        return data
    if not hasattr(data, "__arrow_c_stream__"):
        raise BreachError(Breach.NO_COLUMNS, type(data).__name__)
    try:
        with pa.RecordBatchReader.from_stream(data) as reader:
            return reader.read_all()
    except (pa.ArrowException, TypeError, ValueError):
        raise BreachError(Breach.NO_COLUMNS, type(data).__name__) from None


def _marked(records: Records, table: pa.Table) -> pa.Table:
    """The table with row numbers, and marks where values could not be read."""
    count = table.num_rows
    if records.rows is not None:
        rows = np.asarray(records.rows)
        if rows.shape != (count,) or (count and rows.dtype.kind not in "iu"):
            raise BreachError(Breach.WRONG_ROWS)
        table = table.append_column(ROWS_COLUMN, arrow.made(pa.int64(), rows.astype(np.int64)))
    names = set(table.column_names)
    for name, places in records.unread.items():
        at = np.asarray(places)
        if name not in names or at.ndim != 1 or (len(at) and at.dtype.kind not in "iu"):
            raise BreachError(Breach.WRONG_UNREAD, str(name))
        if not len(at):
            continue
        if at.min() < 0 or at.max() >= count:
            raise BreachError(Breach.WRONG_UNREAD, str(name))
        mask = np.zeros(count, np.bool_)
        mask[at.astype(np.int64)] = True
        table = table.append_column(UNREAD_COLUMN + name, arrow.made(pa.bool_(), mask))
    return table
