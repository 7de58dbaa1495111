"""Which backups count: those that the audit log has, in its order, whatever lies beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from folkmoot_operator.backup_folder import delete_old, file_name, newest, those_in
from folkmoot_operator.problems import ExitCode, Problem

NAME, NOW, DAY = "E08000009", 1_796_126_400, 86_400


def put(folder: Path, *times: int) -> list[str]:
    names = [file_name(NAME, at) for at in times]
    for name in names:
        (folder / name).write_bytes(b"")
    return names


@pytest.mark.parametrize("away", [36_500 * DAY, 60, -60, -36_500 * DAY])
def test_planted_files_never_push_out_the_real_ones(tmp_path: Path, away: int) -> None:
    real = put(tmp_path, *(NOW + number * DAY for number in range(4)))
    planted = put(tmp_path, *(NOW + away + number * DAY for number in range(20)))
    planted = [name for name in planted if name not in real]
    assert delete_old(tmp_path, NAME, 2, real) == (real[1], real[0])
    left = {one.path.name for one in those_in(tmp_path, NAME)}
    assert left == {*real[2:], *planted}
    assert newest(tmp_path, NAME, real).path.name == real[-1]


def test_a_clock_that_was_wrong_does_not_make_the_newest_the_oldest(tmp_path: Path) -> None:
    names = put(tmp_path, NOW + 3650 * DAY, NOW, NOW + DAY)
    assert delete_old(tmp_path, NAME, 1, names) == (names[1], names[0])


def test_files_of_others_are_no_backup_to_try(tmp_path: Path) -> None:
    put(tmp_path, NOW)
    with pytest.raises(Problem, match="no backup that this home has made") as refused:
        newest(tmp_path, NAME, [])
    assert refused.value.exit_code is ExitCode.DATA
