"""The data source `extracts`: files that a council's systems export."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from folkmoot_plugin_extracts.mapped_files import MappedFiles
from folkmoot_plugin_extracts.mapping import FileMapping, load
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


class ExtractsSource(MappedFiles):
    """CSV and Parquet files, read as a mapping file says."""

    kind = "extracts"
    Options = ExtractsOptions

    @classmethod
    def draft(cls, file: Path) -> str:
        """A first mapping file, as TOML, with questions as comments."""
        # Only one command drafts; all others need not load what guesses.
        from folkmoot_plugin_extracts.drafting import draft

        return draft(file)

    def __init__(self, options: ExtractsOptions) -> None:
        read_as = load(options.base / options.mapping, FileMapping)
        super().__init__(options, read_as, options.base / options.folder)
