"""What `status` says of backups that are missing or old, with the command that makes one."""

from __future__ import annotations

from pathlib import Path

import pytest

from folkmoot_operator.backup_folder import file_name
from folkmoot_operator.backup_settings import OLD_DAYS
from folkmoot_operator.backup_status import newest_backup
from folkmoot_operator.status_screen import Status, backup_line

MADE = 1_764_000_000


@pytest.mark.parametrize(
    ("made", "age", "words"),
    [
        (False, 0, "there is no backup in"),
        (True, OLD_DAYS * 86_400 + 61, "is 2 days old"),
        (True, 120, ""),
        (True, -86_461, "is dated in the future"),
    ],
)
def test_who_is_needed(tmp_path: Path, made: bool, age: int, words: str) -> None:
    if made:
        (tmp_path / file_name("Region", MADE)).write_bytes(b"")
    (tmp_path / file_name("Region", MADE + age + 86_400)).write_bytes(b"planted")
    status = Status({})
    names = [file_name("Region", MADE)]
    newest_backup(status, tmp_path, "Region", names, MADE + age, "folkmoot-coordinator")
    assert [(words in one.what, one.command) for one in status.needs] == (
        [(True, "folkmoot-coordinator backup")] if words else []
    )


def test_a_folder_that_cannot_be_read_is_not_one_that_nobody_set_up() -> None:
    def read() -> None:
        raise PermissionError

    status = Status({})
    status.read("backup", read)
    assert list(backup_line(status.document)) == [("Backup", "cannot be read")]
