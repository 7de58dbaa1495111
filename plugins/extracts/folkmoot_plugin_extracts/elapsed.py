"""Time from a date to the date of the run."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from folkmoot_plugin_extracts.columns import Date
from folkmoot_plugin_extracts.numbers import Number, within
from folkmoot_plugin_extracts.reader import Reader

_EPOCH = datetime.date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Elapsed(Reader):
    """Time from a date to the reference date: int64.

    Attributes:
        date: How the date is read.
        reference: The reference date.
        unit: `years` for whole years of age, or `days`.
        minimum: Smallest valid value.
        maximum: Largest valid value.
        whole: True for int64, False for float64.
    """

    date: Date
    reference: datetime.date
    unit: str
    minimum: float | None
    maximum: float | None
    whole: bool

    def parse(self, raw: pl.Series) -> pl.Series:
        """See `Reader`."""
        values = self._since(self.date.parse(raw))
        return within(values.rename(raw.name), self.minimum, self.maximum)

    def fault(self, text: str) -> str:
        """See `Reader`."""
        return self.faults([text])[0]

    def faults(self, texts: Sequence[str]) -> Sequence[str]:
        """See `Reader`: they are many where people were born after a past date that is scored."""
        days = self.date.parse(pl.Series(texts, dtype=pl.String))
        bounded = Number(self.minimum, self.maximum, self.whole)
        return [
            self.date.fault(text)
            if value is None
            else f"{text} gives {value:.0f}, which {bounded.outside(value)} ({self.unit})"
            for text, value in zip(texts, self._since(days).to_list(), strict=True)
        ]

    def _since(self, dates: pl.Series) -> pl.Series:
        """The time in its unit and type, within bounds or not; null where there is no date."""
        if self.unit == "days":
            values = (self.reference - _EPOCH).days - dates.to_physical()
        else:
            values = _years(dates, self.reference)
        return values.cast(pl.Int64 if self.whole else pl.Float64)


def _years(dates: pl.Series, reference: datetime.date) -> pl.Series:
    """Whole years completed; somebody born on 29 February completes one on 1 March."""
    days = dates.to_physical()
    first, last = days.min(), days.max()
    if not isinstance(first, int) or not isinstance(last, int):
        return days
    # People are many and days of birth few: look the age of each day up.
    day = pl.int_range(first, last + 1, dtype=pl.Int32, eager=True).cast(pl.Date)
    # Polars counts months in 8 bits, too few for the product.
    in_year = day.dt.month().cast(pl.Int32) * 32 + day.dt.day()
    before = in_year > reference.month * 32 + reference.day
    years = reference.year - day.dt.year() - before.cast(pl.Int32)
    return years.gather(days - first)
