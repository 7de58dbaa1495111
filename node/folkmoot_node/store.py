"""Reads the encrypted store of households and scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from folkmoot_node.run_summary import RunSummary, StoredAttribute
from folkmoot_node.store_file import StoreKey, attach, create_key, read_key
from folkmoot_node.table import (
    BAND_COLUMN,
    PART_COLUMN,
    POINT,
    SCORE_COLUMN,
    UNKNOWN_POINTS,
    points_column,
)
from folkmoot_operator.problems import ExitCode, Problem

if TYPE_CHECKING:
    import duckdb
    import polars as pl

__all__ = ["HouseholdStore", "StoreKey", "create_key", "open_store", "read_key"]


@contextmanager
def open_store(path: Path, key: StoreKey, *, threads: int = 2) -> Iterator[HouseholdStore]:
    """Opens the last finished run, read-only.

    A new run may replace the file meanwhile: what is open stays what it was.

    Raises:
        Problem: Exit code DATA, if nothing was scored yet or the file cannot be read.
    """
    if not path.exists():
        raise Problem(
            "no household has been scored yet",
            where=str(path),
            remedy="Run `folkmoot-node score`",
            exit_code=ExitCode.DATA,
        )
    connection = attach(path, key, read_only=True, threads=threads)
    try:
        yield HouseholdStore(connection, _read_run(connection, path))
    finally:
        connection.close()


class HouseholdStore:
    """The households of one finished run.

    Attributes:
        run: What the run did.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, run: RunSummary) -> None:
        self.run = run
        self._connection = connection

    @property
    def attributes(self) -> Mapping[str, tuple[str, ...] | None]:
        """Public codes by attribute, `band` first; None for an area."""
        return self.run.attributes

    def tabulate(
        self, codes: Mapping[str, Sequence[str]], marginals: Sequence[Sequence[str]]
    ) -> list[npt.NDArray[np.int64]]:
        """Counts households exactly. The result must go straight into `ExactCounts`.

        Args:
            codes: For each attribute its code list, in cell order.
            marginals: Attributes of each marginal; the last varies fastest; () is the
                total of all households.

        Returns:
            One flat int64 array for each marginal. Empty cells are 0. A household whose
            code is not in a list is in no cell of the marginals that use it.

        Raises:
            Problem: Exit code REFUSED, for an attribute that the store does not have.
        """
        cells = {name: self._cell_of_index(name, listed) for name, listed in codes.items()}
        return [
            self._marginal(names, [cells[name] for name in names], [len(codes[n]) for n in names])
            for names in marginals
        ]

    def household(self, uprn: int) -> dict[str, Any] | None:
        """Score, band, inputs and contributions of one household, as `table` names them.

        Returns:
            None if the household is not in the frame.
        """
        import polars as pl

        row = self._connection.execute(
            "SELECT part, score, band FROM store.households WHERE uprn = ?", [uprn]
        ).fetchone()
        if row is None:
            return None
        part, score, band = row
        details = self._details(part).filter(pl.col("uprn") == uprn)
        return {SCORE_COLUMN: score, BAND_COLUMN: band, **details.row(0, named=True)}

    def households(self, bands: Sequence[str]) -> pl.DataFrame:
        """The households of some bands, highest score first.

        Returns:
            `uprn`, `score`, `completeness` (known weight over total weight), `band`, and
            the other attributes, as codes.
        """
        import polars as pl

        wanted = [self.run.band_names.index(band) for band in bands]
        found = pl.DataFrame(
            self._connection.execute(
                "SELECT * FROM store.households WHERE list_contains(?, band)", [wanted]
            ).fetchnumpy()
        )
        total = sum(factor.weight for factor in self.run.factors)
        known = pl.sum_horizontal(
            (pl.col(points_column(factor.name)) != UNKNOWN_POINTS) * factor.weight
            for factor in self.run.factors
        )
        parts = [
            self._details(part).select("uprn", completeness=known / total)
            for part in found[PART_COLUMN].unique()
        ]
        none = pl.DataFrame(schema={"uprn": pl.Int64, "completeness": pl.Float64})
        weighed = pl.concat([none, *parts])
        coded = {
            name: pl.col(stored.column).replace_strict(
                range(len(stored.stored_codes)), stored.stored_codes, return_dtype=pl.String
            )
            for name, stored in self.run.stored.items()
        }
        return (
            found.join(weighed, on="uprn")
            .sort(pl.col(SCORE_COLUMN), pl.col("uprn"), descending=[True, False])
            .select("uprn", pl.col(SCORE_COLUMN) / POINT, "completeness", **coded)
        )

    def details(self) -> Iterator[pl.DataFrame]:
        """UPRN, inputs and contributions of all households, part by part."""
        numbers = self._connection.execute("SELECT part FROM store.details ORDER BY part")
        for (part,) in numbers.fetchall():
            yield self._details(part)

    def _details(self, part: int) -> pl.DataFrame:
        import polars as pl

        row = self._connection.execute(
            "SELECT arrow FROM store.details WHERE part = ?", [part]
        ).fetchone()
        return pl.read_ipc(row[0] if row else b"")

    def _attribute(self, name: str) -> StoredAttribute:
        stored = self.run.stored.get(name)
        if stored is None:
            raise Problem(
                f"the last run has no attribute {name!r} ({', '.join(self.run.stored)})",
                where="round",
                remedy="Ask for attributes of the risk stratification policy only",
                exit_code=ExitCode.REFUSED,
            )
        return stored

    def _cell_of_index(self, name: str, listed: Sequence[str]) -> npt.NDArray[np.int64]:
        """For each stored index its place in the round's list, -1 if it has none."""
        place = {code: at for at, code in enumerate(listed)}
        stored = self._attribute(name).stored_codes
        return np.array([place.get(code, -1) for code in stored], dtype=np.int64)

    def _marginal(
        self,
        names: Sequence[str],
        cells: Sequence[npt.NDArray[np.int64]],
        sizes: Sequence[int],
    ) -> npt.NDArray[np.int64]:
        columns = [
            f'"{stored.column}" AS a{at}' for at, stored in enumerate(map(self._attribute, names))
        ]
        keys = "".join(f"{column}, " for column in columns)
        group = " GROUP BY ALL" if names else ""
        found = self._connection.execute(
            f"SELECT {keys}count(*)::BIGINT AS households FROM store.households{group}"  # noqa: S608
        ).fetchnumpy()
        counts = np.zeros(int(np.prod(sizes, dtype=np.int64)), dtype=np.int64)
        households = np.asarray(found["households"], dtype=np.int64)
        cell = np.zeros(households.shape, dtype=np.int64)
        inside = np.ones(households.shape, dtype=np.bool_)
        for at, (place, size) in enumerate(zip(cells, sizes, strict=True)):
            here = place[np.asarray(found[f"a{at}"], dtype=np.int64)]
            inside &= here >= 0
            cell = cell * size + here
        np.add.at(counts, cell[inside], households[inside])
        return counts


def _read_run(connection: duckdb.DuckDBPyConnection, path: Path) -> RunSummary:
    import duckdb

    try:
        row = connection.execute("SELECT document FROM store.run").fetchone()
        return RunSummary.model_validate_json(row[0] if row else "")
    except (duckdb.Error, ValidationError):
        raise Problem(
            "the store was written by another version of the node",
            where=str(path),
            remedy="Run `folkmoot-node score` again",
            exit_code=ExitCode.DATA,
        ) from None
