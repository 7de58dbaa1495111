"""What then happened to households: the events of outcomes, before and after a date."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_node.households.uprn_join import HOUSEHOLD
from folkmoot_node.store.schema import before_column, first_column, gone_column
from folkmoot_sdk.schema import DATE_COLUMN

_SINCE = "__since"


def first_dates(linked: pl.DataFrame, households: int) -> pl.Series:
    """Date of each household's first record in the frame: since when it has been known.

    Args:
        linked: Records of the frame with the columns `HOUSEHOLD` and `record_date`.
        households: Number of households.

    Returns:
        Date, shape (households,), null for a household without a dated record.
    """
    return _first(linked.select(HOUSEHOLD, DATE_COLUMN), households, DATE_COLUMN)


def own_events(
    linked: pl.DataFrame, outcomes: Sequence[str], since: pl.Series | None
) -> pl.DataFrame:
    """The records without events of who lived there before the household did.

    Args:
        linked: Records with the column `HOUSEHOLD` and those of the outcomes, Date.
        outcomes: Names of the outcomes.
        since: As `first_dates` gives it; None if the frame has no dates, so that nobody knows.

    Returns:
        Their rows with the same columns; events of before are null, and rows that held nothing
        else are not there.
    """
    if since is None:
        return linked
    known = linked.with_columns(since.gather(linked[HOUSEHOLD]).alias(_SINCE))
    early = {name: (pl.col(name) < pl.col(_SINCE)).fill_null(False) for name in outcomes}
    has_early = pl.any_horizontal(*early.values())
    has_own = pl.any_horizontal(
        pl.col(name).is_not_null() & ~is_early for name, is_early in early.items()
    )
    kept = known.filter(~has_early | has_own)
    return kept.with_columns(
        pl.when(~is_early).then(pl.col(name)).alias(name) for name, is_early in early.items()
    ).drop(_SINCE)


def outcome_columns(
    linked: pl.DataFrame,
    households: int,
    outcomes: Sequence[str],
    on: datetime.date,
    latest: pl.Series | None,
) -> pl.DataFrame:
    """Combines events to households.

    Two records of one household and day are one event, whatever their codes.

    Args:
        linked: Records with the column `HOUSEHOLD` and those of the outcomes, Date.
        households: Number of households.
        outcomes: Names of the outcomes.
        on: The date.
        latest: Date of each household's latest record in the frame, of those until `on`; None if
            the frame has no dates, so that nobody knows.

    Returns:
        One row for each household, and for each outcome three columns: `first_column`, the day of
        the first event after the date, null if there is none; `before_column`, whether there was
        one on the date or earlier, and `gone_column`, whether one of these was after `latest`,
        never null.
    """
    columns = []
    for name in outcomes:
        events = linked.select(HOUSEHOLD, name).drop_nulls(name)
        later = events[name] > on
        earlier = events.filter(~later)
        since = earlier.clear()  # in a frame without dates a home is there as it is today
        if latest is not None:
            since = earlier.filter(earlier[name] > latest.gather(earlier[HOUSEHOLD]))
        columns += [
            _first(events.filter(later), households, name).alias(first_column(name)),
            pl.Series(before_column(name), _happened(earlier, households)),
            pl.Series(gone_column(name), _happened(since, households)),
        ]
    return pl.DataFrame(columns)


def _first(events: pl.DataFrame, households: int, name: str) -> pl.Series:
    """The first day of each household in a column, under the column's name."""
    never = np.iinfo(np.int32).max
    first = np.full(households, never, dtype=np.int32)
    dated = events.drop_nulls(name)
    np.minimum.at(first, dated[HOUSEHOLD].to_numpy(), dated[name].to_physical().to_numpy())
    days = pl.Series(name, first)
    return days.set(days == never, None).cast(pl.Date)


def _happened(events: pl.DataFrame, households: int) -> npt.NDArray[np.bool_]:
    found = np.zeros(households, dtype=np.bool_)
    found[events[HOUSEHOLD].to_numpy()] = True
    return found
