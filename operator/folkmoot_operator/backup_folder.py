"""The folder of backups: their names, which are there, and which are deleted.

Whoever can write to the folder can put files there that are named as backups are. They are listed
and nothing else: what counts, and in what order, is said by the audit log.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from folkmoot_operator.backup_file import SUFFIX
from folkmoot_operator.moments import to_datetime
from folkmoot_operator.private_files import delete_private, make_private_folder, unfinished_stem
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.unusable_files import unusable

_WITH_KEY = "-with-store-key"
_STAMP = "%Y-%m-%dT%H%MZ"
_NAME = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9_-]*?)-(?P<at>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{4}Z)"
    rf"(?P<key>{_WITH_KEY})?{re.escape(SUFFIX)}"
)


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup in a folder, by its name.

    Attributes:
        path: The file.
        made_at: When, seconds since 1970-01-01T00:00:00Z, to the minute.
        store_key: Whether the store's key is in it.
        size: In bytes.
    """

    path: Path
    made_at: int
    store_key: bool
    size: int


def file_name(name: str, now: int, *, store_key: bool = False) -> str:
    """The name of a new backup: `E08000009-2026-11-29T1830Z.folkmoot-backup`.

    Args:
        name: Of the council or region; what a file name should not have becomes `-`.
        now: Seconds since 1970-01-01T00:00:00Z.
        store_key: Whether the store's key is in it, which its name then says.
    """
    stamp = to_datetime(now).strftime(_STAMP)
    return f"{_plain(name)}-{stamp}{_WITH_KEY if store_key else ''}{SUFFIX}"


def those_in(folder: Path, name: str) -> tuple[Backup, ...]:
    """The backups of a council or region in a folder, newest first; none without the folder.

    Raises:
        UnusableFile: If the folder cannot be read now.
    """
    try:
        found = list(_found(folder, _plain(name))) if folder.is_dir() else []
    except OSError as error:
        raise unusable(error, folder, "the folder of backups") from None
    return tuple(sorted(found, key=lambda one: (one.made_at, one.path.name), reverse=True))


def made_here(folder: Path, name: str, made: Sequence[str]) -> tuple[Backup, ...]:
    """The backups in a folder that the audit log has, the one made last first.

    Args:
        folder: Of the backups.
        name: Of the council or region.
        made: Names of the files in the order in which they were made, by the audit log. The time in
            a name says nothing: a clock can have been wrong.

    Raises:
        UnusableFile: If the folder cannot be read now.
    """
    order = {file: number for number, file in enumerate(made)}
    found = (one for one in those_in(folder, name) if one.path.name in order)
    return tuple(sorted(found, key=lambda one: order[one.path.name], reverse=True))


def newest(folder: Path, name: str, made: Sequence[str]) -> Backup:
    """The backup of a council or region that was made last.

    Args:
        folder: Of the backups.
        name: Of the council or region.
        made: As of `made_here`.

    Raises:
        Problem: Exit code DATA, if there is none.
    """
    for backup in made_here(folder, name, made):
        return backup
    raise Problem(
        "no backup that this home has made is here",
        where=str(folder),
        remedy="Make one with `backup`, or name a file",
        exit_code=ExitCode.DATA,
    )


def prepare(folder: Path, name: str) -> None:
    """Makes the folder, and removes what backups that were cut short have left in it.

    Only the process that holds the home's lock of backups may call it.

    Raises:
        UnusableFile: If it cannot be written now.
    """
    try:
        make_private_folder(folder)
        for path in folder.glob(f".{_plain(name)}-*{SUFFIX}.*"):
            if path.name.startswith(unfinished_stem(Path(path.name[1:].rpartition(".")[0]))):
                delete_private(path)
    except OSError as error:
        raise unusable(error, folder, "the folder of backups") from None


def delete_old(folder: Path, name: str, keep: int, made: Sequence[str]) -> tuple[str, ...]:
    """Deletes all but the newest backups of a council or region; files of others stay.

    Args:
        folder: Of the backups.
        name: Of the council or region.
        keep: How many stay.
        made: As of `made_here`.

    Returns:
        The names of those deleted.

    Raises:
        UnusableFile: If one cannot be deleted now.
    """
    old = made_here(folder, name, made)[keep:]
    try:
        for backup in old:
            delete_private(backup.path)
    except OSError as error:
        raise unusable(error, folder, "the folder of backups") from None
    return tuple(backup.path.name for backup in old)


def _found(folder: Path, name: str) -> Iterator[Backup]:
    for path in folder.iterdir():
        match = _NAME.fullmatch(path.name)
        if match and match["name"] == name and path.is_file():
            try:
                at = datetime.datetime.strptime(match["at"], _STAMP).replace(tzinfo=datetime.UTC)
            except ValueError:  # no file of ours: others write into the folder, too
                continue
            yield Backup(path, int(at.timestamp()), bool(match["key"]), path.stat().st_size)


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:60] or "region"
