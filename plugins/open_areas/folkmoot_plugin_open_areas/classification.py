"""The data source `output_area_classification`: the ONS Output Area Classification.

Source: Office for National Statistics and University College London, 2011 and 2021/22 Area
Classification for Output Areas (supergroup, group, subgroup).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from folkmoot_plugin_extracts.dialect import Dialect
from folkmoot_plugin_extracts.mapped_field import MappedField
from folkmoot_plugin_extracts.mapping import FileMapping
from folkmoot_plugin_open_areas.area_table import as_records, pattern_of, read_area_table
from folkmoot_sdk import (
    Category,
    Combine,
    DataSource,
    FieldType,
    ReadContext,
    RecordLevel,
    Records,
    Schema,
)
from folkmoot_sdk.parameters import parameter
from folkmoot_sdk.source import SourceOptions

_SUPERGROUPS = tuple("12345678")
_GROUPS = tuple(f"{supergroup}{letter}" for supergroup in _SUPERGROUPS for letter in "abcd")
_SUBGROUPS = tuple(f"{group}{number}" for group in _GROUPS for number in "1234")
"""Every code of these shapes; each edition uses some of them."""
_LEVELS = {
    "oac_supergroup": ("supergroup", _SUPERGROUPS),
    "oac_group": ("group", _GROUPS),
    "oac_subgroup": ("subgroup", _SUBGROUPS),
}


@dataclass(frozen=True, slots=True)
class ClassificationOptions(SourceOptions):
    """Options of the source, in `node.toml`."""

    file: Path = parameter(description="The CSV file, relative to the node's home.")
    edition: int = parameter(default=2021, description="Census of the edition: 2011 or 2021.")
    area: str = parameter(default="oa21cd", description="Column of the output area.")
    supergroup: str = parameter(default="supergroup", description="Column of the supergroup.")
    group: str = parameter(default="group", description="Column of the group.")
    subgroup: str = parameter(default="subgroup", description="Column of the subgroup.")
    encoding: str = parameter(default="utf-8", description="Encoding of the file.")

    def __post_init__(self) -> None:
        Dialect(encoding=self.encoding)
        if self.edition not in (2011, 2021):
            raise ValueError(f"edition {self.edition} is neither 2011 nor 2021")


class OutputAreaClassification(DataSource):
    """Supergroup, group and subgroup of the household's output area."""

    kind = "output_area_classification"
    Options = ClassificationOptions

    def __init__(self, options: ClassificationOptions) -> None:
        super().__init__(options)
        self._path = options.base / options.file
        columns = {name: str(getattr(options, level)) for name, (level, _) in _LEVELS.items()}
        self._mapping = FileMapping(
            schema=1,
            name="output_area_classification",
            level=RecordLevel.AREA,
            files=pattern_of(options.file),
            fields={
                name: MappedField(
                    column=columns[name],
                    type=FieldType.CATEGORY,
                    combine=Combine.FIRST,
                    category=Category.SEGMENTATION,
                    description=f"{level.capitalize()} of the output area in the "
                    f"Output Area Classification of {options.edition}",
                    # Editions and packagers write 1a1 as 1A1.
                    codes={code: code for code in codes} | {code.upper(): code for code in codes},
                )
                for name, (level, codes) in _LEVELS.items()
            },
            supplier="Office for National Statistics",
            version=str(options.edition),
            encoding=options.encoding,
            area=options.area,
            area_type=f"oa{options.edition % 100}",
        )
        self._schema = self._mapping.declaration()

    @property
    def schema(self) -> Schema:
        """Three codes of an output area."""
        return self._schema

    def read(self, context: ReadContext) -> Iterator[Records]:
        """Yields one record for each output area.

        Raises:
            PluginError: If the file cannot be read.
        """
        frame = read_area_table(self._path, self._mapping, context)
        yield as_records(frame, self._path.name)
