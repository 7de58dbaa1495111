"""Options of every source that reads files in a format of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from folkmoot_plugin_extracts.dialect import Dialect
from folkmoot_sdk.parameters import parameter
from folkmoot_sdk.source import SourceOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions(SourceOptions):
    """Where the files of a source are, and how they are written.

    Attributes:
        folder: Where they are.
        files: Patterns of file names; empty for those of the source.
        encoding: Of CSV files.
        delimiter: Of CSV files.
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
        default="utf-8", description="utf-8, utf-8-sig, cp1252, latin-1 or utf-16."
    )
    delimiter: str = parameter(default=",", description="What separates the fields of a line.")
    quote: str = parameter(default='"', description='What stands around texts; "" for nothing.')

    def __post_init__(self) -> None:
        Dialect(self.encoding, self.delimiter, self.quote)

    @property
    def dialect(self) -> Dialect:
        """How CSV files are written."""
        return Dialect(self.encoding, self.delimiter, self.quote)
