"""A data source that reads files as a mapping says, wherever the mapping comes from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from folkmoot_plugin_extracts.batch import Batch
from folkmoot_plugin_extracts.columns import Text
from folkmoot_plugin_extracts.csv_file import read_csv
from folkmoot_plugin_extracts.files import find_files
from folkmoot_plugin_extracts.mapped import MappedSource
from folkmoot_plugin_extracts.mapping import FileMapping
from folkmoot_plugin_extracts.parquet_file import read_parquet
from folkmoot_sdk import ReadContext
from folkmoot_sdk.source import SourceOptions


class MappedFiles(MappedSource):
    """CSV and Parquet files, read by a mapping.

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
            PluginError: If a file as a whole cannot be read.
        """
        uses = self._files
        conditions = (condition.column for condition in uses.where)
        needed = tuple(dict.fromkeys((*columns, *conditions)))
        for path in find_files(self._folder, uses.files):
            if path.suffix == ".parquet":
                read = read_parquet(path, needed)
            else:
                read = read_csv(path, needed, uses.dialect, context.reject)
            for batch in read:
                yield path.name, self._selected(batch, context)

    def _selected(self, batch: Batch, context: ReadContext) -> Batch:
        for condition in self._files.where:
            texts = Text().parse(batch.frame[condition.column])
            kept = texts.fill_null("").str.strip_chars().is_in(condition.texts)
            if not kept.all():
                dropped = batch.frame.height - int(kept.sum())
                context.leave_out(f"the mapping reads other values of {condition.column}", dropped)
                batch = batch.filter(kept)
        return batch
