"""Finds the rows of CSV text that are no records, among millions that are.

Each row is looked at by a few columnar comparisons of its bytes; only those that may be a title,
a total or a header again are read one by one.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from folkmoot_plugin_extracts.dialect import Dialect
from folkmoot_plugin_extracts.header import AROUND_NAMES, Header
from folkmoot_plugin_extracts.not_records import COMMENT, EMPTY, NotRecords, Surroundings
from folkmoot_plugin_extracts.records import Layout, Mask, blank

_RETURN = 13
_ZERO, _NINE = 48, 57
_IS_RULE = np.zeros(256, dtype=np.bool_)
_IS_RULE[list(b"-=_*~#+")] = True
_TOTALS = (b"total", b"Total", b"TOTAL")
_FAR = 64
"""A total is named this near to the beginning of its row, in bytes."""

Rows = npt.NDArray[np.int64]


class RowFilter:
    """Leaves out the rows of one file that are no records.

    Args:
        header: The file's header.
        dialect: How it is written.
        around: What the mapping says.
        leave_out: Told how many rows are no records, and why.
    """

    def __init__(
        self,
        header: Header,
        dialect: Dialect,
        around: Surroundings,
        leave_out: Callable[[str, int], None],
    ) -> None:
        self._dialect = dialect
        self._delimiter = dialect.delimiter.encode()
        self._quote = ord(dialect.quote) if dialect.quote else None
        self._width = len(header.names)
        self._header = header.text
        self._comment = around.comment.encode()
        self._leave_out = leave_out
        above = (" ".join(filter(None, self._cells(line))) for line in header.above)
        self._judge = NotRecords(header.names, around, frozenset(filter(None, above)))

    def left_out(self, block: bytes, found: Layout) -> Mask:
        """The rows that are no records: bool, shape (rows,). Those that are not empty are counted.

        Args:
            block: Text in UTF-8.
            found: Its rows.
        """
        left: Mask = np.zeros(len(found.ends), dtype=np.bool_)
        counted: Counter[str] = Counter()
        empty = blank(block, found)
        for row in self._doubtful(block, found).tolist():
            if not empty[row] and (reason := self.reason(block, found, row)):
                left[row] = True
                counted[reason] += 1
        for reason, rows in counted.items():
            if reason != EMPTY:  # as lines without a sign are, which nobody counts
                self._leave_out(reason, rows)
        return left

    def reason(self, block: bytes, found: Layout, row: int) -> str:
        """Why a row is no record; empty if it may be one."""
        text = block[found.starts[row] : found.ends[row]]
        if self._comment and text.startswith(self._comment):
            return COMMENT
        return self._judge.reason(self._cells(text))

    def _doubtful(self, block: bytes, found: Layout) -> Rows:
        """The rows that may be no records, in order."""
        if not len(found.ends):
            return np.zeros(0, np.int64)
        data = np.frombuffer(block, np.uint8)
        starts, ends = found.starts, found.ends
        # Where the text of each row ends, without a carriage return.
        ends = ends - ((ends > starts) & (data[ends - 1] == _RETURN))
        doubtful = self._padded(data, starts, ends)
        doubtful |= self._ruled(data, starts, ends)
        doubtful |= self._like_header(data, starts, ends)
        if found.fields is not None:
            doubtful |= found.fields != self._width
        if self._comment:
            doubtful |= data[starts] == self._comment[0]
        self._add_totals(block, data, starts, doubtful)
        return np.flatnonzero(doubtful)

    def _padded(self, data: npt.NDArray[np.uint8], starts: Rows, ends: Rows) -> Mask:
        """Rows that hold nothing behind their first cell, so that they end in delimiters."""
        padded: Mask = ends - starts >= self._width - 1
        at = np.flatnonzero(padded)
        for back in range(1, self._width):
            at = at[data[ends[at] - back] == self._delimiter[0]]
            if not len(at):
                break
        padded = np.zeros(len(ends), dtype=np.bool_)
        padded[at] = self._width > 1
        return padded

    def _ruled(self, data: npt.NDArray[np.uint8], starts: Rows, ends: Rows) -> Mask:
        """Rows that begin with three equal signs of those that lines are drawn with."""
        at = np.flatnonzero(ends - starts >= 3)
        at = at[_IS_RULE[data[starts[at]]]]
        first = data[starts[at]]
        at = at[(data[starts[at] + 1] == first) & (data[starts[at] + 2] == first)]
        ruled: Mask = np.zeros(len(ends), dtype=np.bool_)
        ruled[at] = True
        return ruled

    def _like_header(self, data: npt.NDArray[np.uint8], starts: Rows, ends: Rows) -> Mask:
        """Rows that have the bytes of the header at several places."""
        at = np.flatnonzero(ends - starts == len(self._header))
        for place in {0, 1, 2, len(self._header) // 2, len(self._header) - 1}:
            if 0 <= place < len(self._header):
                at = at[data[starts[at] + place] == self._header[place]]
        alike: Mask = np.zeros(len(ends), dtype=np.bool_)
        alike[at] = True
        return alike

    def _add_totals(
        self, block: bytes, data: npt.NDArray[np.uint8], starts: Rows, doubtful: Mask
    ) -> None:
        """Marks the rows near whose beginning a total is named.

        What begins with a digit has a reference or a number in its first cell: no total.
        """
        first = data[starts]
        quoted = np.flatnonzero(first == self._quote) if self._quote is not None else ()
        if len(quoted):
            first = first.copy()
            first[quoted] = data[starts[quoted] + 1]
        worded = np.flatnonzero((first < _ZERO) | (first > _NINE))
        if len(worded) < len(starts) // 20:
            for row in worded.tolist():
                begin = starts[row]
                doubtful[row] |= any(word in block[begin : begin + _FAR] for word in _TOTALS)
            return
        places = []
        for word in _TOTALS:
            at = block.find(word)
            while at >= 0:
                places.append(at)
                at = block.find(word, at + len(word))
        if places:
            found = np.array(places)
            rows = np.searchsorted(starts, found, side="right") - 1
            doubtful[rows[found - starts[rows] < _FAR]] = True

    def _cells(self, text: bytes) -> list[str]:
        try:
            row = next(
                csv.reader(
                    [text.decode("utf-8", "replace")],
                    delimiter=self._dialect.delimiter,
                    quotechar=self._dialect.quote or None,
                    quoting=csv.QUOTE_MINIMAL if self._dialect.quote else csv.QUOTE_NONE,
                ),
                [],
            )
        except csv.Error:
            row = [text.decode("utf-8", "replace")]
        return [cell.strip(AROUND_NAMES) for cell in row]
