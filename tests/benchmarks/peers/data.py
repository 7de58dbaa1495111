"""The households that are counted: synthetic, seeded, with empty and small cells.

One Parquet file serves all: the peers read `cell`; a Folkmoot node scores the file as an
extract, which stores it encrypted, and counts by the area code.
"""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from peers.cells import CELLS, area
from release import COUNCIL

from folkmoot_node.pipeline.local import score
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.settings.node_toml import load_config
from folkmoot_node.sources.connect import load_plugins
from folkmoot_node.store.encrypted_file import create_key

EMPTY_CELLS = 50
SMALL_CELLS = 100
MAX_SMALL = 10
"""Households in a small cell: 1 to this."""
TODAY = datetime.date(2026, 1, 1)


def exact_counts(households: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Households of each cell: int64 of shape (CELLS,), which sums to `households`."""
    counts = np.zeros(CELLS, dtype=np.int64)
    order = rng.permutation(CELLS)
    small = order[EMPTY_CELLS : EMPTY_CELLS + SMALL_CELLS]
    large = order[EMPTY_CELLS + SMALL_CELLS :]
    counts[small] = rng.integers(1, MAX_SMALL + 1, SMALL_CELLS)
    counts[large] = rng.multinomial(households - counts.sum(), np.full(large.size, 1 / large.size))
    return counts


def write_households(path: Path, households: int, seed: int) -> npt.NDArray[np.int64]:
    """Writes the file, in random order; returns the exact counts."""
    rng = np.random.default_rng(seed)
    counts = exact_counts(households, rng)
    cell = rng.permutation(np.repeat(np.arange(CELLS, dtype=np.int64), counts))
    codes = np.array([area(number) for number in range(CELLS)])
    pl.DataFrame({
        "household": np.arange(households, dtype=np.int64) + 100_000_000_000,
        "cell": cell,
        "area": codes[cell],
        "arrears": np.round(rng.gamma(1.5, 400, households), 2),
    }).write_parquet(path)  # fmt: skip
    return counts


NODE = """schema = 1
council = "{council}"
name = "Benchmark"
[scoring]
frame = "accounts"
[[sources]]
name = "accounts"
kind = "extracts"
[sources.options]
mapping = "accounts.toml"
folder = "{folder}"
"""
MAPPING = """schema = 1
name = "accounts"
level = "household"
files = ["{file}"]
uprn = "household"
[fields.council_tax_arrears]
column = "arrears"
type = "number"
combine = "sum"
category = "finance"
unit = "GBP"
minimum = 0
[fields.lsoa]
column = "area"
type = "area"
combine = "first"
category = "geography"
"""
POLICY = """schema = 1
name = "Benchmark"
purpose = "benchmark"
legal_basis = "none"
owner = "nobody"
sunset = 2099-01-01
[[factors]]
factor = "financial_hardship"
weight = 10
[[bands]]
name = "low"
from = 0
action = "none"
[[bands]]
name = "high"
from = 5
action = "none"
[attributes.area]
field = "lsoa"
"""


def score_households(home: Path, data: Path) -> None:
    """Makes a node's home, and scores the file into its encrypted store."""
    home.mkdir()
    (home / "node.toml").write_text(NODE.format(council=COUNCIL, folder=data.parent))
    (home / "accounts.toml").write_text(MAPPING.format(file=data.name))
    (home / "risk-policy.toml").write_text(POLICY)
    config = load_config(home)
    create_key(config.key_file)
    score(config, load_plugins(config), load_policy(config.risk_policy), today=TODAY)
