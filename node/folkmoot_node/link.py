"""Finds the household of each record, by UPRN or by area."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from folkmoot_sdk.schema import UPRN_COLUMN

HOUSEHOLD = "__household"
"""Column of linked records: row of the household in its partition."""


def household_index(uprns: pl.Series) -> pl.DataFrame:
    """From UPRN to row of the frame.

    Args:
        uprns: UPRNs of the frame, each once.
    """
    return pl.DataFrame({UPRN_COLUMN: uprns}).with_row_index(HOUSEHOLD)


def link_by_uprn(records: pl.DataFrame, index: pl.DataFrame, *, ordered: bool) -> pl.DataFrame:
    """The records whose UPRN is in the frame, with the column `HOUSEHOLD`.

    Args:
        records: As `folkmoot_node.records` gives them.
        index: From `household_index`.
        ordered: Whether to keep the order of records, which takes longer.
    """
    if ordered:
        keys = records.lazy().select(UPRN_COLUMN)
        found = keys.join(index.lazy(), on=UPRN_COLUMN, how="left", maintain_order="left")
        rows = found.select(HOUSEHOLD).collect(engine="in-memory").to_series()
        linked = records.with_columns(rows)
        return linked.filter(pl.col(HOUSEHOLD).is_not_null()) if rows.null_count() else linked
    joined = records.lazy().join(index.lazy(), on=UPRN_COLUMN, how="inner")
    return joined.collect(engine="streaming")


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


def is_unique(keys: pl.Series) -> bool:
    """Whether each key stands there once; unknown keys aside."""
    # A source with several records a household shows it in its first records already.
    if keys[:10_000].drop_nulls().is_duplicated().any():
        return False
    ordered = np.sort(keys.drop_nulls().to_numpy())
    return not bool((ordered[1:] == ordered[:-1]).any())
