"""Sources about areas: one row for each area, and which row describes a household's area."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from folkmoot_node.households.combine import absent_value, combine
from folkmoot_node.households.rejected_values import rejected_values, without_rejected
from folkmoot_node.households.uprn_join import HOUSEHOLD
from folkmoot_sdk.schema import AREA_COLUMN, Field

_RECORDS = "__records"
"""Column of the table: number of records of the area."""


def tabulate_areas(records: pl.DataFrame, areas: int, fields: Sequence[Field]) -> pl.DataFrame:
    """Combines the records of a source about areas to one row for each area.

    Args:
        records: One row for each record: `AREA_COLUMN`, index of its area (null: left out),
            and the fields.
        areas: Number of areas.
        fields: The source's fields.

    Returns:
        One row for each area, in the order of the indexes: the fields, null where unknown, and
        the number of records, Int64, for `records_found`.
    """
    linked = records.rename({AREA_COLUMN: HOUSEHOLD}).drop_nulls(HOUSEHOLD)
    values, _ = combine(linked, areas, fields)
    values = without_rejected(values, rejected_values(linked, values, fields))
    counts = np.bincount(linked[HOUSEHOLD].to_numpy(), minlength=areas)
    return values.with_columns(pl.Series(_RECORDS, counts))


def area_rows(areas: Sequence[str], labels: Sequence[str]) -> pl.Series:
    """For each area of the households its row among the areas of a source.

    Args:
        areas: What the indexes of the households' areas stand for.
        labels: The source's areas, in the order of its rows.

    Returns:
        UInt32, null for an area that the source does not have.
    """
    place = {code: at for at, code in enumerate(labels)}
    return pl.Series([place.get(code) for code in areas], dtype=pl.UInt32)


def records_found(values: pl.DataFrame, rows: pl.Series) -> int:
    """Number of records about areas in which the council has households.

    Args:
        values: As `tabulate_areas` gives it.
        rows: As `area_rows` gives them.
    """
    return int(values[_RECORDS].gather(rows.drop_nulls()).sum())


def area_values(
    values: pl.DataFrame, fields: Sequence[Field], rows: pl.Series
) -> tuple[pl.DataFrame, pl.Series]:
    """The table of an area source, with a last row for areas of which it has no record.

    Args:
        values: As `tabulate_areas` gives it.
        fields: Its fields.
        rows: For each area of the households its row, null if there is none.

    Returns:
        The columns of the fields, null where unknown; and for each area of the households its
        row, UInt32, never null.
    """
    table = values.drop(_RECORDS)
    none = pl.DataFrame(
        {field.name: [absent_value(field)] for field in fields}, schema=table.schema
    )
    return pl.concat([table, none]), rows.fill_null(table.height)
