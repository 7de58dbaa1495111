"""Every character of a home's path stands for itself, on both roles.

A `?` or `%` in it went unquoted into database URLs: state came to lie outside the home, or two
regions shared one database.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from folkmoot_coordinator.config import CoordinatorSettings, settings_text
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.home import Home
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_operator.private_files import make_private_folder
from folkmoot_operator.settings import parse
from tests.commands import run_inside
from tests.wire.node.stage import scored_home

__all__ = ["scored_home"]

AWKWARD = [
    "?mode=memory", "a%3Fb%20c", "#top", "two words", "'quoted\"", "küche-日本", ":memory:",
    "-x", "a+b&c=d;e", "line\nbreak", "file:x?y", "{home}$HOME", "[a-z]*", "~root", "@host:1",
    "back\\slash", "%", "trailing ",
]  # fmt: skip
NAMES = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="/\0"), min_size=1, max_size=40
).filter(lambda name: name not in {".", ".."} and len(name.encode()) < 200)


def below(folder: Path) -> set[Path]:
    """Files in a folder, without those that SQLite keeps while it is open."""
    return {path for path in folder.rglob("*") if path.is_file()}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NAMES)
def test_databases_lie_in_their_homes(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    above = tmp_path_factory.mktemp("above")
    home = Home(above / name)
    make_private_folder(home.path)
    text = settings_text("Region", ("127.0.0.1",), "127.0.0.1", 7443, 7444)
    database = Database(home.database_url(parse(CoordinatorSettings, text.encode(), "settings")))
    database.create()
    database.require_current()
    database.close()
    StateDatabase(home.path / "state.sqlite", create=True).close()
    with StateDatabase(home.path / "state.sqlite") as state:
        assert state.chain("audit").head().length == 0
    assert {path.parent for path in below(above)} == {home.path}
    for file in ("coordinator.sqlite", "state.sqlite"):
        with closing(sqlite3.connect(home.path / file)) as opened:
            assert opened.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] > 3


@pytest.mark.parametrize("name", AWKWARD)
def test_a_coordinator_lives_anywhere(name: str, tmp_path: Path) -> None:
    home = tmp_path / name
    made = run_inside(
        "folkmoot-coordinator", "init", f"--home={home}", "--name=Region", "--host=127.0.0.1"
    )
    assert made.code == 0, made.stderr
    assert str(home / "coordinator.sqlite") in made.stdout
    listed = run_inside("folkmoot-coordinator", "councils", "list", "--json", f"--home={home}")
    assert (listed.code, listed.stdout.strip()) == (0, "[]"), listed.stderr
    assert set(tmp_path.iterdir()) == {home}
    assert (home / "coordinator.sqlite").stat().st_size > 0


@pytest.mark.parametrize("name", [AWKWARD[1], "".join(AWKWARD).replace("?", "")])
def test_a_node_scores_anywhere(name: str, scored_home: Path, tmp_path: Path) -> None:
    home = tmp_path / name
    shutil.copytree(scored_home, home)
    before = set(tmp_path.iterdir())
    for command in (["score"], ["ledger", "verify"]):
        done = run_inside("folkmoot-node", *command, f"--home={home}")
        assert done.code == 0, done.stderr
    assert set(tmp_path.iterdir()) == before


def test_a_node_is_not_made_where_its_store_cannot_lie(scored_home: Path, tmp_path: Path) -> None:
    """DuckDB takes a question mark for the end of a path, and looks for a log elsewhere."""
    home = tmp_path / "where?"
    made = run_inside(
        "folkmoot-node", "init", f"--home={home}", "--council=E08000009", "--name=Trafford"
    )
    assert (made.code, "question mark" in made.stderr) == (3, True), made.stderr
    assert list(tmp_path.iterdir()) == []
    shutil.copytree(scored_home, home)
    scored = run_inside("folkmoot-node", "score", f"--home={home}")
    assert (scored.code, "question mark" in scored.stderr) == (3, True), scored.stderr
    assert list(tmp_path.iterdir()) == [home]


def test_a_path_that_is_no_text_is_refused_with_words(tmp_path: Path) -> None:
    home = tmp_path / "caf\udce9"
    for program in ("folkmoot-node", "folkmoot-coordinator"):
        done = run_inside(program, "doctor", "--home", home)
        assert done.code == 3, done.stderr
        assert "UTF-8" in done.stdout + done.stderr
