"""Combines linked records to households: one value per household for each wanted field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_node.households.uprn_join import HOUSEHOLD
from folkmoot_sdk.schema import DATE_COLUMN, Combine, Field, FieldType

_ROWS = 2**32
"""More than the records of one source; a date and a row share one integer."""
_DAYS_BEFORE_EPOCH = 2**22
"""More than the days from year 1 to 1970, so that every date is above 0, an undated record's."""

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def needs_order(fields: Sequence[Field]) -> bool:
    """Whether the order of records matters: for the first, the latest, and sums of floats."""
    return any(
        field.combine in {Combine.FIRST, Combine.LATEST}
        or (field.combine is Combine.SUM and field.type is FieldType.NUMBER)
        for field in fields
    )


def combine(
    linked: pl.DataFrame, households: int, fields: Sequence[Field]
) -> tuple[pl.DataFrame, Mask]:
    """Combines the records of each household as each field declares.

    Unknown values are left out; the result is unknown if all are unknown. `ANY` and `ALL`
    follow Kleene's three-valued logic. `FIRST` takes the first known value in record
    order. `LATEST` takes the known value of the latest date; a record without a date
    is older than all others, and of equal dates the later record counts.

    Args:
        linked: Records with the column `HOUSEHOLD`, as `link` gives them; in record order
            if `needs_order(fields)`.
        households: Number of households.
        fields: Fields to combine; each is a column of `linked`.

    Returns:
        The fields with one row per household, null where unknown: Boolean, integers,
        Float64, Date, and indexes as they came. And whether a household has a record.
    """
    rows = linked[HOUSEHOLD].cast(pl.Int64).to_numpy()
    present = np.zeros(households, dtype=np.bool_)
    present[rows] = True
    columns = [_combined(field, linked, rows, present) for field in fields]
    return pl.DataFrame(columns), present


def latest_dates(linked: pl.DataFrame, households: int) -> pl.Series:
    """Date of each household's latest record; null if it has none, or none with a date.

    Args:
        linked: As for `combine`, with the column `record_date`.
        households: Number of households.
    """
    dated = linked.lazy().select(HOUSEHOLD, DATE_COLUMN).drop_nulls(DATE_COLUMN).collect()
    days = dated[DATE_COLUMN].to_physical().to_numpy()
    never = np.iinfo(np.int32).min
    latest = np.full(households, never, dtype=np.int32)
    np.maximum.at(latest, dated[HOUSEHOLD].to_numpy(), days)
    return _series(DATE_COLUMN, latest, latest != never).cast(pl.Date)


def as_they_are(records: pl.DataFrame, fields: Sequence[Field]) -> pl.DataFrame:
    """What `combine` gives for records that are one household each.

    Returns:
        One row for each record, with one column for each field, null where unknown.
    """
    counts = {
        field.name: pl.col(field.name).is_not_null().cast(pl.Int64)
        for field in fields
        if field.combine in {Combine.COUNT, Combine.COUNT_DISTINCT}
    }
    return records.select(field.name for field in fields).with_columns(**counts)


def absent_value(field: Field) -> bool | float | int | None:
    """The value of a household without a record, in the node's own type; None if unknown."""
    if field.absent is None:
        return None
    if field.household_type is FieldType.CATEGORY:
        return field.codes.index(str(field.absent))
    if field.household_type is FieldType.BOOLEAN:
        return bool(field.absent)
    if field.household_type is FieldType.INTEGER:
        return int(field.absent)
    return float(field.absent)


