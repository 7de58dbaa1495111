"""Whether backups of the coordinator are made, and whether somebody has tried to restore one."""

from __future__ import annotations

from collections.abc import Iterator

from folkmoot_coordinator.config import CoordinatorSettings, Home
from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.database.connection import TABLES_VERSION, Database
from folkmoot_coordinator.operations.back_up import MADE, PROGRAM
from folkmoot_coordinator.operations.restore import DRILLED
from folkmoot_operator import backup_checks
from folkmoot_operator.checks import Check, Finding


def backups(home: Home, settings: CoordinatorSettings, now: int) -> Iterator[Check]:
    """When the last backup was made and the last restore tried, where `[backup]` is set.

    Args:
        home: The coordinator's folder.
        settings: Its settings.
        now: Seconds since 1970-01-01T00:00:00Z.
    """
    chosen = settings.backup
    if chosen is None:
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
