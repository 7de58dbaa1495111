"""Extracts of changes: each record says from when it holds, so that a past day has its own.

An extract as councils send it describes one day. Where outcomes are rehearsed, systems write a row
for each change: an account as it was opened, then what was added to it. Combined as the mappings
say (sums, largest values, any), the rows up to a day give what was known on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from folkmoot_rehearsal.circumstances import Dates
from folkmoot_rehearsal.outcomes.events import Lived
from folkmoot_rehearsal.population import Population
from folkmoot_rehearsal.rounding import Integers

UNDATED = ("llpg", "housing")
"""Sources that describe one day alone: a back-test has to accept them by name."""
_TRUE_UPRN = "__uprn"
"""Column in which an extract carries the home of a record without a UPRN; see `unmatched`."""
_AT, _DAY = "__at", "__day"
_NEW = "RecordedOn"
"""Heading of a column of dates that an extract did not have."""


@dataclass(frozen=True, slots=True)
class _Later:
    """What is added to a record after it was opened.

    Attributes:
        onset: When; a name of `history.ONSETS`.
        columns: Places of the columns that say it, and what they say before.
    """

    onset: str
    columns: tuple[tuple[int, str | None], ...]


@dataclass(frozen=True, slots=True)
class _Dated:
    """How an extract gets its dates.

    Attributes:
        uprn: Place of the column of the UPRN.
        later: What is added to a record.
        onset: When a record begins that is written once; empty for the day of the account.
        column: Place of the column of dates; None for a new one at the end.
        format: Of the dates in the file; empty for a typed column.
    """

    uprn: int
    later: tuple[_Later, ...] = ()
    onset: str = ""
    column: int | None = None
    format: str = "%d/%m/%Y"


def _council_tax(*, second: bool) -> _Dated:
    no, none = ("0", "0") if second else ("N", "NONE")
    return _Dated(
        uprn=1,
        later=(
            _Later("discount", ((4, none), (5, None))),
            _Later("support", ((6, no),)),
            _Later("arrears", ((7, "0.00"),)),
        ),
        column=8,
        format="%Y-%m-%d" if second else "%d/%m/%Y",
    )


_SOURCES = {
    "housing_benefit": _Dated(
        uprn=1,
        later=(_Later("housing_benefit", ((3, "N"),)), _Later("universal_credit", ((4, "N"),))),
    ),
    "rents": _Dated(
        uprn=1,
        later=(_Later("rent_arrears", ((3, "0.00"),)), _Later("tenancy_change", ((4, "-"),))),
    ),
    "adult_social_care": _Dated(uprn=1, onset="care", column=3, format=""),
    "shielded_list": _Dated(uprn=6, onset="shielded"),
    "childrens_services": _Dated(uprn=1, onset="children_services"),
}


def dated(
    source: str, frame: pl.DataFrame, population: Population, lived: Lived, rng: np.random.Generator
) -> tuple[pl.DataFrame, str]:
    """Gives the records of an extract the days from which they hold.

    Args:
        source: Name of the source.
        frame: Its extract, as it is without outcomes.
        population: The council.
        lived: Its two years.
        rng: Source of randomness for the order of rows.

    Returns:
        The extract, with more rows and perhaps one more column; and the line to add to its mapping,
        empty if it has a record date already, or none at all.
    """
    if source == "deaths":
        return frame, _line("DateOfDeath", "%d/%m/%Y")
    if source == "domestic_abuse":
        return _reports(frame, population, lived, rng), _line("LastReport", "%Y-%m-%d")
    second = population.council.index % 2 == 1
    how = _council_tax(second=second) if source == "council_tax" else _SOURCES.get(source)
    if how is None:
        return frame, ""
    home = _homes(frame, frame.columns[how.uprn], population)
    opened = lived.history.opened[home]
    begins = _onset(lived, how.onset, home) if how.onset else opened
    later = {
        one.onset: {frame.columns[place]: text for place, text in one.columns} for one in how.later
    }

    def before(records: pl.DataFrame, *, but: str = "") -> pl.DataFrame:
        """Records as they were before anything was added to them, but for one thing."""
        return records.with_columns(
            pl.lit(text, pl.String).alias(name)
            for onset, columns in later.items()
            if onset != but
            for name, text in columns.items()
        )

    rows = [before(_at(frame, begins))]
    for onset, columns in later.items():
        differs = pl.any_horizontal(
            pl.col(name).ne_missing(pl.lit(text, pl.String)) for name, text in columns.items()
        )
        added = _at(frame, _onset(lived, onset, home)).filter(differs)
        rows.append(before(added, but=onset))
    made = pl.concat(rows)
    shown = pl.col(_DAY) if not how.format else pl.col(_DAY).dt.strftime(how.format)
    name = _NEW if how.column is None else frame.columns[how.column]
    made = made.with_columns(shown.alias(name)).select(
        *frame.columns, *([name] if how.column is None else [])
    )
    shuffled = made[rng.permutation(made.height)]
    # The mapping of council tax names the column already.
    return shuffled, "" if source == "council_tax" else _line(name, how.format)


def _line(column: str, form: str) -> str:
    written = f', format = "{form}"' if form else ""
    return f'record_date = {{ column = "{column}"{written} }}\n'


def _at(frame: pl.DataFrame, day: Dates) -> pl.DataFrame:
    return frame.with_columns(pl.Series(_DAY, day.astype("datetime64[D]"), pl.Date))


def _onset(lived: Lived, name: str, home: Integers) -> Dates:
    """When it began in each record's home; where it never did, the day of the account."""
    began = lived.history.since[name][home]
    return np.where(np.isnat(began), lived.history.opened[home], began)


def _homes(frame: pl.DataFrame, uprn: str, population: Population) -> Integers:
    """The household of each record; any where the record says none."""
    said = frame[uprn].cast(pl.Int64, strict=False)
    if _TRUE_UPRN in frame.columns:
        said = said.fill_null(frame[_TRUE_UPRN])
    order = np.argsort(population.uprn)
    known = population.uprn[order]
    wanted = said.fill_null(int(known[0])).to_numpy()
    at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    homes: Integers = order[at]
    return homes


def _reports(
    frame: pl.DataFrame, population: Population, lived: Lived, rng: np.random.Generator
) -> pl.DataFrame:
    """A row for each report, in place of one for each household.

    Each has a reference of its own: two reports of one day would else be one row twice.
    """
    numbered = frame.with_row_index(_AT)
    home = _homes(frame, "UPRN", population)
    read = frame["Reports"].str.contains("^[1-9][0-9]*$") & frame["UPRN"].is_not_null()
    whole = numbered.filter(read)
    history = lived.history
    by_home = _grouped(history.report_of, len(population.uprn))
    row, day = [], []
    for at in whole[_AT].to_list():
        for report in by_home[home[at]]:
            row.append(at)
            day.append(history.reported[report])
    apart = numbered[np.array(row, dtype=np.int64)].with_columns(
        pl.concat_str("Reference", pl.int_range(pl.len()).over(_AT) + 1, separator="-"),
        pl.lit("1").alias("Reports"),
        pl.Series("LastReport", np.array(day, dtype="datetime64[D]"), pl.Date).cast(pl.String),
    )
    made = pl.concat([apart, numbered.filter(~read)]).drop(_AT)
    return made[rng.permutation(made.height)]


def _grouped(of: Integers, size: int) -> Sequence[Sequence[int]]:
    ends = np.cumsum(np.bincount(of, minlength=size)).tolist()
    return [range(first, end) for first, end in pairwise([0, *ends])]
