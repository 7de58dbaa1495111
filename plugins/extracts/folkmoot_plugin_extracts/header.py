"""Finds the line that names the columns of a delimited file, below titles and blank lines."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from folkmoot_plugin_extracts.batch import check_columns, named_alike
from folkmoot_plugin_extracts.blocks import UNPAIRED, check_length, decode
from folkmoot_plugin_extracts.dialect import Dialect
from folkmoot_plugin_extracts.not_records import Surroundings
from folkmoot_sdk import PluginError

LINES_SEARCHED = 40
"""A header further below is not looked for: no title is so long."""
AROUND_NAMES = " \t\r\n\xa0\ufeff\u200b\u200c\u200d\u200e\u200f\u2060"
"""What exports put around names without a person seeing it."""
_REFERENCE = re.compile(r"[0-9]{5,}(?:\.0+)?")
"""What a record has and a title has not: the number of a property, an account, a person."""
_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True)
class Header:
    """The names of the columns, and what was read to find them.

    Attributes:
        names: The names, without blanks around them.
        text: The header as it is written, without its line end.
        above: The lines above it.
        rest: What of the text was read beyond it.
    """

    names: list[str]
    text: bytes
    above: tuple[bytes, ...]
    rest: bytes

    @property
    def next_line(self) -> int:
        """Line at which the rest begins, from 1."""
        return len(self.above) + 1 + self.text.count(b"\n") + 1


def read_header(
    path: Path,
    stream: Iterator[bytes],
    dialect: Dialect,
    wanted: tuple[str, ...] = (),
    around: Surroundings | None = None,
) -> Header:
    """Reads up to the end of the header.

    Without `skip_rows` the header is the first line, or the first of the next lines that has all
    the wanted names below lines that are plainly a title: not filled, and without a reference.

    Args:
        path: The file, for messages.
        stream: Its text in UTF-8, in chunks that end anywhere.
        dialect: How it is written.
        wanted: Columns that the file must have.
        around: Where its header stands; None for line 1.

    Raises:
        PluginError: If there is no header, or it does not name these columns.
    """
    opening = _Opening(path, stream, dialect)
    skipped = 0 if around is None else around.skip_rows
    comment = b"" if around is None else around.comment.encode()
    lines = opening.lines()
    above: list[bytes] = []
    begin: int | None = None
    for at, text in lines:
        if len(above) >= (skipped or 0) and not (comment and text.startswith(comment)):
            begin = at
            break
        above.append(text)
    if begin is None:
        raise _no_header(path, above)
    header = opening.candidate(begin, above)
    if skipped is None and not set(wanted) <= set(header.names):
        header = _found_below(path, header, opening, lines, wanted)
    names = _names(path, header, dialect)
    hint = _delimiter_hint(opening.seen(), header, dialect, wanted)
    check_columns(f"{path}: line {header.line}", wanted, names, hint, are_names=False)
    return Header(names, header.text, header.above, opening.text[header.end :])


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A record that may be the header.

    Attributes:
        names: What its cells hold; empty if it cannot be read.
        text: The record without its line end.
        above: The lines above it.
        end: Where the next record begins.
    """

    names: list[str]
    text: bytes
    above: tuple[bytes, ...]
    end: int

    @property
    def line(self) -> int:
        """Its line, from 1."""
        return len(self.above) + 1


