"""The published table: one row for each estimate, made a piece at a time.

Text repeats in millions of rows, so that it is kept as numbers of a list: Polars' enumerations,
which Parquet stores as dictionaries. No more than one piece of the table is in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from folkmoot.attributes import OTHER, Attribute
from folkmoot.interval import CONFIDENCE
from folkmoot.precision import RELIABLE_BELOW, UNRELIABLE_ABOVE
from folkmoot_coordinator.aggregation.statistic import (
    RELIABILITIES,
    CellTable,
    GeographicLevel,
    RegionalStatistic,
    coefficients_of_variation,
    half_widths,
    reliability_numbers,
)
from folkmoot_coordinator.rounds.code_names import NO_NAMES, CodeNames

ROWS_AT_ONCE = 250_000
"""Rows of one piece, and so of one row group in Parquet; fewer in the last one."""

DESCRIPTIONS = {
    "withdrawn": "why the figure is wrong and must not be used; empty where it stands",
    "level": "council; region: the councils that released, together; all_areas: the same, of a "
    "marginal over areas, with all areas together. Add up rows of one level and one marginal only",
    "place": "GSS code of the council, or the region's name",
    "place_name": "name of the council or region; empty where it is not known",
    "coverage": "councils that the round's regional figures are from; empty for a council",
    "as_of": "date of the scores that were counted, or first/last date where councils differ; "
    "empty where a council did not say",
    "marginal": "what was counted: attributes joined by *, or total; all "
    "marginals agree with each other",
    "value": "households, with noise; best linear unbiased estimate, may be negative",
    "standard_error": "of the noise, households",
    "lower": f"lower end of the {CONFIDENCE:.0%} interval, households",
    "upper": f"upper end of the {CONFIDENCE:.0%} interval, households",
    "coefficient_of_variation": "standard error over value; empty where value is not positive",
    "reliability": f"reliable: coefficient of variation below {RELIABLE_BELOW:.0%}; unreliable: "
    f"above {UNRELIABLE_ABOVE:.0%}, or value not positive; use with caution: between",
    "presentable": "whole households, not negative, sums agree, for tables that people read; "
    "biased, see `presentable.bias`; empty where the marginal is not presented",
}


def column_of(attribute: str) -> str:
    """The attribute's column; with an underscore where the name is taken."""
    return f"{attribute}_" if attribute in DESCRIPTIONS else attribute


@dataclass(frozen=True, slots=True)
class NoteColumn:
    """A column that says more about the codes of an attribute.

    Attributes:
        name: Of the column.
        attribute: Whose codes.
        texts: For each code what the column says; those that are not in it have null.
        description: What it says.
    """

    name: str
    attribute: str
    texts: Mapping[str, str]
    description: str


def note_columns(attributes: Iterable[Attribute], code_names: CodeNames) -> list[NoteColumn]:
    """The columns of names and of larger areas, for attributes that have them."""
    attributes = list(attributes)
    taken = {*DESCRIPTIONS, *(column_of(attribute.name) for attribute in attributes)}
    found = []
    for one in attributes:
        names = code_names.of(one.name)
        if names:
            text = f"name of the code of {one.name}; empty where it is not known"
            found.append(NoteColumn(_free(f"{one.name}_name", taken), one.name, names, text))
        if one.within:
            parents = dict(one.parents) | ({OTHER: OTHER} if one.others else {})
            text = f"code of {one.within} in which that of {one.name} lies"
            found.append(NoteColumn(_free(f"{one.name}_within", taken), one.name, parents, text))
    return found


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_2"  # an underscore alone stands for an attribute whose name is taken
    taken.add(name)
    return name


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Statistics that stand together in the table.

    Attributes:
        statistics: Their order is that of the rows.
        coverage: Which councils the regional figures are from.
        as_of: Date of the scores that were counted, by council, as far as it is known.
        month: Of a series: number of the round in it; else None.
        measure: Of a series: what is counted; else None.
        withdrawn: Why the figures must not be used; None if they stand.
    """

    statistics: Sequence[RegionalStatistic]
    coverage: str
    month: int | None = None
    measure: str | None = None
    as_of: Mapping[str, date] = field(default_factory=dict)
    withdrawn: str | None = None

    def as_of_region(self) -> str | None:
        """The date of all councils' scores, or first and last; None if one is not known."""
        councils = {one.place for one in self.statistics if one.level is GeographicLevel.COUNCIL}
        if not councils or not councils <= set(self.as_of):
            return None
        first, last = (choose(self.as_of[one] for one in councils) for choose in (min, max))
        return first.isoformat() if first == last else f"{first}/{last}"


class _Rows(NamedTuple):
    """A run of rows of one table."""

    part: Part
    statistic: RegionalStatistic
    table: CellTable
    first: int
    last: int


