"""Combines records to households: one row per household, one column per wanted field."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from folkmoot_sdk.schema import DATE_COLUMN, Combine, Field, FieldType

RECORDS_COLUMN = "__records"
"""Column of combined frames: number of records of the household, UInt32."""
_ROW = "__row"
_SAMPLE = 10_000
_ROWS = 2**32
"""More than the records of one source; a date and a row share one integer."""
_DAYS_BEFORE_EPOCH = 2**22
"""More than the days from year 1 to 1970, so that every date is above 0, an undated record's."""


def combine(records: pl.DataFrame, key: str, fields: Sequence[Field]) -> pl.DataFrame:
    """Combines the records of each household (or area) as each field declares.

    Unknown values are left out; the result is unknown if all are unknown. `ANY` and `ALL`
    follow Kleene's three-valued logic. `FIRST` takes the first known value in record
    order. `LATEST` takes the known value of the latest date; a record without a date
    is older than all others, and of equal dates the later record counts.

    Args:
        records: As `folkmoot_node.records` gives them.
        key: Column of the household or area; records without a key are left out.
        fields: Fields to combine; each is a column of `records`.

    Returns:
        `key`, `RECORDS_COLUMN`, and the fields: Boolean, Int64, Float64, Date, and
        indexes as they came. One row per key, in any order.
    """
    for field in fields:
        if field.combine is Combine.COUNT_DISTINCT:
            records = records.with_columns(_first_of_its_kind(records, key, field.name))
    if _is_unique(records[key]):
        return _as_they_are(records, key, fields)
    known = records.lazy().filter(pl.col(key).is_not_null())
    plans = [_plan(field, records) for field in fields]
    if any(plan.needs_row for plan in plans):
        # Row numbers go with the filtered records, from which values are gathered below.
        filtered = known.collect()
        known = filtered.lazy().with_row_index(_ROW)
    else:
        filtered = records
    grouped = known.group_by(key).agg(
        pl.len().alias(RECORDS_COLUMN), *(plan.aggregate for plan in plans)
    )
    combined = grouped.collect()
    return combined.select(
        pl.col(key),
        pl.col(RECORDS_COLUMN).cast(pl.UInt32),
        *(plan.finish(combined, filtered) for plan in plans),
    )


def _is_unique(keys: pl.Series) -> bool:
    # A source with several records a household shows it in its first records already.
    if keys[:_SAMPLE].drop_nulls().is_duplicated().any():
        return False
    ordered = np.sort(keys.drop_nulls().to_numpy())
    return not (ordered[1:] == ordered[:-1]).any()


def _as_they_are(records: pl.DataFrame, key: str, fields: Sequence[Field]) -> pl.DataFrame:
    """The households of records that are one each: there is nothing to combine but counts."""
    values = []
    for field in fields:
        value = pl.col(field.name)
        # `_first_of_its_kind` made values that differ Boolean; a single one counts if known.
        if field.combine is Combine.COUNT:
            value = value.is_not_null().cast(pl.Int64)
        elif field.combine is Combine.COUNT_DISTINCT:
            value = value.cast(pl.Int64)
        values.append(value)
    known = records if records[key].null_count() == 0 else records.drop_nulls(key)
    return known.select(key, pl.lit(1, pl.UInt32).alias(RECORDS_COLUMN), *values)


class _Plan:
    """How one field is aggregated, and how the result is finished after the group-by."""

    def __init__(
        self, field: Field, aggregate: pl.Expr, result: pl.Expr, *, gathers: bool = False
    ) -> None:
        self._name = field.name
        self._result = result
        self._gathers = gathers
        self.needs_row = gathers
        self.aggregate = aggregate.alias(field.name)

    def finish(self, combined: pl.DataFrame, records: pl.DataFrame) -> pl.Expr | pl.Series:
        if not self._gathers:
            return self._result.alias(self._name)
        rows = combined.select(self._result.alias(self._name)).to_series()
        return records[self._name].gather(rows).alias(self._name)


def _plan(field: Field, records: pl.DataFrame) -> _Plan:
    value, result = pl.col(field.name), pl.col(field.name)
    complete = records[field.name].null_count() == 0
    match field.combine:
        case Combine.SUM:
            total = value.sum()
            # The sum of no value is 0 in Polars and unknown here.
            if not complete:
                total = pl.when(value.count() > 0).then(total)
            return _Plan(field, total, result)
        case Combine.MAXIMUM:
            return _Plan(field, value.max(), result)
        case Combine.MINIMUM:
            return _Plan(field, value.min(), result)
        case Combine.ANY | Combine.ALL:
            # Kleene's logic is a maximum (or minimum) over false < unknown < true.
            ordered = value.cast(pl.UInt8) * 2
            ordered = ordered if complete else ordered.fill_null(1)
            extreme = ordered.max() if field.combine is Combine.ANY else ordered.min()
            return _Plan(field, extreme, pl.when(result != 1).then(result == 2))
        case Combine.COUNT:
            return _Plan(field, value.count(), result.cast(pl.Int64))
        case Combine.COUNT_DISTINCT:
            # `_first_of_its_kind` made it a Boolean: True once for each different value.
            return _Plan(field, value.sum(), result.cast(pl.Int64))
        case Combine.FIRST:
            row = pl.col(_ROW) if complete else pl.when(value.is_not_null()).then(pl.col(_ROW))
            return _Plan(field, row.min(), result, gathers=True)
        case Combine.LATEST:
            day = pl.col(DATE_COLUMN).to_physical().cast(pl.Int64) + _DAYS_BEFORE_EPOCH
            ranked = day.fill_null(0) * _ROWS + pl.col(_ROW).cast(pl.Int64)
            ranked = ranked if complete else pl.when(value.is_not_null()).then(ranked)
            return _Plan(field, ranked.max(), result % _ROWS, gathers=True)


def _first_of_its_kind(records: pl.DataFrame, key: str, name: str) -> pl.Series:
    """True for records whose value is known and stands in no earlier record of its household.

    Most values of a source differ (one record a person), which sorting finds out in a
    tenth of the time that counting different values in each group takes.
    """
    values = records[name]
    counted = values.is_not_null()
    if values.dtype.is_integer():
        ordered = np.sort(values.drop_nulls().to_numpy())
        repeated = pl.Series(np.unique(ordered[1:][ordered[1:] == ordered[:-1]]))
        suspects = (values.is_in(repeated.implode()) & counted).arg_true()
    else:
        suspects = (values.is_duplicated() & counted).arg_true()
    if not len(suspects):
        return counted
    pairs = records.select(pl.struct(key, name)).to_series().gather(suspects)
    return counted.scatter(suspects, pairs.is_first_distinct()).alias(name)


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
