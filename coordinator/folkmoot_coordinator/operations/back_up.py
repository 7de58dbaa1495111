"""A backup of a coordinator's home and databases, made while it is in use.

Database and keys go in together: whoever restores one without the other has a region whose
councils cannot be recognised, or an authority that knows none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import URL, make_url

from folkmoot_coordinator.clock import Clock, system_clock
from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.postgresql_dump import dump, is_postgresql
from folkmoot_coordinator.home import Home
from folkmoot_operator.accounts import Operator
from folkmoot_operator.backup_file import About, Source, Written, emptied, write_backup
from folkmoot_operator.backup_folder import delete_old, file_name, prepare
from folkmoot_operator.backup_home import files_of
from folkmoot_operator.backup_settings import BackupSettings
from folkmoot_operator.file_lock import alone
from folkmoot_operator.moments import to_text
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.sqlite_copy import copy_database
from folkmoot_operator.unusable_files import unusable

PROGRAM = "folkmoot-coordinator"
MADE, DELETED = "backup made", "backup deleted"
"""What the audit log says of backups."""
REGION_DUMP, VIEWER_DUMP = "database.pgdump", "viewer.pgdump"
"""Names in a backup of databases that are in PostgreSQL."""


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made.

    Attributes:
        written: The file.
        about: What it says of itself.
        deleted: Names of older ones that were deleted after it.
    """

    written: Written
    about: About
    deleted: tuple[str, ...]


def back_up(
    home: Home,
    chosen: BackupSettings,
    by: Operator | str,
    *,
    packed: Callable[[Source], None] = lambda _: None,
    clock: Clock = system_clock,
) -> Made:
    """Makes a backup, deletes the oldest, and records both in the audit log.

    Args:
        home: The coordinator's folder. Others may use it meanwhile.
        chosen: Recipients, folder, and how many are kept.
        by: Who asked for it.
        packed: Told of each file when it is in.
        clock: Gives the time.

    Raises:
        Problem: Exit code REFUSED, if another backup is going on; VERIFICATION, if a database is
            damaged; SETTINGS, if one is in PostgreSQL and `pg_dump` is not installed, or is a
            file outside the home.
        UnusableFile: If a file or the folder cannot be used now.
    """
    # Databases are named by whole paths; a home may be named by a relative one, or a link.
    home = Home(home.path.resolve())
    settings, now = home.settings(), clock()
    name = settings.region
    path = chosen.folder / file_name(name, now)
    with (
        alone(home.path / "backup.lock", "folkmoot-coordinator backup"),
        _database(home, settings) as region,
    ):
        prepare(chosen.folder, name)
        with _staging(home) as staging:
            copies = dict(_copies(home, settings, staging))
            without = {home.path / one for one in copies} | {
                home.viewer_cache, home.prefect_folder, chosen.folder.resolve(), chosen.folder,
                home.database_file, home.viewer_file,
            }  # fmt: skip
            found = files_of(home.path, without)
            about = About(
                program=PROGRAM,
                version=version(PROGRAM),
                name=name,
                made_at=to_text(now),
                versions={"region": region.version() or ""},
                heads=_head(copies, region),
                left_out=found.left_out,
            )
            sources = (
                *(Source(one.relative_to(home.path).as_posix(), one) for one in found.files),
                *(Source(one, copy) for one, copy in copies.items()),
            )
            written = write_backup(path, about, sources, chosen.recipients, packed)
        facts: dict[str, Any] = {"file": path.name, "sha256": written.sha256, "size": written.size}
        with region.writing() as session:
            audit_log.note(session, clock(), MADE, facts, by)
        deleted = delete_old(chosen.folder, name, chosen.keep, names_made(region))
        if deleted:
            with region.writing() as session:
                audit_log.note(session, clock(), DELETED, {"files": list(deleted)}, by)
    return Made(written, about, deleted)


def names_made(region: Database) -> tuple[str, ...]:
    """Names of the backups that were made of this region, oldest first, by the audit log."""
    return tuple(str(entry.body["file"]) for entry in audit_log.entries(region, (MADE,)))


@contextmanager
def _database(home: Home, settings: CoordinatorSettings) -> Iterator[Database]:
    database = Database(home.database_url(settings))
    try:
        database.bring_up_to_date()
        yield database
    finally:
        database.close()


@contextmanager
def _staging(home: Home) -> Iterator[Path]:
    folder = home.path / ".backup"
    with emptied(folder) as staging:
        try:
            yield staging
        except OSError as error:
            raise unusable(error, folder, "the coordinator's home") from None


def _copies(home: Home, settings: CoordinatorSettings, staging: Path) -> Iterator[tuple[str, Path]]:
    """Copies of the databases, that of the region first, each by its name in the backup."""
    for what, url, dumped in (
        ("the region's database", home.database_url(settings), REGION_DUMP),
        ("the viewer's database", home.drafts_url(settings), VIEWER_DUMP),
    ):
        if is_postgresql(url):
            copy = staging / dumped
            dump(url, copy)
            yield dumped, copy
            continue
        path = _file_of(url)
        if not path.exists():
            continue  # the viewer's is made when somebody signs in
        if not path.is_relative_to(home.path):
            raise Problem(
                f"{what} is a file outside the coordinator's folder, which is not restored with it",
                where=str(path),
                remedy="Move it into the folder and name it there, or keep it in PostgreSQL",
                exit_code=ExitCode.SETTINGS,
            )
        name = path.relative_to(home.path).as_posix()
        copy = staging / path.name
        copy_database(path, copy, what)
        yield name, copy


def _file_of(url: str | URL) -> Path:
    return Path(make_url(url).database or "").resolve()


def _head(copies: dict[str, Path], region: Database) -> dict[str, str]:
    """Where the audit log ends in the copy; of PostgreSQL, where it ended a moment ago or later."""
    file = region_file(region)
    copy = next(
        (copy for name, copy in copies.items() if file and Path(name).name == file.name), None
    )
    if copy is None:
        return {}
    copied = Database(URL.create("sqlite", database=str(copy)), read_only=True)
    try:
        return {"audit": str(audit_log.head(copied))}
    finally:
        copied.close()


def region_file(database: Database) -> Path | None:
    """The file of a region's database; None if it is in PostgreSQL."""
    url = make_url(database.address)
    return None if is_postgresql(url) else _file_of(url)
