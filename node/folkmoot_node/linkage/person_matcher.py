"""Compares records about people with known people: Splink on DuckDB, in memory only.

Nothing here decides whose record it is; `resolve` does. The known people are prepared
once; records come in chunks, so that memory is bounded by the known people and one chunk.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl

from folkmoot_node.linkage.person_model import PersonModel
from folkmoot_operator.extras import how_to_install
from folkmoot_operator.problems import ExitCode, Problem

if TYPE_CHECKING:
    from splink import Linker

PERSONA = "persona"
RECORD = "record"
WEIGHT = "weight"
_RECORDS = "records"


@dataclass(frozen=True, slots=True)
class Matcher:
    """Known people, ready to be compared with.

    Attributes:
        model: How people are compared.
        linker: Splink's, with the known people in it.
        connection: The linker's database, in memory.
    """

    model: PersonModel
    linker: Linker
    connection: duckdb.DuckDBPyConnection

    def pairs(self, people: pl.DataFrame, least: float) -> pl.DataFrame:
        """Compares people with the known ones.

        Args:
            people: `RECORD` (Int64) and `MODEL_COLUMNS`.
            least: Least match weight of the pairs returned, in bits: the logarithm to base
                2 of the odds that both are the same person.

        Returns:
            One row for each pair: `RECORD`, `PERSONA` (of the known person), `WEIGHT` (Float64),
            and for each comparison of the model its level (Int8; -1 if a value is not known),
            ordered by record, then persona. None is null.
        """
        names = [found.name for found in self.model.comparisons]
        self.connection.register(_RECORDS, people.rename({RECORD: "unique_id"}).to_arrow())
        found = self.linker.inference.find_matches_to_new_records(
            _RECORDS, list(self.model.blocking), match_weight_threshold=least
        )
        levels = ", ".join(f"gamma_{name}::tinyint as {name}" for name in names)
        query = (
            f"select unique_id_r as {RECORD}, unique_id_l as {PERSONA},"  # noqa: S608
            f" match_weight::double as {WEIGHT}, {levels} from {found.physical_name}"
        )
        pairs: pl.DataFrame = self.connection.sql(query).pl()
        found.drop_table_from_database_and_remove_from_cache()
        self.connection.unregister(_RECORDS)
        return pairs.sort(RECORD, PERSONA)


@contextmanager
def matcher(
    known: pl.DataFrame,
    model: PersonModel,
    people: int,
    frequencies: Iterable[tuple[str, pl.DataFrame]],
    threads: int,
) -> Iterator[Matcher]:
    """Prepares known people for comparison.

    Args:
        known: `PERSONA` (Int64, distinct) and `MODEL_COLUMNS`.
        model: How people are compared.
        people: Among how many people a record's is looked for.
        frequencies: How often values occur, as `public_frequencies` has them.
        threads: Threads of the database.

    Raises:
        Problem: Exit code SETTINGS, if Splink is not installed.
    """
    with database(threads) as connection:
        table = known.rename({PERSONA: "unique_id"}).to_arrow()
        linker = splink(table, model.settings(people), connection, aliases="known")
        for name, often in frequencies:
            linker.table_management.register_term_frequency_lookup(often.to_arrow(), name)  # type: ignore[no-untyped-call]
        yield Matcher(model, linker, connection)


@contextmanager
def database(threads: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that writes nothing to a disk; it ends with the context."""
    connection = duckdb.connect(":memory:")
    try:
        # No folder to spill to: identifiers are never written to a disk.
        connection.execute("set temp_directory = ''")
        connection.execute(f"set threads = {threads:d}")
        connection.execute("set enable_progress_bar = false")
        yield connection
    finally:
        connection.close()


def splink(
    tables: Any,
    settings: dict[str, Any],
    connection: duckdb.DuckDBPyConnection,
    *,
    aliases: str | list[str],
) -> Linker:
    """Splink's linker, which prints and logs nothing.

    Args:
        tables: One Arrow table of people, or several.
        settings: As `PersonModel.settings` gives them.
        connection: From `database`.
        aliases: Name of each table.

    Raises:
        Problem: Exit code SETTINGS, if Splink is not installed.
    """
    try:
        from splink import DuckDBAPI, Linker
    except ModuleNotFoundError as error:
        raise Problem(
            f"people cannot be linked: the library {error.name} is not installed",
            where="node.toml: linkage.people",
            remedy=f"Install the libraries: {how_to_install('folkmoot-node', 'linkage')}, or take "
            "out the table [linkage.people]",
            exit_code=ExitCode.SETTINGS,
        ) from None
    # Splink logs queries and counts, and would print them.
    logging.getLogger("splink").setLevel(logging.CRITICAL)
    return Linker(
        tables,
        settings,
        db_api=DuckDBAPI(connection=connection),
        set_up_basic_logging=False,
        input_table_aliases=aliases,
    )
