"""How many households the cells of a question may hold: an assumption, never a count.

Whether a figure will be reliable depends on the households behind it, which nobody in the
region knows before the round. Two assumptions can be made: that all cells of a council are
equal, or that they are as an earlier round of the same councils published them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from folkmoot.attributes import OTHER
from folkmoot.geography import GssCode
from folkmoot.rounds import Round
from folkmoot.workload import Workload
from folkmoot_coordinator.aggregation.statistic import GeographicLevel
from folkmoot_operator.problems import ExitCode, Problem

Float64 = NDArray[np.float64]

TOTAL = "total"
"""Name of the marginal without attributes."""


class CellSizes(Protocol):
    """An assumption about the households in each cell."""

    @property
    def assumption(self) -> str:
        """What is assumed, as the end of a sentence."""

    def households(self, attributes: Sequence[str], council: GssCode) -> Float64:
        """Households in the cells of a marginal.

        Returns:
            float64, shape (cells assumed,), 0 or more, never missing. They represent the cells
            of the council; there need not be as many.
        """


class EqualCells:
    """All cells of one council and marginal hold the same number of households."""

    def __init__(self, workload: Workload, households: Mapping[GssCode, float]) -> None:
        """Takes the number of households of each council."""
        self._workload = workload
        self._households = households

    @classmethod
    def of_region(cls, round_: Round, households: float) -> EqualCells:
        """Shares the households of a region between councils.

        By the number of their areas, which are drawn to be of similar size, where the round
        counts by areas; otherwise equally.
        """
        workload = round_.workload
        areas = [attribute for attribute in workload.counted_by if attribute.is_area]
        parts = {
            council: len(areas[0].by_council[council]) if areas else 1
            for council in round_.councils
        }
        whole = sum(parts.values())
        return cls(
            workload, {council: households * part / whole for council, part in parts.items()}
        )

    @property
    def assumption(self) -> str:
        """What is assumed, as the end of a sentence."""
        total = sum(self._households.values())
        return (
            f"the region has {total:,.0f} households, and cells of a council are equal (real "
            "ones differ, and small ones are less reliable)"
        )

    def households(self, attributes: Sequence[str], council: GssCode) -> Float64:
        """See `CellSizes`."""
        workload = self._workload
        cells = np.prod([len(workload.attribute(name).codes_of(council)) for name in attributes])
        return np.full(int(cells), self._households[council] / cells)


@dataclass(frozen=True, slots=True)
class _Source:
    """From which earlier marginal another is summed, and which attribute gives each of its."""

    marginal: str
    origins: tuple[str, ...]


class EarlierRound:
    """Cells are as an earlier round published them.

    A marginal that was not asked then is summed from a finer one, or else made from its
    attributes as if they were independent; attributes unknown then divide equally. Estimates
    below zero count as empty cells.
    """

    def __init__(self, workload: Workload, path: Path, table: pl.DataFrame | None = None) -> None:
        """Reads the Parquet or CSV file of a round's results.

        Args:
            workload: Of the question.
            path: The file; or what the table is called.
            table: The rows of such a file, where they are known.

        Raises:
            Problem: If it is not such a file.
        """
        self._workload = workload
        self._path = path
        rows = self._of_councils(self._read() if table is None else _as_text(table))
        self._councils = tuple(rows["place"].unique().sort())
        self._tables = {
            (str(place), str(name)): table
            for (place, name), table in rows.partition_by("place", "marginal", as_dict=True).items()
        }
        # Coarsest first, so that a marginal is summed from as few rows as can be.
        self._asked = {
            str(name): frozenset(() if name == TOTAL else str(name).split("*"))
            for name in rows.group_by("marginal").len().sort("len", "marginal")["marginal"]
        }
        self._sources: dict[tuple[str, ...], _Source | None] = {}

    def _read(self) -> pl.DataFrame:
        try:
            if self._path.suffix == ".parquet":
                return _as_text(pl.read_parquet(self._path))
            return pl.read_csv(self._path, infer_schema=False)
        except (OSError, pl.exceptions.PolarsError) as error:
            reason = getattr(error, "strerror", None) or "it is not a table"
            raise self._problem(f"cannot be read ({reason})") from None

    def _of_councils(self, table: pl.DataFrame) -> pl.DataFrame:
        missing = {"level", "place", "marginal", "value"} - set(table.columns)
        if missing:
            raise self._problem(f"has no column {', '.join(sorted(missing))}")
        rows = table.filter(pl.col("level") == GeographicLevel.COUNCIL.value).with_columns(
            pl.col("value").cast(pl.Float64, strict=False)
        )
        if rows.is_empty() or not rows["value"].is_finite().fill_null(value=False).all():
            raise self._problem("has no rows of councils, or a value that is not a number")
        return rows

    def _problem(self, problem: str) -> Problem:
        return Problem(
            problem,
            where=str(self._path),
            remedy="Give the Parquet or CSV file that `folkmoot-coordinator export` wrote for a "
            "round",
            exit_code=ExitCode.DATA,
        )

    @property
    def assumption(self) -> str:
        """What is assumed, as the end of a sentence."""
        return (
            f"cells are as large as in {self._path.name}, and attributes are independent where "
            "it does not say"
        )

    def households(self, attributes: Sequence[str], council: GssCode) -> Float64:
        """See `CellSizes`; for a council that the file leaves out, those of all its councils."""
        places = [council] if council in self._councils else self._councils
        found = [self._of(attributes, place, council) for place in places]
        return np.maximum(np.concatenate(found), 0.0)

    def _of(self, attributes: Sequence[str], place: str, council: GssCode) -> Float64:
        summed = self._summed(attributes, place)
        if summed is not None:
            return summed
        total = self._summed((), place)
        if total is None:
            raise self._problem(f"has not the same marginals for {place} as for other councils")
        shares = [self._shares(name, place, council) for name in attributes]
        crossed: Float64 = reduce(np.multiply.outer, shares, total).ravel()
        return crossed

    def _shares(self, name: str, place: str, council: GssCode) -> Float64:
        counted = self._summed((name,), place)
        if counted is None or counted.clip(0).sum() <= 0:
            codes = len(self._workload.attribute(name).codes_of(council))
            return np.full(codes, 1 / codes)
        shares: Float64 = counted.clip(0) / counted.clip(0).sum()
        return shares

    def _summed(self, attributes: Sequence[str], place: str) -> Float64 | None:
        """A marginal of the file, itself or summed from the coarsest finer one; None if none."""
        source = self._source(tuple(attributes))
        found = self._tables.get((place, source.marginal)) if source else None
        if source is None or found is None:
            return None
        if not attributes:
            return np.array([found["value"].sum()])
        keys = [
            self._codes(found, origin, name).alias(f"code{at}")
            for at, (origin, name) in enumerate(zip(source.origins, attributes, strict=True))
        ]
        summed = (
            pl.DataFrame([*keys, found["value"].alias("households")])
            .group_by([key.name for key in keys], maintain_order=True)
            .sum()
        )
        households: Float64 = summed["households"].to_numpy()
        return households

    def _source(self, attributes: tuple[str, ...]) -> _Source | None:
        if attributes not in self._sources:
            candidates = (
                _Source(name, tuple(origins))
                for name, asked in self._asked.items()
                if len(origins := [o for one in attributes if (o := self._origin(one, asked))])
                == len(attributes)
            )
            self._sources[attributes] = next(candidates, None)
        return self._sources[attributes]

    def _origin(self, attribute: str, asked: frozenset[str]) -> str | None:
        """The attribute of an earlier marginal that gives this one: itself, or one within it."""
        if attribute in asked:
            return attribute
        declared = {one.name for one in self._workload.attributes}
        return next(
            (name for name in sorted(asked & declared) if attribute in self._workload.above(name)),
            None,
        )

    def _codes(self, rows: pl.DataFrame, origin: str, attribute: str) -> pl.Series:
        column = f"{origin}_" if f"{origin}_" in rows.columns else origin
        codes = rows[column]
        if origin == attribute:
            return codes
        known = set(self._workload.attribute(origin).parents) | {OTHER}
        above = {
            code: self._workload.ancestor(origin, code, attribute) if code in known else OTHER
            for code in codes.unique()
        }
        return codes.replace_strict(above, return_dtype=pl.String)


def _as_text(table: pl.DataFrame) -> pl.DataFrame:
    """The same rows; columns of listed texts as String."""
    texts = [one for one, kind in table.schema.items() if isinstance(kind, pl.Enum)]
    return table.with_columns(pl.col(texts).cast(pl.String))
