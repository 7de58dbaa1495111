"""Writes a run's households to a new encrypted file, which replaces the last one at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import polars as pl

from folkmoot_node.store.encrypted_file import (
    StoreKey,
    attach,
    forget_deletion,
    only_user,
    worded,
)
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_operator.private_files import (
    close_to_others,
    delete_private,
    let_read,
    make_private_folder,
    put_in_place,
)

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import numpy.typing as npt

ROW_GROUP = 122_880
"""Rows that DuckDB stores together; larger appends go to disk without a detour."""
_TOGETHER = 4 * ROW_GROUP
"""Households that are inserted at once: partition by partition it takes twice as long."""
_PART = {"part": pl.UInt32}
_SUFFIX = ".unfinished"
_AGAIN = "Run `folkmoot-node score` again; the last scores stay until then"


class StoreWriter:
    """A store being written. Made by `write_store`."""

    def __init__(
        self, opening: Future[duckdb.DuckDBPyConnection], path: Path, again: str = _AGAIN
    ) -> None:
        self._opening = opening
        self._path = path
        self._again = again
        self._finished = False
        self._lock = Lock()
        self._households: list[pl.DataFrame] = []
        self._details: list[pl.DataFrame] = []

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        return self._opening.result()

    def create(self, columns: Mapping[str, str]) -> None:
        """Creates the tables.

        Args:
            columns: DuckDB type of each column of `households`, by name.
        """
        listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        with worded(self._path, self._again):
            self._connection.execute(f"CREATE TABLE store.households ({listed})")
            self._connection.execute("CREATE TABLE store.details (part UINTEGER, arrow BLOB)")

    def append(
        self, part: int, counted: Mapping[str, npt.NDArray[np.generic]], details: pl.DataFrame
    ) -> None:
        """Adds a part of the households; may be called from several threads.

        Args:
            part: Its number.
            counted: Columns of `households`.
            details: Inputs and contributions of the same households.
        """
        arrow = details.write_ipc(None, compression="lz4").getvalue()
        stored = pl.DataFrame({"part": [part], "arrow": [arrow]}, schema_overrides=_PART)
        with self._lock:
            self._households.append(pl.DataFrame(dict(counted)))
            self._details.append(stored)
            if sum(map(len, self._households)) >= _TOGETHER:
                self._insert_waiting()

    def finish(self, run: RunSummary) -> None:
        """Adds what the run did; without it the file is thrown away."""
        self._insert_waiting()
        with worded(self._path, self._again):
            self._connection.execute("CREATE TABLE store.run (document VARCHAR)")
            _insert(self._connection, "run", pl.DataFrame({"document": [run.model_dump_json()]}))
            self._connection.execute("CHECKPOINT store")
            self._connection.execute("DETACH store")
        self._finished = True

    def _insert_waiting(self) -> None:
        for table, waiting in (("households", self._households), ("details", self._details)):
            if waiting:
                with worded(self._path, self._again):
                    _insert(self._connection, table, pl.concat(waiting, rechunk=True))
                waiting.clear()

    @property
    def finished(self) -> bool:
        """True once the file is complete."""
        return self._finished


@contextmanager
def write_store(
    path: Path,
    key: StoreKey,
    *,
    threads: int,
    readers: int | None = None,
    again: str = _AGAIN,
) -> Iterator[StoreWriter]:
    """Writes a new store beside `path`, and puts it in place when it is finished.

    Until then, and whatever happens before, the last finished store stays as it is.

    Args:
        path: The store.
        key: Its key.
        threads: Threads of DuckDB.
        readers: Number of a group that may read it when it is finished; None for nobody.
        again: What to do if it cannot be written.

    Raises:
        Problem: Exit code DATA, if another run is writing.
        UnusableFile: If it cannot be written now, such as on a full disk.
    """
    make_private_folder(path.parent)
    busy = only_user(
        path, "another run is scoring now", "Wait until it ends; its scores will be the last ones"
    )
    with busy, ThreadPoolExecutor(1) as opener:
        unfinished = path.with_name(path.name + _SUFFIX)
        _remove(unfinished)
        # Loading the cryptography takes as long as reading a source, which goes on meanwhile.
        opening = opener.submit(_open, unfinished, key, threads, again)
        try:
            writer = StoreWriter(opening, unfinished, again)
            with worded(unfinished, again):
                yield writer
                opening.result().close()
            if writer.finished:
                let_read(unfinished, readers)
                put_in_place(unfinished, path)
                forget_deletion(path)
        finally:
            if opening.exception() is None:
                opening.result().close()
            _remove(unfinished)


def _open(unfinished: Path, key: StoreKey, threads: int, again: str) -> duckdb.DuckDBPyConnection:
    # A run that is cut short begins again: nothing of an unfinished file is ever recovered.
    connection = attach(
        unfinished, key, read_only=False, threads=threads, recoverable=False, remedy=again
    )
    close_to_others(unfinished)
    # Points compress little, and compression took longer than the rest together.
    connection.execute("PRAGMA force_compression='uncompressed'")
    connection.execute("SET checkpoint_threshold = '1TB'")
    return connection


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: pl.DataFrame) -> None:
    """Adds rows to a table of the store.

    They go over as an Arrow stream: DuckDB imports pandas when it is given Python objects, also
    as parameters of a statement, and pyarrow when it is given a frame.
    """
    connection.register("rows", rows.__arrow_c_stream__())
    try:
        connection.execute(f"INSERT INTO store.{table} BY NAME SELECT * FROM rows")  # noqa: S608
    finally:
        connection.unregister("rows")


def _remove(unfinished: Path) -> None:
    for leftover in (unfinished, unfinished.with_name(unfinished.name + ".wal")):
        delete_private(leftover)
