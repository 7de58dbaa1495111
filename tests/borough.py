"""The cohort of the worked example as plain Polars over a node's store."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from folkmoot_node.settings.node_toml import load_config
from folkmoot_node.store.encrypted_file import read_key
from folkmoot_node.store.reader import open_store

BOROUGH = "E09000002"
"""Barking and Dagenham."""
TITLE = "Council tax arrears, 65 or over, alone"


def cohort_of(out: Path, council: str = BOROUGH) -> pl.DataFrame:
    """Households of a rehearsed node that meet the three conditions, as its records have them.

    Args:
        out: Folder of the rehearsal.
        council: GSS code of the council.

    Returns:
        One row for each: `uprn`, and the inputs as the store's details have them.
    """
    config = load_config(out / "councils" / council)
    with open_store(config.store_path, read_key(config.key_file)) as store:
        details = pl.concat(list(store.details()), how="diagonal_relaxed")
    return details.filter(
        pl.col("field_council_tax_arrears") > 1000,
        pl.col("field_oldest_age") >= 65,
        pl.col("field_people") <= 1,
    )


def truth_of(out: Path, council: str = BOROUGH) -> pl.DataFrame:
    """The truth of its households, with the columns of `Population.household_table`."""
    return pl.read_parquet(out / "truth" / council / "households.parquet")


def scored_of(out: Path, council: str = BOROUGH) -> pl.DataFrame:
    """Its scored households, as the node wrote them."""
    return pl.read_parquet(out / "truth" / council / "scored.parquet")
