"""Published estimates beside the truth: possible because the residents are synthetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

ALL_AREAS = "(all)"
"""As the coordinator writes it: every area of the round together."""
OTHER = "(other)"
"""As the coordinator writes it: what has none of the codes of the round."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often the published intervals hold the truth.

    Attributes:
        level: `region`, `council` or `all_areas`.
        marginal: Name of the marginal.
        cells: Estimates compared.
        within: Of these, those whose 95 % interval holds the truth.
    """

    level: str
    marginal: str
    cells: int
    within: int


def with_truth(published: Path, scored: Mapping[str, Path]) -> pl.DataFrame:
    """The published table with the exact counts beside it.

    Args:
        published: Parquet file that the coordinator exported.
        scored: By council that released, the Parquet file of scored households that its
            node wrote.

    Returns:
        The published rows, with the columns `true` (households, int64) and `within` (bool), never
        null.
    """
    # Published texts are enumerations of what occurs in their file; the truth has other texts too.
    table = pl.read_parquet(published).with_columns(pl.col(pl.Enum).cast(pl.String))
    households = pl.concat(
        [
            pl.read_parquet(path).select(
                pl.lit(council).alias("place"),
                pl.exclude("uprn", "score", "completeness").cast(pl.String),
            )
            for council, path in scored.items()
        ]
    )
    used = {name for marginal in table["marginal"].unique() for name in marginal.split("*")}
    counted = households
    for name in sorted(used - {"total"}):
        listed = pl.col(name).is_in(table[name].drop_nulls().unique().implode())
        if (table[name] == OTHER).any():
            cell = pl.when(listed).then(pl.col(name)).otherwise(pl.lit(OTHER))
            counted = counted.with_columns(cell.alias(name))
        else:  # a round leaves out the households that have no cell in it
            counted = counted.filter(listed)
    compared = []
    for (level, marginal), rows in table.group_by(["level", "marginal"], maintain_order=True):
        names = [] if marginal == "total" else str(marginal).split("*")
        place = ["place"] if level == "council" else []
        not_summed = [name for name in names if not (rows[name] == ALL_AREAS).any()]
        compared.append(_counted(rows, counted, [*place, *not_summed]))
    return pl.concat(compared).with_columns(
        pl.col("true").is_between(pl.col("lower"), pl.col("upper")).alias("within")
    )


def agreements(compared: pl.DataFrame) -> list[Agreement]:
    """How often the intervals hold the truth, by level and marginal."""
    counted = compared.group_by(["level", "marginal"], maintain_order=True).agg(
        pl.len().alias("cells"), pl.col("within").sum()
    )
    return [Agreement(*row) for row in counted.iter_rows()]


def _counted(rows: pl.DataFrame, households: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """The rows with the number of households that have the same keys; none is 0."""
    if keys:
        exact = households.group_by(keys).len("true")
        rows = rows.join(exact, on=keys, how="left", maintain_order="left")
    else:
        rows = rows.with_columns(pl.lit(households.height).alias("true"))
    return rows.with_columns(pl.col("true").fill_null(0).cast(pl.Int64))
