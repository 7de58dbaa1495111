"""The data source `police_crime`: street-level crime as police.uk publishes it each month.

Source: data.police.uk, `*-street.csv`. Places are approximate: police.uk moves each crime
to the nearest of a list of map points, and gives the LSOA of that point.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from folkmoot_plugin_extracts.columns import Area, CodeList, Reader
from folkmoot_plugin_extracts.csv_file import read_csv
from folkmoot_plugin_extracts.dialect import Dialect
from folkmoot_plugin_extracts.files import find_files
from folkmoot_plugin_extracts.parsing import Output, Parser, parser
from folkmoot_plugin_open_areas.area_table import ROW, empty_records, with_rows
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
    PluginError,
    ReadContext,
    RecordLevel,
    Records,
    Rejection,
    Schema,
)
from folkmoot_sdk.parameters import parameter
from folkmoot_sdk.schema import AREA_COLUMN
from folkmoot_sdk.source import SourceOptions

CRIME_TYPES = {
    "Anti-social behaviour": "anti_social_behaviour",
    "Bicycle theft": "bicycle_theft",
    "Burglary": "burglary",
    "Criminal damage and arson": "criminal_damage",
    "Drugs": "drugs",
    "Other crime": "other",
    "Other theft": "other_theft",
    "Possession of weapons": "weapons",
    "Public order": "public_order",
    "Robbery": "robbery",
    "Shoplifting": "shoplifting",
    "Theft from the person": "theft_from_person",
    "Vehicle crime": "vehicle",
    "Violence and sexual offences": "violence",
}
"""From the file's words to the end of a field's name."""
ALL = "all"
_TYPES = (ALL, *CRIME_TYPES.values())
_BASES = {"residents": "per_1000_residents", "households": "per_1000_households"}
_COUNTED = {AREA_COLUMN: pl.String, "type": pl.String, "crimes": pl.UInt32}
_MONTH, _CODE, _TYPE = "Month", "LSOA code", "Crime type"


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
    lsoas: int = parameter(default=OLD, description="LSOAs of the files: those of 2011 or 2021.")
    population: PopulationOptions | None = parameter(
        default=None, description="Residents and households by LSOA of 2021, for rates."
    )

    def __post_init__(self) -> None:
        if self.lsoas not in (OLD, NEW):
            raise ValueError(f"lsoas {self.lsoas} is neither 2011 nor 2021")
        for month in (self.first_month, self.last_month):
            if month:
                _first_day(month)
        if self.first_month and self.last_month and self.first_month > self.last_month:
            raise ValueError("first_month is after last_month")


@dataclass(frozen=True, slots=True)
class Month(Reader):
    """A month such as 2026-01: its first day."""

    def parse(self, raw: pl.Series) -> pl.Series:
        """See `Reader`."""
        whole = raw.set(~raw.str.contains(r"^\d{4}-\d{2}$"), None)
        return (whole + "-01").str.to_date("%Y-%m-%d", strict=False)

    def fault(self, text: str) -> str:
        """See `Reader`."""
        return f"{text} is not a month (YYYY-MM)"


_OUTPUTS = (
    Output(AREA_COLUMN, _CODE, Area()),
    Output("month", _MONTH, Month()),
    Output("type", _TYPE, CodeList(tuple(CRIME_TYPES.items()), _TYPES)),
)


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
            PluginError: If a file cannot be read, a month is missing, or LSOAs have
                another vintage.
        """
        options = self._options
        lookup = load_lookup(options.base, options.lookup)
        paths = find_files(options.base / options.folder, options.files)
        months: set[datetime.date] = set()
        with parser(_OUTPUTS, ()) as reading:
            counted = [self._counted(path, lookup, months, context, reading) for path in paths]
        self._check_months(months)
        counts = pl.concat(counted).group_by(AREA_COLUMN, "type").agg(pl.col("crimes").sum())
        wide = _by_type(counts)
        if options.lsoas == OLD:
            wide = lookup.counts(wide, _TYPES)
        frame = self._with_rates(wide, lookup, context)
        names = [name for name in frame.columns if name in context.fields]
        # The counts rest on all files alike: the last is the records' origin, and the others
        # are named without a record.
        *others, last = paths
        folder = options.base / options.folder
        yield from empty_records(self._schema, names, (_name(p, folder) for p in others))
        yield Records(frame.select(AREA_COLUMN, *names), _name(last, folder))

    def _counted(
        self,
        path: Path,
        lookup: LsoaLookup,
        months: set[datetime.date],
        context: ReadContext,
        reading: Parser,
    ) -> pl.DataFrame:
        """Number of crimes by LSOA and type in one file."""
        low = _first_day(self._options.first_month or "0001-01")
        high = _first_day(self._options.last_month or "9999-12")
        counted = [pl.DataFrame(schema=_COUNTED)]
        columns = tuple(output.column for output in _OUTPUTS)
        for batch in read_csv(path, columns, Dialect(), context.reject):
            values, rows = reading.whole(path.name, batch, context.reject)
            frame = with_rows(values, rows.numbers())
            for name, column in (("month", _MONTH), ("type", _TYPE)):
                empty = frame[name].is_null()
                context.reject([
                    Rejection(path.name, row, column, "is empty")
                    for row in frame.filter(empty)[ROW]
                ])  # fmt: skip
                frame = frame.filter(~empty)
            chosen = frame["month"].is_between(low, high)
            context.leave_out("of a month that is not counted", int((~chosen).sum()))
            frame = frame.filter(chosen)
            months.update(frame["month"].unique())
            located = frame[AREA_COLUMN].is_not_null()
            context.leave_out("not located: the crime has no LSOA", int((~located).sum()))
            frame = frame.filter(located)
            unknown = lookup.unknown(str(path), frame[AREA_COLUMN], self._options.lsoas)
            context.reject([
                Rejection(path.name, row, _CODE, f"{code} is not an LSOA in the lookup", code)
                for row, code in frame.filter(unknown).select(ROW, AREA_COLUMN).iter_rows()
            ])  # fmt: skip
            frame = frame.filter(~unknown).with_columns(pl.col("type").cast(pl.String))
            context.leave_out("added to the counts of its LSOA", frame.height)
            counted.append(frame.group_by(AREA_COLUMN, "type").agg(pl.len().alias("crimes")))
        return pl.concat(counted)

    def _check_months(self, months: set[datetime.date]) -> None:
        options = self._options
        where = f"{options.base / options.folder}"
        if not months:
            raise PluginError(
                where, "holds no record of the months that are counted", "Correct the months"
            )
        month = _first_day(options.first_month) if options.first_month else min(months)
        last = _first_day(options.last_month) if options.last_month else max(months)
        while month <= last:
            if month not in months:
                raise PluginError(
                    where,
                    f"holds no record of {month:%Y-%m}, so that counts would be too low",
                    "Add the file of that month, or change first_month and last_month",
                )
            month = (month + datetime.timedelta(days=31)).replace(day=1)

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
        pl.col("crimes").filter(pl.col("type") == kind).sum().cast(pl.Float64).alias(kind)
        for kind in _TYPES[1:]
    ]
    total = pl.col("crimes").sum().cast(pl.Float64).alias(ALL)
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


def _first_day(month: str) -> datetime.date:
    """The first day of a month.

    Raises:
        ValueError: If it is not written as in 2026-01.
    """
    try:
        return datetime.datetime.strptime(month, "%Y-%m").date()
    except ValueError:
        raise ValueError(f"{month!r} is not a month; write it as in 2026-01") from None


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
