"""The data source `gazetteer`: residential properties on the reference date, and their areas."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from folkmoot_plugin_extracts.dialect import Dialect
from folkmoot_plugin_extracts.files import find_files
from folkmoot_plugin_gazetteer import classes
from folkmoot_plugin_gazetteer.addresses import spaced
from folkmoot_plugin_gazetteer.directory import AREAS, Directory, DirectoryOptions
from folkmoot_plugin_gazetteer.properties import Selection, select
from folkmoot_plugin_gazetteer.tables import FILE, ROW, read_properties
from folkmoot_sdk import (
    Category,
    Combine,
    DataSource,
    Field,
    FieldType,
    Identifier,
    ReadContext,
    RecordLevel,
    Records,
    Schema,
)
from folkmoot_sdk.geography import GSS_CODE
from folkmoot_sdk.parameters import parameter
from folkmoot_sdk.schema import DATE_COLUMN, UPRN_COLUMN
from folkmoot_sdk.source import SourceOptions


@dataclass(frozen=True, slots=True)
class GazetteerOptions(SourceOptions):
    """Options of the source, in `node.toml`."""

    files: tuple[str, ...] = parameter(description="Patterns of the DTF 7.3 files in `folder`.")
    folder: Path = parameter(
        default=Path("extracts"), description="Folder of the files, relative to the node's home."
    )
    encoding: str = parameter(default="utf-8", description="Encoding of the files.")
    uprn_directory: DirectoryOptions | None = parameter(
        default=None, description="ONS UPRN Directory: areas by UPRN."
    )
    postcode_directory: DirectoryOptions | None = parameter(
        default=None,
        description="ONSPD or NSPL: areas by postcode, for properties that the UPRN Directory "
        "does not have.",
    )
    census: int = parameter(
        default=2021, description="Census of the output areas and LSOAs: 2011 or 2021."
    )
    states: tuple[str, ...] = parameter(
        default=("", "2", "3"),
        description="BLPU states in which there may be a household: 1 under construction, 2 in "
        'use, 3 vacant, 4 no longer existing, 6 planned, "" not stated.',
    )
    communal: bool = parameter(
        default=True,
        description="Keep communal establishments, marked as such; false to leave them out.",
    )
    within: str = parameter(
        default="",
        description="Code of the council's district: properties that a directory places in another "
        "one are left out, so that no household is counted by two councils. Empty to keep them.",
    )

    def __post_init__(self) -> None:
        Dialect(encoding=self.encoding)
        if self.within and not (self.uprn_directory or self.postcode_directory):
            raise ValueError("within needs a directory, which says where a property lies")
        if self.within and not re.fullmatch(GSS_CODE, self.within):
            raise ValueError(f"within: {self.within[:40]!r} is not the GSS code of a district")
        if self.census not in (2011, 2021):
            raise ValueError(f"census {self.census} is neither 2011 nor 2021")


class Gazetteer(DataSource):
    """The household frame: properties that are homes on the reference date."""

    kind = "gazetteer"
    Options = GazetteerOptions

    @classmethod
    def draft(cls, file: Path) -> str:
        """The options that read a gazetteer and the directories beside it."""
        from folkmoot_plugin_gazetteer.drafting import draft

        return draft(file)

    def __init__(self, options: GazetteerOptions) -> None:
        super().__init__(options)
        self._options = options
        directories = (options.uprn_directory, "uprn"), (options.postcode_directory, "postcode")
        self._directories = [
            Directory(given, options.base, key, options.census)
            for given, key in directories
            if given
        ]
        fields = _FIELDS + (tuple(_area_fields(options.census)) if self._directories else ())
        self._schema = Schema(
            name="gazetteer",
            level=RecordLevel.PROPERTY,
            fields=fields,
            supplier="Local land and property gazetteer",
            version="DTF 7.3",
            has_date=True,
            identifiers=(Identifier.ADDRESS, Identifier.POSTCODE),
        )

    @property
    def schema(self) -> Schema:
        """What sort of home it is, and with a directory the areas it is in."""
        return self._schema

    def read(self, context: ReadContext) -> Iterator[Records]:
        """Yields one record for each property that is a home, by file.

        Raises:
            PluginError: If a file cannot be read or is not whole.
        """
        options = self._options
        wanted = [name for name in AREAS if name in context.fields]
        looked_up = [*wanted]
        if options.within and "district" not in wanted:
            looked_up.append("district")
        by_postcode = any(directory.key == "postcode" for directory in self._directories)
        paths = find_files(options.base / options.folder, options.files)
        properties = read_properties(
            paths,
            options.encoding,
            context,
            postcodes=(bool(looked_up) and by_postcode)
            or Identifier.POSTCODE in context.identifiers,
            whole_addresses=Identifier.ADDRESS in context.identifiers,
        )
        rules = Selection(context.reference_date, options.states, options.communal)
        homes, gone = select(properties, rules)
        for reason, number in gone.items():
            context.leave_out(reason, number)
        if looked_up:
            homes = self._with_areas(homes, looked_up, context)
        if options.within:
            # One that no directory has is the council's own, until a directory says otherwise.
            inside = (pl.col("district") == options.within).fill_null(True)
            kept = homes.filter(inside)
            context.leave_out("property in another district", homes.height - kept.height)
            homes = kept
        identifiers = []
        if Identifier.ADDRESS in context.identifiers:
            identifiers.append(pl.col("address").alias(Identifier.ADDRESS.column))
        if Identifier.POSTCODE in context.identifiers:
            identifiers.append(spaced(pl.col("postcode")).alias(Identifier.POSTCODE.column))
        made = homes.select(
            FILE,
            ROW,
            UPRN_COLUMN,
            pl.col("updated").alias(DATE_COLUMN),
            classes.property_type(pl.col("class")).alias("property_type"),
            classes.is_hmo(pl.col("class")).alias("is_hmo"),
            classes.is_communal(pl.col("class")).alias("is_communal"),
            *wanted,
            *identifiers,
        )
        asked = [i.column for i in self._schema.identifiers if i in context.identifiers]
        names = [
            UPRN_COLUMN,
            DATE_COLUMN,
            *asked,
            *(f.name for f in _FIELDS if f.name in context.fields),
        ]
        for path in paths:
            part = made.filter(pl.col(FILE) == path.name)
            rows = array("q", part[ROW].to_numpy().astype(np.int64).tobytes())
            yield Records(part.select(*names, *wanted), path.name, 1, rows)

    def _with_areas(
        self, homes: pl.DataFrame, wanted: Sequence[str], context: ReadContext
    ) -> pl.DataFrame:
        """Adds the areas, from the first directory that has the property."""
        homes = homes.with_columns(pl.lit(None, pl.String).alias(name) for name in wanted)
        for directory in self._directories:
            lacking = homes.filter(pl.any_horizontal(pl.col(*wanted).is_null()))
            keys = lacking[directory.key].drop_nulls().unique()
            found = directory.areas(keys, wanted, context)
            joined = homes.join(
                found, on=directory.key, how="left", maintain_order="left", suffix="__found"
            )
            homes = joined.with_columns(
                pl.coalesce(name, f"{name}__found").alias(name) for name in wanted
            ).drop(f"{name}__found" for name in wanted)
        return homes


_FIELDS = (
    Field(
        "property_type",
        FieldType.CATEGORY,
        Combine.FIRST,
        Category.HOUSING,
        description="Sort of home, from its class in the gazetteer",
        codes=classes.PROPERTY_TYPES,
    ),
    Field(
        "is_hmo",
        FieldType.BOOLEAN,
        Combine.ANY,
        Category.HOUSING,
        description="House in multiple occupation, or a part of one",
    ),
    Field(
        "is_communal",
        FieldType.BOOLEAN,
        Combine.ANY,
        Category.HOUSING,
        description="Communal establishment, such as a care home or a hall of residence",
    ),
)


def _area_fields(census: int) -> Iterator[Field]:
    year = census % 100
    titles = {
        "oa": ("Output area", f"oa{year}"),
        "lsoa": ("Lower layer super output area", f"lsoa{year}"),
        "ward": ("Electoral ward", ""),
        "district": ("Local authority district", ""),
    }
    for name, (title, area_type) in titles.items():
        yield Field(
            name,
            FieldType.AREA,
            Combine.FIRST,
            Category.GEOGRAPHY,
            description=f"{title} of the property",
            area_type=area_type,
        )
