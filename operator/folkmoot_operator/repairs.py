"""What `doctor --fix` may do by itself: repairs that lose nothing and decide nothing."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from folkmoot_operator.file_lock import holder
from folkmoot_operator.private_files import (
    close_to_others,
    delete_private,
    is_open_to_others,
    make_private_folder,
)

REPAIRED = "repaired"
"""Action of an audit log."""
_UNFINISHED = re.compile(r"\..+\.(?!20[0-9]{2}[01][0-9][0-3][0-9]$)[0-9a-f]{8}")
"""Names that `private_files.writing_private` gives to what it has not finished; a date at the end
is a person's: `.node.toml.20261129` is a copy that somebody keeps."""
_OLD_SECONDS = 3600
"""A file that is being written is younger."""


@dataclass(frozen=True, slots=True)
class Repair:
    """Something that can be put right at once.

    Attributes:
        what: What is done, for people: `close keys/node.key to other accounts`.
        do: Does it.
    """

    what: str
    do: Callable[[], object]


def closing(paths: Iterable[Path], home: Path) -> Iterator[Repair]:
    """Closes files and folders that other accounts can read, write or enter.

    Args:
        paths: Which; those that are missing, or another account's, are passed over.
        home: The program's folder, for messages.
    """
    for path in paths:
        try:
            is_open = is_open_to_others(path) and path.stat().st_uid == os.geteuid()
        except OSError:
            continue
        if is_open and not path.is_symlink():
            yield Repair(f"close {_named(path, home)} to other accounts", _closing(path))


def leftovers(folders: Iterable[Path], home: Path) -> Iterator[Repair]:
    """Deletes what a process that was killed has begun to write.

    Args:
        folders: Where to look, not in what is below them.
        home: The program's folder, for messages.
    """
    for path in unfinished_files(folders):
        yield Repair(f"delete {_named(path, home)}, which was never finished", _deleting(path))


def unfinished_files(folders: Iterable[Path]) -> Iterator[Path]:
    """What processes that were killed have begun to write, and nobody writes any more."""
    for folder in folders:
        if not folder.is_dir():
            continue
        for path in sorted(folder.iterdir()):
            is_one = _UNFINISHED.fullmatch(path.name) and path.is_file() and not path.is_symlink()
            if is_one and time.time() - path.stat().st_mtime > _OLD_SECONDS:
                yield path


def stale_lock(path: Path, home: Path) -> Iterator[Repair]:
    """Takes the number of a process that has gone out of a lock's file; the lock itself is free.

    Args:
        path: The file.
        home: The program's folder, for messages.
    """
    if is_stale(path):
        yield Repair(
            f"clear {_named(path, home)}, whose process has gone", lambda: path.write_text("")
        )


def is_stale(path: Path) -> bool:
    """Whether a lock's file names a process that is not there any more."""
    process = holder(path)
    if process is None:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _closing(path: Path) -> Callable[[], object]:
    if path.is_dir():
        return lambda: make_private_folder(path, tighten=True)
    return lambda: close_to_others(path)


def _deleting(path: Path) -> Callable[[], object]:
    return lambda: delete_private(path)


def _named(path: Path, home: Path) -> str:
    return str(path.relative_to(home)) if path.is_relative_to(home) and path != home else str(path)
