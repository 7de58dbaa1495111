"""Turns what a database gives into columns that the readers of extracts know."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import polars as pl

from folkmoot_plugin_extracts.columns import in_calendar
from folkmoot_sdk import PluginError

ZONE = "Europe/London"
"""A moment is on the day that it was in Britain."""

_ZONE = ZoneInfo(ZONE)
_EXACT = 2**53  # float64 holds every whole number up to here
_PLAIN = (str, bool, int, float, Decimal, UUID, datetime.date, datetime.datetime)


def unreadable(where: str, column: str, kind: str) -> PluginError:
    """The error for a column of a type that no field can be read from."""
    return PluginError(
        f"{where}: column {column!r}",
        f"holds {kind}, which no field can be read from",
        "Turn it into text, number or date by `query` in the mapping, or by a view",
    )


def plain_decimals(texts: pl.Series) -> pl.Series:
    """Each value as text without zeros at its end, as 3.00 is a whole number; null stays null."""
    return texts.str.replace(r"(\.[0-9]*?)0+$", "$1").str.strip_suffix(".")


def local_days(moments: pl.Series) -> pl.Series:
    """Converts moments with a time zone to the time that clocks showed in Britain.

    Returns:
        One value for each moment, of type Datetime without a time zone; null stays null.
    """
    return in_calendar(moments).dt.convert_time_zone(ZONE).dt.replace_time_zone(None)


def frame(names: Sequence[str], rows: Sequence[Sequence[object]], where: str) -> pl.DataFrame:
    """Makes columns of rows of Python's values, as drivers give them; None becomes null.

    Args:
        names: Of the columns.
        rows: Each with one value for each column.
        where: The table, for errors.

    Raises:
        PluginError: If a column holds what no field can be read from.
    """
    columns = list(zip(*rows, strict=True)) or [() for _ in names]
    return pl.DataFrame([
        series(name, values, where) for name, values in zip(names, columns, strict=True)
    ])  # fmt: skip


def series(name: str, values: Sequence[object], where: str) -> pl.Series:
    """Makes one column; None becomes null.

    Values of several types, which SQLite allows, become text.
    """
    kinds = {type(value) for value in values} - {type(None)}
    for kind in kinds:
        if not issubclass(kind, _PLAIN):
            raise unreadable(where, name, kind.__name__)
    try:
        made = _typed(name, values, kinds)
        return pl.Series(name, [_text(v) for v in values], pl.String) if made is None else made
    except UnicodeEncodeError:
        raise PluginError(
            f"{where}: column {name!r}",
            "holds text that is not Unicode",
            "Set the encoding of the connection in `url`",
        ) from None


def _typed(name: str, values: Sequence[object], kinds: set[type]) -> pl.Series | None:
    """A column of one type; None if there are several, or numbers too large for 64 bits."""
    if kinds <= {str}:
        return pl.Series(name, values, pl.String)
    if kinds == {bool}:
        return pl.Series(name, values, pl.Boolean)
    if kinds == {int}:
        fits = all(-(2**63) <= v < 2**63 for v in values if isinstance(v, int))
        return pl.Series(name, values, pl.Int64) if fits else None
    if kinds <= {int, float}:
        exact = all(abs(v) <= _EXACT for v in values if isinstance(v, int))
        return pl.Series(name, values, pl.Float64, strict=False) if exact else None
    if kinds == {datetime.date}:
        return pl.Series(name, values, pl.Date)
    if kinds == {datetime.datetime}:
        local = [_local(v) if isinstance(v, datetime.datetime) else None for v in values]
        return pl.Series(name, local, pl.Datetime("us"))
    return None


def _local(moment: datetime.datetime) -> datetime.datetime:
    return moment if moment.tzinfo is None else moment.astimezone(_ZONE).replace(tzinfo=None)


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        written = format(value, "f")
        return written.rstrip("0").rstrip(".") if "." in written else written
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    if isinstance(value, datetime.datetime):
        return _local(value).isoformat(" ")
    return str(value)