class LongTable:
    """The table of a round or a series, before it is made.

    Args:
        attributes: The round's; each has a column, null where a marginal does not use it.
        parts: The statistics.
        names: Names of councils by GSS code, as far as they are known.
        code_names: Names of codes, as far as they are known.
        in_series: True for columns `month` and `measure`, and no column `presentable`.
            A column `withdrawn` is there only where figures were withdrawn, `as_of` only where a
            date is known.

    Attributes:
        rows: Number of rows.
        schema: Columns and their types.
    """

    def __init__(
        self,
        attributes: Iterable[Attribute],
        parts: Sequence[Part],
        names: Mapping[str, str],
        code_names: CodeNames = NO_NAMES,
        *,
        in_series: bool = False,
    ) -> None:
        self._parts = parts
        self._names = names
        self._in_series = in_series
        self._fixed = {name: _Texts() for name in _FIXED}
        attributes = tuple(attributes)
        self._codes = {attribute.name: _Texts() for attribute in attributes}
        self._has_dates = any(part.as_of for part in parts)
        self._has_withdrawn = any(part.withdrawn is not None for part in parts)
        # Looked up for each run of rows, and found from all statistics of a part.
        self._of_region = {id(part): part.as_of_region() for part in parts}
        self._fixed["reliability"].add(RELIABILITIES.tolist())
        for part, statistic in self._statistics():
            for name, text in self._constants(part, statistic).items():
                self._fixed[name].add([] if text is None else [text])
            for at, attribute in enumerate(statistic.marginal.attributes):
                for table in statistic.tables:
                    self._codes[attribute].add_list(table.lists[at])
        self._notes = {
            one.name: (one.attribute, _Notes(self._codes[one.attribute], one.texts))
            for one in note_columns(attributes, code_names)
        }
        self.rows = sum(len(statistic) for _, statistic in self._statistics())
        self.schema = self._frame([]).schema

    def pieces(self) -> Iterator[pl.DataFrame]:
        """The table in order, `ROWS_AT_ONCE` rows at a time.

        Yields:
            One row for each estimate, with the columns and types of `schema`; nulls as the class
            says.
        """
        waiting: list[_Rows] = []
        count = 0
        for rows in self._runs():
            waiting.append(rows)
            count += rows.last - rows.first
            if count >= ROWS_AT_ONCE:
                yield self._frame(waiting)
                waiting, count = [], 0
        if waiting or not self.rows:
            yield self._frame(waiting)

    def _statistics(self) -> Iterator[tuple[Part, RegionalStatistic]]:
        return ((part, statistic) for part in self._parts for statistic in part.statistics)

    def _runs(self) -> Iterator[_Rows]:
        for part, statistic in self._statistics():
            for table in statistic.tables:
                for first in range(0, len(table), ROWS_AT_ONCE):
                    last = min(first + ROWS_AT_ONCE, len(table))
                    yield _Rows(part, statistic, table, first, last)

    def _constants(self, part: Part, statistic: RegionalStatistic) -> dict[str, str | None]:
        region = statistic.level is not GeographicLevel.COUNCIL
        return {
            "withdrawn": part.withdrawn,
            "measure": part.measure,
            "level": statistic.level.value,
            "place": statistic.place,
            "place_name": statistic.place if region else self._names.get(statistic.place),
            "coverage": part.coverage if region else None,
            "as_of": self._of_region[id(part)] if region else _date(part.as_of, statistic.place),
            "marginal": statistic.marginal.name,
        }

    def _frame(self, runs: Sequence[_Rows]) -> pl.DataFrame:
        sizes = [run.last - run.first for run in runs]
        constants = [self._constants(run.part, run.statistic) for run in runs]
        columns = {
            name: self._fixed[name].repeated([one[name] for one in constants], sizes)
            for name in _FIXED
            if name != "reliability"
        }
        if self._in_series:
            months = np.repeat(np.array([run.part.month for run in runs], dtype=np.int32), sizes)
            columns = {"month": pl.Series(months, dtype=pl.Int32)} | columns
        else:
            del columns["measure"]
        if not self._has_dates:
            del columns["as_of"]
        if not self._has_withdrawn:
            del columns["withdrawn"]
        for name, texts in self._codes.items():
            columns[column_of(name)] = texts.of([_codes_of(run, name) for run in runs])
        for name, (attribute, notes) in self._notes.items():
            columns[name] = notes.of(columns[column_of(attribute)])
        columns |= self._figures(runs)
        return pl.DataFrame(columns)

    def _figures(self, runs: Sequence[_Rows]) -> dict[str, pl.Series]:
        value = _concatenated([run.table.value[run.first : run.last] for run in runs])
        variance = _concatenated([run.table.variance[run.first : run.last] for run in runs])
        error = np.sqrt(variance)
        sizes = [run.last - run.first for run in runs]
        quantile = np.repeat([run.statistic.quantile for run in runs], sizes)
        step = np.repeat([run.statistic.step for run in runs], sizes)
        width = half_widths(error, quantile, step)
        variation = coefficients_of_variation(value, error)
        figures = {
            "value": pl.Series(value),
            "standard_error": pl.Series(error),
            "lower": pl.Series(value - width),
            "upper": pl.Series(value + width),
            "coefficient_of_variation": pl.Series(variation, nan_to_null=True),
            "reliability": self._fixed["reliability"].series(reliability_numbers(variation)),
        }
        return figures if self._in_series else figures | {"presentable": _presentable(runs)}


