"""Households for a factor to be tried on: from a file, or made up."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk import FieldType, Input, samples
from folkmoot_sdk.parameters import nearest

if TYPE_CHECKING:
    import numpy.typing as npt

REFERENCE_DATE = datetime.date(2026, 4, 1)
"""The date of a run on a sample: the same on every day."""
_TRUE, _FALSE = {"true", "1", "yes"}, {"false", "0", "no"}
_MAX_BYTES = 1 << 30


def made_up(inputs: Sequence[Input], count: int) -> samples.Arrays:
    """Draws households, the same each time; a quarter of the values are unknown.

    Returns:
        For each input an array of shape (count,), in the type that a factor receives; unknown
        is NaN, -1 (categories) or NaT (dates).
    """
    return samples.households(inputs, REFERENCE_DATE, count)


def read(path: Path, inputs: Sequence[Input]) -> samples.Arrays:
    """Reads households from a file: one row for each, a column for each input.

    Args:
        path: CSV with a header, or Parquet; an empty cell or null is unknown. Dates are written
            as 2026-04-01, categories as their codes. Other columns are not read.
        inputs: Of the factor. A column of an input that is not required may be missing.

    Returns:
        For each input an array of shape (households,), in the type that a factor receives;
        unknown is NaN, -1 (categories) or NaT (dates).

    Raises:
        Problem: Exit code SETTINGS, naming file, column and row.
    """
    table = _table(path)
    if not table.num_rows:
        raise _problem(path, "has no households", "Write a row for each under the header")
    arrays = {entry.name: _array(table, entry, path) for entry in inputs}
    return samples.frozen(arrays)


def _table(path: Path) -> pa.Table:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _problem(path, "is larger than 1 GiB", "Give a sample of it")
        if path.suffix.lower() == ".parquet":
            import pyarrow.parquet

            return pyarrow.parquet.read_table(path)
        import pyarrow.csv

        # Every value stays text: which type it has is for the factor's input to say.
        with path.open(encoding="utf-8") as file:
            names = file.readline().strip("\ufeff\r\n").split(",")
        texts = {name.strip('"'): pa.string() for name in names}
        options = pyarrow.csv.ConvertOptions(
            column_types=texts, null_values=[""], strings_can_be_null=True
        )
        # In a file of one column an empty line is a household of which it is unknown.
        lines = pyarrow.csv.ParseOptions(ignore_empty_lines=len(names) > 1)
        return pyarrow.csv.read_csv(path, parse_options=lines, convert_options=options)
    except OSError as error:
        raise _problem(path, f"cannot be read ({error.strerror})", "Correct --sample") from None
    except (pa.ArrowException, UnicodeDecodeError):
        raise _problem(path, "is neither CSV in UTF-8 nor Parquet", "Write it as one") from None


def _array(table: pa.Table, entry: Input, path: Path) -> npt.NDArray[Any]:
    if entry.name not in table.column_names:
        if not entry.required:
            return samples.unknowns(entry, table.num_rows)
        raise _problem(
            path, f"has no column {entry.name!r}", nearest(entry.name, table.column_names)
        )
    texts = pc.cast(table[entry.name], pa.string())
    array = samples.unknowns(entry, table.num_rows)
    for row, text in enumerate(texts.to_pylist()):
        if text is None or not text.strip():
            continue
        try:
            array[row] = _value(entry, text.strip())
        except ValueError as error:
            raise _problem(
                path,
                f"row {row + 2}, column {entry.name!r}: {text[:40]!r} {error}",
                "Correct the value, or leave it empty for unknown",
            ) from None
    return array


def _value(entry: Input, text: str) -> Any:
    """A text as the array holds it.

    Raises:
        ValueError: If it is none of the input's type; completes a sentence.
    """
    if entry.type is FieldType.CATEGORY:
        if text not in entry.codes:
            raise ValueError(f"is not a code. {nearest(text, entry.codes)}")
        return entry.codes.index(text)
    if entry.type is FieldType.DATE:
        try:
            return np.datetime64(datetime.date.fromisoformat(text), "D")
        except ValueError:
            raise ValueError("is not a date, such as 2026-04-01") from None
    if entry.type is FieldType.BOOLEAN:
        if text.lower() in _TRUE | _FALSE:
            return float(text.lower() in _TRUE)
        raise ValueError("is neither true nor false")
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not np.isfinite(number) or (entry.type is FieldType.INTEGER and number % 1):
        whole = "a whole number" if entry.type is FieldType.INTEGER else "a number"
        raise ValueError(f"is not {whole}")
    return number


def _problem(path: Path, problem: str, remedy: str) -> Problem:
    return Problem(problem, where=str(path), remedy=remedy, exit_code=ExitCode.SETTINGS)
