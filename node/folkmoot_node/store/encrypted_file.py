"""The encrypted DuckDB file: its key, and how it is attached."""

from __future__ import annotations

import base64
import binascii
import datetime
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from folkmoot_operator import file_lock
from folkmoot_operator.private_files import (
    delete_private,
    is_open_to_others,
    make_private_folder,
    write_private,
)
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.service_manager import is_credential
from folkmoot_operator.short_files import read_short_file
from folkmoot_operator.unusable_files import (
    UnusableFile,
    require_room_for_handles,
    said_in,
    unusable,
)

if TYPE_CHECKING:
    import duckdb

_KEY_BYTES = 32
_WHAT_KEY = "the key of the store"
_LOST_KEY = (
    "Restore the key from backup. Without a backup nobody can read the scores, what waits for "
    "review and the lists of series any more: move the key, if there is one, and the folder of "
    "the store away, and run `folkmoot-node score`, which makes new ones"
)
_HANDLES = 32
"""Files that DuckDB may open beside the store; it aborts the process where it cannot."""


@dataclass(frozen=True, slots=True)
class StoreKey:
    """Key of the store: 256 random bits.

    Attributes:
        encoded: Base64; never shown.
    """

    encoded: str = field(repr=False)

    def __post_init__(self) -> None:
        try:
            raw = base64.b64decode(self.encoded, validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) != _KEY_BYTES:
            raise ValueError(f"a store key is the base64 of {_KEY_BYTES} bytes")


def create_key(path: Path, readers: int | None = None) -> StoreKey:
    """Makes a new key file, readable by its owner alone.

    Args:
        path: The file.
        readers: Number of a group that may read it too; None for nobody.

    Raises:
        Problem: Exit code SETTINGS, if the file exists: a new key would make the store
            unreadable.
    """
    make_private_folder(path.parent)
    try:
        return _write_key(path, replace=False, readers=readers)
    except FileExistsError:
        raise Problem(
            "exists already; a new key would make the store unreadable",
            where=str(path),
            remedy="Keep the key, or remove key and store together and score again",
            exit_code=ExitCode.SETTINGS,
        ) from None


def replace_key(path: Path) -> StoreKey:
    """Puts a new key in the place of the old one, whose files nobody can read any more."""
    return _write_key(path, replace=True)


def _write_key(path: Path, *, replace: bool, readers: int | None = None) -> StoreKey:
    key = StoreKey(base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode("ascii"))
    write_private(path, f"{key.encoded}\n".encode("ascii"), replace=replace, readers=readers)
    return key


def read_key(path: Path, readers: int | None = None) -> StoreKey:
    """Reads the key of the store.

    Args:
        path: The file.
        readers: Number of a group that may read it too; None for nobody.

    Raises:
        Problem: Exit code SETTINGS, if there is none, others may read it, or it is
            damaged.
    """
    try:
        readable_by_others = not is_credential(path) and is_open_to_others(path, readers)
        text = read_short_file(path)
    except FileNotFoundError:
        raise Problem(
            "the key of the store is missing",
            where=str(path),
            remedy=_LOST_KEY,
            exit_code=ExitCode.SETTINGS,
        ) from None
    except OSError as error:
        raise unusable(error, path, _WHAT_KEY) from None
    if readable_by_others:
        raise Problem(
            "the key of the store may be read by other accounts",
            where=str(path),
            remedy=f"Run: chmod 600 {path}",
            exit_code=ExitCode.SETTINGS,
        )
    try:
        return StoreKey(text.decode("ascii").strip())
    except ValueError:
        raise Problem(
            "the key of the store is damaged",
            where=str(path),
            remedy=_LOST_KEY,
            exit_code=ExitCode.SETTINGS,
        ) from None


@contextmanager
def only_user(path: Path, busy: str, remedy: str) -> Iterator[None]:
    """Holds a lock beside `path`, which the operating system releases when the process ends.

    Raises:
        Problem: Exit code DATA, saying `busy`, if another holds it.
        UnusableFile: If the lock cannot be used now.
    """
    place = _lock_of(path)
    try:
        lock = file_lock.acquire(place)
    except OSError as error:
        raise unusable(error, place, "the lock of the store") from None
    if lock is None:
        raise Problem(busy, where=str(path), remedy=remedy, exit_code=ExitCode.DATA)
    try:
        yield
    finally:
        file_lock.release(lock)


