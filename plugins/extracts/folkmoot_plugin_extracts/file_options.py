"""Options of every source that reads files in a format of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from folkmoot_plugin_extracts.dialect import Dialect
from folkmoot_plugin_extracts.not_records import LeaveOut
from folkmoot_plugin_extracts.series import Extracts
from folkmoot_sdk.parameters import parameter
from folkmoot_sdk.source import SourceOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions(SourceOptions):
    """Where the files of a source are, and how they are written.

    Attributes:
        folder: Where they are.
        files: Patterns of file names; empty for those of the source.
        encoding: Of CSV files.
        delimiter: Of delimited text; empty for what is usual for the ending of the file.
        quote: What CSV files put around a text; empty if nothing.

    Raises:
        ValueError: If encoding, delimiter or quote is not valid.
    """

    folder: Path = parameter(
        default=Path("extracts"), description="Folder of the files, relative to the node's home."
    )
    files: tuple[str, ...] = parameter(
        default=(), description="Patterns of file names, if not those of the source."
    )
    encoding: str = parameter(
        default="utf-8",
        description="utf-8, utf-8-sig, cp1252, latin-1, utf-16, utf-16-le or utf-16-be.",
    )
    delimiter: str = parameter(
        default="", description="What separates fields; default a comma, in .tsv and .tab a tab."
    )
    quote: str = parameter(default='"', description='What stands around texts; "" for nothing.')

    def __post_init__(self) -> None:
        Dialect(self.encoding, self.delimiter, self.quote)

    @property
    def dialect(self) -> Dialect:
        """How CSV files are written."""
        return Dialect(self.encoding, self.delimiter, self.quote)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOptions(FileOptions):
    """Options of a source that reads tables by a mapping of its own.

    They are what `FileMapping` says of files, and mean the same.

    Attributes:
        extracts: Which extracts of a series are read; None for the newest, where it is certain.
        allow_empty: True if one of several files may hold no record.
        sheet: Of workbooks: the sheet; empty for the only one that has the columns.
        skip_rows: Number of lines above the header; None to find it by the names of the columns.
        comment: What lines begin with that are comments; empty if there are none.
        leave_out: Rows that are no records.
    """

    extracts: Extracts | None = parameter(
        default=None, description="Of extracts whose names differ in a date: newest or all."
    )
    allow_empty: bool = parameter(
        default=False, description="Whether one of several files may hold no record."
    )
    sheet: str = parameter(
        default="", description="Sheet of a workbook; else the only one that has the columns."
    )
    skip_rows: int | None = parameter(
        default=None, minimum=0, description="Lines above the header, if it is not found."
    )
    comment: str = parameter(default="", description="What lines begin with that are comments.")
    leave_out: tuple[LeaveOut, ...] = parameter(
        default=(), description="Rows that are no records: column, and `in` or `starts_with`."
    )

    def of_files(self) -> dict[str, Any]:
        """What the options say of files, as the keys of a mapping file."""
        said: dict[str, Any] = {
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "quote": self.quote,
            "allow_empty": self.allow_empty,
            "sheet": self.sheet,
            "comment": self.comment,
            "leave_out": [
                {
                    "column": rule.column,
                    "in": list(rule.values),
                    "starts_with": list(rule.starts_with),
                    "reason": rule.reason,
                }
                for rule in self.leave_out
            ],
        }
        if self.files:
            said["files"] = list(self.files)
        if self.extracts is not None:
            said["extracts"] = self.extracts.value
        if self.skip_rows is not None:
            said["skip_rows"] = self.skip_rows
        return said
