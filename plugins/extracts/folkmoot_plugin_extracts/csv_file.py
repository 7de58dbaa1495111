"""Reads the wanted columns of a CSV file as text, with the line of every record.

Nothing is left out silently: a record with the wrong number of fields, or with a quote
that is neither paired nor doubled, is rejected by its line; a file that is truncated,
wrongly encoded or not paired at all stops the run.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl

from folkmoot_plugin_extracts.ahead import ahead
from folkmoot_plugin_extracts.batch import Batch, Rows, check_columns
from folkmoot_plugin_extracts.blocks import (
    CHUNK_BYTES,
    UNPAIRED,
    Block,
    blocks,
    check_length,
    check_text,
    decode,
)
from folkmoot_plugin_extracts.dialect import Dialect
from folkmoot_plugin_extracts.records import Layout, Mask, blank, without
from folkmoot_plugin_extracts.text_stream import chunks
from folkmoot_sdk import PluginError, Rejection

_MAXIMUM_STRAY_LINES = 1000
"""If a record with a stray quote spans more lines than this, the rest of the file is wrong too."""
_STRAY = "has a quote that is neither doubled nor at the beginning or end of its field"
Reject = Callable[[list[Rejection]], None]


def read_csv(
    path: Path,
    columns: tuple[str, ...],
    dialect: Dialect,
    reject: Reject,
    chunk_bytes: int = CHUNK_BYTES,
    optional: tuple[str, ...] = (),
) -> Iterator[Batch]:
    """Yields the records of a file; the header is row 1, as in an editor.

    Args:
        path: The file.
        columns: Columns that the file must have.
        dialect: How it is written.
        reject: Receives the rows that are not read.
        chunk_bytes: Bytes read at once.
        optional: Columns that are read if the file has them.

    Raises:
        PluginError: If the file as a whole cannot be read; see the module.
    """
    stream = chunks(path, dialect.encoding, chunk_bytes)
    header, rest = _first_record(path, stream, dialect.quote)
    names = _names(path, header, dialect)
    hint = _delimiter_hint(names, header, dialect)
    check_columns(f"{path}: line 1", columns, names, hint, are_names=False)
    columns += tuple(name for name in optional if name in names)
    reader = _Reader(path, columns, names, dialect, reject)
    yield from reader.read(stream, rest, 1 + header.count(b"\n") + 1)


def column_names(path: Path, dialect: Dialect) -> list[str]:
    """The names of the columns of a file, without a record of it.

    Raises:
        PluginError: If there is no such file, or no header.
    """
    header, _ = _first_record(path, chunks(path, dialect.encoding, 1 << 16), dialect.quote)
    return _names(path, header, dialect)


def _first_record(path: Path, stream: Iterator[bytes], quote: str) -> tuple[bytes, bytes]:
    """The header without its line end, and what of the text was read beyond it."""
    text = b""
    for chunk in stream:
        text += chunk
        end = text.find(b"\n")
        while end >= 0 and quote and text.count(quote.encode(), 0, end) % 2:
            end = text.find(b"\n", end + 1)
        if end >= 0:
            return text[:end].removesuffix(b"\r"), text[end + 1 :]
        check_length(path, text, 1)
    if not text:
        raise PluginError(str(path), "is empty", "Export the file again")
    return text, b""


def _names(path: Path, header: bytes, dialect: Dialect) -> list[str]:
    where = f"{path}: line 1"
    if not header.strip():
        raise PluginError(where, "is empty; it should name the columns", "Export the file again")
    if b"\0" in header:
        raise PluginError(
            where, "holds zero bytes: it is not text in this encoding", 'Try encoding = "utf-16"'
        )
    if b"\r" in header:
        raise PluginError(
            where,
            "holds carriage returns: the lines do not end with a line feed",
            "Export the file with Windows or Unix line ends",
        )
    text = decode(path, header, 1)
    try:
        rows = csv.reader(
            [text],
            delimiter=dialect.delimiter,
            quotechar=dialect.quote or None,
            quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
            strict=True,
        )
        return [name.strip() for name in next(rows)]
    except csv.Error as error:
        raise PluginError(where, f"cannot be read as a header ({error})", UNPAIRED) from None


def _delimiter_hint(names: list[str], header: bytes, dialect: Dialect) -> str:
    if len(names) > 1:
        return ""
    for other in (",", ";", "\t", "|"):
        if other != dialect.delimiter and other.encode() in header:
            return f"The file seems to be delimited by {other!r}: set `delimiter`"
    return ""


class _Reader:
    """Cuts the text of one file into whole records and hands them to Polars."""

    def __init__(
        self,
        path: Path,
        columns: tuple[str, ...],
        names: list[str],
        dialect: Dialect,
        reject: Reject,
    ) -> None:
        self._path = path
        self._reject = reject
        self._delimiter = dialect.delimiter.encode()
        self._quote = dialect.quote.encode()
        self._width = len(names)
        self._header = self._delimiter.join(b"%d" % at for at in range(self._width)) + b"\n"
        self._column_of = {str(names.index(name)): name for name in columns}

    def read(self, stream: Iterator[bytes], rest: bytes, line: int) -> Iterator[Batch]:
        """Yields batches; `rest` is the text before the stream's, and begins at `line`."""
        cut = blocks(
            self._path,
            stream,
            delimiter=self._delimiter,
            quote=self._quote,
            expected=self._width,
            rest=rest,
            line=line,
        )
        for block in ahead(cut):
            if not block.ended:
                self._check_end(block)
            yield from self._batch(block.text, block.found, block.line)

    def _check_end(self, last: Block) -> None:
        found = last.found
        if found.fields is not None and found.fields[-1] < self._width:
            raise PluginError(
                f"{self._path}: line {last.line + found.line(len(found.ends) - 1)}",
                f"ends after {found.fields[-1]} of {self._width} fields: the file is truncated",
                "Fetch or export the file again",
            )

    def _batch(self, block: bytes, found: Layout, line: int) -> Iterator[Batch]:
        check_text(self._path, block, line)
        rows: Rows | None = None if found.lines is None else line + found.lines
        dropped = self._dropped(block, found, line)
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
        yield Batch(frame, line if rows is None else int(rows[0]), rows)

    def _dropped(self, block: bytes, found: Layout, line: int) -> Mask | None:
        """The records that are not read, of which all but empty lines are rejected."""
        if found.fields is None and found.stray is None and self._width > 1:
            return None
        empty = blank(block, found)
        stray: Mask = np.zeros_like(empty) if found.stray is None else found.stray
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
        return dropped if dropped.any() else None

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