def is_in_use(path: Path) -> bool:
    """Whether a process holds the lock beside `path` now; makes no file.

    Raises:
        UnusableFile: If the lock cannot be looked at.
    """
    if not _lock_of(path).exists():
        return False
    try:
        with only_user(path, "in use", ""):
            return False
    except UnusableFile:
        raise
    except Problem:
        return True


def _lock_of(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def note_deletion(path: Path, on: datetime.date, why: str, readers: int | None = None) -> None:
    """Leaves a note of when and why the store was deleted, for those who look for it.

    Args:
        path: The store.
        on: When.
        why: Why.
        readers: Number of a group that may read the note too; None for nobody.
    """
    text = f"the scores were deleted on {on.isoformat()}: {why}"
    write_private(_note(path), text.encode(), replace=True, readers=readers)


def forget_deletion(path: Path) -> None:
    """Removes the note: there is a store again."""
    delete_private(_note(path))


def deletion(path: Path) -> str | None:
    """When and why the store was deleted; None if it was not."""
    return _note(path).read_text("utf-8") if _note(path).exists() else None


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".deleted")


_WHAT = "the store of households and scores"
_SCORE_AGAIN = (
    "Check that the key belongs to this store; if it does, the store is damaged: run "
    "`folkmoot-node score`, which makes a new one"
)


def attach(
    path: Path,
    key: StoreKey,
    *,
    read_only: bool,
    threads: int,
    recoverable: bool = True,
    remedy: str = _SCORE_AGAIN,
) -> duckdb.DuckDBPyConnection:
    """A connection with the encrypted file attached as `store`.

    Nothing is spilled to disk or fetched from the network: DuckDB's own temporary files,
    its extension downloads and its home folder are switched off.

    Statements take no parameters: DuckDB imports pandas, which takes a second of processor
    time, to see whether a parameter is one of its values. Numbers and texts stand in the
    statements instead, the texts as `quoted` writes them.

    Args:
        path: The file.
        key: Its key.
        read_only: Whether nothing may be changed.
        threads: Threads of DuckDB.
        recoverable: False to write no log: what was changed since the last checkpoint is lost
            if the process is killed.
        remedy: What to do if the file cannot be opened.

    Raises:
        Problem: Exit code DATA, if the file cannot be opened with this key.
        UnusableFile: If it cannot be used now, whatever the key.
    """
    import duckdb

    require_room_for_handles(_HANDLES, path, _WHAT)
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": str(threads),
            "temp_directory": "",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "preserve_insertion_order": "false",
        },
    )
    try:
        connection.execute(f"LOAD {quoted(str(_crypto_extension()))}")
        # The statement holds the key, so whatever DuckDB says about it is not repeated.
        mode = ", READ_ONLY" if read_only else ""
        mode += "" if recoverable else ", RECOVERY_MODE 'no_wal_writes'"
        connection.execute(
            f"ATTACH {quoted(str(path))} AS store (ENCRYPTION_KEY '{key.encoded}'{mode})"
        )
    except duckdb.Error as error:
        connection.close()
        raise _worded(error, path, "cannot be opened", remedy) from None
    return connection


@contextmanager
def worded(path: Path, remedy: str = _SCORE_AGAIN) -> Iterator[None]:
    """Says what an error of DuckDB means; its own text may quote a record.

    Args:
        path: The file that is attached.
        remedy: What to do if it is damaged.

    Raises:
        Problem: Exit code DATA, if what is in the file cannot be used.
        UnusableFile: If the file cannot be used now.
    """
    try:
        yield
    except Exception as error:
        import duckdb

        if not isinstance(error, duckdb.Error):
            raise
        raise _worded(error, path, "cannot be used", remedy) from None


def _worded(error: Exception, path: Path, how: str, remedy: str) -> Problem:
    cause = said_in(str(error))
    if cause is not None:
        return unusable(cause, path, _WHAT)
    return Problem(
        f"the store {how} ({type(error).__name__})",
        where=str(path),
        remedy=remedy,
        exit_code=ExitCode.DATA,
    )


def _crypto_extension() -> Path:
    """DuckDB's OpenSSL cryptography, which it needs to write encrypted files.

    It comes as a Python package of the same version, so no network is needed.
    """
    import duckdb
    import duckdb_extension_httpfs  # type: ignore[import-untyped]

    folder = Path(duckdb_extension_httpfs.__file__).parent
    return folder / "extensions" / f"v{duckdb.__version__}" / "httpfs.duckdb_extension"


def quoted(text: str) -> str:
    """A text as DuckDB's SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
