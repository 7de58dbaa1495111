"""Writes a run's households to a new encrypted file, which replaces the last one at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from folkmoot_node.store.encrypted_file import StoreKey, attach, forget_deletion, only_user
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_operator.private_files import (
    close_to_others,
    delete_private,
    make_private_folder,
    put_in_place,
)

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import numpy.typing as npt
    import polars as pl

ROW_GROUP = 122_880
"""Rows that DuckDB stores together; larger appends go to disk without a detour."""
_SUFFIX = ".unfinished"


class StoreWriter:
    """A store being written. Made by `write_store`."""

    def __init__(self, opening: Future[duckdb.DuckDBPyConnection]) -> None:
        self._opening = opening
        self._finished = False

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        return self._opening.result()

    def create(self, columns: Mapping[str, str]) -> None:
        """Creates the tables.

        Args:
            columns: DuckDB type of each column of `households`, by name.
        """
        listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
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
        cursor = self._connection.cursor()
        try:
            cursor.register("part", dict(counted))
            cursor.execute("INSERT INTO store.households BY NAME SELECT * FROM part")
            cursor.execute("INSERT INTO store.details VALUES (?, ?)", [part, arrow])
        finally:
            cursor.close()

    def finish(self, run: RunSummary) -> None:
        """Adds what the run did; without it the file is thrown away."""
        self._connection.execute("CREATE TABLE store.run (document VARCHAR)")
        self._connection.execute("INSERT INTO store.run VALUES (?)", [run.model_dump_json()])
        self._connection.execute("CHECKPOINT store")
        self._connection.execute("DETACH store")
        self._finished = True

    @property
    def finished(self) -> bool:
        """True once the file is complete."""
        return self._finished


@contextmanager
def write_store(path: Path, key: StoreKey, *, threads: int) -> Iterator[StoreWriter]:
    """Writes a new store beside `path`, and puts it in place when it is finished.

    Until then, and whatever happens before, the last finished store stays as it is.

    Raises:
        Problem: Exit code DATA, if another run is writing.
    """
    make_private_folder(path.parent)
    busy = only_user(
        path, "another run is scoring now", "Wait until it ends; its scores will be the last ones"
    )
    with busy, ThreadPoolExecutor(1) as opener:
        unfinished = path.with_name(path.name + _SUFFIX)
        _remove(unfinished)
        # Loading the cryptography takes as long as reading a source, which goes on meanwhile.
        opening = opener.submit(_open, unfinished, key, threads)
        try:
            writer = StoreWriter(opening)
            yield writer
            opening.result().close()
            if writer.finished:
                put_in_place(unfinished, path)
                forget_deletion(path)
        finally:
            if opening.exception() is None:
                opening.result().close()
            _remove(unfinished)


def _open(unfinished: Path, key: StoreKey, threads: int) -> duckdb.DuckDBPyConnection:
    connection = attach(unfinished, key, read_only=False, threads=threads)
    close_to_others(unfinished)
    # Points compress little, and compression took longer than the rest together.
    connection.execute("PRAGMA force_compression='uncompressed'")
    connection.execute("SET checkpoint_threshold = '1TB'")
    return connection


def _remove(unfinished: Path) -> None:
    for leftover in (unfinished, unfinished.with_name(unfinished.name + ".wal")):
        delete_private(leftover)
