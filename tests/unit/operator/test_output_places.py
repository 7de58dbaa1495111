"""Places that a person names and that cannot be used."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import pytest

from folkmoot_operator import console
from folkmoot_operator.output_places import (
    require_folder,
    require_place_for_file,
    writing_to,
)
from folkmoot_operator.problems import ExitCode, Problem

TOO_LONG = "n" * 300


def impossible(folder: Path) -> list[Path]:
    (folder / "file").touch()
    (folder / "circle").symlink_to(folder / "circle")
    places = ["file", "file/below", TOO_LONG, f"{TOO_LONG}/below", "circle/below"]
    return [*(folder / place for place in places), Path("/proc/no-such-place")]


def test_a_folder_that_cannot_be_made_is_a_problem(tmp_path: Path) -> None:
    for place in impossible(tmp_path):
        with pytest.raises(Problem, match="cannot be used") as caught:
            require_folder(place)
        assert caught.value.exit_code is ExitCode.SETTINGS
        assert caught.value.where == str(place)
    require_folder(tmp_path / "new" / "folder")
    assert (tmp_path / "new" / "folder").is_dir()


def test_a_file_that_cannot_be_written_is_a_problem(tmp_path: Path) -> None:
    for place in [*impossible(tmp_path)[1:-1], tmp_path, tmp_path / "missing" / "file"]:
        with pytest.raises(Problem, match="cannot be used"):
            require_place_for_file(place)
    require_place_for_file(tmp_path / "new")
    assert not (tmp_path / "new").exists(), "nothing is made"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, ExitCode.UNREACHABLE),
        (errno.EDQUOT, ExitCode.UNREACHABLE),
        (errno.EROFS, ExitCode.SETTINGS),
        (errno.EACCES, ExitCode.SETTINGS),
    ],
)
def test_room_may_be_made_and_permissions_have_to_be_given(number: int, code: ExitCode) -> None:
    with pytest.raises(Problem, match="cannot be used") as caught, writing_to(Path("place")):
        raise OSError(number, "x")
    assert (caught.value.exit_code, caught.value.where) == (code, "place")


def test_what_is_about_no_place_is_no_problem_of_it() -> None:
    with pytest.raises(ConnectionResetError), writing_to(Path("place")):
        raise ConnectionResetError(errno.ECONNRESET, "x")


def test_a_command_that_meets_such_a_place_has_no_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    app = console.application("test", "Test.")

    @app.command()
    def write() -> None:
        (tmp_path / "missing" / "file").write_text("x")

    monkeypatch.setattr(sys, "argv", ["test"])
    with pytest.raises(SystemExit) as ended:
        console.run(app)
    assert ended.value.code == ExitCode.SETTINGS
    said = capsys.readouterr().err
    assert f"{tmp_path}/missing/file: the file cannot be used now: it is not there" in said
    assert "Remedy" in said
    assert "fault" not in said
