"""Which properties of a gazetteer are households on a date, and why the others are not."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from folkmoot_plugin_gazetteer import classes

HISTORICAL = "8"
_NOT_YET = ("5", "6")
_REJECTED = ("7", "9")


@dataclass(frozen=True, slots=True)
class Selection:
    """Rules that a council may set.

    Attributes:
        date: The reference date.
        states: BLPU states of a property that may hold a household; "" for none stated.
        communal: Whether communal establishments are kept, marked as such.
    """

    date: datetime.date
    states: tuple[str, ...]
    communal: bool


def select(properties: pl.DataFrame, rules: Selection) -> tuple[pl.DataFrame, dict[str, int]]:
    """Leaves out what is not a household, one reason after the other.

    Args:
        properties: One row for each BLPU: `uprn`, `parent`, `status`, `state`, `class`, `start`,
            `end`, `change`.
        rules: What is kept.

    Returns:
        The rows of `properties` that are households, with all columns and nulls; and how many
        others there are, by the first reason that applies.
    """
    left = properties
    gone = {}
    for reason, taken in _reasons(rules):
        mask = left.select(taken.fill_null(False)).to_series()
        gone[reason] = int(mask.sum())
        left = left.filter(~mask)
    parents = left["parent"].drop_nulls().unique()
    # A house in multiple occupation whose rooms have records of their own is those rooms.
    whole = classes.is_hmo(pl.col("class")) & pl.col("uprn").is_in(parents.implode())
    homes = left.filter(~whole)
    gone["house in multiple occupation whose parts are listed"] = left.height - homes.height
    return homes, gone


def _reasons(rules: Selection) -> Iterator[tuple[str, pl.Expr]]:
    status, end, start = pl.col("status"), pl.col("end"), pl.col("start")
    code = pl.col("class")
    # Retired since, and so live on the date.
    outlived = (status == HISTORICAL) & (end > rules.date)
    yield "deleted in the gazetteer", pl.col("change") == "D"
    yield (
        "retired property",
        ((status == HISTORICAL) & ~outlived.fill_null(False)) | (end <= rules.date),
    )
    yield "candidate or provisional property", status.is_in(_NOT_YET)
    yield "rejected property", status.is_in(_REJECTED)
    yield "property of a later date", start > rules.date
    yield "parent shell, such as a block of flats", classes.is_parent_shell(code)
    yield "no residential class", ~classes.is_residential(code)
    yield "ancillary building, parking space or garage", classes.is_ancillary(code)
    yield "not built, or no longer existing", ~pl.col("state").fill_null("").is_in(rules.states)
    if not rules.communal:
        yield "communal establishment", classes.is_communal(code)
