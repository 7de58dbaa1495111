"""What then happened to households: the events of outcomes, before and after a date."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_node.households.uprn_join import HOUSEHOLD
from folkmoot_node.store.schema import before_column, first_column


def outcome_columns(
    linked: pl.DataFrame, households: int, outcomes: Sequence[str], on: datetime.date
) -> pl.DataFrame:
    """Combines events to households.

    Two records of one household and day are one event, whatever their codes.

    Args:
        linked: Records with the column `HOUSEHOLD` and those of the outcomes, Date.
        households: Number of households.
        outcomes: Names of the outcomes.
        on: The date.

    Returns:
        One row for each household, and for each outcome two columns: `first_column`, the day of
        the first event after the date, null if there is none; `before_column`, whether there was
        one on the date or earlier, never null.
    """
    columns = []
    for name in outcomes:
        events = linked.select(HOUSEHOLD, name).drop_nulls(name)
        later = events[name] > on
        columns += [
            _first(events.filter(later), households, name),
            pl.Series(before_column(name), _happened(events.filter(~later), households)),
        ]
    return pl.DataFrame(columns)


def _first(events: pl.DataFrame, households: int, name: str) -> pl.Series:
    never = np.iinfo(np.int32).max
    first = np.full(households, never, dtype=np.int32)
    np.minimum.at(first, events[HOUSEHOLD].to_numpy(), events[name].to_physical().to_numpy())
    days = pl.Series(first_column(name), first)
    return days.set(days == never, None).cast(pl.Date)


def _happened(events: pl.DataFrame, households: int) -> npt.NDArray[np.bool_]:
    found = np.zeros(households, dtype=np.bool_)
    found[events[HOUSEHOLD].to_numpy()] = True
    return found
