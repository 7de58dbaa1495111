"""Reads the files of a mapping into records."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from folkmoot_plugin_extracts import columns, mapping
from folkmoot_plugin_extracts.batch import Batch
from folkmoot_plugin_extracts.csv_file import read_csv
from folkmoot_plugin_extracts.parquet_file import read_parquet
from folkmoot_sdk import (
    Combine,
    FieldType,
    Level,
    PluginError,
    ReadContext,
    Records,
    Rejection,
)
from folkmoot_sdk.schema import AREA_COLUMN, DATE_COLUMN, PERSON_COLUMN, UPRN_COLUMN

_UNITS = {"age": "years", "days_since": "days"}


@dataclass(frozen=True, slots=True)
class Output:
    """One column of a batch of records.

    Attributes:
        name: Column of the batch.
        column: Column of the file.
        reader: How its values are read.
    """

    name: str
    column: str
    reader: columns.Reader


class MappedFiles:
    """The files of a mapping, in one folder."""

    def __init__(self, described: mapping.Mapping, folder: Path) -> None:
        self._mapping = described
        self._schema = described.declaration()
        self._folder = folder

    def read(self, context: ReadContext) -> Iterator[Records]:
        """Yields the records of all files in order of their names.

        A record with a malformed value in a wanted column is rejected as a whole.

        Raises:
            PluginError: If a file as a whole cannot be read.
        """
        outputs = self._outputs(context)
        wanted = [name for name in self._schema_names() if name in context.fields]
        needed = self._mapping.columns(wanted, context.persons)
        nulls = self._mapping.null_texts
        with ThreadPoolExecutor(os.cpu_count(), "extracts") as pool:
            for path in find_files(self._folder, self._mapping.files):
                if path.suffix == ".parquet":
                    batches = read_parquet(path, needed)
                else:
                    batches = read_csv(path, needed, self._mapping, context.reject)
                for batch in batches:
                    selected = self._selected(batch, context)
                    yield read_values(path.name, selected, outputs, nulls, context, pool)

    def _schema_names(self) -> list[str]:
        return [field.name for field in self._schema.fields]

    def _outputs(self, context: ReadContext) -> list[Output]:
        uses = self._mapping
        outputs = []
        if uses.level is Level.AREA:
            outputs.append(Output(AREA_COLUMN, uses.area, columns.Area()))
        if uses.uprn:
            outputs.append(Output(UPRN_COLUMN, uses.uprn, columns.Uprn()))
        if uses.level is Level.PERSON and context.persons:
            outputs.append(Output(PERSON_COLUMN, uses.person, columns.Text()))
        if uses.record_date is not None:
            date = columns.Date(uses.record_date.format)
            outputs.append(Output(DATE_COLUMN, uses.record_date.column, date))
        return [*outputs, *self.field_outputs(context)]

    def field_outputs(self, context: ReadContext) -> list[Output]:
        """The wanted fields, without what says whom a record is about."""
        return [
            Output(name, field.column, self._reader(name, field, context))
            for name, field in self._mapping.fields.items()
            if name in context.fields
        ]

    def _reader(
        self, name: str, field: mapping.MappedField, context: ReadContext
    ) -> columns.Reader:
        declared = self._schema[name]
        whole = field.type is FieldType.INTEGER
        if field.transform:
            return columns.Elapsed(
                columns.Date(field.format),
                context.reference_date,
                _UNITS[field.transform],
                declared.minimum,
                declared.maximum,
                whole,
            )
        if field.values:
            return columns.Valued(tuple(field.values.items()), whole)
        if whole and declared.combine in (Combine.COUNT, Combine.COUNT_DISTINCT):
            return columns.Identity()
        if field.type in (FieldType.INTEGER, FieldType.NUMBER):
            return columns.Number(declared.minimum, declared.maximum, whole)
        if field.type is FieldType.BOOLEAN:
            return columns.Boolean(field.true_words, field.false_words)
        if field.type is FieldType.CATEGORY:
            return columns.CodeList(tuple(field.code_of.items()), declared.codes)
        if field.type is FieldType.DATE:
            return columns.Date(field.format)
        return columns.Area()

    def _selected(self, batch: Batch, context: ReadContext) -> Batch:
        for condition in self._mapping.where:
            texts = columns.Text().parse(batch.frame[condition.column])
            kept = texts.fill_null("").str.strip_chars().is_in(condition.texts)
            if not kept.all():
                dropped = batch.frame.height - int(kept.sum())
                context.leave_out(f"the mapping reads other values of {condition.column}", dropped)
                batch = batch.filter(kept)
        return batch


def find_files(folder: Path, patterns: tuple[str, ...]) -> list[Path]:
    """The files of a folder that match patterns, in order of their names.

    Raises:
        PluginError: If a pattern matches none, or something that cannot be read.
    """
    if not folder.is_dir():
        raise PluginError(str(folder), "is not a folder", "Make it, or correct the option `folder`")
    found: set[Path] = set()
    for pattern in patterns:
        try:
            matched = {path for path in folder.glob(pattern) if path.is_file()}
        except (ValueError, NotImplementedError):
            raise PluginError(
                f"{folder}/{pattern}",
                "is not a pattern relative to the folder",
                "Write it as in council_tax*.csv",
            ) from None
        if not matched:
            raise PluginError(
                f"{folder}/{pattern}",
                "matches no file",
                "Put the extract there, or correct `files` in the mapping",
            )
        found |= matched
    for path in found:
        if not path.name.endswith((".csv", ".csv.gz", ".parquet")):
            raise PluginError(str(path), "is neither .csv, .csv.gz nor .parquet", "Correct `files`")
    return sorted(found)


def read_values(
    file: str,
    batch: Batch,
    outputs: list[Output],
    nulls: tuple[str, ...],
    context: ReadContext,
    pool: ThreadPoolExecutor,
) -> Records:
    """Reads the values of a batch, and rejects the records that have a malformed one.

    Args:
        file: Name of the file, for rejections and lineage.
        batch: Rows with the columns that the outputs name.
        outputs: Columns to make.
        nulls: Texts that stand for an unknown value.
        context: Its `reject` is called.
        pool: Threads that read columns.
    """
    # Fields that read one column in one way, such as oldest and youngest age, share it.
    keys = list(dict.fromkeys((output.column, output.reader) for output in outputs))
    parsed = pool.map(lambda key: columns.read_column(key[1], batch.frame[key[0]], nulls), keys)
    read = dict(zip(keys, parsed, strict=True))
    frame = pl.DataFrame([
        read[output.column, output.reader].values.alias(output.name) for output in outputs
    ])  # fmt: skip
    malformed = {key: parsed.malformed for key, parsed in read.items()}
    faulty = {key: mask for key, mask in malformed.items() if mask is not None}
    if faulty:
        context.reject(_rejections(file, batch, faulty))
        wrong = pl.select(pl.any_horizontal([pl.lit(m) for m in faulty.values()])).to_series()
        batch = batch.filter(~wrong)
        frame = frame.filter(~wrong)
    rows = None if batch.rows is None else array("q", batch.rows.tobytes())
    return Records(frame, file, batch.first_row, rows)


def _rejections(
    file: str, batch: Batch, faulty: dict[tuple[str, columns.Reader], pl.Series]
) -> list[Rejection]:
    numbers = batch.numbers()
    found = []
    for (column, reader), mask in faulty.items():
        at = mask.arg_true()
        texts = columns.Text().parse(batch.frame[column].gather(at)).str.strip_chars()
        for row, text in zip(numbers[at.to_numpy()].tolist(), texts.to_list(), strict=True):
            found.append(Rejection(file, row, column, reader.fault(text), text))
    return sorted(found, key=lambda entry: entry.row)
