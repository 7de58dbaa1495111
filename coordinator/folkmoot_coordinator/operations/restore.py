"""A coordinator's home made of a backup again, and a restore tried without keeping it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from folkmoot_coordinator.clock import Clock, system_clock
from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.database.connection import TABLES_VERSION, Database
from folkmoot_coordinator.database.postgresql_dump import how_to_load
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.membership.authorities import load_authorities
from folkmoot_coordinator.operations.back_up import PROGRAM, REGION_DUMP, VIEWER_DUMP, region_file
from folkmoot_coordinator.signing import SigningKey
from folkmoot_operator.accounts import Operator
from folkmoot_operator.backup_file import About, Read
from folkmoot_operator.backup_home import Restored, restore
from folkmoot_operator.problems import ExitCode, Problem

RESTORED, DRILLED = "restored from a backup", "backup tried by a restore"
"""What the audit log says of restores."""


@dataclass(frozen=True, slots=True)
class RestoredCoordinator:
    """A coordinator's home that was restored.

    Attributes:
        restored: The folder, its backup, and how long it took.
        missing: What is not there and what to do about it, as sentences.
    """

    restored: Restored
    missing: tuple[str, ...]


def restore_coordinator(
    backup: Path,
    identity: Path,
    into: Path,
    by: Operator,
    *,
    drill: bool = False,
    clock: Clock = system_clock,
) -> RestoredCoordinator:
    """Makes a new home of a backup, opens it, and checks keys, database and audit log.

    Args:
        backup: The file.
        identity: File of the private key of a recipient.
        into: The new folder.
        by: Who does it.
        drill: True to delete the home at the end.
        clock: Gives the time.

    Raises:
        Problem: As `backup_home.restore`; and if the home cannot be opened, or is not what the
            backup says.
    """
    missing: list[str] = []

    def finish(folder: Path, read: Read) -> None:
        missing.extend(_open(Home(folder), into, read, by, clock()))

    done = restore(backup, identity, into, begin=_require_known, finish=finish, drill=drill)
    return RestoredCoordinator(done, tuple(missing))


def note_drill(
    home: Home, by: Operator, backup: str, seconds: float, clock: Clock = system_clock
) -> None:
    """Writes into the audit log that a restore was tried, and went well.

    Args:
        home: The coordinator's folder.
        by: Who tried it.
        backup: Name of the file.
        seconds: How long it took.
        clock: Gives the time.
    """
    database = Database(home.database_url(home.settings()))
    try:
        database.bring_up_to_date()
        with database.writing() as session:
            details = {"file": backup, "seconds": round(seconds)}
            audit_log.note(session, clock(), DRILLED, details, by)
    finally:
        database.close()


def _require_known(about: About) -> None:
    if about.program != PROGRAM:
        raise Problem(
            f"is a backup of {about.program}, not of {PROGRAM}",
            where=about.name,
            remedy=f"Run `{about.program} restore`",
            exit_code=ExitCode.SETTINGS,
        )
    tables = about.versions.get("region", "")
    if tables > TABLES_VERSION:
        raise Problem(
            f"was made by {PROGRAM} {about.version}, whose tables have version {tables}; this is "
            f"{version(PROGRAM)}, which knows {TABLES_VERSION}",
            where=about.name,
            remedy=f"Install {PROGRAM} {about.version} or a later one",
            exit_code=ExitCode.SETTINGS,
        )


def _open(home: Home, into: Path, read: Read, by: Operator, now: int) -> Iterator[str]:
    settings = home.settings()
    load_authorities(home.keys)
    SigningKey.load(home.keys)
    for name, what in ((REGION_DUMP, "the region's database"), (VIEWER_DUMP, "the viewer's")):
        if (home.path / name).exists():
            yield f"{what} in PostgreSQL: {how_to_load(into / name)}"
    database = Database(home.database_url(settings))
    try:
        file = region_file(database)
        if file is not None:
            if not file.is_relative_to(home.path.resolve()):
                yield from _elsewhere(file, into)
                return
            database.require_tables()
            database.check_pages()
            database.bring_up_to_date()
            if str(audit_log.verify(database)) != read.about.heads.get("audit"):
                raise Problem(
                    "the audit log does not end where the backup says",
                    where=read.about.name,
                    remedy="Use another backup",
                    exit_code=ExitCode.VERIFICATION,
                )
            with database.writing() as session:
                details = {"made_at": read.about.made_at, "sha256": read.sha256}
                audit_log.note(session, now, RESTORED, details, by)
    finally:
        database.close()
    yield from (f"not in the backup: {what}" for what in read.about.left_out)


def _elsewhere(file: Path, into: Path) -> Iterator[str]:
    yield (
        f"the settings name the database {file}, where the old home's is: put the one in "
        f"{into} there, or name it in coordinator.toml"
    )
