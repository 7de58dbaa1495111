"""Finds the household of each record by its UPRN."""

from __future__ import annotations

import numpy as np
import polars as pl

from folkmoot_sdk.schema import UPRN_COLUMN

HOUSEHOLD = "__household"
"""Column of linked records: row of the household in its partition."""


def household_index(uprns: pl.Series) -> pl.DataFrame:
    """Finds the row of the frame that each UPRN has.

    Args:
        uprns: UPRNs of the frame, each once.

    Returns:
        One row for each UPRN: the columns `uprn` (Int64) and `HOUSEHOLD` (UInt32), never null.
    """
    return pl.DataFrame({UPRN_COLUMN: uprns}).with_row_index(HOUSEHOLD)


def link_by_uprn(records: pl.DataFrame, index: pl.DataFrame, *, ordered: bool) -> pl.DataFrame:
    """Finds the records whose UPRN is in the frame.

    Args:
        records: As `folkmoot_node.sources.reader` gives them.
        index: From `household_index`.
        ordered: Whether to keep the order of records, which takes longer.

    Returns:
        Their rows, with all columns and nulls, and the column `HOUSEHOLD` (UInt32, never null).
    """
    if ordered:
        keys = records.lazy().select(UPRN_COLUMN)
        found = keys.join(index.lazy(), on=UPRN_COLUMN, how="left", maintain_order="left")
        rows = found.select(HOUSEHOLD).collect(engine="in-memory").to_series()
        linked = records.with_columns(rows)
        return linked.filter(pl.col(HOUSEHOLD).is_not_null()) if rows.null_count() else linked
    joined = records.lazy().join(index.lazy(), on=UPRN_COLUMN, how="inner")
    return joined.collect(engine="streaming")


def is_unique(keys: pl.Series) -> bool:
    """Whether each key stands there once; unknown keys aside."""
    # A source with several records a household shows it in its first records already.
    if keys[:10_000].drop_nulls().is_duplicated().any():
        return False
    ordered = np.sort(keys.drop_nulls().to_numpy())
    return not bool((ordered[1:] == ordered[:-1]).any())
