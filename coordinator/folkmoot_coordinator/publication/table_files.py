"""A table written as Parquet and CSV, a piece at a time, and what it is as JSON."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

import polars as pl
from polars.io.plugins import register_io_source

from folkmoot_coordinator.publication.long_table import ROWS_AT_ONCE, LongTable
from folkmoot_operator.output_places import require_no_link
from folkmoot_operator.private_files import unfinished_stem
from folkmoot_operator.spreadsheets import FORMULA, HARMLESS

MAX_CSV_ROWS = 1_048_575
"""Most rows for which CSV is written unasked: as many as a spreadsheet takes, less the names of
the columns. A larger table is for programs, which read Parquet faster than it can be printed."""


class Format(StrEnum):
    """In which form a table is written."""

    PARQUET = "parquet"
    CSV = "csv"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Publication:
    """The files of one round.

    Attributes:
        parquet: Table as Parquet; None if it was not asked for.
        csv: The same table as CSV; None if it was not asked for, or is large.
        beside: Tables that belong to it, CSV, in a folder of their own.
        metadata: What it is, as JSON.
        rows: Rows of the table.
    """

    parquet: Path | None
    csv: Path | None
    beside: tuple[Path, ...]
    metadata: Path
    rows: int

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that were written."""
        paths = (self.parquet, self.csv, *self.beside, self.metadata)
        return tuple(path for path in paths if path is not None)


def write_files(
    folder: Path,
    stem: str,
    table: LongTable,
    described: dict[str, Any],
    form: Format | None,
    beside: Mapping[str, pl.DataFrame],
) -> Publication:
    """Writes a table, and then what it is.

    Args:
        folder: Where; made if it is missing.
        stem: Name of the files without their endings.
        table: The table.
        described: Metadata, apart from the files' digests; the Parquet file carries it too.
        form: How it is written; None for Parquet, and CSV too unless it is large.
        beside: Tables that belong to it, by name; they go into the folder `STEM-reference`, so
            that what stands in `folder` as CSV is the published table alone.
    """
    if form is None:
        form = Format.BOTH if table.rows <= MAX_CSV_ROWS else Format.PARQUET
    publication = Publication(
        folder / f"{stem}.parquet" if form is not Format.CSV else None,
        folder / f"{stem}.csv" if form is not Format.PARQUET else None,
        tuple(folder / f"{stem}-reference" / f"{name}.csv" for name in beside),
        folder / f"{stem}.json",
        table.rows,
    )
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        pieces = table.pieces()
        if publication.csv is not None:
            csv = stack.enter_context(whole_file(publication.csv))
            pieces = _also_csv(pieces, stack.enter_context(csv.open("wb")))
        if publication.parquet is not None:
            parquet = stack.enter_context(whole_file(publication.parquet))
            write_parquet(parquet, table.schema, pieces, {"folkmoot": json.dumps(described)})
        else:
            for _ in pieces:
                pass
    for path, small in zip(publication.beside, beside.values(), strict=True):
        path.parent.mkdir(exist_ok=True)
        with whole_file(path) as temporary:
            harmless_table(small).write_csv(temporary)
    described |= {
        "files": {
            path.relative_to(folder).as_posix(): {
                "sha256": _sha256(path),
                "bytes": path.stat().st_size,
            }
            for path in (publication.csv, publication.parquet, *publication.beside)
            if path is not None
        }
    }
    text = json.dumps(described, indent=2, ensure_ascii=False) + "\n"
    with whole_file(publication.metadata) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return publication


def _also_csv(pieces: Iterator[pl.DataFrame], file: IO[bytes]) -> Iterator[pl.DataFrame]:
    """The pieces, each written as CSV when it passes."""
    for at, piece in enumerate(pieces):
        write_csv(piece, file, is_first=at == 0)
        yield piece


def write_csv(piece: pl.DataFrame, file: IO[bytes], *, is_first: bool) -> None:
    """Writes a piece of a table as CSV.

    Args:
        piece: Some of its rows.
        file: At the end of the pieces before.
        is_first: Whether the names of the columns go before it.
    """
    harmless_table(piece).write_csv(file, include_header=is_first, float_precision=6)


def harmless_table(table: pl.DataFrame) -> pl.DataFrame:
    """The table for people who open it in a spreadsheet: no text in it is a formula.

    What a code or a title says is up to whoever wrote the round; the Parquet file has it as it is.

    Returns:
        The same rows and columns; columns in which a text had to be changed as String, null where
        they were.
    """
    changed = [
        column.cast(pl.String).str.replace_all(FORMULA, HARMLESS)
        for column in table.select(pl.col(pl.String, pl.Categorical, pl.Enum)).iter_columns()
        if column.unique().cast(pl.String).str.contains(FORMULA).any()
    ]
    return table.with_columns(changed) if changed else table


def write_parquet(
    path: Path, schema: pl.Schema, pieces: Iterator[pl.DataFrame], metadata: dict[str, str]
) -> None:
    """Writes a table as Parquet, a piece at a time.

    Args:
        path: The file.
        schema: Of every piece.
        pieces: Its rows.
        metadata: Of the file.
    """

    def source(*_: object) -> Iterator[pl.DataFrame]:
        return pieces  # nothing is asked of the plan but all columns of all rows

    frame = register_io_source(source, schema=schema)
    frame.sink_parquet(path, row_group_size=ROWS_AT_ONCE, metadata=metadata)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A file to be written, which takes the place of `path` when it is whole."""
    require_no_link(path)
    temporary = path.with_name(f"{unfinished_stem(path)}{secrets.token_hex(4)}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
