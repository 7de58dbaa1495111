"""Reads the first rows of a file of which nothing is known yet: encoding, delimiter, header."""

from __future__ import annotations

import codecs
import csv
import gzip
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

import polars as pl

from folkmoot_plugin_extracts.dialect import Dialect
from folkmoot_plugin_extracts.file_kind import FileKind, kind_of
from folkmoot_plugin_extracts.header import AROUND_NAMES, LINES_SEARCHED
from folkmoot_plugin_extracts.not_records import NotRecords, Surroundings
from folkmoot_plugin_extracts.text_stream import unmarked
from folkmoot_plugin_extracts.workbook import cell_text, sheet_rows
from folkmoot_sdk import PluginError

SAMPLE_ROWS = 20_000
"""Rows that are looked at."""
_SAMPLE_BYTES = 8 << 20
_NO_TEXT = ("\0", "\x01", "\x02", "\x03", "\x04")
"""Signs that stand in no text, and in most files that are none."""
_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True)
class Sample:
    """The first rows of a file.

    Attributes:
        kind: What the file is.
        dialect: How its text is written, as far as can be seen; of text alone.
        sheet: Name of the sheet; of a workbook alone.
        skip_rows: Lines above the header.
        frame: The rows, with texts or typed values as the file holds them; null where blank.
        left_out: Rows of the sample that are no records, such as totals.
    """

    kind: FileKind
    dialect: Dialect
    sheet: str
    skip_rows: int
    frame: pl.DataFrame
    left_out: int


def read_sample(path: Path) -> Sample:
    """Reads the first rows.

    Raises:
        PluginError: If the file cannot be read, or no line of it names columns.
    """
    try:
        now = path.stat()
    except OSError as error:
        raise PluginError(
            str(path), f"cannot be read ({error.strerror})", "Check the path and permissions"
        ) from None
    return _sampled(path, now.st_mtime_ns, now.st_size)


@lru_cache(maxsize=1)
def _sampled(path: Path, changed: int, size: int) -> Sample:
    """One file is looked at by every kind of source in turn, and read once."""
    del changed, size
    kind = kind_of(path)
    if kind is FileKind.PARQUET:
        return Sample(kind, Dialect(), "", 0, _parquet(path), 0)
    if kind is FileKind.WORKBOOK:
        sheet, cells = sheet_rows(path)
        rows = [[cell_text(cell) for cell in row] for row in cells[:SAMPLE_ROWS]]
        return _tabulated(path, kind, Dialect(), sheet, rows)
    dialect, text = _text(path)
    rows = _rows(text, dialect)
    if not rows:
        raise PluginError(str(path), "is empty", "Export the file again")
    return _tabulated(path, kind, dialect, "", rows)


def _parquet(path: Path) -> pl.DataFrame:
    try:
        return pl.scan_parquet(path, glob=False).head(SAMPLE_ROWS).collect()
    except (Exception, pl.exceptions.PanicException):
        raise PluginError(
            str(path), "is not a whole Parquet file: it is truncated or damaged", "Fetch it again"
        ) from None


def _text(path: Path) -> tuple[Dialect, str]:
    """How the text seems to be written, and its beginning, without a line that was cut."""
    try:
        with path.open("rb") as file:
            is_gzip = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if is_gzip else path.open("rb") as file:
            raw = file.read(_SAMPLE_BYTES)
    except (OSError, EOFError) as error:
        raise PluginError(
            str(path), f"cannot be read ({error})", "Check the path, or fetch the file again"
        ) from None
    encoding = _encoding(raw)
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    text = decoder.decode(raw).removeprefix("\ufeff")
    if any(sign in text for sign in _NO_TEXT):
        raise PluginError(
            str(path), "is no table: it holds bytes that no text has", "Leave it out of the folder"
        )
    if len(raw) == _SAMPLE_BYTES:
        text = text[: text.rfind("\n") + 1]
    lines = text.splitlines()[:LINES_SEARCHED]
    delimiter = max(_DELIMITERS, key=lambda one: _columns(lines, one))
    return Dialect(encoding, delimiter), text


def _encoding(raw: bytes) -> str:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if seems := unmarked(raw[:4096]):
        return seems
    try:
        codecs.getincrementaldecoder("utf-8")().decode(raw)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _columns(lines: list[str], delimiter: str) -> int:
    """The number of columns that most lines have, if a delimiter separates them."""
    widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
    return max(set(widths), key=lambda width: (widths.count(width), width), default=0)


def _rows(text: str, dialect: Dialect) -> list[list[str]]:
    reader = csv.reader(text.splitlines(keepends=True), delimiter=dialect.delimiter)
    try:
        return list(islice(reader, SAMPLE_ROWS))
    except csv.Error:
        return [line.split(dialect.delimiter) for line in text.splitlines()[:SAMPLE_ROWS]]


def _tabulated(
    path: Path, kind: FileKind, dialect: Dialect, sheet: str, rows: list[list[str]]
) -> Sample:
    rows = [[cell.strip(AROUND_NAMES) for cell in row] for row in rows]
    header = _header(rows)
    if header is None:
        raise PluginError(
            str(path),
            "has no line that could name columns: each of the first has numbers or blanks in it",
            "Add a line of names above the records, or export the file with one",
        )
    names = rows[header]
    judge = NotRecords(names, Surroundings())
    body = [row for row in rows[header + 1 :] if any(row)]
    records = [row for row in body if len(row) >= len(names) and not judge.reason(row)]
    columns = {
        name: pl.Series([row[at] or None for row in records], dtype=pl.String)
        for at, name in enumerate(names)
        if name and names.count(name) == 1
    }
    left_out = len(body) - len(records)
    return Sample(kind, dialect, sheet, header, pl.DataFrame(columns), left_out)


def _header(rows: list[list[str]]) -> int | None:
    """The first of the widest rows at the top that is filled with words."""
    top = rows[:LINES_SEARCHED]
    width = max((sum(map(bool, row)) for row in top), default=0)
    for at, row in enumerate(top):
        filled = [cell for cell in row if cell]
        if 2 * len(filled) > width and not any(_is_number(cell) for cell in filled):
            return at
    return None


def _is_number(text: str) -> bool:
    return not any(sign.isalpha() for sign in text)