_FIXED = (
    *("withdrawn", "measure", "level", "place", "place_name"),
    *("coverage", "as_of", "marginal", "reliability"),
)


def _date(dates: Mapping[str, date], place: str) -> str | None:
    return dates[place].isoformat() if place in dates else None


class _Texts:
    """The texts of one column, each once, in the order in which they were first seen."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._lists: dict[tuple[str, ...], NDArray[np.uint32]] = {}
        self._with_null: pl.Series | None = None

    def add(self, texts: Iterable[str]) -> None:
        for text in texts:
            self._numbers.setdefault(text, len(self._numbers))

    def add_list(self, codes: tuple[str, ...]) -> None:
        if codes not in self._lists:
            self.add(codes)
            self._lists[codes] = np.array([self._numbers[code] for code in codes], np.uint32)

    def series(self, numbers: NDArray[Any]) -> pl.Series:
        """A column from the texts' numbers; as many as there are texts stands for null."""
        if self._with_null is None:
            listed = list(self._numbers)
            self._with_null = pl.Series([*listed, None], dtype=pl.Enum(listed))
        return self._with_null.gather(pl.Series(numbers, dtype=pl.UInt32))

    def repeated(self, texts: Sequence[str | None], sizes: Sequence[int]) -> pl.Series:
        """Each text, or null, as often as it is said."""
        return self.series(np.repeat(self.numbers(texts), sizes))

    @property
    def listed(self) -> list[str]:
        """The texts in their order."""
        return list(self._numbers)

    def numbers(self, texts: Sequence[str | None]) -> NDArray[np.uint32]:
        """Numbers of texts, uint32, shape (texts,); of null as many as there are texts."""
        null = len(self._numbers)
        found = [null if text is None else self._numbers[text] for text in texts]
        return np.array(found, dtype=np.uint32)

    def of(self, runs: Sequence[tuple[tuple[str, ...], NDArray[Any]] | int]) -> pl.Series:
        """Runs of codes, each as its list and places in it; a number stands for so many nulls."""
        null = len(self._numbers)
        return self.series(
            _concatenated(
                [
                    np.full(run, null, dtype=np.uint32)
                    if isinstance(run, int)
                    else self._lists[run[0]][run[1]]
                    for run in runs
                ]
            )
        )


class _Notes:
    """A column that follows from the codes of another."""

    def __init__(self, codes: _Texts, texts: Mapping[str, str]) -> None:
        listed = codes.listed
        said = [texts.get(code) for code in listed]
        self._texts = _Texts()
        self._texts.add(text for text in said if text is not None)
        numbers = self._texts.numbers([*said, None])
        self._numbers = pl.Series(numbers, dtype=pl.UInt32)
        self._null = len(listed)

    def of(self, codes: pl.Series) -> pl.Series:
        """What is said of each code of a column; null where it is."""
        places = codes.to_physical().cast(pl.UInt32).fill_null(self._null)
        return self._texts.series(self._numbers.gather(places).to_numpy())


def _codes_of(run: _Rows, attribute: str) -> tuple[tuple[str, ...], NDArray[Any]] | int:
    names = run.statistic.marginal.attributes
    if attribute not in names:
        return run.last - run.first
    at = names.index(attribute)
    return run.table.lists[at], run.table.code_numbers(run.first, run.last)[at]


def _presentable(runs: Sequence[_Rows]) -> pl.Series:
    shown = [run.table.presentable for run in runs]
    sizes = [run.last - run.first for run in runs]
    values = pl.Series(
        _concatenated(
            [
                np.zeros(size, dtype=np.int64) if one is None else one[run.first : run.last]
                for run, one, size in zip(runs, shown, sizes, strict=True)
            ]
        ),
        dtype=pl.Int64,
    )
    missing = np.repeat([one is None for one in shown], sizes).astype(bool)
    return values.set(pl.Series(missing), None) if missing.any() else values


def _concatenated(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(arrays) if arrays else np.zeros(0)
