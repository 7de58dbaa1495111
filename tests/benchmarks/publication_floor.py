"""The floor of `publication.py`: NumPy and Polars by hand, for its one workload alone.

Reads the noisy numbers of all councils, reconstructs every marginal, and writes the columns
that `folkmoot-coordinator export` writes, without `presentable`: a least-squares fit of whole
numbers for each council has no counterpart in a few lines. All councils have the same shape
here, so that each step is one operation over all of them.
"""

from __future__ import annotations

import pickle
import sqlite3
import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Depths = tuple[int, ...]


def contrasts(asked: dict[str, Any], noisy: NDArray[np.int64]) -> dict[Depths, Float64]:
    """Least squares estimates of each component, shape (councils, lsoas, bands, ages)."""
    found, first = {}, 0
    for depths in asked["measured"]:
        shape = [size if depth else 1 for size, depth in zip(asked["sizes"], depths, strict=True)]
        rows = int(np.prod(shape))
        values = noisy[:, first : first + rows].reshape(-1, *shape).astype(np.float64)
        first += rows
        for axis, (size, depth) in enumerate(zip(asked["sizes"], depths, strict=True), start=1):
            if depth:
                values = (values - values.mean(axis=axis, keepdims=True)) / size
        found[depths] = values
    return found


def marginal(
    asked: dict[str, Any], parts: dict[Depths, Float64], wanted: Depths
) -> tuple[Float64, float]:
    """Estimates of one marginal of all councils, and the variance of each cell."""
    shape = [size if depth else 1 for size, depth in zip(asked["sizes"], wanted, strict=True)]
    value, variance = np.zeros((len(asked["councils"]), *shape)), 0.0
    for part in product(*(range(depth + 1) for depth in wanted)):
        shares = [
            1 - 1 / size if own else 1 / size
            for size, own, depth in zip(asked["sizes"], part, wanted, strict=True)
            if depth
        ]
        summed = [
            size
            for size, own, depth in zip(asked["sizes"], part, wanted, strict=True)
            if depth and not own
        ]
        value += parts[part] / np.prod(summed)
        variance += asked["tau_squared"][part] * float(np.prod(shares)) ** 2
    return value, variance


def text(codes: Any, categories: list[str]) -> pl.Series:
    """A column of text that is kept as numbers."""
    return pl.Series(categories, dtype=pl.Enum(categories)).gather(codes)


def rows_of(
    asked: dict[str, Any], level: str, name: str, codes: dict[str, Any], value: Float64, error: Any
) -> pl.DataFrame:
    """Columns of one marginal at one level."""
    flat = value.ravel()
    error = np.broadcast_to(error, flat.shape)
    width = asked["quantile"] * error + asked["steps"][name] / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        variation = np.where(flat > 0, error / flat, np.nan)
    reliability = np.where(variation < 0.2, 0, np.where(variation <= 1 / 3, 1, 2))
    rows, councils = len(flat), asked["councils"]
    region, covered = asked["region"], f"{len(councils)} of {len(councils)} councils"
    places = [*councils, region]
    place = np.full(rows, len(councils))
    if level == "council":
        place = np.repeat(np.arange(len(councils)), rows // len(councils))

    def constant(one: str | None, categories: list[str]) -> pl.Series:
        return pl.Series([one], dtype=pl.Enum(categories)).new_from_index(0, rows)

    return pl.DataFrame(
        {
            "level": constant(level, ["council", "region", "all_areas"]),
            "place": text(place, places),
            "place_name": constant(None if level == "council" else region, places),
            "coverage": constant(None if level == "council" else covered, [covered]),
            "marginal": constant(name, asked["names"]),
            **{
                attribute: text(codes[attribute], categories)
                if attribute in codes
                else constant(None, categories)
                for attribute, categories in asked["codes"].items()
            },
            "value": flat,
            "standard_error": error,
            "lower": flat - width,
            "upper": flat + width,
            "coefficient_of_variation": pl.Series(variation, nan_to_null=True),
            "reliability": text(reliability, ["reliable", "use with caution", "unreliable"]),
        }
    )


def table(asked: dict[str, Any], noisy: NDArray[np.int64]) -> pl.DataFrame:
    """Every estimate of every council and of the region."""
    parts = contrasts(asked, noisy)
    names = ("lsoa", "band", "age")
    councils, pieces = len(asked["councils"]), []
    for name, wanted in asked["marginals"].items():
        value, variance = marginal(asked, parts, wanted)
        shape = value.shape
        grids = np.indices(shape[1:]).reshape(3, -1)
        codes = {
            names[at]: np.tile(grids[at], councils).astype(np.uint32)
            for at, depth in enumerate(wanted)
            if depth
        }
        error = float(np.sqrt(variance))
        if wanted[0]:
            codes["lsoa"] = (
                np.arange(councils, dtype=np.uint32).repeat(shape[1] * shape[2] * shape[3])
                * shape[1]
                + codes["lsoa"]
            )
        pieces.append(rows_of(asked, "council", name, codes, value, error))
        if wanted[0]:
            pieces.append(rows_of(asked, "region", name, codes, value, error))
            value, variance = marginal(asked, parts, (0, *wanted[1:]))
            grids = np.indices(value.shape[1:]).reshape(3, -1)
            codes = {names[at]: grids[at] for at, depth in enumerate(wanted) if depth}
            codes["lsoa"] = np.full(grids.shape[1], len(asked["codes"]["lsoa"]) - 1)
        else:
            codes = {key: column[: value[0].size] for key, column in codes.items()}
        error = float(np.sqrt(variance * councils))
        level = "all_areas" if wanted[0] else "region"
        pieces.append(rows_of(asked, level, name, codes, value.sum(axis=0), error))
    return pl.concat(pieces)


def main(prepared: Path, out: Path, form: str) -> None:
    """Reads the database, and writes one file."""
    asked = pickle.loads(prepared.read_bytes())
    with sqlite3.connect(asked["database"]) as connection:
        found = connection.execute(
            "SELECT counts FROM cells WHERE round_id = ? ORDER BY council", (asked["round_id"],)
        )
        noisy = np.stack([np.frombuffer(counts, dtype="<i8") for (counts,) in found])
    made = table(asked, noisy)
    if form == "parquet":
        made.write_parquet(out / "floor.parquet")
    else:
        made.write_csv(out / "floor.csv", float_precision=6)
    print(made.height)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
