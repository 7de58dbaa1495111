"""Residents and households by area: what rates are rates of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from folkmoot_plugin_extracts.columns import Area
from folkmoot_plugin_extracts.csv_file import read_csv
from folkmoot_plugin_extracts.dialect import Dialect
from folkmoot_plugin_extracts.numbers import Number
from folkmoot_plugin_extracts.parsing import Output, parser
from folkmoot_plugin_open_areas.area_table import all_of
from folkmoot_plugin_open_areas.lsoa_lookup import NEW, LsoaLookup
from folkmoot_sdk import PluginError, ReadContext
from folkmoot_sdk.parameters import parameter
from folkmoot_sdk.schema import AREA_COLUMN


@dataclass(frozen=True, slots=True)
class PopulationOptions:
    """Table `population`: a CSV file with one row for each LSOA of 2021."""

    file: Path = parameter(description="CSV file, relative to the node's home.")
    area: str = parameter(default="LSOA21CD", description="Column of the LSOA of 2021.")
    residents: str = parameter(default="", description="Column of residents; empty if none.")
    households: str = parameter(default="", description="Column of households; empty if none.")
    encoding: str = parameter(default="utf-8", description="Encoding of the file.")

    def __post_init__(self) -> None:
        Dialect(encoding=self.encoding)
        if not self.bases:
            raise ValueError("population names neither a column of residents nor of households")

    @property
    def bases(self) -> tuple[str, ...]:
        """What the table counts: residents, households or both."""
        return tuple(name for name in ("residents", "households") if getattr(self, name))


def read_population(
    base: Path, options: PopulationOptions, lookup: LsoaLookup, context: ReadContext
) -> pl.DataFrame:
    """Reads the population of LSOAs.

    Returns:
        One row for each LSOA of 2021: `area`, never null, and Float64 `residents` or
        `households` or both, null where the file has no number.

    Raises:
        PluginError: If it cannot be read, names an LSOA twice, or is not for LSOAs of 2021.
    """
    path = base / options.file
    outputs = [Output(AREA_COLUMN, options.area, Area())]
    for name in options.bases:
        outputs.append(Output(name, getattr(options, name), Number(0, None, whole=False)))
    columns = tuple(dict.fromkeys(output.column for output in outputs))
    dialect = Dialect(encoding=options.encoding)
    with parser(outputs, ()) as reading:
        frames = [
            reading.whole(path.name, batch, context.reject)[0]
            for batch in read_csv(path, columns, dialect, context.reject)
        ]
    table = all_of(frames, path).drop_nulls(AREA_COLUMN)
    if lookup.unknown(str(path), table[AREA_COLUMN], NEW).all():
        raise PluginError(
            str(path),
            "has no LSOA of 2021 that the lookup lists",
            "Name the column of LSOAs of 2021 in the option `population.area`",
        )
    if table[AREA_COLUMN].is_duplicated().any():
        raise PluginError(str(path), "names an LSOA twice", "Give one row for each LSOA")
    return table
