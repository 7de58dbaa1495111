"""Which households a series has counted, at which step, in which cells: an encrypted file.

A household is counted once in a series. So the node must remember whom it has counted, for
as long as the series lasts; `forget` deletes the file. What was counted at a step whose
release is stored never changes. What was counted for a release that was never stored, for
example because of a crash, was seen by nobody, and is counted again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from folkmoot.series import MAX_COHORTS, SeriesRow
from folkmoot_node.store.cells import Classification, add_up
from folkmoot_node.store.encrypted_file import StoreKey, attach, only_user, quoted, worded
from folkmoot_operator.private_files import close_to_others, delete_private, make_private_folder
from folkmoot_operator.problems import ExitCode, Problem

if TYPE_CHECKING:
    import duckdb

Int64 = npt.NDArray[np.int64]

SUFFIX = ".duckdb"
_REMEDY = (
    "Restore the file from the backup made after the last answer; else the council cannot "
    "take part in this series any more: decline its rounds"
)


@dataclass(frozen=True, slots=True, eq=False)
class FoundHouseholds:
    """Households that satisfy an event now.

    Attributes:
        uprn: int64, shape (households,); each once.
        cells: For each axis of the round the finest cell of each household.
    """

    uprn: Int64
    cells: tuple[Int64, ...]

    def __repr__(self) -> str:
        return "FoundHouseholds(<redacted>)"


@contextmanager
def open_history(
    path: Path, key: StoreKey, definition: bytes, axes: int, *, threads: int
) -> Iterator[EventHistory]:
    """Opens the history of a series for one process alone; makes it if it is missing.

    Args:
        path: The file.
        key: Key of the store.
        definition: `round_codec.series_digest` of the series, 32 bytes.
        axes: Number of axes of its rounds.
        threads: Threads of DuckDB.

    Raises:
        Problem: Exit code DATA, if another process has it open, or it is damaged or of
            another series.
    """
    make_private_folder(path.parent)
    with only_user(path, "another process is counting for this series", "Try again"):
        connection = attach(path, key, read_only=False, threads=threads, remedy=_REMEDY)
        try:
            close_to_others(path)
            with worded(path, _REMEDY):
                _prepare(connection, path, definition, axes)
                yield EventHistory(connection, path, axes)
        finally:
            connection.close()


def forget(path: Path) -> None:
    """Deletes the history of a series that has ended."""
    with only_user(path, "another process is counting for this series", "Try again"):
        for name in (path, path.with_name(path.name + ".wal")):
            delete_private(name)
    delete_private(path.with_name(path.name + ".lock"))


def _prepare(
    connection: duckdb.DuckDBPyConnection, path: Path, definition: bytes, axes: int
) -> None:
    cells = "".join(f", c{at} UINTEGER NOT NULL" for at in range(axes))
    connection.execute("BEGIN")
    connection.execute("CREATE TABLE IF NOT EXISTS store.series (definition BLOB NOT NULL)")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS store.steps "
        "(step UTINYINT NOT NULL, cohort UTINYINT NOT NULL, round_id VARCHAR NOT NULL)"
    )
    connection.execute(
        "CREATE TABLE IF NOT EXISTS store.counted (uprn BIGINT NOT NULL, "
        f"step UTINYINT NOT NULL, cohort UTINYINT NOT NULL{cells})"
    )
    found = connection.execute("SELECT definition FROM store.series").fetchall()
    if not found:
        connection.execute(f"INSERT INTO store.series VALUES (from_hex('{definition.hex()}'))")  # noqa: S608
    connection.execute("COMMIT")
    if found and found != [(definition,)]:
        raise _problem("the history of counted households belongs to another series", path)


class EventHistory:
    """The households that a series has counted. Made by `open_history`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path, axes: int) -> None:
        self._connection = connection
        self._path = path
        self._axes = axes

    def require_known(self, rounds: Collection[str]) -> None:
        """Checks that the node knows every round for which households were counted.

        Args:
            rounds: Ids of the rounds that the node knows.

        Raises:
            Problem: Exit code DATA, if it does not: its other files are older than this one,
                and a round may have left that is not among its answers.
        """
        found = self._connection.execute("SELECT round_id FROM store.steps").fetchall()
        if any(round_id not in rounds for (round_id,) in found):
            raise _problem(
                "the history of counted households is not that of the answers of this node",
                self._path,
            )

    def count(
        self, row: SeriesRow, round_id: str, released: Sequence[str], found: FoundHouseholds
    ) -> None:
        """Counts the households that were not counted before, durably, in one transaction.

        Args:
            row: The step at which they are counted, and their cohort.
            round_id: The round that is being answered.
            released: Ids of the rounds released before, one for each earlier step.
            found: The households that satisfy the event now.

        Raises:
            Problem: Exit code DATA, if the earlier steps are not those of this file, for
                example because it was restored from an old backup. Nothing is changed.
        """
        rows = self._connection.execute("SELECT step, round_id FROM store.steps ORDER BY step")
        steps = rows.fetchall()
        expected = list(enumerate(released, start=1))
        if len(expected) + 1 != row.step:
            raise AssertionError("a step follows the releases before it")
        if steps[: len(expected)] != expected or len(steps) > row.step:
            raise _problem(
                "the history of counted households is not that of the answers of this node",
                self._path,
            )
        columns = {"uprn": found.uprn} | {f"c{at}": cell for at, cell in enumerate(found.cells)}
        names = "".join(f", f.c{at}" for at in range(self._axes))
        counted = f"{row.step:d}, {row.cohort:d}"
        self._connection.register("found", columns)
        self._connection.execute("BEGIN")
        try:
            for table in ("steps", "counted"):
                self._connection.execute(
                    f"DELETE FROM store.{table} WHERE step >= {row.step:d}"  # noqa: S608
                )
            self._connection.execute(
                f"INSERT INTO store.steps VALUES ({counted}, {quoted(round_id)})"  # noqa: S608
            )
            self._connection.execute(
                f"INSERT INTO store.counted SELECT f.uprn, {counted}{names} FROM found f "  # noqa: S608
                "WHERE NOT EXISTS (FROM store.counted c WHERE c.uprn = f.uprn)"
            )
            counts = self._connection.execute(
                "SELECT count(*), count(DISTINCT uprn) FROM store.counted"
            ).fetchone()
            assert counts is not None
            if counts[0] != counts[1]:
                raise AssertionError("a household was counted twice")
            if counts[0] > MAX_COHORTS:
                raise OverflowError("a series has counted implausibly many households")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        finally:
            self._connection.unregister("found")
        self._connection.execute("COMMIT")
        self._connection.execute("CHECKPOINT store")

    def tabulate(
        self,
        row: SeriesRow,
        length: int,
        counted_by: Sequence[Classification],
        tables: Sequence[Sequence[int]],
    ) -> list[Int64]:
        """What a row of the series measures, exactly. It must go straight into `ExactCounts`.

        Args:
            row: The row.
            length: Number of rounds planned.
            counted_by: What decides a household's cell on each axis.
            tables: For each table the depth of each axis; 0 where it is summed over.

        Returns:
            One flat int64 array for each table, the last axis fastest: households times the
            row's coefficient of their cohort; 0 where a cell is empty.
        """
        return [self._table(row, length, counted_by, depths) for depths in tables]

    def _table(
        self,
        row: SeriesRow,
        length: int,
        counted_by: Sequence[Classification],
        depths: Sequence[int],
    ) -> Int64:
        used = [at for at, depth in enumerate(depths) if depth]
        keys = "".join(f"c{at}, " for at in used)
        found = self._connection.execute(
            f"SELECT {keys}cohort, count(*)::BIGINT AS households "  # noqa: S608
            "FROM store.counted GROUP BY ALL"
        ).fetchnumpy()
        weight = np.zeros(row.cohort + 1, dtype=np.int64)
        for cohort in range(1, row.cohort + 1):
            weight[cohort] = row.coefficient(cohort, length)
        households = np.asarray(found["households"], dtype=np.int64)
        cohorts = np.asarray(found["cohort"], dtype=np.int64)
        return add_up(
            [
                (counted_by[at], depths[at], np.asarray(found[f"c{at}"], dtype=np.int64))
                for at in used
            ],
            households * weight[cohorts],
        )


def _problem(problem: str, path: Path) -> Problem:
    return Problem(problem, where=str(path), remedy=_REMEDY, exit_code=ExitCode.DATA)
