"""Reads the encrypted store of households and scores."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from folkmoot_node.store.counting import HouseholdCounter
from folkmoot_node.store.encrypted_file import StoreKey, attach, deletion, worded
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_node.store.schema import (
    BAND_COLUMN,
    PART_COLUMN,
    POINT,
    SCORE_COLUMN,
    UNKNOWN_POINTS,
    WITHHELD_COLUMN,
    points_column,
)
from folkmoot_operator.problems import ExitCode, Problem

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from folkmoot_node.store.household_table import HouseholdTable


@contextmanager
def open_store(path: Path, key: StoreKey, *, threads: int = 2) -> Iterator[HouseholdStore]:
    """Opens the last finished run, read-only.

    A new run may replace the file meanwhile: what is open stays what it was.

    Raises:
        Problem: Exit code DATA, if nothing was scored yet or the file cannot be read.
    """
    missing = absence(path)
    if missing:
        raise Problem(
            missing,
            where=str(path),
            remedy="Run `folkmoot-node score`",
            exit_code=ExitCode.DATA,
        )
    connection = attach(path, key, read_only=True, threads=threads)
    try:
        with worded(path):
            yield HouseholdStore(connection, _read_run(connection, path))
    finally:
        connection.close()


def absence(path: Path) -> str | None:
    """Why there are no scores: deleted, when and why, or never made; None if there are some."""
    return None if path.exists() else deletion(path) or "no household has been scored yet"


class HouseholdStore:
    """The households of one finished run.

    Attributes:
        run: What the run did.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, run: RunSummary) -> None:
        self.run = run
        self._connection = connection
        self._withheld: frozenset[int] = frozenset()

    @property
    def attributes(self) -> Mapping[str, tuple[str, ...] | None]:
        """Public codes by attribute, `band` first; None for an area."""
        return self.run.attributes

    def withhold(self, uprns: Collection[int]) -> None:
        """Leaves households out of counts, lists and cohorts, besides those that the run left out.

        An objection may have been upheld since the run. Who is asked for one by one is found.

        Args:
            uprns: The households; they need not be in the store.
        """
        self._withheld = frozenset(uprns)

    @property
    def counter(self) -> HouseholdCounter:
        """Counts the households exactly, without those that are withheld."""
        return HouseholdCounter(self._connection, self.run, self._not_withheld)

    def holds(self, uprn: int) -> bool:
        """Whether a household with this UPRN was scored."""
        found = self._connection.execute(
            f"SELECT 1 FROM store.households WHERE uprn = {uprn:d}"  # noqa: S608
        )
        return found.fetchone() is not None

    def codes(self, uprn: int) -> dict[str, str] | None:
        """Code of each attribute of one household, by name, as rounds count it.

        Returns:
            None if the household is not in the store.
        """
        counted = ", ".join(f'"{one.counted}"' for one in self.run.stored.values())
        row = self._connection.execute(
            f"SELECT {counted} FROM store.households WHERE uprn = {uprn:d}"  # noqa: S608
        ).fetchone()
        if row is None:
            return None
        pairs = zip(self.run.stored.items(), row, strict=True)
        return {name: one.stored_codes[at] for (name, one), at in pairs}

    def audited_groups(self, uprns: Sequence[int]) -> pl.DataFrame:
        """Protected groups of some households, for the fields that the policy audits.

        Returns:
            One row for each household of `uprns` that was scored: `uprn` (Int64), then for each
            audited field, by its name, the group (String), null where it is not known.
        """
        import polars as pl

        listed = "".join(f', "{one.column}"' for one in self.run.audited.values())
        found = pl.DataFrame(
            self._connection.execute(
                f"SELECT uprn{listed} FROM store.households "  # noqa: S608
                "WHERE list_contains($uprns::BIGINT[], uprn)",
                {"uprns": list(uprns)},
            ).fetchnumpy(),
            schema_overrides={"uprn": pl.Int64},
        )
        return found.select(
            "uprn",
            **{
                name: pl.col(one.column)
                .cast(pl.Int64)
                .replace_strict(dict(enumerate(one.groups)), default=None, return_dtype=pl.String)
                for name, one in self.run.audited.items()
            },
        )

    def household(self, uprn: int) -> dict[str, Any] | None:
        """Score, band, inputs and contributions of one household, as `table` names them.

        Also one that is withheld is found, which it says.

        Returns:
            None if the household is not in the frame.
        """
        import polars as pl

        withheld = WITHHELD_COLUMN if self._has_withheld else "false"
        row = self._connection.execute(
            f"SELECT part, score, band, {withheld} FROM store.households "  # noqa: S608
            f"WHERE uprn = {uprn:d}"
        ).fetchone()
        if row is None:
            return None
        part, score, band, by_run = row
        details = self._details(part).filter(pl.col("uprn") == uprn)
        return {
            SCORE_COLUMN: score,
            BAND_COLUMN: band,
            WITHHELD_COLUMN: by_run or uprn in self._withheld,
            **details.row(0, named=True),
        }

    def households(self, bands: Sequence[str]) -> pl.DataFrame:
        """The households of some bands, highest score first, without those that are withheld.

        Returns:
            One row for each household: columns `uprn` (Int64), `score` (points), `completeness`
            (known weight over total weight, from 0 to 1), `band`, the other attributes as codes
            (String), and as names separated by blanks (String): `rejected_inputs`, those that are
            unknown since a record was rejected; `suppressed_inputs` and `corrected_inputs`, those
            that are not used or were corrected since an objection was upheld. None is null.
        """
        import polars as pl

        from folkmoot_node.store.household_table import MARKS, marked

        wanted = [self.run.band_names.index(band) for band in bands]
        where = " AND ".join([f"list_contains({wanted}, band)", *self._not_withheld])
        found = pl.DataFrame(
            self._connection.execute(
                f"SELECT * FROM store.households WHERE {where}"  # noqa: S608
            ).fetchnumpy()
        )
        total = sum(factor.weight for factor in self.run.factors)
        known = pl.sum_horizontal(
            (pl.col(points_column(factor.name)) != UNKNOWN_POINTS) * factor.weight
            for factor in self.run.factors
        )
        parts = [
            (details := self._details(part)).select(
                "uprn",
                completeness=known / total,
                **marked(details),
            )
            for part in found[PART_COLUMN].unique()
        ]
        none = pl.DataFrame(
            schema={"uprn": pl.Int64, "completeness": pl.Float64} | dict.fromkeys(MARKS, pl.String)
        )
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
            .select(
                "uprn",
                (pl.col(SCORE_COLUMN) / POINT).round(3),
                "completeness",
                **coded,
                **{name: pl.col(name) for name in MARKS},
            )
        )

    def columns(self, names: Sequence[str]) -> pl.DataFrame:
        """Some columns of all households, for cohorts; keep the table, since it takes seconds.

        Args:
            names: As `store.schema` names them: `score`, `band`, `completeness`, `withheld`,
                `attribute_column`, `field_column`, `points_column`, `record_column`,
                `date_column`, `rejected_column`, `suppressed_column` and `corrected_column` of
                something. `column_types` lists all.

        Returns:
            One row for each household, by UPRN: `uprn` (Int64), then the columns in their order,
            each once, null where it is not known. Points and score are Float64, in points;
            `completeness` is Float64, from 0 to 1; attributes, bands and categories are Enum of
            their codes; the others have the type of their field.

        Raises:
            Problem: Exit code DATA, for a name that the run does not have.
        """
        return self._table_of_households.read(names, self._withheld)

    def column_types(self) -> dict[str, pl.DataType]:
        """Type of each column that `columns` can give, by name."""
        return self._table_of_households.types

    @cached_property
    def _table_of_households(self) -> HouseholdTable:
        from folkmoot_node.store.household_table import HouseholdTable

        return HouseholdTable(self._connection, self.run, self._details)

    def bands(self) -> pl.DataFrame:
        """One row for each household: columns `uprn` and `band` (index of the band), never null."""
        import polars as pl

        found = self._connection.execute("SELECT uprn, band FROM store.households").fetchnumpy()
        return pl.DataFrame(found)

    def details(self) -> Iterator[pl.DataFrame]:
        """Yields inputs and contributions of all households, part by part.

        Returns:
            One row for each household, with the columns that `store.schema` names: inputs, null
            where unknown; contributions, `UNKNOWN_POINTS` where unknown.
        """
        numbers = self._connection.execute("SELECT part FROM store.details ORDER BY part")
        for (part,) in numbers.fetchall():
            yield self._details(part)

    def audited(self) -> Iterator[pl.DataFrame]:
        """All households with what the equality audit needs, part by part.

        Returns:
            One row for each household: `uprn`, score, band and audited columns as the table
            `households` has them, never null; inputs and contributions as `details` has them.
        """
        import polars as pl

        listed = "".join(f', "{audit.column}"' for audit in self.run.audited.values())
        numbers = self._connection.execute("SELECT part FROM store.details ORDER BY part")
        for (part,) in numbers.fetchall():
            counted = self._connection.execute(
                f"SELECT uprn, score, band{listed} FROM store.households "  # noqa: S608
                f"WHERE part = {part:d}"
            ).fetchnumpy()
            yield self._details(part).join(
                pl.DataFrame(counted), on="uprn", maintain_order="left", validate="1:1"
            )

    def _details(self, part: int, names: Sequence[str] | None = None) -> pl.DataFrame:
        """One part of the details: all columns, or those of some names that it has."""
        import polars as pl

        row = self._connection.execute(
            f"SELECT arrow FROM store.details WHERE part = {part:d}"  # noqa: S608
        ).fetchone()
        content = row[0] if row else b""
        if names is None:
            return pl.read_ipc(content)
        there = pl.read_ipc_schema(BytesIO(content))
        return pl.read_ipc(content, columns=[name for name in names if name in there])

    @cached_property
    def _has_withheld(self) -> bool:
        """Whether the run says who is withheld; those of earlier versions do not."""
        table = self._connection.execute("SELECT * FROM store.households LIMIT 0")
        return WITHHELD_COLUMN in {name for name, *_ in table.description or ()}

    @property
    def _not_withheld(self) -> list[str]:
        """Conditions of SQL that a household meets unless it is withheld."""
        since = ", ".join(f"{uprn:d}" for uprn in sorted(self._withheld))
        return [
            *([f"NOT {WITHHELD_COLUMN}"] if self._has_withheld else []),
            *([f"uprn NOT IN ({since})"] if since else []),
        ]


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
