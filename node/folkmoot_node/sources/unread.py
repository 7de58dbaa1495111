"""Which values of a record could not be read, beside the record that lost them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

UNREAD = "__unread"
"""Column of records, List(UInt16): places of the fields whose values could not be read, among
the wanted fields of the source; null if all were read. Only tables that have such records have
the column."""
DATE_UNREAD = 65_535
"""Stands in the list for the record date."""


def unread_column(records: int, found: Iterable[tuple[int, Sequence[int]]]) -> pl.Series | None:
    """Makes the column `UNREAD`.

    Args:
        records: Number of records.
        found: For each field with unread values its place, and the records, from 0.

    Returns:
        One list for each record, List(UInt16), null where all was read; None if all was read in
        every record.
    """
    pairs = [
        pl.DataFrame({"record": records_, UNREAD: [place] * len(records_)})
        for place, records_ in found
        if len(records_)
    ]
    if not pairs:
        return None
    lists = (
        pl.concat(pairs)
        .with_columns(pl.col("record").cast(pl.UInt32), pl.col(UNREAD).cast(pl.UInt16))
        .group_by("record")
        .agg(pl.col(UNREAD).unique().sort())
    )
    rows = pl.DataFrame({"record": pl.int_range(records, dtype=pl.UInt32, eager=True)})
    return rows.join(lists, on="record", how="left", maintain_order="left")[UNREAD]


def stacked(tables: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Puts tables of one source below each other, of which some may have the column `UNREAD`.

    Args:
        tables: At least one, with equal columns but for that one.

    Returns:
        All their rows in order, with the types of the tables; `UNREAD` is null for the rows of a
        table that does not have it.
    """
    differ = any(UNREAD in table.columns for table in tables)
    return pl.concat(tables, how="diagonal" if differ else "vertical")
