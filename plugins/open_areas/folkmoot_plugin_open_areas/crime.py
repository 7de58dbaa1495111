"""The data source `police_crime`: street-level crime as police.uk publishes it each month.

Source: data.police.uk, `*-street.csv`. Places are approximate: police.uk moves each crime
to the nearest of a list of map points, and gives the LSOA of that point.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from folkmoot_plugin_extracts.files import find_files
from folkmoot_plugin_open_areas.area_table import empty_records
from folkmoot_plugin_open_areas.crime_records import (
    CRIME_TYPES,
    CRIMES,
    TYPE,
    VINTAGE,
    CrimeRecords,
    first_day,
)
from folkmoot_plugin_open_areas.lsoa_lookup import (
    NEW,
    OLD,
    LookupOptions,
    LsoaLookup,
    load_lookup,
)
from folkmoot_plugin_open_areas.population import PopulationOptions, read_population
from folkmoot_sdk import (
    Category,
    Combine,
    DataSource,
    Field,
    FieldType,
    ReadContext,
    RecordLevel,
    Records,
    Schema,
)
from folkmoot_sdk.parameters import parameter
from folkmoot_sdk.schema import AREA_COLUMN
from folkmoot_sdk.source import SourceOptions

ALL = "all"
_TYPES = (ALL, *CRIME_TYPES.values())
_BASES = {"residents": "per_1000_residents", "households": "per_1000_households"}


@dataclass(frozen=True, slots=True)
class CrimeOptions(SourceOptions):
    """Options of the source, in `node.toml`."""

    folder: Path = parameter(description="Folder of the files, relative to the node's home.")
    lookup: LookupOptions = parameter(
        description="From LSOAs of 2011 to those of 2021; also checks the codes."
    )
    files: tuple[str, ...] = parameter(
        default=("*-street.csv*",), description="Patterns of their names; folders as in `*/*.csv`."
    )
    first_month: str = parameter(
        default="", description="First month that is counted, as in 2026-01; all if empty."
    )
    last_month: str = parameter(default="", description="Last month that is counted.")
    lsoas: int = parameter(
        default=OLD,
        description="LSOAs of the files, 2011 or 2021. A code that only the other year has is "
        "read as one of that year.",
    )
    forces: tuple[str, ...] = parameter(
        default=(),
        description="Police forces that must have a record of each month, as the files name them; "
        "all that are found if empty.",
    )
    population: PopulationOptions | None = parameter(
        default=None, description="Residents and households by LSOA of 2021, for rates."
    )

    def __post_init__(self) -> None:
        if self.lsoas not in (OLD, NEW):
            raise ValueError(f"lsoas {self.lsoas} is neither 2011 nor 2021")
        for month in (self.first_month, self.last_month):
            if month:
                first_day(month)
        if self.first_month and self.last_month and self.first_month > self.last_month:
            raise ValueError("first_month is after last_month")


class PoliceCrime(DataSource):
    """Crimes and incidents by LSOA of 2021 over the chosen months."""

    kind = "police_crime"
    Options = CrimeOptions

    def __init__(self, options: CrimeOptions) -> None:
        super().__init__(options)
        self._options = options
        bases = options.population.bases if options.population else ()
        self._schema = Schema(
            name="police_crime",
            level=RecordLevel.AREA,
            fields=tuple(_fields(bases)),
            supplier="Home Office (data.police.uk)",
            area_type=f"lsoa{NEW % 100}",
        )

    @property
    def schema(self) -> Schema:
        """A count for each type of crime, and rates if there is a population table."""
        return self._schema

    def read(self, context: ReadContext) -> Iterator[Records]:
        """Yields one record for each LSOA in which something was recorded.

        Raises:
            PluginError: If a file cannot be read or holds the crimes of another, or a month is
                missing.
        """
        options = self._options
        lookup = load_lookup(options.base, options.lookup)
        paths = find_files(options.base / options.folder, options.files)
        records = CrimeRecords(
            lookup,
            options.lsoas,
            first_day(options.first_month or "0001-01"),
            first_day(options.last_month or "9999-12"),
            options.forces,
        )
        counts = records.read(paths, context)
        records.check_months(
            options.base / options.folder,
            first=bool(options.first_month),
            last=bool(options.last_month),
        )
        old = lookup.counts(_by_type(counts.filter(pl.col(VINTAGE) == OLD)), _TYPES)
        new = _by_type(counts.filter(pl.col(VINTAGE) == NEW))
        wide = pl.concat([old, new]).group_by(AREA_COLUMN).sum().sort(AREA_COLUMN)
        frame = self._with_rates(wide, lookup, context)
        names = [name for name in frame.columns if name in context.fields]
        # The counts rest on all files alike: the last is the records' origin, and the others
        # are named without a record.
        *others, last = paths
        folder = options.base / options.folder
        yield from empty_records(self._schema, names, (_name(p, folder) for p in others))
        yield Records(frame.select(AREA_COLUMN, *names), _name(last, folder))

    def _with_rates(
        self, counts: pl.DataFrame, lookup: LsoaLookup, context: ReadContext
    ) -> pl.DataFrame:
        frame = counts.rename({kind: f"crime_{kind}" for kind in _TYPES})
        table = self._options.population
        if table is None:
            return frame
        people = read_population(self._options.base, table, lookup, context)
        frame = frame.join(people, on=AREA_COLUMN, how="left")
        rates = []
        for base in table.bases:
            # Nobody lives there: a rate has no meaning.
            number = pl.when(pl.col(base) > 0).then(pl.col(base))
            for kind in _TYPES:
                rate = pl.col(f"crime_{kind}") * 1000 / number
                rates.append(rate.alias(f"crime_{kind}_{_BASES[base]}"))
        return frame.with_columns(rates)


def _by_type(counts: pl.DataFrame) -> pl.DataFrame:
    """One row for each LSOA, one column for each type; 0 for types that it has no crimes of."""
    sums = [
        pl.col(CRIMES).filter(pl.col(TYPE) == kind).sum().cast(pl.Float64).alias(kind)
        for kind in _TYPES[1:]
    ]
    total = pl.col(CRIMES).sum().cast(pl.Float64).alias(ALL)
    return counts.group_by(AREA_COLUMN).agg(total, *sums).sort(AREA_COLUMN)


def _fields(bases: tuple[str, ...]) -> Iterator[Field]:
    words = {ALL: "All crimes and incidents"} | {slug: text for text, slug in CRIME_TYPES.items()}
    for kind in _TYPES:
        yield _field(f"crime_{kind}", f"{words[kind]} recorded in the neighbourhood", "crimes")
    for base in bases:
        for kind in _TYPES:
            yield _field(
                f"crime_{kind}_{_BASES[base]}",
                f"{words[kind]} recorded in the neighbourhood, for each 1,000 {base}",
                f"crimes per 1,000 {base}",
            )


def _field(name: str, description: str, unit: str) -> Field:
    return Field(
        name,
        FieldType.NUMBER,
        Combine.FIRST,
        Category.SAFETY,
        description=f"{description}, over the months counted",
        unit=unit,
        minimum=0,
    )


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
