"""Whether backups are made, and whether somebody has tried to restore one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from folkmoot_operator.backup_settings import OLD_DAYS, BackupSettings
from folkmoot_operator.checks import Check, Finding, State
from folkmoot_operator.hash_chain import Entry
from folkmoot_operator.moments import day

DRILL_DAYS = 180
"""Days after which `doctor` warns of the last restore that was tried."""
_DAY = 86_400
_BACKUP, _DRILL = "backup", "restore drill"


def not_set_up(program: str, file: Path) -> Check:
    """The warning where no backups are made: without `[backup]` nothing else would say so.

    Args:
        program: The command, for remedies.
        file: The settings file.
    """

    def look() -> Iterator[Finding]:
        remedy = (
            f"Make a key with `{program} backup keygen --out FILE`, keep that file elsewhere, and "
            "write what it prints into [backup] as recipients, with a folder: see docs/backup.md"
        )
        what = "no backups are set up: [backup] is missing"
        yield Finding(_BACKUP, State.WARN, what, remedy, where=str(file))

    return Check(_BACKUP, look)


def backups(
    program: str,
    home: Path,
    settings: BackupSettings,
    made: Sequence[Entry],
    drilled: Collection[Entry],
    now: int,
) -> Check:
    """When the last backup was made and the last restore tried, by the audit log.

    Args:
        program: The command, for remedies.
        home: The folder.
        settings: Table `[backup]`.
        made: Entries about backups that were made, oldest first.
        drilled: Those about restores that were tried.
        now: Seconds since 1970-01-01T00:00:00Z.
    """

    def look() -> Iterator[Finding]:
        # The one made last, not the latest: after a clock was wrong, that could be years ahead.
        last = made[-1].at if made else None
        if last is None:
            yield Finding(_BACKUP, State.WARN, "no backup was made yet", f"Run `{program} backup`")
        elif last > now + _DAY:
            what = f"the last backup is dated {day(last)}, which is still to come"
            yield Finding(_BACKUP, State.WARN, what, f"Set the clock, and run `{program} backup`")
        elif now - last > OLD_DAYS * _DAY:
            what = f"the last backup was made on {day(last)}, more than {OLD_DAYS} days ago"
            remedy = f"Run `{program} backup`, and see why its timer did not"
            yield Finding(_BACKUP, State.WARN, what, remedy)
        else:
            yield Finding(_BACKUP, State.OK, f"the last backup was made on {day(last)}")
        if _is_on_the_same_disk(home, home / settings.folder):
            what = f"{home / settings.folder} is on the disk that it is a backup of"
            yield Finding(_BACKUP, State.WARN, what, "Name a folder on another machine's disk")
        tried = max((entry.at for entry in drilled), default=None)
        remedy = f"Run `{program} restore --drill --identity KEY`"
        if tried is None:
            yield Finding(_DRILL, State.WARN, "no restore was tried yet", remedy)
        elif now - tried > DRILL_DAYS * _DAY:
            what = f"a restore was tried last on {day(tried)}, more than {DRILL_DAYS} days ago"
            yield Finding(_DRILL, State.WARN, what, remedy)
        else:
            yield Finding(_DRILL, State.OK, f"a restore was tried last on {day(tried)}")

    return Check(_BACKUP, look)


def _is_on_the_same_disk(home: Path, folder: Path) -> bool:
    try:
        return home.stat().st_dev == folder.stat().st_dev
    except OSError:
        return False
