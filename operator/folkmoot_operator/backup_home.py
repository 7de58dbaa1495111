"""What of a home goes into a backup, and a home made of one again."""

from __future__ import annotations

import os
import secrets
import stat
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from folkmoot_operator.accounts import account_name
from folkmoot_operator.backup_file import About, Read, read_backup
from folkmoot_operator.private_files import (
    delete_private,
    make_private_folder,
    put_in_place,
    writing_private,
)
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.sqlite_copy import IS_SQLITE, JOURNALS
from folkmoot_operator.unusable_files import unusable

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """What lies in a home.

    Attributes:
        files: Files to be copied, in order.
        left_out: What cannot be, and why, as sentences.
    """

    files: tuple[Path, ...]
    left_out: tuple[str, ...]


def lies_in(home: Path, path: Path) -> bool:
    """Whether a path of a home's settings is in the home, wherever `..` and links in it lead."""
    return path.resolve().is_relative_to(home.resolve())


def files_of(home: Path, without: Collection[Path]) -> Found:
    """The files of a home that a backup copies.

    Left out without a word is what SQLite keeps beside a database, locks, and what is being
    written.

    Args:
        home: The folder.
        without: Files and folders that are not looked at.
    """
    files: list[Path] = []
    left_out: list[str] = []
    # A path of the settings can have `..` in it, or be a link to the file that stays out.
    passed_over = frozenset((*without, *(path.resolve() for path in without)))
    for path in _walk(home, passed_over, left_out):
        name, mode = path.relative_to(home), path.lstat().st_mode
        if stat.S_ISLNK(mode):
            left_out.append(f"{name} is a link to {path.readlink()}")
        elif not stat.S_ISREG(mode) or path.name.endswith((*JOURNALS, ".lock")):
            continue
        elif path.suffix in IS_SQLITE:  # the bytes of an open database are no copy of it
            left_out.append(f"{name} is a database that this command does not know")
        elif not os.access(path, os.R_OK):
            left_out.append(
                f"{name} belongs to {account_name(path.lstat().st_uid)}, who alone can read it"
            )
        else:
            files.append(path)
    return Found(tuple(files), tuple(left_out))


def _walk(folder: Path, without: frozenset[Path], left_out: list[str]) -> Iterator[Path]:
    try:
        inside = sorted(folder.iterdir())
    except PermissionError:
        left_out.append(
            f"{folder.name}/ belongs to {account_name(folder.stat().st_uid)}, who alone can read it"
        )
        return
    for path in inside:
        if path in without or path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path, without, left_out)
        else:
            yield path


@dataclass(frozen=True, slots=True)
class Restored:
    """A home that was made of a backup.

    Attributes:
        home: The folder.
        read: The backup.
        seconds: How long it took.
    """

    home: Path
    read: Read
    seconds: float


def restore(
    backup: Path,
    identity: Path,
    into: Path,
    *,
    begin: Callable[[About], None],
    wanted: Callable[[About, str], bool] = lambda *_: True,
    finish: Callable[[Path, Read], None],
    drill: bool = False,
) -> Restored:
    """Makes a new home of a backup: checked and whole under its name, or not there at all.

    Every file is this account's alone, whoever could read it before.

    Args:
        backup: The file.
        identity: File of a private key of a recipient.
        into: The new folder; it must not exist.
        begin: Given what the backup says of itself, before anything is written. May raise.
        wanted: Whether a file, by its name, is to be restored.
        finish: Opens the home, before it has its name, and raises what it finds wrong.
        drill: True to delete it at the end instead of giving it its name.

    Raises:
        Problem: Exit code REFUSED, if the folder is there; as `read_backup`, and as `begin` and
            `finish`.
        UnusableFile: If something cannot be read or written now.
    """
    if os.path.lexists(into):
        raise Problem(
            "is there already; a backup is restored into a new folder only",
            where=str(into),
            remedy="Name another folder. When you have looked at the new home, stop the programs, "
            "move the old home away and the new one to its place",
            exit_code=ExitCode.REFUSED,
        )
    started = time.monotonic()
    unfinished = into.absolute().with_name(f".{into.name}.{secrets.token_hex(4)}")
    said: list[About] = []

    def start(about: About) -> None:
        begin(about)
        said.append(about)
        make_private_folder(unfinished)

    def take(name: str, content: IO[bytes]) -> None:
        if wanted(said[0], name):
            _write(unfinished / name, content)

    try:
        read = read_backup(backup, identity, start, take)
        finish(unfinished, read)
        if not drill:
            put_in_place(unfinished, into.absolute())
    except OSError as error:
        raise unusable(error, into, "the new home") from None
    finally:
        if unfinished.exists():
            delete_private(unfinished)
    return Restored(into, read, time.monotonic() - started)


def _write(path: Path, content: IO[bytes]) -> None:
    make_private_folder(path.parent)
    with writing_private(path, replace=True) as unfinished, unfinished.open("wb") as file:
        while piece := content.read(_PIECE):
            file.write(piece)
