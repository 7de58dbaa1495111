"""A data source that reads files as a mapping says, wherever the mapping comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from folkmoot_plugin_extracts.batch import Batch
from folkmoot_plugin_extracts.columns import Text
from folkmoot_plugin_extracts.csv_file import read_csv
from folkmoot_plugin_extracts.file_kind import FileKind, kind_of
from folkmoot_plugin_extracts.files import find_files
from folkmoot_plugin_extracts.mapped import MappedSource
from folkmoot_plugin_extracts.mapping import FileMapping, Identical
from folkmoot_plugin_extracts.parquet_file import read_parquet
from folkmoot_plugin_extracts.series import chosen
from folkmoot_sdk import PluginError, ReadContext, RecordLevel, Rejection
from folkmoot_sdk.source import SourceOptions


class MappedFiles(MappedSource):
    """Delimited text, Parquet files and workbooks, read by a mapping.

    A subclass sets `kind` and `Options`, and says where the mapping comes from.
    """

    def __init__(self, options: SourceOptions, mapping: FileMapping, folder: Path) -> None:
        super().__init__(options, mapping)
        self._files = mapping
        self._folder = folder

    def batches(
        self, columns: tuple[str, ...], context: ReadContext
    ) -> Iterator[tuple[str, Batch]]:
        """Yields the rows of all files in order of their names.

        Raises:
            PluginError: If a file as a whole cannot be read, or one of several holds no record.
        """
        uses = self._files
        conditions = [condition.column for condition in uses.where]
        conditions += [rule.column for rule in uses.leave_out]
        needed = tuple(dict.fromkeys((*columns, *conditions)))
        matching = find_files(self._folder, uses.files, data_set=uses.name, copies=True)
        paths = list(chosen(matching, uses.extracts, context.note))
        for path in paths:
            holds_rows = False

            def reject(rejections: Sequence[Rejection]) -> None:
                nonlocal holds_rows
                holds_rows = holds_rows or bool(rejections)
                context.reject(rejections)

            for batch in self._read(path, needed, replace(context, reject=reject)):
                holds_rows = holds_rows or bool(batch.frame.height)
                yield path.name, self._selected(batch, context)
            # A source without any record is the node's to judge, which a person can accept.
            if not holds_rows and len(paths) > 1 and not uses.allow_empty:
                raise PluginError(
                    str(path),
                    f"names the columns of {uses.name}, and holds no record",
                    "Export it again; if there may be none, set allow_empty = true in the mapping",
                )

    def _read(self, path: Path, needed: tuple[str, ...], context: ReadContext) -> Iterator[Batch]:
        uses = self._files
        kind = kind_of(path)
        hashed = uses.identical is Identical.ONCE
        if kind is FileKind.PARQUET:
            return read_parquet(path, needed, hashed=hashed)
        if kind is FileKind.WORKBOOK:
            # Few extracts are workbooks: the others are read without loading what reads these.
            from folkmoot_plugin_extracts.workbook import read_workbook

            return read_workbook(path, needed, uses.sheet, uses.surroundings, context.leave_out)
        return read_csv(
            path,
            needed,
            uses.dialect,
            context.reject,
            around=uses.surroundings,
            leave_out=context.leave_out,
            hashed=hashed,
            broken=uses.level is not RecordLevel.AREA,
        )

    def _selected(self, batch: Batch, context: ReadContext) -> Batch:
        if batch.broken:
            return batch  # whether the mapping would select the row cannot be known
        for rule in self._files.leave_out:
            texts = Text().parse(batch.frame[rule.column]).fill_null("").str.strip_chars()
            left = texts.is_in(rule.texts)
            for begin in rule.starts_with:
                left |= texts.str.starts_with(begin)
            if left.any():
                context.leave_out(rule.why, int(left.sum()))
                batch = batch.filter(~left)
        for condition in self._files.where:
            kept = condition.met(batch.frame[condition.column])
            if not kept.all():
                dropped = batch.frame.height - int(kept.sum())
                context.leave_out(f"the mapping reads other values of {condition.column}", dropped)
                batch = batch.filter(kept)
        return batch
