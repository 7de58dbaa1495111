"""Whether the region is stopped, whole and backed up, its names found, and nothing left over."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.database.connection import TABLES_VERSION, Database
from folkmoot_coordinator.database.pauses import RESUME, paused
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.operations.back_up import MADE, PROGRAM
from folkmoot_coordinator.operations.restore import DRILLED
from folkmoot_operator import backup_checks
from folkmoot_operator.checks import Check, Finding, State
from folkmoot_operator.repairs import Repair, closing, leftovers, unfinished_files

_LEFTOVERS, _NAMES = "leftovers", "names"
FIX = "`folkmoot-coordinator doctor --fix`"


def pauses(database: Database) -> Iterator[Finding]:
    """Whether people have stopped this coordinator."""
    pause = paused(database)
    if pause is None:
        yield Finding("pauses", State.OK, "the coordinator is not paused")
    else:
        remedy = f"When what it was for is settled: `{RESUME} --reason TEXT`"
        yield Finding("pauses", State.FAIL, f"the coordinator is {pause}", remedy)


def audit_log_is_whole(database: Database) -> Iterator[Finding]:
    """Whether the chain of the audit log fits."""
    head = audit_log.verify(database)
    yield Finding("audit log", State.OK, f"{head.length} entries, unbroken; its head is {head}")


def names(settings: CoordinatorSettings) -> Check:
    """Whether the names that nodes dial are found, at least from this machine."""

    def look() -> Iterator[Finding]:
        lost = []
        for host in settings.hosts:
            try:
                socket.getaddrinfo(host, None)
            except OSError:
                lost.append(host)
        if lost:
            what = f"not found by the name service of this machine: {', '.join(lost)}"
            remedy = "Ask who runs the name service (DNS), or correct hosts in coordinator.toml"
            yield Finding(_NAMES, State.WARN, what, remedy)
        else:
            yield Finding(_NAMES, State.OK, f"found: {', '.join(settings.hosts)}")

    return Check(_NAMES, look)


def nothing_left_over(home: Home) -> Check:
    """Whether processes that were killed have left something."""

    def look() -> Iterator[Finding]:
        found = len(list(unfinished_files((home.path, home.keys))))
        if found:
            what = f"files that were never finished: {found}"
            yield Finding(_LEFTOVERS, State.WARN, what, f"Run {FIX}")
        else:
            yield Finding(_LEFTOVERS, State.OK, "nothing that a stopped process has left")

    return Check(_LEFTOVERS, look)


def repairs(home: Home) -> Iterator[Repair]:
    """What can be put right now, and loses nothing."""
    private = [home.path, home.keys, *sorted(home.keys.glob("*"))]
    if home.database_file.exists():
        private.append(home.database_file)
    yield from closing(private, home.path)
    yield from leftovers((home.path, home.keys), home.path)


def backups(home: Home, settings: CoordinatorSettings, now: int) -> Iterator[Check]:
    """When the last backup was made and the last restore tried; a warning without `[backup]`.

    Args:
        home: The coordinator's folder.
        settings: Its settings.
        now: Seconds since 1970-01-01T00:00:00Z.
    """
    chosen = settings.backup
    if chosen is None:
        yield backup_checks.not_set_up(PROGRAM, home.settings_file)
        return

    def look() -> Iterator[Finding]:
        database = Database(home.database_url(settings), read_only=True)
        try:
            if database.version() != TABLES_VERSION:
                return  # the check of the tables says so
            made = tuple(audit_log.entries(database, (MADE,)))
            drilled = tuple(audit_log.entries(database, (DRILLED,)))
        finally:
            database.close()
        check = backup_checks.backups(PROGRAM, home.path, chosen, made, drilled, now)
        for finding in check.run():
            assert isinstance(finding, Finding)
            yield finding

    yield Check("backup", look)
