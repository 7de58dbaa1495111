"""The data source `extracts`: files that a council's systems export."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from folkmoot_plugin_extracts import mapping
from folkmoot_plugin_extracts.reading import MappedFiles
from folkmoot_sdk import DataSource, ReadContext, Records, Schema
from folkmoot_sdk.parameters import parameter
from folkmoot_sdk.source import SourceOptions


@dataclass(frozen=True, slots=True)
class ExtractsOptions(SourceOptions):
    """Options of the source, in `node.toml`.

    Attributes:
        mapping: The mapping file.
        folder: Where the extract files are.
    """

    mapping: Path = parameter(description="The mapping file, relative to the node's home.")
    folder: Path = parameter(
        default=Path("extracts"), description="Folder of the files, relative to the node's home."
    )


class ExtractsSource(DataSource):
    """CSV and Parquet files, read as a mapping file says."""

    kind = "extracts"
    Options = ExtractsOptions

    def __init__(self, options: ExtractsOptions) -> None:
        super().__init__(options)
        described = mapping.load(options.base / options.mapping)
        self._files = MappedFiles(described, options.base / options.folder)
        self._schema = described.declaration()

    @property
    def schema(self) -> Schema:
        """What the mapping file declares."""
        return self._schema

    def read(self, context: ReadContext) -> Iterator[Records]:
        """Yields the records of all files in order of their names.

        A record with a malformed value in a wanted column is rejected as a whole.

        Raises:
            PluginError: If a file as a whole cannot be read.
        """
        yield from self._files.read(context)
