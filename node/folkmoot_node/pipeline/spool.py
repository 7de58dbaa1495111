"""What the stages of a scoring run hand to each other: tables by name and partition.

Tables are kept in memory as long as there is room, and go to encrypted files otherwise;
without room for any, other processes find all of them in the folder. The key is the run's
own: it is derived from the store's and worth nothing once the folder is gone.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import secrets
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import polars as pl

from folkmoot_node.sources.unread import stacked
from folkmoot_node.store.encrypted_file import StoreKey
from folkmoot_node.store.sealing import BrokenSeal, Seal
from folkmoot_operator.private_files import make_private_folder, open_private
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.unusable_files import is_known, unusable

_LENGTH_BYTES = 8
_FLUSH_BYTES = 64 * 2**20
"""Bytes that a writer collects before it writes: chunks of a few megabytes a partition."""


@dataclass(slots=True)
class _Kept:
    """What one name has in memory."""

    tables: dict[int, list[pl.DataFrame]] = field(default_factory=lambda: defaultdict(list))
    document: str | None = None
    on_disk: bool = False


class Spool:
    """Tables of one run. May be used from several threads.

    Args:
        folder: Of this run alone; made when it is needed.
        key: Key of the store.
        run_id: The run.
        memory: Bytes of tables that may be kept in memory; 0 to write everything, so that
            other processes can read it.
    """

    def __init__(self, folder: Path, key: StoreKey, run_id: str, memory: int) -> None:
        self._seal = Seal(key, f"folkmoot scoring run {run_id}")
        self._folder = folder
        self._room = memory
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}

    @contextmanager
    def writer(self, name: str) -> Iterator[SpoolWriter]:
        """Writes the tables of one name, which are there once the context has ended well.

        What stood under that name before is replaced.
        """
        self._forget(name)
        writer = SpoolWriter(self, name)
        try:
            yield writer
            self._kept[name] = writer.commit()
        except BaseException as error:
            writer.discard()
            if isinstance(error, OSError) and error.filename is None and is_known(error):
                raise unusable(error, self.path(name), "a file of the run") from None
            raise

    def has(self, name: str) -> bool:
        """Whether a name was written."""
        return name in self._kept or self.path(name).exists()

    def read(self, name: str, partition: int) -> pl.DataFrame | None:
        """The rows of one partition in the order in which they were written; None if there are
        none. Columns, types and nulls are those that were written.

        Raises:
            Problem: Exit code DATA, if the file is damaged.
        """
        kept = self._kept.get(name)
        tables = list(kept.tables.get(partition, ())) if kept else []
        if kept is None or kept.on_disk:
            tables += self._read_file(name, partition)
        return stacked(tables) if tables else None

    def document(self, name: str) -> str:
        """What was said of the name when it was written.

        Raises:
            Problem: Exit code DATA, if the file is damaged or not there.
        """
        kept = self._kept.get(name)
        if kept is not None and kept.document is not None:
            return kept.document
        with self._open(name) as stream:
            return str(self._trailer(name, stream)["document"])

    def drop(self, names: Sequence[str], partition: int) -> None:
        """Frees the memory of a partition of some names, which nobody reads any more."""
        for kept in (self._kept[name] for name in names if name in self._kept):
            self.give_back(
                sum(int(table.estimated_size()) for table in kept.tables.pop(partition, ()))
            )

    def take(self, size: int) -> bool:
        """Whether there is room in memory for `size` bytes more, which are taken."""
        with self._lock:
            if size > self._room:
                return False
            self._room -= size
            return True

    def give_back(self, size: int) -> None:
        """Makes room."""
        with self._lock:
            self._room += size

    def path(self, name: str) -> Path:
        """File of a name."""
        return self._folder / f"{name}.spool"

    def seal(self, content: bytes, what: str) -> bytes:
        """Encrypts; `what` is needed to open it again."""
        return self._seal.seal(content, what)

    def _forget(self, name: str) -> None:
        kept = self._kept.pop(name, None)
        if kept:
            for tables in kept.tables.values():
                self.give_back(sum(int(table.estimated_size()) for table in tables))

    def _open(self, name: str) -> IO[bytes]:
        try:
            return self.path(name).open("rb")
        except FileNotFoundError:
            raise self._damaged(name) from None

    def _unsealed(self, name: str, sealed: bytes, what: str) -> bytes:
        try:
            return self._seal.open(sealed, what)
        except BrokenSeal:
            raise self._damaged(name) from None

    def _trailer(self, name: str, stream: IO[bytes]) -> dict[str, object]:
        size = stream.seek(0, os.SEEK_END)
        length = 0
        if size > _LENGTH_BYTES:
            stream.seek(size - _LENGTH_BYTES)
            length = int.from_bytes(stream.read(_LENGTH_BYTES), "little")
        if not 0 < length <= size - _LENGTH_BYTES:
            raise self._damaged(name)
        stream.seek(size - _LENGTH_BYTES - length)
        found: dict[str, object] = json.loads(
            self._unsealed(name, stream.read(length), f"{name}|end")
        )
        return found

    def _read_file(self, name: str, partition: int) -> list[pl.DataFrame]:
        tables = []
        with self._open(name) as stream:
            chunks = self._trailer(name, stream)["chunks"]
            assert isinstance(chunks, list)
            for at, (holder, start, length) in enumerate(chunks):
                if holder == partition:
                    stream.seek(start)
                    content = self._unsealed(name, stream.read(length), f"{name}|{partition}|{at}")
                    tables.append(pl.read_ipc_stream(io.BytesIO(content)))
        return tables

    def _damaged(self, name: str) -> Problem:
        return Problem(
            "an intermediate file of the run is missing or damaged",
            where=str(self.path(name)),
            remedy="Run `folkmoot-node score` again",
            exit_code=ExitCode.DATA,
        )


class SpoolWriter:
    """Tables of one name being written. Made by `Spool.writer`; for one thread.

    Attributes:
        document: Kept with the tables; set it before the context ends.
    """

    def __init__(self, spool: Spool, name: str) -> None:
        self.document = ""
        self._spool = spool
        self._name = name
        self._kept = _Kept()
        self._taken = 0
        self._waiting: dict[int, list[pl.DataFrame]] = defaultdict(list)
        self._waiting_bytes = 0
        self._stream: IO[bytes] | None = None
        self._chunks: list[tuple[int, int, int]] = []

    def append(self, partition: int, table: pl.DataFrame) -> None:
        """Adds rows to a partition."""
        size = int(table.estimated_size())
        # Once something went to the file everything after it does: the order stays.
        if not self._kept.on_disk and self._spool.take(size):
            self._taken += size
            self._kept.tables[partition].append(table)
            return
        self._kept.on_disk = True
        self._waiting[partition].append(table)
        self._waiting_bytes += size
        if self._waiting_bytes > _FLUSH_BYTES:
            self._flush()

    def commit(self) -> _Kept:
        """Finishes the file, if there is one."""
        self._kept.document = self.document
        if self._kept.on_disk or not self._spool.take(len(self.document) + 1):
            self._kept.on_disk = True
            self._flush()
            stream = self._file()
            trailer = json.dumps({"chunks": self._chunks, "document": self.document})
            sealed = self._spool.seal(trailer.encode(), f"{self._name}|end")
            stream.write(sealed)
            stream.write(len(sealed).to_bytes(_LENGTH_BYTES, "little"))
            stream.close()
            self._unfinished.replace(self._spool.path(self._name))
        return self._kept

    def discard(self) -> None:
        """Removes what was written."""
        self._spool.give_back(self._taken)
        if self._stream is not None:
            with contextlib.suppress(OSError):  # what is buffered may have no room
                self._stream.close()
            with contextlib.suppress(FileNotFoundError):
                self._unfinished.unlink()

    def _flush(self) -> None:
        for partition, tables in self._waiting.items():
            content = io.BytesIO()
            stacked(tables).write_ipc_stream(content)
            label = f"{self._name}|{partition}|{len(self._chunks)}"
            sealed = self._spool.seal(content.getvalue(), label)
            stream = self._file()
            self._chunks.append((partition, stream.tell(), len(sealed)))
            stream.write(sealed)
        self._waiting.clear()
        self._waiting_bytes = 0

    def _file(self) -> IO[bytes]:
        if self._stream is None:
            # Two workers may run the same stage, when one was believed dead.
            path = self._spool.path(f"{self._name}.{secrets.token_hex(4)}")
            self._unfinished = path.with_suffix(".unfinished")
            make_private_folder(path.parent)
            self._stream = open_private(self._unfinished, append=False)
        return self._stream
