"""Scored households as a file, for the officers of the council who help them."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence
from pathlib import Path

import polars as pl

from folkmoot_node.store.reader import HouseholdStore
from folkmoot_operator.output_places import require_no_link, require_safe_folder
from folkmoot_operator.private_files import writing_private
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.spreadsheets import FORMULA, HARMLESS


def write_households(
    store: HouseholdStore,
    path: Path,
    bands: Sequence[str],
    *,
    today: datetime.date | None = None,
    without: Collection[int] = (),
) -> int:
    """Writes UPRN, score, completeness, band and attributes of households.

    Args:
        store: The scored households.
        path: File ending in `.csv` or `.parquet`.
        bands: Only these bands; empty for all.
        today: Compared with the licences of bought fields; the date in UTC if None.
        without: UPRNs that are left out.

    Returns:
        Number of households written.

    Raises:
        Problem: If a band does not exist, the file's ending is unknown, or the scores rest on
            bought data whose licence has ended.
    """
    store.run.check_licences(today or datetime.datetime.now(datetime.UTC).date())
    names = store.attributes["band"] or ()
    for band in bands:
        if band not in names:
            raise Problem(
                f"there is no band {band!r}",
                where="--band",
                remedy=f"The bands are: {', '.join(names)}",
                exit_code=ExitCode.USAGE,
            )
    require_writable(path)
    frame = store.households(bands or names)
    if without:
        frame = frame.filter(~pl.col("uprn").is_in(list(without)))
    with writing_private(path, replace=True) as unfinished:
        if path.suffix == ".csv":
            harmless(frame).write_csv(unfinished)
        else:
            frame.write_parquet(unfinished)
    return frame.height


def harmless(frame: pl.DataFrame) -> pl.DataFrame:
    """A table of households for people who open it in a spreadsheet: no text in it is a formula.

    Returns:
        The same rows and columns; columns in which a text had to be changed as String, null where
        they were.
    """
    changed = [
        column.cast(pl.String).str.replace_all(FORMULA, HARMLESS)
        for column in frame.select(pl.col(pl.String, pl.Categorical, pl.Enum)).iter_columns()
        if column.unique().cast(pl.String).str.contains(FORMULA).any()
    ]
    return frame.with_columns(changed) if changed else frame


def require_writable(path: Path) -> None:
    """Checks that the name of a file says how to write it, and that it is no link.

    Raises:
        Problem: If it ends neither in `.csv` nor in `.parquet`, is a link, or lies in a folder
            in which every account can replace it.
    """
    require_no_link(path)
    require_safe_folder(path)
    if path.suffix not in {".csv", ".parquet"}:
        raise Problem(
            "has an unknown ending",
            where=str(path),
            remedy="Name the file .csv or .parquet",
            exit_code=ExitCode.USAGE,
        )
