"""Locks between processes, which the operating system releases however a process ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from folkmoot_operator.private_files import OWNER_ONLY
from folkmoot_operator.problems import ExitCode, Problem


def acquire(path: Path) -> int | None:
    """Locks a file for this process and for those that inherit the descriptor.

    Args:
        path: The file, made if it is missing, for its owner alone.

    Returns:
        A descriptor, which holds the lock until every process that has it has released it or
        ended; None if another process holds it.
    """
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


@contextmanager
def waiting_for(path: Path) -> Iterator[None]:
    """Locks a file as `acquire` does, after those who hold it; released at the end."""
    with _held(_open(path)):
        yield


@contextmanager
def waiting_for_folder(path: Path) -> Iterator[None]:
    """Locks a folder, after those who hold it; released at the end.

    For what several accounts write in turn: a file to lock would belong to one of them.
    """
    with _held(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)):
        yield


def acquire_folder(path: Path) -> int | None:
    """Locks a folder for as long as its descriptor is open; None if another process holds it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


@contextmanager
def _held(descriptor: int) -> Iterator[None]:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def alone(path: Path, command: str) -> Iterator[None]:
    """Lets one process at a time do something that goes on, and says who does it already.

    Args:
        path: The file that is locked.
        command: What the process does, for messages: the name of its command.

    Raises:
        Problem: Exit code REFUSED, if another process does it; SETTINGS, if this account may
            not open the file.
    """
    try:
        descriptor = acquire(path)
    except OSError as error:
        raise Problem(
            f"cannot be opened ({error.strerror})",
            where=str(path),
            remedy=f"Run `{command}` by the account that the folder belongs to, which must own "
            "this file",
            exit_code=ExitCode.SETTINGS,
        ) from None
    if descriptor is None:
        raise Problem(
            f"another `{command}` runs here (process {holder(path)})",
            where=str(path.parent),
            remedy="Stop it first, or leave it running",
            exit_code=ExitCode.REFUSED,
        )
    try:
        note_holder(descriptor, os.getpid())
        yield
    finally:
        release(descriptor)


def release(descriptor: int) -> None:
    """Gives up a lock; processes that have inherited it hold it still."""
    os.close(descriptor)


def note_holder(descriptor: int, process: int | None) -> None:
    """Writes the id of the process that holds the lock into the file, or takes it out."""
    os.ftruncate(descriptor, 0)
    if process is not None:
        os.pwrite(descriptor, f"{process}\n".encode(), 0)


def holder(path: Path) -> int | None:
    """The id that stands in a locked file; None if none does."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, OWNER_ONLY)
