"""What was known on a past date: which records a run may read, and which events are kept.

A back-test scores households as they were known on a date, and asks what happened then. What a
record dated later says of a household must not reach its score; the day of an event must be kept
however late it is. So the records of a source are divided by their own date, and outcomes go by
theirs.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from pydantic import BaseModel, ConfigDict

from folkmoot_node.sources.connect import ConnectedSource
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.parameters import nearest
from folkmoot_sdk.schema import DATE_COLUMN
from folkmoot_sdk.source import LATER

WITHOUT_DATE = "without a date, so that nobody can say when it was known"
WITHOUT_EVENT = "without a day of an event"
NOT_YET = "is a day that is still to come"
"""Why the day of an event is rejected."""


class KnownOn(BaseModel):
    """As of when a run scores, and what it keeps to be judged by.

    Attributes:
        on: Records dated later are not read.
        today: Events after this day are rejected.
        outcomes: Fields that sources declare as outcomes, whose events are kept.
        kept: Other fields that are read and kept beside the inputs.
        undated: Sources without record dates that are read as they are today.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    on: datetime.date
    today: datetime.date
    outcomes: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    undated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownRecords:
    """How the records of one source are divided.

    Attributes:
        on: Records dated later are not known.
        today: Events after this day are rejected.
        is_dated: Whether the source has record dates; else all its records are known.
        outcomes: Its outcomes that are kept.
        events_alone: Whether nothing but its outcomes is wanted.
    """

    on: datetime.date
    today: datetime.date
    is_dated: bool
    outcomes: tuple[str, ...]
    events_alone: bool

    @property
    def read_until(self) -> datetime.date | None:
        """The date after which no record is wanted; None where some are."""
        return self.on if self.is_dated and not self.outcomes else None

    @property
    def _is_known(self) -> pl.Expr:
        return (pl.col(DATE_COLUMN) <= self.on).fill_null(False) if self.is_dated else pl.lit(True)

    @property
    def _has_event(self) -> pl.Expr:
        return pl.any_horizontal(pl.lit(False), *(pl.col(n).is_not_null() for n in self.outcomes))

    def known(self, records: pl.DataFrame) -> pl.DataFrame:
        """The rows of records that were known on the date, with their columns and nulls."""
        return records.filter(self._is_known) if self.is_dated else records

    def needed(self, records: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
        """The records that were known, or that hold an event.

        Returns:
            Their rows, with their columns and nulls, and the number of the others by reason.
        """
        if self.events_alone:
            kept = records.filter(self._has_event)
            return kept, {WITHOUT_EVENT: records.height - kept.height}
        if not self.is_dated:
            return records, {}
        keep = self._is_known | self._has_event
        undated = records.select((~keep & pl.col(DATE_COLUMN).is_null()).sum()).item()
        kept = records.filter(keep)
        return kept, {LATER: records.height - kept.height - undated, WITHOUT_DATE: undated}

    def latest(self, records: pl.DataFrame) -> datetime.date | None:
        """The latest day of a record or event; None if there is none."""
        columns = [*([DATE_COLUMN] if self.is_dated else []), *self.outcomes]
        found = [records[name].max() for name in columns]
        days = [day for day in found if isinstance(day, datetime.date) and day <= self.today]
        return max(days, default=None)


def require_dated(known: KnownOn, read: Mapping[str, ConnectedSource]) -> None:
    """Checks that each source that is read says when its records were known, or is accepted.

    Args:
        known: As of when the run scores.
        read: The sources of which more than outcomes is read, by name.

    Raises:
        Problem: Exit code SETTINGS, naming all that do not.
    """
    undated = [
        name
        for name, source in read.items()
        if not source.schema.has_date and name not in known.undated
    ]
    if not undated:
        return
    listed = ", ".join(f'"{name}"' for name in (*known.undated, *undated))
    raise Problem(
        f"these sources do not say when their records were known: {', '.join(undated)}",
        where="evaluation file: undated",
        remedy="Name the column of the record date in their mappings; or write undated = "
        f"[{listed}] in the evaluation file, if what they say today was known on all dates",
        exit_code=ExitCode.SETTINGS,
    )


def require_accepted(known: KnownOn, sources: Sequence[ConnectedSource]) -> None:
    """Checks that the sources accepted without dates are there, and have none.

    Who accepts a source that has dates has another in mind; and if its mapping loses them one day,
    it would be read as it is today without anybody's decision.

    Args:
        known: As of when the run scores.
        sources: The node's sources.

    Raises:
        Problem: Exit code SETTINGS, naming one that is not there, or all that have dates.
    """
    names = [source.name for source in sources]
    for name in known.undated:
        if name not in names:
            raise Problem(
                f"no source is called {name!r}",
                where="evaluation file: undated",
                remedy=nearest(name, names),
                exit_code=ExitCode.SETTINGS,
            )
    dated = [one.name for one in sources if one.name in known.undated and one.schema.has_date]
    if dated:
        left = ", ".join(f'"{name}"' for name in known.undated if name not in dated)
        raise Problem(
            f"these sources have record dates, and are read by them: {', '.join(dated)}",
            where="evaluation file: undated",
            remedy=f"Write undated = [{left}]; it is for sources without dates",
            exit_code=ExitCode.SETTINGS,
        )