class _Opening:
    """The beginning of a file, read as far as it is asked for."""

    def __init__(self, path: Path, stream: Iterator[bytes], dialect: Dialect) -> None:
        self.text = b""
        self._path = path
        self._stream = stream
        self._dialect = dialect
        self._quote = dialect.quote.encode()

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yields where each line begins, and the line."""
        at = 0
        while (end := self._line_end(at)) > at:
            yield at, _without_end(self.text[at:end])
            at = end

    def candidate(self, at: int, above: list[bytes]) -> _Candidate:
        """The record that begins at a place."""
        end = self._line_end(at)
        while self._quote and self.text.count(self._quote, at, end) % 2:
            if (further := self._line_end(end)) == end:
                break
            end = further
        text = _without_end(self.text[at:end])
        return _Candidate(_loosely(text, self._dialect), text, tuple(above), end)

    def cells(self, line: bytes) -> list[str]:
        """The cells of a line; none if it cannot be read."""
        return _loosely(line, self._dialect)

    def seen(self) -> list[bytes]:
        """The first lines of what was read."""
        return self.text.split(b"\n", LINES_SEARCHED)[:LINES_SEARCHED]

    def _line_end(self, at: int) -> int:
        """Where the next line begins; the end of the text if there is none."""
        begin = at
        while (end := self.text.find(b"\n", begin)) < 0:
            begin = len(self.text)
            chunk = next(self._stream, b"")
            if not chunk:
                return len(self.text)
            self.text += chunk
            check_length(self._path, self.text[at:], 1)
        return end + 1


def _without_end(line: bytes) -> bytes:
    return line.removesuffix(b"\n").removesuffix(b"\r")


def _loosely(text: bytes, dialect: Dialect) -> list[str]:
    """The cells of a line, without blanks around them; none if it cannot be read."""
    try:
        return [cell.strip(AROUND_NAMES) for cell in _cells(text.decode("utf-8"), dialect)]
    except (UnicodeDecodeError, csv.Error, StopIteration):
        return []


def _cells(text: str, dialect: Dialect) -> list[str]:
    return next(
        csv.reader(
            [text],
            delimiter=dialect.delimiter,
            quotechar=dialect.quote or None,
            quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
            strict=True,
        )
    )


def _no_header(path: Path, above: list[bytes]) -> PluginError:
    if not above:
        return PluginError(str(path), "is empty", "Export the file again")
    return PluginError(
        str(path),
        f"ends at line {len(above)}, above the line that should name the columns",
        "Correct `skip_rows` in the mapping, or export the file again",
    )


def _found_below(
    path: Path,
    first: _Candidate,
    opening: _Opening,
    lines: Iterator[tuple[int, bytes]],
    wanted: tuple[str, ...],
) -> _Candidate:
    """The header below a title; the first candidate if there is none.

    Raises:
        PluginError: If the names stand below lines that may be records.
    """
    above = [*first.above, first.text]
    best, named = first, len(named_alike(wanted, first.names))
    for at, text in islice(lines, LINES_SEARCHED):
        header = opening.candidate(at, above)
        if set(wanted) <= set(header.names):
            _check_title(path, header, opening)
            return header
        alike = len(named_alike(wanted, header.names))
        if alike > named:
            best, named = header, alike
        above.append(text)
    return best


def _check_title(path: Path, header: _Candidate, opening: _Opening) -> None:
    width = sum(map(bool, header.names))
    for text in header.above:
        filled = [cell for cell in opening.cells(text) if cell]
        if len(filled) >= max(width, 2) or any(map(_REFERENCE.fullmatch, filled)):
            raise PluginError(
                f"{path}: line {header.line}",
                "names the columns, below lines that may be records",
                f"If they are a title, set skip_rows = {header.line - 1} in the mapping",
            )


def _names(path: Path, header: _Candidate, dialect: Dialect) -> list[str]:
    where = f"{path}: line {header.line}"
    if not header.text.strip():
        raise PluginError(where, "is empty; it should name the columns", "Export the file again")
    if b"\0" in header.text:
        raise PluginError(
            where, "holds zero bytes: it is not text in this encoding", 'Try encoding = "utf-16"'
        )
    if b"\r" in header.text:
        raise PluginError(
            where,
            "holds carriage returns: the lines do not end with a line feed",
            "Export the file with Windows or Unix line ends",
        )
    try:
        cells = _cells(decode(path, header.text, header.line), dialect)
    except csv.Error as error:
        raise PluginError(where, f"cannot be read as a header ({error})", UNPAIRED) from None
    return [cell.strip(AROUND_NAMES) for cell in cells]


def _delimiter_hint(
    lines: list[bytes], header: _Candidate, dialect: Dialect, wanted: tuple[str, ...]
) -> str:
    """What to set if the columns are there, but separated by something else."""
    others = [other for other in _DELIMITERS if other != dialect.delimiter]
    for other in others:
        written = Dialect(dialect.encoding, other, "" if dialect.quote == other else dialect.quote)
        if wanted and any(set(wanted) <= set(_loosely(line, written)) for line in lines):
            return _delimited_by(other)
    if len(header.names) == 1:
        for other in others:
            if other.encode() in header.text:
                return _delimited_by(other)
    return ""


def _delimited_by(sign: str) -> str:
    written = "\\t" if sign == "\t" else sign
    return f'The file seems to be delimited by {sign!r}: set `delimiter` to "{written}"'
