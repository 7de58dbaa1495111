"""Reads the wanted columns of a CSV file as text, with the line of every record.

Nothing is left out silently: a record with the wrong number of fields, or with a quote
that is neither paired nor doubled, is rejected by its line; a file that is truncated,
wrongly encoded or not paired at all stops the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl

from folkmoot_plugin_extracts import digests
from folkmoot_plugin_extracts.ahead import ahead
from folkmoot_plugin_extracts.batch import Batch, Rows
from folkmoot_plugin_extracts.blocks import CHUNK_BYTES, UNPAIRED, Block, blocks, check_text
from folkmoot_plugin_extracts.broken_rows import number_at, split_row
from folkmoot_plugin_extracts.csv_rows import RowFilter
from folkmoot_plugin_extracts.dialect import Dialect
from folkmoot_plugin_extracts.header import Header, read_header
from folkmoot_plugin_extracts.not_records import ABOVE, Surroundings
from folkmoot_plugin_extracts.records import Layout, Mask, blank, without
from folkmoot_plugin_extracts.text_stream import chunks
from folkmoot_sdk import PluginError, Rejection

_MAXIMUM_STRAY_LINES = 1000
"""If a record with a stray quote spans more lines than this, the rest of the file is wrong too."""
_STRAY = "has a quote that is neither doubled nor at the beginning or end of its field"
Reject = Callable[[list[Rejection]], None]
LeaveOut = Callable[[str, int], None]


def read_csv(
    path: Path,
    columns: tuple[str, ...],
    dialect: Dialect,
    reject: Reject,
    chunk_bytes: int = CHUNK_BYTES,
    optional: tuple[str, ...] = (),
    around: Surroundings | None = None,
    leave_out: LeaveOut | None = None,
    hashed: bool = True,
    broken: bool = False,
) -> Iterator[Batch]:
    """Yields the records of a file, with rows counted as in an editor: the first line is row 1.

    Args:
        path: The file.
        columns: Columns that the file must have.
        dialect: How it is written.
        reject: Receives the rows that are not read.
        chunk_bytes: Bytes read at once.
        optional: Columns that are read if the file has them.
        around: What stands around the records. With None the header is line 1, and every other
            line that is not empty is a record.
        leave_out: Told how many rows are no records, and why; with `around`.
        hashed: False if nobody asks which rows stand there twice; batches then have no digest.
        broken: True for batches of rows with too many or too few fields, which are rejected as
            well; see `Batch.broken`.

    Raises:
        PluginError: If the file as a whole cannot be read; see the module.
    """
    dialect = dialect.of(path.name)
    stream = chunks(path, dialect.encoding, chunk_bytes)
    header = read_header(path, stream, dialect, columns, around)
    columns += tuple(name for name in optional if name in header.names)
    rows = None
    if around is not None and leave_out is not None:
        if titles := sum(bool(line.strip()) for line in header.above):
            leave_out(ABOVE, titles)
        rows = RowFilter(header, dialect, around, leave_out)
    reader = _Reader(path, columns, header, dialect, reject, rows, hashed, broken)
    yield from reader.read(stream)


def column_names(path: Path, dialect: Dialect) -> list[str]:
    """The names of the columns of a file, without a record of it.

    Raises:
        PluginError: If there is no such file, or no header.
    """
    stream = chunks(path, dialect.encoding, 1 << 16)
    return read_header(path, stream, dialect.of(path.name)).names


class _Reader:
    """Cuts the text of one file into whole records and hands them to Polars."""

    def __init__(
        self,
        path: Path,
        columns: tuple[str, ...],
        header: Header,
        dialect: Dialect,
        reject: Reject,
        rows: RowFilter | None,
        hashed: bool,
        broken: bool,
    ) -> None:
        self._path = path
        self._reject = reject
        self._rows = rows
        self._hashed = hashed
        self._broken = broken
        self._begin = header
        self._delimiter = dialect.delimiter.encode()
        self._quote = dialect.quote.encode()
        self._width = len(header.names)
        self._header = self._delimiter.join(b"%d" % at for at in range(self._width)) + b"\n"
        self._column_of = {str(header.names.index(name)): name for name in columns}

    def read(self, stream: Iterator[bytes]) -> Iterator[Batch]:
        """Yields batches."""
        cut = blocks(
            self._path,
            stream,
            delimiter=self._delimiter,
            quote=self._quote,
            expected=self._width,
            rest=self._begin.rest,
            line=self._begin.next_line,
        )
        for block in ahead(cut):
            check_text(self._path, block.text, block.line)
            if not block.ended:
                self._check_end(block)
            yield from self._batch(block.text, block.found, block.line)

    def _check_end(self, last: Block) -> None:
        found = last.found
        if found.fields is None or found.fields[-1] >= self._width:
            return
        if self._rows is not None and self._rows.reason(last.text, found, len(found.ends) - 1):
            return
        raise PluginError(
            f"{self._path}: line {last.line + found.line(len(found.ends) - 1)}",
            f"ends after {found.fields[-1]} of {self._width} fields: the file is truncated, or its "
            "last line is a note below the data",
            "Fetch or export the file again; if the line is a note, name how it begins under "
            "[[leave_out]] in the mapping",
        )

    def _batch(self, block: bytes, found: Layout, line: int) -> Iterator[Batch]:
        rows: Rows | None = None if found.lines is None else line + found.lines
        dropped, wrong = self._dropped(block, found, line)
        if self._broken and wrong is not None and wrong.any():
            yield self._of_broken(block, found, wrong, line)
        if dropped is not None:
            rows = (np.arange(len(dropped)) + line if rows is None else rows)[~dropped]
            block = without(block, found, dropped)
        if not block:
            return
        frame = self._parse(block)
        if frame is None or frame.height != (len(found.ends) if rows is None else len(rows)):
            # All that is known to trip Polars was dropped above; go no further on a guess.
            raise PluginError(
                f"{self._path}: lines {line} to {line + found.line_count - 1}",
                "cannot be read as CSV",
                UNPAIRED,
            )
        digest = None
        if self._hashed:
            # Where each record takes one line, the lines are the records.
            ends = None if found.lines is None else self._ends(found, dropped)
            digest = digests.of_text(block, ends, frame.height)
        yield Batch(frame, line if rows is None else int(rows[0]), rows, digest)

    @staticmethod
    def _ends(found: Layout, dropped: Mask | None) -> Rows:
        """Where the records that are left end, once those that are dropped are gone."""
        sizes = found.ends - found.starts + 1
        return np.cumsum(sizes if dropped is None else sizes[~dropped]) - 1

    def _of_broken(self, block: bytes, found: Layout, wrong: Mask, line: int) -> Batch:
        """What may be taken from rows with too many or too few fields: whole numbers."""
        places = np.flatnonzero(wrong).tolist()
        texts = (block[found.starts[at] : found.ends[at]].decode("utf-8") for at in places)
        delimiter, quote = self._delimiter.decode(), self._quote.decode()
        fields = [split_row(text, delimiter, quote) for text in texts]
        columns = {
            name: [number_at(row, int(at), self._width) for row in fields]
            for at, name in self._column_of.items()
        }
        frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
        rows = np.array([line + found.line(at) for at in places])
        return Batch(frame, int(rows[0]), rows, broken=True)

    def _dropped(self, block: bytes, found: Layout, line: int) -> tuple[Mask | None, Mask | None]:
        """The rows that are not read: empty ones, rejected ones, those that are no records.

        Returns:
            Two Boolean arrays of shape (records,), or None if none is true: all of these, and
            those that have too many or too few fields.
        """
        left_out = None if self._rows is None else self._rows.left_out(block, found)
        if (
            found.fields is None
            and found.stray is None
            and self._width > 1
            and (left_out is None or not left_out.any())
        ):
            return None, None
        empty = blank(block, found)
        if left_out is not None:
            empty |= left_out
        stray: Mask = np.zeros_like(empty) if found.stray is None else found.stray & ~empty
        wrong: Mask = np.zeros_like(empty)
        if found.fields is not None:
            wrong = (found.fields != self._width) & ~empty & ~stray
        rejected = [
            self._rejection(
                line + found.line(record),
                f"has {found.fields[record]} fields, the header has {self._width}",
            )
            for record in np.flatnonzero(wrong).tolist()
            if found.fields is not None
        ]
        for record in np.flatnonzero(stray).tolist():
            first, span = line + found.line(record), found.line_span(record)
            if span > _MAXIMUM_STRAY_LINES:
                where = f"{self._path}: line {first}"
                raise PluginError(where, "begins quotes that do not pair", UNPAIRED)
            # Each line, for each is a record that is not read.
            rejected += [self._rejection(first + at, _STRAY) for at in range(span)]
        self._reject(rejected)
        dropped: Mask = wrong | empty | stray
        return (dropped, wrong) if dropped.any() else (None, None)

    def _rejection(self, row: int, reason: str) -> Rejection:
        return Rejection(self._path.name, row, "", reason)

    def _parse(self, block: bytes) -> pl.DataFrame | None:
        """The wanted columns as text, or None if Polars cannot parse the block."""
        try:
            frame = pl.read_csv(
                self._header + block,
                columns=list(self._column_of),
                separator=self._delimiter.decode(),
                quote_char=self._quote.decode() or None,
                infer_schema=False,
            )
        except pl.exceptions.PolarsError:
            return None
        return frame.rename(self._column_of)
