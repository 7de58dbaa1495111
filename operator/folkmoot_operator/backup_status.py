"""What `status` says of backups: when the newest was made, and whether that is long ago."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from folkmoot_operator.backup_folder import made_here
from folkmoot_operator.backup_settings import OLD_DAYS
from folkmoot_operator.moments import to_text
from folkmoot_operator.status_screen import Status, ago

_DAY = 86_400


def newest_backup(
    status: Status, folder: Path, name: str, made: Sequence[str], now: int, program: str
) -> dict[str, Any]:
    """The newest backup in a folder.

    Args:
        status: Told if there is none, or it is old.
        folder: Of the settings.
        name: Of the council or region.
        made: Names of the files that the audit log has, oldest first; others do not count.
        now: Seconds since 1970-01-01T00:00:00Z.
        program: Whose command makes a backup.

    Raises:
        UnusableFile: If the folder cannot be read now.
    """
    found = made_here(folder, name, made)
    if not found:
        status.need(f"there is no backup in {folder}", f"{program} backup", 26)
        return {"made_at": None, "age_seconds": None, "number": 0}
    age = max(0, now - found[0].made_at)
    if found[0].made_at > now + _DAY:
        status.need("the newest backup is dated in the future", f"{program} backup", 26)
    elif age > OLD_DAYS * _DAY:
        status.need(f"the newest backup is {ago(age)} old", f"{program} backup", 26)
    return {"made_at": to_text(found[0].made_at), "age_seconds": age, "number": len(found)}