def _combined(field: Field, linked: pl.DataFrame, rows: Rows, present: Mask) -> pl.Series:
    """One field of all households, by scattering its known values to their households."""
    series = linked[field.name]
    count = len(present)
    complete = series.null_count() == 0
    known = None if complete else series.is_not_null().to_numpy()
    at = rows if known is None else rows[known]
    seen = present if known is None else _scattered(at, count)
    match field.combine:
        case Combine.ANY | Combine.ALL:
            return _kleene(series, field.combine, rows, present)
        case Combine.COUNT:
            return _series(field.name, np.bincount(at, minlength=count), present)
        case Combine.COUNT_DISTINCT:
            new = _first_of_its_kind(linked, field.name)
            return _series(field.name, np.bincount(rows[new], minlength=count), present)
        case Combine.FIRST:
            position = np.full(count, linked.height)
            np.minimum.at(position, at, np.flatnonzero(_all_or(known, len(rows))))
            return _picked(series, position, seen)
        case Combine.LATEST:
            ranked = _ranked_by_date(linked)[_all_or(known, len(rows))]
            latest = np.zeros(count, dtype=np.int64)
            np.maximum.at(latest, at, ranked)
            return _picked(series, latest % _ROWS, seen)
        case Combine.SUM:
            return _series(field.name, _sums(series.drop_nulls(), at, count), seen)
        case Combine.MAXIMUM | Combine.MINIMUM:
            values = series.drop_nulls().to_physical().to_numpy()
            found = _extremes(values, at, count, field.combine is Combine.MAXIMUM)
            return _series(field.name, found, seen).cast(series.dtype)


def _all_or(known: Mask | None, count: int) -> Mask:
    return np.ones(count, dtype=np.bool_) if known is None else known


def _scattered(at: Rows, count: int) -> Mask:
    seen = np.zeros(count, dtype=np.bool_)
    seen[at] = True
    return seen


def _series(name: str, values: npt.NDArray[Any], known: Mask) -> pl.Series:
    series = pl.Series(name, values)
    return series if known.all() else series.set(pl.Series(~known), None)


def _picked(series: pl.Series, position: Rows, known: Mask) -> pl.Series:
    """The values at `position`, null where not known."""
    positions = pl.Series(np.where(known, position, -1))
    return series.gather(positions.replace(-1, None).cast(pl.UInt32))


def _sums(values: pl.Series, at: Rows, count: int) -> npt.NDArray[Any]:
    if values.dtype.is_float():
        # Without a single value NumPy counts in integers, and `absent` would not fit.
        return np.bincount(at, weights=values.to_numpy(), minlength=count).astype(np.float64)
    totals = np.zeros(count, dtype=np.int64)
    np.add.at(totals, at, values.cast(pl.Int64).to_numpy())
    return totals


def _extremes(values: npt.NDArray[Any], at: Rows, count: int, largest: bool) -> npt.NDArray[Any]:
    if values.dtype.kind == "f":
        start = -np.inf if largest else np.inf
    else:
        limits = np.iinfo(values.dtype)
        start = limits.min if largest else limits.max
    found = np.full(count, start, dtype=values.dtype)
    (np.maximum if largest else np.minimum).at(found, at, values)
    return found


def _kleene(series: pl.Series, how: Combine, rows: Rows, present: Mask) -> pl.Series:
    """Kleene's logic is a maximum (any) or minimum (all) over false < unknown < true."""
    false, unknown, true = np.uint8(0), np.uint8(1), np.uint8(2)
    values = (series.cast(pl.UInt8) * 2).fill_null(int(unknown)).to_numpy()
    any_ = how is Combine.ANY
    found = np.full(len(present), false if any_ else true, dtype=np.uint8)
    (np.maximum if any_ else np.minimum).at(found, rows, values)
    return _series(series.name, found == true, present & (found != unknown))


def _ranked_by_date(linked: pl.DataFrame) -> Rows:
    """For each record a number that grows with its date, then with its place."""
    day = linked[DATE_COLUMN].to_physical().cast(pl.Int64) + _DAYS_BEFORE_EPOCH
    return day.fill_null(0).to_numpy() * _ROWS + np.arange(linked.height)


def _first_of_its_kind(linked: pl.DataFrame, name: str) -> Mask:
    """True for records whose value is known and stands in no earlier record of its household.

    Most values of a source differ (one record for each person), which sorting finds out in a
    tenth of the time that counting different values in each group takes.
    """
    values = linked[name]
    counted = values.is_not_null()
    if values.dtype.is_integer():
        ordered = np.sort(values.drop_nulls().to_numpy())
        repeated = pl.Series(np.unique(ordered[1:][ordered[1:] == ordered[:-1]]))
        suspects = (values.is_in(repeated.implode()) & counted).arg_true()
    else:
        suspects = (values.is_duplicated() & counted).arg_true()
    if not len(suspects):
        return counted.to_numpy()
    pairs = linked.select(pl.struct(HOUSEHOLD, name)).to_series().gather(suspects)
    return counted.scatter(suspects, pairs.is_first_distinct()).to_numpy()
