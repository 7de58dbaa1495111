"""Values that are unknown since a record could not be read: they are never zero, or no.

A household may have other records in the source. They settle a value where what was not read
could not change it: one `true` settles `any`, one `false` settles `all`; a later record settles
`latest`, an earlier one `first`. Sums, counts, smallest and largest values are unknown.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_node.households.uprn_join import HOUSEHOLD
from folkmoot_node.sources.unread import DATE_UNREAD, UNREAD
from folkmoot_sdk.schema import DATE_COLUMN, Combine, Field

Mask = npt.NDArray[np.bool_]


def rejected_values(
    linked: pl.DataFrame, values: pl.DataFrame, fields: Sequence[Field]
) -> dict[str, Mask]:
    """The values that are unknown since a record of the household was rejected.

    Args:
        linked: Records with the column `HOUSEHOLD`, in record order if some field is `FIRST`.
        values: What `combine` makes of them: one row for each household.
        fields: The fields, in the order of the places in `UNREAD`.

    Returns:
        For each field of which some household's value was rejected, and that no other record
        settles, a mask of shape (households,): True where it is so.
    """
    if UNREAD not in linked.columns:
        return {}
    numbered = linked.with_row_index("__row")
    marks = numbered.drop_nulls(UNREAD).explode(UNREAD)
    found = {}
    for place, field in enumerate(fields):
        lost = marks.filter(pl.col(UNREAD) == place)
        if field.combine is Combine.LATEST:
            undated = marks.filter(pl.col(UNREAD) == DATE_UNREAD)
            lost = pl.concat([lost, undated])
        if not lost.height:
            continue
        mask = np.zeros(values.height, dtype=np.bool_)
        mask[lost[HOUSEHOLD].to_numpy()] = True
        mask &= ~_settled(field, values[field.name], numbered, lost)
        if mask.any():
            found[field.name] = mask
    return found


def without_rejected(values: pl.DataFrame, rejected: dict[str, Mask]) -> pl.DataFrame:
    """The values, null where they were rejected.

    Returns:
        One row for each household, with the columns and types of `values`.
    """
    return values.with_columns(
        values[name].set(pl.Series(mask), None) for name, mask in rejected.items()
    )


def _settled(field: Field, combined: pl.Series, records: pl.DataFrame, lost: pl.DataFrame) -> Mask:
    """True for households whose value stays what it is, whatever the lost records say."""
    households = len(combined)
    match field.combine:
        case Combine.ANY:
            return combined.fill_null(False).to_numpy()
        case Combine.ALL:
            return ~combined.fill_null(True).to_numpy()
        case Combine.FIRST:
            known = records.filter(pl.col(field.name).is_not_null())
            first = _first_row(known, households)
            return first < _first_row(lost, households)
        case Combine.LATEST:
            known = records.filter(pl.col(field.name).is_not_null())
            latest = _days(known, households, unread_date=False)
            return latest > _days(lost, households, unread_date=True)
        case _:
            return np.zeros(households, dtype=np.bool_)


def _first_row(records: pl.DataFrame, households: int) -> npt.NDArray[np.int64]:
    first = np.full(households, np.iinfo(np.int64).max)
    np.minimum.at(first, records[HOUSEHOLD].to_numpy(), records["__row"].cast(pl.Int64).to_numpy())
    return first


def _days(records: pl.DataFrame, households: int, *, unread_date: bool) -> npt.NDArray[np.int64]:
    """The latest day of each household's records, int64, shape (households,).

    A record without a date is older than all others; if its date could not be read, it may be
    younger than all others.
    """
    lowest, highest = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    days = records[DATE_COLUMN].to_physical().cast(pl.Int64).fill_null(lowest + 1).to_numpy()
    if unread_date:
        # A value can be lost beside a date that is lost too: then the list holds both.
        lost = records.select((pl.col(UNREAD) == DATE_UNREAD).fill_null(False)).to_series()
        days = np.where(lost.to_numpy(), highest, days)
    latest = np.full(households, lowest)
    np.maximum.at(latest, records[HOUSEHOLD].to_numpy(), days)
    return latest
