"""One extract file, before it is written."""

from __future__ import annotations

import gzip
import io
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from folkmoot_rehearsal import unmatched


@dataclass(frozen=True, slots=True)
class Extract:
    """One extract file in memory.

    Attributes:
        source: Name of the source, and of its mapping.
        file: Name of the file; its ending says the format.
        frame: Columns in the order of the file: texts for CSV, typed for Parquet.
        mapping: Name of the mapping file among this package's mappings.
        encoding: Text encoding of a CSV file.
        delimiter: Separator of a CSV file.
        truth: About its records without a UPRN; see `unmatched.set_apart`.
        record_date: Line of the mapping that names the record date, if the shipped one does not.
    """

    source: str
    file: str
    frame: pl.DataFrame
    mapping: str
    encoding: str = "utf-8"
    delimiter: str = ","
    truth: pl.DataFrame = field(default_factory=unmatched.no_truth)
    record_date: str = ""

    def write(self, folder: Path) -> None:
        """Writes the file; the same frame gives the same bytes."""
        path = folder / self.file
        if path.suffix == ".parquet":
            self.frame.write_parquet(path)
            return
        text = self.frame.write_csv(separator=self.delimiter, line_terminator="\r\n")
        content = text.encode(self.encoding)
        if path.suffix == ".gz":
            packed = io.BytesIO()
            with gzip.GzipFile(fileobj=packed, mode="wb", filename="", mtime=0) as file:
                file.write(content)
            content = packed.getvalue()
        path.write_bytes(content)
