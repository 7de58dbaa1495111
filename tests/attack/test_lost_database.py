"""A coordinator without its database does not start an empty region in its place.

Every node would be rejected there, and a node stops at that.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands import run_inside
from tests.wire.coordinator.conftest import Region, stopped_region
from tests.wire.node.stage import scored_home

__all__ = ["scored_home", "stopped_region"]

COMMANDS = (
    ["serve"], ["doctor"], ["invite", "E08000009"], ["councils", "list"], ["round", "list"],
    ["round", "show", "latest"], ["round", "close", "latest"], ["series", "show", "latest"],
    ["export", "latest", "--out", "out"],
)  # fmt: skip


def files_in(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("how", ["missing", "emptied"])
def test_nothing_makes_a_region_but_init(
    how: str, stopped_region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = stopped_region.home
    stopped_region.database.close()
    monkeypatch.chdir(home.path.parent)
    kept = home.database_file.read_bytes()
    for path in home.path.glob("coordinator.sqlite*"):
        path.unlink()
    if how == "emptied":
        home.database_file.touch(0o600)
    before = files_in(home.path.parent)
    for command in COMMANDS:
        done = run_inside("folkmoot-coordinator", *command, "--home", home.path)
        said = done.stdout + done.stderr
        assert done.code == 3, f"{command}: {said}"
        assert "missing or empty" in said, f"{command}: {said}"
        assert "Restore it from its backup" in said, f"{command}: {said}"
    again = run_inside(
        "folkmoot-coordinator", "init", "--home", home.path, "--name", "R", "--host", "127.0.0.1"
    )
    assert (again.code, "put back its keys, database" in again.stderr) == (3, True)
    assert files_in(home.path.parent) == before, "nothing was made, and nothing changed"
    home.database_file.write_bytes(kept)
    assert run_inside("folkmoot-coordinator", "councils", "list", "--home", home.path).code == 0


def test_init_says_what_to_back_up(tmp_path: Path) -> None:
    home = tmp_path / "region"
    made = run_inside(
        "folkmoot-coordinator", "init", "--home", home, "--name", "Region", "--host", "127.0.0.1"
    )
    assert made.code == 0
    assert f"Back up {home / 'keys'} and the database, {home / 'coordinator.sqlite'}" in made.stdout
    assert "`folkmoot-coordinator backup`" in made.stdout


def test_a_nodes_doctor_makes_no_file(scored_home: Path) -> None:
    (scored_home / "store" / "households.duckdb.lock").unlink(missing_ok=True)
    before = files_in(scored_home)
    run_inside("folkmoot-node", "doctor", "--home", scored_home)
    assert files_in(scored_home) == before
