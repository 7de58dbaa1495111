"""Links sources to the household frame, by UPRN or by area."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from folkmoot_node.households import RECORDS_COLUMN, absent_value
from folkmoot_sdk.schema import Field


def link(
    households: pl.DataFrame,
    on: str,
    combined: pl.DataFrame,
    key: str,
    fields: Sequence[Field],
) -> tuple[pl.DataFrame, int]:
    """Adds one source's fields to the households.

    A household without a record has the field's `absent` value; a household whose
    records do not know the value has an unknown one.

    Args:
        households: The frame; its rows and their order stay.
        on: Column of the frame: `uprn`, or the area by which an area source is joined.
        combined: One row per `key`, from `households.combine`.
        key: Key column of `combined`.
        fields: Fields to add.

    Returns:
        The frame with the fields added, and the number of records that were linked.
    """
    keys = combined.rename({key: on}) if key != on else combined
    joined = households.lazy().join(keys.lazy(), on=on, how="left", maintain_order="left")
    filled = []
    for field in fields:
        value = pl.col(field.name)
        absent = absent_value(field)
        if absent is None:
            continue
        if combined[field.name].null_count() == 0:
            filled.append(value.fill_null(absent))
        else:
            missing = pl.col(RECORDS_COLUMN).is_null()
            filled.append(pl.when(missing).then(pl.lit(absent)).otherwise(value).alias(field.name))
    result = joined.with_columns(filled).collect(engine="in-memory")
    matched = result
    if key != on:
        # Many households share an area; each of its records counts once.
        matched = keys.join(households.select(on), on=on, how="semi")
    return result.drop(RECORDS_COLUMN), int(matched[RECORDS_COLUMN].sum())
