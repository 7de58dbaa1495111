"""One table of areas: every row a record, or rejected with a reason."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from folkmoot_plugin_extracts.batch import Rows
from folkmoot_plugin_extracts.mapped_files import MappedFiles
from folkmoot_plugin_extracts.mapping import FileMapping, Identical
from folkmoot_plugin_open_areas.lsoa_lookup import LsoaLookup
from folkmoot_sdk import FieldType, PluginError, ReadContext, Records, Rejection, Schema
from folkmoot_sdk.schema import AREA_COLUMN
from folkmoot_sdk.source import SourceOptions

ROW = "__row"
"""Column of the row in the file."""
_EMPTY: dict[FieldType, pl.DataType] = {
    FieldType.NUMBER: pl.Float64(),
    FieldType.INTEGER: pl.Int64(),
}


def pattern_of(path: Path) -> tuple[str, ...]:
    """The pattern that matches one file and no other."""
    return (glob.escape(path.name),)


def read_area_table(
    path: Path,
    described: FileMapping,
    context: ReadContext,
    lookup: LsoaLookup | None = None,
    vintage: int = 0,
) -> pl.DataFrame:
    """Reads a file of areas as a mapping says.

    A row is rejected if it has no code, a code that the lookup does not list, or an area that
    an earlier row had.

    Args:
        path: The file.
        described: Level area.
        context: Of the read.
        lookup: Checks the codes, if there is one.
        vintage: Of the LSOAs in the file, if there is a lookup.

    Returns:
        One row for each area, with the columns `area` and `ROW`, never null, and the wanted
        fields, null where the file has no value.

    Raises:
        PluginError: If the file cannot be read, or its LSOAs have another vintage.
    """
    # An area that is there twice is rejected below, whether or not its rows are identical.
    described = replace(described, identical=Identical.ALL)
    batches = MappedFiles(SourceOptions(), described, path.parent).read(context)
    frame = all_of([_numbered(batch) for batch in batches], path)
    codes = frame[AREA_COLUMN]
    frame = _rejected(frame, codes.is_null(), "has no code of an area", path, described, context)
    if lookup is not None:
        unknown = lookup.unknown(str(path), frame[AREA_COLUMN], vintage)
        reason = f"is not an LSOA of {vintage} in the lookup"
        frame = _rejected(frame, unknown, reason, path, described, context)
    repeated = ~frame[AREA_COLUMN].is_first_distinct()
    return _rejected(frame, repeated, "stands in the file before", path, described, context)


def as_records(frame: pl.DataFrame, origin: str) -> Records:
    """The records of a table that `read_area_table` made."""
    rows = frame[ROW].to_list()
    return Records(frame.drop(ROW), origin, rows[0] if rows else 1, rows)


def all_of(frames: list[pl.DataFrame], path: Path) -> pl.DataFrame:
    """Puts the batches of a table together.

    Returns:
        The rows of all batches, with the same columns and nulls.

    Raises:
        PluginError: If there are none: a table of areas without rows is a mistake.
    """
    if not frames:
        raise PluginError(str(path), "has no row that can be read", "Fetch the table again")
    return pl.concat(frames)


def empty_records(schema: Schema, names: list[str], origins: Iterator[str]) -> Iterator[Records]:
    """A batch without records for each file of a data set of numbers, so that lineage names it."""
    types: dict[str, pl.DataType] = {AREA_COLUMN: pl.String()}
    types |= {name: _EMPTY[schema[name].type] for name in names}
    for origin in origins:
        yield Records(pl.DataFrame(schema=types), origin)


def _numbered(batch: Records) -> pl.DataFrame:
    frame = batch.data
    assert isinstance(frame, pl.DataFrame)
    rows = batch.rows
    if rows is None:
        rows = range(batch.first_row, batch.first_row + frame.height)
    unread = sorted(set().union(*batch.unread.values()))
    # Of an area whose row holds something malformed, all is unknown.
    kept = np.delete(np.arange(frame.height), unread)
    return with_rows(frame, np.array(rows, dtype=np.int64))[kept]


def with_rows(values: pl.DataFrame, rows: Rows) -> pl.DataFrame:
    """Adds the column `ROW` (Int64, never null) to the rows of values."""
    return values.with_columns(pl.Series(ROW, rows))


def _rejected(
    frame: pl.DataFrame,
    wrong: pl.Series,
    reason: str,
    path: Path,
    described: FileMapping,
    context: ReadContext,
) -> pl.DataFrame:
    if not wrong.any():
        return frame
    context.reject([
        Rejection(path.name, row, described.area, f"{code or 'the row'} {reason}", code or "")
        for row, code in frame.filter(wrong).select(ROW, AREA_COLUMN).iter_rows()
    ])  # fmt: skip
    return frame.filter(~wrong)
