"""The crimes in files of police.uk, each once, and the forces and months that they cover."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from folkmoot_plugin_extracts.codes import CodeList
from folkmoot_plugin_extracts.columns import Area, Text
from folkmoot_plugin_extracts.csv_file import column_names, read_csv
from folkmoot_plugin_extracts.dialect import Dialect
from folkmoot_plugin_extracts.parsing import Output, Parser, parser
from folkmoot_plugin_extracts.reader import Reader
from folkmoot_plugin_open_areas.area_table import ROW, with_rows
from folkmoot_plugin_open_areas.lsoa_lookup import LsoaLookup
from folkmoot_sdk import PluginError, ReadContext, Rejection
from folkmoot_sdk.schema import AREA_COLUMN

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
TYPE, VINTAGE, CRIMES = "type", "vintage", "crimes"
_MONTH, _CODE, _TYPE, _ID = "Month", "LSOA code", "Crime type", "Crime ID"
_FORCES = ("Falls within", "Reported by")
"""Columns of the police force, the first that a file has."""
_FILE, _HASHES = "file", ("first_hash", "second_hash")
_MONTH_AND_FORCE = ("month", "force")


@dataclass(frozen=True, slots=True)
class Month(Reader):
    """A month such as 2026-01: its first day."""

    def parse(self, raw: pl.Series) -> pl.Series:
        """See `Reader`."""
        whole = raw.set(~raw.str.contains(r"^[0-9]{4}-[0-9]{2}$"), None)
        return (whole + "-01").str.to_date("%Y-%m-%d", strict=False)

    def fault(self, text: str) -> str:
        """See `Reader`."""
        return f"{text} is not a month (YYYY-MM)"


_OUTPUTS = (
    Output(AREA_COLUMN, _CODE, Area("lsoa")),
    Output("month", _MONTH, Month()),
    Output(TYPE, _TYPE, CodeList(tuple(CRIME_TYPES.items()), tuple(CRIME_TYPES.values()))),
)


def first_day(month: str) -> datetime.date:
    """The first day of a month.

    Raises:
        ValueError: If it is not written as in 2026-01.
    """
    try:
        return datetime.date.fromisoformat(f"{month}-01")
    except ValueError:
        raise ValueError(f"{month!r} is not a month; write it as in 2026-01") from None


@dataclass
class CrimeRecords:
    """Reads files, and keeps of each crime only what is counted.

    A crime that has an ID counts once, in whichever file it stands. One without, as all anti-social
    behaviour is, counts as often as it stands there: two of them may be alike in all columns.

    Attributes:
        lookup: Lists the LSOAs of 2011 and of 2021.
        vintage: To which a code belongs that both have.
        first: First day of the first month that is counted.
        last: First day of the last one.
        forces: Those that must have each month; all that are found, if it is empty.
    """

    lookup: LsoaLookup
    vintage: int
    first: datetime.date
    last: datetime.date
    forces: tuple[str, ...] = ()
    _named: list[pl.DataFrame] = field(default_factory=list)
    _counted: list[pl.DataFrame] = field(default_factory=list)
    _covered: set[tuple[datetime.date, str]] = field(default_factory=set)

    def read(self, paths: Sequence[Path], context: ReadContext) -> pl.DataFrame:
        """Counts the crimes of files.

        Returns:
            One row for each LSOA, vintage and type: `AREA_COLUMN` (String), `VINTAGE` (Int32, to
            which the code belongs), `TYPE` (String) and `CRIMES` (UInt32); never null.

        Raises:
            PluginError: If a file cannot be read, or holds the crimes of another one.
        """
        for at, path in enumerate(paths):
            outputs = [*_OUTPUTS, *_also(path)]
            with parser(outputs, ()) as reading:
                for frame in self._batches(path, outputs, reading, context):
                    self._keep(frame.with_columns(pl.lit(at, pl.UInt32).alias(_FILE)))
        named = pl.concat(self._named) if self._named else pl.DataFrame(schema=_NAMED)
        once = named.unique(_HASHES, keep="first", maintain_order=True)
        self._check_copies(named, once, paths)
        context.leave_out("the same crime ID as an earlier record", named.height - once.height)
        counts = pl.concat([*self._counted, _count(once)])
        counts = counts.group_by(AREA_COLUMN, VINTAGE, TYPE).agg(pl.col(CRIMES).sum())
        context.leave_out("added to the counts of its LSOA", int(counts[CRIMES].sum()))
        return counts.cast({TYPE: pl.String})

    def check_months(self, where: Path, *, first: bool, last: bool) -> None:
        """Checks that every force has records of every month.

        Args:
            where: Folder of the files.
            first: Whether the first month was chosen; else it is the first that has a record.
            last: Whether the last one was.

        Raises:
            PluginError: If a month has none, of one force or of all: counts would be too low.
        """
        months = {month for month, _ in self._covered}
        if not months:
            raise PluginError(
                f"{where}",
                "holds no record of the months that are counted",
                "Correct the months",
            )
        month = self.first if first else min(months)
        until = self.last if last else max(months)
        forces = self.forces or sorted({force for _, force in self._covered})
        lacking: dict[str, list[str]] = {}
        while month <= until:
            if month not in months:
                raise PluginError(
                    f"{where}",
                    f"holds no record of {month:%Y-%m}, so that counts would be too low",
                    "Add the file of that month, or change first_month and last_month",
                )
            for force in forces:
                if (month, force) not in self._covered:
                    lacking.setdefault(force, []).append(f"{month:%Y-%m}")
            month = (month + datetime.timedelta(days=31)).replace(day=1)
        if lacking:
            said = "; ".join(f"{force} has no record of {_list(m)}" for force, m in lacking.items())
            raise PluginError(
                f"{where}",
                f"{said}, so that counts would be too low",
                "Add the files of these months and forces, change first_month and last_month, or "
                "name in `forces` those that must have each month",
            )

    def _batches(
        self, path: Path, outputs: Sequence[Output], reading: Parser, context: ReadContext
    ) -> Iterator[pl.DataFrame]:
        """The crimes that are counted, of one batch after the other."""
        columns = tuple(output.column for output in outputs)
        for batch in read_csv(path, columns, Dialect(), context.reject):
            values, rows = reading.whole(path.name, batch, context.reject)
            frame = with_rows(values, rows.numbers())
            for name, column in (("month", _MONTH), (TYPE, _TYPE)):
                empty = frame[name].is_null()
                context.reject([
                    Rejection(path.name, row, column, "is empty")
                    for row in frame.filter(empty)[ROW]
                ])  # fmt: skip
                frame = frame.filter(~empty)
            chosen = frame["month"].is_between(self.first, self.last)
            context.leave_out("of a month that is not counted", int((~chosen).sum()))
            frame = frame.filter(chosen)
            for name in ("force", "id"):
                if name not in frame.columns:
                    frame = frame.with_columns(pl.lit(None, pl.String).alias(name))
            covered = frame.select("month", pl.col("force").fill_null("")).unique()
            self._covered.update(covered.iter_rows())
            located = frame[AREA_COLUMN].is_not_null()
            context.leave_out("not located: the crime has no LSOA", int((~located).sum()))
            frame = frame.filter(located)
            vintages = self.lookup.vintages(frame[AREA_COLUMN], self.vintage)
            unknown = vintages.is_null()
            context.reject([
                Rejection(path.name, row, _CODE, f"{code} is not an LSOA in the lookup", code)
                for row, code in frame.filter(unknown).select(ROW, AREA_COLUMN).iter_rows()
            ])  # fmt: skip
            yield frame.with_columns(vintages.alias(VINTAGE)).filter(~unknown)

    def _keep(self, frame: pl.DataFrame) -> None:
        named = frame["id"].is_not_null()
        hashes = [pl.col("id").hash(seed).alias(name) for seed, name in enumerate(_HASHES)]
        self._named.append(frame.filter(named).with_columns(hashes).select(*_NAMED))
        self._counted.append(_count(frame.filter(~named)))

    @staticmethod
    def _check_copies(named: pl.DataFrame, once: pl.DataFrame, paths: Sequence[Path]) -> None:
        """Stops at a file of which most crimes stand in files before it.

        Its crimes without an ID would count twice, and nothing shows which these are.
        """
        kept = once.group_by(_FILE).agg(pl.len().alias("kept"))
        own = named.unique([*_HASHES, _FILE]).group_by(_FILE).agg(pl.len().alias("all"))
        found = own.join(kept, on=_FILE, how="left").fill_null(0).sort(_FILE)
        copied = found.filter((pl.col("all") > 1) & (pl.col("kept") * 2 < pl.col("all")))
        for at in copied[_FILE]:
            inside = once.join(named.filter(pl.col(_FILE) == at), on=_HASHES, how="semi")
            first = inside.filter(pl.col(_FILE) != at)[_FILE].mode().sort()[0]
            raise PluginError(
                f"{paths[at]}",
                f"holds crimes that stand in {paths[first].name} too",
                "Take one of the files away, or narrow the patterns in `files`",
            )


_NAMED: dict[str, pl.DataType] = {
    AREA_COLUMN: pl.String(), VINTAGE: pl.Int32(), TYPE: pl.Enum(list(CRIME_TYPES.values())),
    _FILE: pl.UInt32(), **dict.fromkeys(_HASHES, pl.UInt64()),
}  # fmt: skip


def _count(frame: pl.DataFrame) -> pl.DataFrame:
    counted = frame.group_by(AREA_COLUMN, VINTAGE, TYPE).agg(pl.len().alias(CRIMES))
    return counted.cast({TYPE: pl.String, CRIMES: pl.UInt32, VINTAGE: pl.Int32})


def _also(path: Path) -> Iterator[Output]:
    """The force and the ID, in files that have them; some are handed round without."""
    names = column_names(path, Dialect())
    force = next((name for name in _FORCES if name in names), None)
    if force is not None:
        yield Output("force", force, Text())
    if _ID in names:
        yield Output("id", _ID, Text())


def _list(months: Sequence[str]) -> str:
    """Some months in words, the first three of them."""
    more = f" and {len(months) - 3} other months" if len(months) > 3 else ""
    return ", ".join(months[:3]) + more
