"""A database of casework serves one node's folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from folkmoot_node.casework.origin.belonging import id_path, require_origin
from folkmoot_node.casework.settings import database_path, key_path
from folkmoot_node.casework.site import build_casework
from folkmoot_operator.problems import ExitCode, Problem
from tests.casework_council import CaseworkCouncil, make_council


def test_another_nodes_database_is_refused(council: CaseworkCouncil, tmp_path: Path) -> None:
    other = make_council(tmp_path / "other", households=council.households[:4])
    assert id_path(other.config).read_text() != id_path(council.config).read_text()
    for place in (database_path, key_path):
        shutil.copy(place(other.config), place(council.config))
    for use in (council.desk, lambda: build_casework(council.config)):
        with pytest.raises(Problem) as refused:
            use()
        assert refused.value.exit_code == ExitCode.SETTINGS
        assert "belongs to a node of E08000009 whose folder is another one" in refused.value.problem


def test_another_councils_database_is_refused(council: CaseworkCouncil) -> None:
    desk = council.desk()
    settings = council.home / "node.toml"
    settings.write_text(settings.read_text().replace("E08000009", "E08000001"))
    with pytest.raises(Problem, match="of E08000009, and this node is E08000001"):
        require_origin(council.config, desk.state.database)


def test_a_moved_folder_keeps_its_database(council: CaseworkCouncil, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    council.home.rename(moved)
    CaseworkCouncil(moved).desk().state.audit.verify()


@pytest.mark.parametrize("content", [None, "", "not an id"])
def test_a_lost_id_is_never_made_again_in_silence(
    council: CaseworkCouncil, content: str | None
) -> None:
    if content is None:
        id_path(council.config).unlink()
    else:
        id_path(council.config).write_text(content)
    with pytest.raises(Problem, match="is missing or damaged"):
        council.desk()
