"""The data source `indices_of_deprivation`: English Indices of Deprivation 2019 and 2025.

Source: Ministry of Housing, Communities and Local Government, English indices of
deprivation, File 7 (all ranks, scores and deciles), or the tidy tables of the R package
`IMD` (Humaniverse).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from folkmoot_plugin_extracts.csv_file import column_names
from folkmoot_plugin_extracts.dialect import Dialect
from folkmoot_plugin_extracts.mapped_field import MappedField
from folkmoot_plugin_extracts.mapping import FileMapping
from folkmoot_plugin_open_areas.area_table import as_records, pattern_of, read_area_table
from folkmoot_plugin_open_areas.lsoa_lookup import (
    NEW,
    OLD,
    LookupOptions,
    load_lookup,
    stated_vintage,
)
from folkmoot_sdk import (
    Category,
    Combine,
    DataSource,
    FieldType,
    PluginError,
    ReadContext,
    RecordLevel,
    Records,
    Schema,
)
from folkmoot_sdk.parameters import nearest, parameter
from folkmoot_sdk.schema import AREA_COLUMN
from folkmoot_sdk.source import SourceOptions

EDITIONS = {2019: (OLD, 32_844), 2025: (NEW, 33_755)}
"""By edition: the vintage of its LSOAs, and how many there are in England."""
_SUPPLIER = "Ministry of Housing, Communities and Local Government"
_FILE_7_CODE = {OLD: "LSOA code (2011)", NEW: "LSOA code (2021)"}
_TIDY_CODE = {OLD: "lsoa11_code", NEW: "lsoa21_code"}
_RANK = " Rank (where 1 is most deprived)"
_DECILE = " Decile (where 1 is most deprived 10% of LSOAs)"


@dataclass(frozen=True, slots=True)
class _Index:
    """One index or domain.

    Attributes:
        field: Beginning of the fields' names.
        title: In words.
        file_7: Beginning of the columns' names in File 7.
        score: End of the score column's name in File 7.
        tidy: Beginning of the columns' names in the tidy table; empty if it has none.
    """

    field: str
    title: str
    file_7: str
    score: str
    tidy: str

    @property
    def is_rate(self) -> bool:
        return self.score == " Score (rate)"

    def column(self, measure: str, *, tidy: bool) -> str:
        if tidy:
            return f"{self.tidy}_{measure}" if self.tidy else ""
        ends = {"score": self.score, "rank": _RANK, "decile": _DECILE}
        return self.file_7 + ends[measure]


_INDICES = (
    _Index("imd", "Index of Multiple Deprivation",
           "Index of Multiple Deprivation (IMD)", " Score", "IMD"),
    _Index("income_deprivation", "Income deprivation", "Income", " Score (rate)", "Income"),
    _Index("employment_deprivation", "Employment deprivation",
           "Employment", " Score (rate)", "Employment"),
    _Index("education_deprivation", "Education, skills and training deprivation",
           "Education, Skills and Training", " Score", "Education"),
    _Index("health_deprivation", "Health deprivation and disability",
           "Health Deprivation and Disability", " Score", "Health"),
    _Index("crime_deprivation", "Crime", "Crime", " Score", "Crime"),
    _Index("housing_barriers", "Barriers to housing and services",
           "Barriers to Housing and Services", " Score", "Housing_and_Services"),
    _Index("living_environment", "Living environment deprivation",
           "Living Environment", " Score", "Environment"),
    _Index("idaci", "Income Deprivation Affecting Children Index",
           "Income Deprivation Affecting Children Index (IDACI)", " Score (rate)", ""),
    _Index("idaopi", "Income Deprivation Affecting Older People Index",
           "Income Deprivation Affecting Older People (IDAOPI)", " Score (rate)", ""),
)  # fmt: skip
_MEASURES = ("score", "rank", "decile")


@dataclass(frozen=True, slots=True)
class IndicesOptions(SourceOptions):
    """Options of the source, in `node.toml`."""

    file: Path = parameter(description="The CSV file, relative to the node's home.")
    edition: int = parameter(default=2025, description="Edition of the indices: 2019 or 2025.")
    areas: int = parameter(
        default=NEW, description="LSOAs for which values are given: those of 2011 or of 2021."
    )
    lookup: LookupOptions | None = parameter(
        default=None, description="From LSOAs of 2011 to those of 2021; also checks the codes."
    )
    encoding: str = parameter(default="utf-8", description="Encoding of the file.")

    def __post_init__(self) -> None:
        Dialect(encoding=self.encoding)
        if self.edition not in EDITIONS:
            raise ValueError(f"edition {self.edition}: {nearest('', map(str, EDITIONS))}")
        held = EDITIONS[self.edition][0]
        if self.areas not in (OLD, NEW):
            raise ValueError(f"areas {self.areas} is neither 2011 nor 2021")
        if (held, self.areas) == (NEW, OLD):
            raise ValueError(
                f"the edition of {self.edition} is for LSOAs of 2021; it cannot be given for "
                "those of 2011"
            )
        if held != self.areas and self.lookup is None:
            raise ValueError(
                f"the edition of {self.edition} is for LSOAs of {held}, which are not joined to "
                f"those of {self.areas} without the option `lookup`; set `areas = {held}` if "
                f"the homes' areas are LSOAs of {held}"
            )


class IndicesOfDeprivation(DataSource):
    """Scores, ranks and deciles of the English Indices of Deprivation, by LSOA."""

    kind = "indices_of_deprivation"
    Options = IndicesOptions

    def __init__(self, options: IndicesOptions) -> None:
        super().__init__(options)
        self._options = options
        self._vintage = EDITIONS[options.edition][0]
        self._schema = self._mapping(tidy=False).declaration()

    @property
    def schema(self) -> Schema:
        """Ten indices and domains, three measures each."""
        return self._schema

    def read(self, context: ReadContext) -> Iterator[Records]:
        """Yields one record for each LSOA.

        Raises:
            PluginError: If the file cannot be read, is another edition, or holds LSOAs of
                another vintage.
        """
        options = self._options
        path = options.base / options.file
        dialect = Dialect(encoding=options.encoding)
        tidy = not set(_FILE_7_CODE.values()).intersection(column_names(path, dialect))
        found = stated_vintage(path, dialect, _TIDY_CODE if tidy else _FILE_7_CODE)
        if found != self._vintage:
            raise PluginError(
                f"{path}: line 1",
                f"is for LSOAs of {found}, the edition of {options.edition} is for those of "
                f"{self._vintage}",
                "Correct the option `edition` or `file`",
            )
        lacking = [name for name in context.fields if tidy and not self._tidy_column(name)]
        if lacking:
            raise PluginError(
                f"{path}: line 1", f"has no column for {lacking[0]!r}", "Use File 7 as published"
            )
        lookup = load_lookup(options.base, options.lookup) if options.lookup else None
        described = self._mapping(tidy=tidy)
        frame = read_area_table(path, described, context, lookup, self._vintage)
        if lookup is None or options.areas == self._vintage:
            yield as_records(frame, path.name)
            return
        names = [name for name in frame.columns if name in self._schema]
        means = lookup.means(frame.select(AREA_COLUMN, *names), names)
        whole = [n for n in names if self._schema[n].type is FieldType.INTEGER]
        yield Records(means.with_columns(pl.col(whole).round().cast(pl.Int64)), path.name)

    def _tidy_column(self, name: str) -> str:
        index = next(i for i in _INDICES if name.startswith(f"{i.field}_"))
        return index.column(name.removeprefix(f"{index.field}_"), tidy=True)

    def _mapping(self, *, tidy: bool) -> FileMapping:
        code = (_TIDY_CODE if tidy else _FILE_7_CODE)[self._vintage]
        fields = {
            f"{index.field}_{measure}": self._field(index, measure, column)
            for index in _INDICES
            for measure in _MEASURES
            if (column := index.column(measure, tidy=tidy))
        }
        return FileMapping(
            schema=1,
            name="indices_of_deprivation",
            level=RecordLevel.AREA,
            files=pattern_of(self._options.file),
            fields=fields,
            supplier=_SUPPLIER,
            version=str(self._options.edition),
            encoding=self._options.encoding,
            area=code,
            area_type=f"lsoa{self._options.areas % 100}",
        )

    def _field(self, index: _Index, measure: str, column: str) -> MappedField:
        edition, places = self._options.edition, EDITIONS[self._options.edition][1]
        says = {
            "score": "score" + (" (share of people)" if index.is_rate else ""),
            "rank": f"rank among the {places:,} LSOAs of England, 1 the most deprived",
            "decile": "decile in England, 1 the most deprived tenth",
        }[measure]
        bounds = {"score": (None, None), "rank": (1, places), "decile": (1, 10)}[measure]
        if measure == "score" and index.is_rate:
            bounds = (0, 1)
        return MappedField(
            column=column,
            type=FieldType.NUMBER if measure == "score" else FieldType.INTEGER,
            combine=Combine.FIRST,
            category=Category.GEOGRAPHY,
            description=f"{index.title} of the neighbourhood, {says} ({edition})",
            minimum=bounds[0],
            maximum=bounds[1],
        )
