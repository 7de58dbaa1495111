"""From LSOAs of 2011 to those of 2021, and which vintage a code belongs to.

Most LSOAs kept their code in 2021, so a code by itself does not show its vintage, and two
tables of different vintages join almost everywhere: wrongly, and without an error. Only the
published list of both shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from folkmoot_plugin_extracts.cells import read_column
from folkmoot_plugin_extracts.codes import CodeList
from folkmoot_plugin_extracts.columns import Area
from folkmoot_plugin_extracts.csv_file import column_names, read_csv
from folkmoot_plugin_extracts.dialect import Dialect
from folkmoot_plugin_extracts.numbers import Number
from folkmoot_plugin_extracts.reader import Reader
from folkmoot_sdk import PluginError, Rejection
from folkmoot_sdk.parameters import parameter

OLD, NEW = 2011, 2021
_SHARE, _PART = "share", "part"
_CHANGE = "CHGIND"
"""Column of the published file that says how an LSOA was changed."""
_CHANGES = ("U", "S", "M", "X")
"""Unchanged, split, merged, or changed in another way."""


@dataclass(frozen=True, slots=True)
class LookupOptions:
    """Table `lookup`: the file that relates LSOAs of 2011 to those of 2021."""

    file: Path = parameter(description="CSV file, relative to the node's home.")
    old: str = parameter(default="LSOA11CD", description="Column of the LSOA of 2011.")
    new: str = parameter(default="LSOA21CD", description="Column of the LSOA of 2021.")
    weight: str = parameter(
        default="",
        description="Column of households or residents in the part that both LSOAs share; "
        "without it, parts count alike.",
    )
    encoding: str = parameter(default="utf-8", description="Encoding of the file.")

    def __post_init__(self) -> None:
        Dialect(encoding=self.encoding)


class LsoaLookup:
    """The parts into which LSOAs of 2011 and of 2021 divide each other."""

    def __init__(self, parts: pl.DataFrame, name: str) -> None:
        """Makes a lookup.

        Args:
            parts: Columns `old`, `new`, and `weight` (float64, not negative); one row for
                each pair of LSOAs that overlap.
            name: Of the file, for messages.
        """
        self._name = name
        self._parts = parts.select(
            "old",
            "new",
            _shares("old").alias(_SHARE),
            _shares("new").alias(_PART),
        )
        self._codes = {OLD: parts["old"].unique(), NEW: parts["new"].unique()}

    def unknown(self, where: str, codes: pl.Series, vintage: int) -> pl.Series:
        """Finds codes that are not among the LSOAs of a vintage.

        Returns:
            Whether each code is unknown (Boolean, one value for each); False where it is null.

        Raises:
            PluginError: If a code belongs to the other vintage alone: then the file does not
                have this vintage.
        """
        other = NEW if vintage == OLD else OLD
        unknown = ~codes.is_in(self._codes[vintage].implode()) & codes.is_not_null()
        foreign = unknown & codes.is_in(self._codes[other].implode())
        if foreign.any():
            raise PluginError(
                where,
                f"holds codes that {self._name} lists as LSOAs of {other} alone, among LSOAs "
                f"of {vintage}",
                f"Fetch the file for LSOAs of {vintage}, or give the edition or table that is for "
                "those which it has",
            )
        return unknown

    def vintages(self, codes: pl.Series, shared: int) -> pl.Series:
        """To which vintage each code belongs, where a file mixes them.

        Args:
            codes: Codes of LSOAs.
            shared: The vintage of codes that both have.

        Returns:
            2011 or 2021 for each code (Int32), null where the code is in neither or is null.
        """
        old, new = (codes.is_in(self._codes[vintage].implode()) for vintage in (OLD, NEW))
        found = (
            pl.when(pl.lit(old) & pl.lit(new))
            .then(shared)
            .when(pl.lit(old))
            .then(OLD)
            .when(pl.lit(new))
            .then(NEW)
        )
        return pl.select(found.cast(pl.Int32)).to_series()

    def counts(self, frame: pl.DataFrame, fields: Sequence[str]) -> pl.DataFrame:
        """Counts of 2011 LSOAs as counts of 2021 LSOAs; the total is kept.

        The count of a split LSOA is shared among its parts; those of merged LSOAs add up.

        Args:
            frame: `area` (LSOA of 2011, each once) and the fields.
            fields: Columns of counts.

        Returns:
            One row for each LSOA of 2021: `area`, and the counts as Float64. A count that is
            null adds nothing, so none is null.
        """
        joined = frame.join(self._parts, left_on="area", right_on="old")
        sums = [(pl.col(name) * pl.col(_SHARE)).sum().alias(name) for name in fields]
        return joined.group_by(pl.col("new").alias("area")).agg(sums).sort("area")

    def means(self, frame: pl.DataFrame, fields: Sequence[str]) -> pl.DataFrame:
        """Values of 2011 LSOAs as values of 2021 LSOAs.

        Each part of a split LSOA has the value of the whole; merged LSOAs have the mean of
        their parts. A part whose value is not known is left out of the mean.

        Args:
            frame: `area` (LSOA of 2011, each once) and the fields.
            fields: Columns of numbers.

        Returns:
            One row for each LSOA of 2021: `area`, and the means as Float64, null where no part
            is known.
        """
        joined = frame.join(self._parts, left_on="area", right_on="old")
        means = []
        for name in fields:
            part = pl.when(pl.col(name).is_not_null()).then(pl.col(_PART))
            mean = (pl.col(name) * part).sum() / part.sum()
            means.append(mean.fill_nan(None).alias(name))
        return joined.group_by(pl.col("new").alias("area")).agg(means).sort("area")


def load_lookup(base: Path, options: LookupOptions) -> LsoaLookup:
    """Reads a lookup.

    Raises:
        PluginError: If it is not sound throughout, or no exact-fit lookup: what it lacks would
            be lost from every table that goes through it.
    """
    path = base / options.file
    wanted: dict[str, tuple[str, Reader]] = {
        "old": (options.old, Area("lsoa11")),
        "new": (options.new, Area("lsoa21")),
    }
    dialect = Dialect(encoding=options.encoding)
    if _CHANGE in column_names(path, dialect):
        wanted["change"] = (_CHANGE, CodeList(tuple((c, c) for c in _CHANGES), _CHANGES))
    if options.weight:
        wanted["weight"] = (options.weight, Number(0, None, whole=False))
    columns = tuple(dict.fromkeys(column for column, _ in wanted.values()))
    frames = []
    for batch in read_csv(path, columns, dialect, lambda found: _refuse(path, found)):
        read = {}
        for name, (column, reader) in wanted.items():
            parsed = read_column(reader, batch.frame[column], ())
            wrong = parsed.values.is_null()
            if wrong.any():
                row = int(batch.numbers()[wrong.to_numpy()][0])
                raise PluginError(
                    f"{path}: line {row}",
                    f"has no readable value in column {column!r}",
                    "Correct the lookup, or name its columns in the option `lookup`",
                )
            read[name] = parsed.values
        frames.append(pl.DataFrame(read))
    parts = pl.concat(frames) if frames else pl.DataFrame()
    if not parts.height:
        raise PluginError(str(path), "has no rows", "Fetch the lookup again")
    if parts.select("old", "new").is_duplicated().any():
        raise PluginError(str(path), "names a pair of LSOAs twice", "Name each pair once")
    _check_exact(path, parts)
    if "weight" not in parts.columns:
        parts = parts.with_columns(weight=pl.lit(1.0))
    return LsoaLookup(parts, path.name)


def _check_exact(path: Path, parts: pl.DataFrame) -> None:
    """Refuses a lookup that gives each LSOA only the one that fits it best.

    An LSOA has another code in 2021 only if its borders are others, so that one which has
    another code has several parts, or is one of several that became one.
    """
    alone = (pl.len().over("old") == 1) & (pl.len().over("new") == 1)
    wrong = alone & (pl.col("old") != pl.col("new"))
    if "change" in parts.columns:
        change = pl.col("change").cast(pl.String)
        wrong |= (change == "S") & (pl.len().over("old") == 1)
        wrong |= (change == "M") & (pl.len().over("new") == 1)
    found = parts.filter(wrong)
    if found.height:
        old, new = found.row(0)[:2]
        raise PluginError(
            str(path),
            f"is not an exact-fit lookup: {old} has only the part {new}, and others are missing",
            "Fetch the file `LSOA (2011) to LSOA (2021) Exact Fit Lookup` of ONS, not the one for "
            "best fit",
        )


def stated_vintage(path: Path, dialect: Dialect, columns: dict[int, str]) -> int:
    """The vintage that a file's own column of LSOAs states.

    Args:
        path: The file.
        dialect: How it is written.
        columns: By vintage, the column that a file of that vintage has.

    Raises:
        PluginError: If it has neither column, or both.
    """
    names = column_names(path, dialect)
    found = [vintage for vintage, column in columns.items() if column in names]
    if len(found) != 1:
        listed = " or ".join(repr(column) for column in columns.values())
        raise PluginError(
            f"{path}: line 1",
            f"has {'both columns' if found else 'no column'} {listed}",
            "Give the file as published",
        )
    return found[0]


def _shares(side: str) -> pl.Expr:
    """Weight over the sum of weights of the same LSOA; alike where all weights are 0."""
    total = pl.col("weight").sum().over(side)
    alike = 1.0 / pl.len().over(side)
    return pl.when(total > 0).then(pl.col("weight") / total).otherwise(alike)


def _refuse(path: Path, found: Sequence[Rejection]) -> None:
    if found:
        raise PluginError(f"{path}: line {found[0].row}", found[0].reason, "Correct the lookup")
