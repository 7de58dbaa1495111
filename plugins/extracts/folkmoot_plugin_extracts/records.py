"""Where the records of CSV text begin and end, and which have the wrong number of fields.

Polars parses the fields. It does not say which line a record is on, pads records
that are too short, and drops fields beyond the wanted ones; so the lines are found here,
by columnar arithmetic over the bytes, and only records of the right shape are handed on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_NEWLINE = 10
_RETURN = 13


@dataclass(frozen=True, slots=True)
class Layout:
    """The records of a block of CSV text.

    Attributes:
        starts: Where each record begins, int64, ascending.
        ends: Where the line feed that ends each record stands.
        lines: For each record the number of line feeds before it in the block; None if
            that is simply 0, 1, 2 ...
        line_count: Line feeds in the block, up to the last record's end.
        fields: Number of fields of each record; None if all have as many as expected.
        stray: True for each record with a quote that neither begins, ends nor doubles in
            a field; None if there is none.
    """

    starts: Positions
    ends: Positions
    lines: Positions | None
    line_count: int
    fields: Positions | None
    stray: Mask | None

    @property
    def size(self) -> int:
        """Bytes up to and with the end of the last record; 0 if there is none."""
        return int(self.ends[-1]) + 1 if len(self.ends) else 0

    def line(self, record: int) -> int:
        """Line feeds before a record."""
        return record if self.lines is None else int(self.lines[record])

    def line_span(self, record: int) -> int:
        """Number of lines that a record takes."""
        following = self.line_count
        if record + 1 < len(self.ends):
            following = self.line(record + 1)
        return following - self.line(record)


def layout(block: bytes, delimiter: bytes, quote: bytes, expected: int) -> Layout:
    """Finds the records of a block that begins at the beginning of a record.

    A line feed or delimiter is one only where the number of quotes before it is even.

    Args:
        block: Text in UTF-8, or any encoding that keeps ASCII.
        delimiter: One byte.
        quote: One byte, or none.
        expected: Number of fields that records should have.
    """
    data = np.frombuffer(block, np.uint8)
    is_delimiter = data == ord(delimiter)
    ends = np.flatnonzero(data == _NEWLINE)
    lines: Positions | None = None
    stray: Mask | None = None
    line_count = len(ends)
    if quote and quote in block:
        is_quote = data == ord(quote)
        outside = np.bitwise_xor.accumulate(is_quote)
        np.logical_not(outside, out=outside)
        is_delimiter &= outside
        kept = np.flatnonzero(outside[ends])
        if len(kept) < len(ends):
            lines = np.concatenate(([0], kept[:-1] + 1)) if len(kept) else kept
            line_count = int(kept[-1]) + 1 if len(kept) else 0
            ends = ends[kept]
        size = int(ends[-1]) + 1 if len(ends) else 0
        stray = _stray(data[:size], np.flatnonzero(is_quote[:size]), ends, delimiter, quote)
    starts = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends
    size = int(ends[-1]) + 1 if len(ends) else 0
    fields = _fields(np.flatnonzero(is_delimiter[:size]), starts, ends, expected)
    return Layout(starts, ends, lines, line_count, fields, stray)


def _stray(
    data: npt.NDArray[np.uint8], quotes: Positions, ends: Positions, delimiter: bytes, quote: bytes
) -> Mask | None:
    """Finds records with stray quotes.

    A quote that opens follows a delimiter or line feed; one that closes precedes one;
    any other must stand beside its double. Quotes open and close in turn, and the number
    of quotes up to the end of the last record is even.
    """
    if not len(quotes):
        return None
    begins = np.zeros(256, dtype=np.bool_)
    begins[[ord(delimiter), _NEWLINE, ord(quote)]] = True
    closes = begins.copy()
    closes[_RETURN] = True
    opening, closing = quotes[0::2], quotes[1::2]
    # Position -1, before the first byte, is the line feed that ends the last record.
    well_opened = begins[data[opening - 1]]
    well_closed = closes[data[closing + 1]]
    if well_opened.all() and well_closed.all():
        return None
    stray: Mask = np.zeros(len(ends), dtype=np.bool_)
    amiss = np.concatenate((opening[~well_opened], closing[~well_closed]))
    stray[np.searchsorted(ends, amiss)] = True
    return stray


def _fields(
    delimiters: Positions, starts: Positions, ends: Positions, expected: int
) -> Positions | None:
    each = expected - 1
    if len(delimiters) == each * len(ends):
        if each == 0 or not len(ends):
            return None
        grid = delimiters.reshape(len(ends), each)
        if (grid[:, 0] >= starts).all() and (grid[:, -1] < ends).all():
            return None
    before = np.searchsorted(delimiters, ends)
    return np.diff(before, prepend=0) + 1


def blank(block: bytes, found: Layout) -> Mask:
    """Whether each record is an empty line: bool, shape (records,)."""
    lengths = found.ends - found.starts
    empty: Mask = lengths == 0
    single = np.flatnonzero(lengths == 1)
    if len(single):
        data = np.frombuffer(block, np.uint8)
        empty[single] = data[found.starts[single]] == _RETURN
    return empty


def without(block: bytes, found: Layout, dropped: Mask) -> bytes:
    """The block without some records."""
    lengths = found.ends - found.starts + 1
    kept = np.repeat(~dropped, lengths)
    return np.frombuffer(block, np.uint8)[: found.size][kept].tobytes()
