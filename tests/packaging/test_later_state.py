"""State that a later version wrote is refused, and both versions are named; nothing is changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from folkmoot_coordinator.database.connection import TABLES_VERSION
from tests.commands import run_inside
from tests.packaging.folders.views import HERE, unpack

KEPT = sorted(path.parent for path in HERE.glob("*/made.json"))[0]
NODE, COORDINATOR = "folkmoot-node", "folkmoot-coordinator"


def sql(file: str, statement: str) -> Callable[[Path], Path]:
    def change(folder: Path) -> Path:
        with closing(sqlite3.connect(folder / file)) as connection:
            connection.execute(statement)
            connection.commit()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return folder / file

    return change


def settings(file: str) -> Callable[[Path], Path]:
    def change(folder: Path) -> Path:
        path = folder / file
        path.write_text(path.read_text().replace("schema = 1", "schema = 9"))
        return path

    return change


LATER = {
    "state of a node": (
        sql("node/state.sqlite", "PRAGMA user_version = 99"),
        (NODE, "ledger", "show"),
        ("version 99", "knows 3"),
    ),
    "settings of a node": (settings("node/node.toml"), (NODE, "ledger", "show"), ("schema",)),
    "policy of a node": (settings("node/risk-policy.toml"), (NODE, "policy", "show"), ("schema",)),
    "tables of a coordinator": (
        sql("coordinator/coordinator.sqlite", "UPDATE alembic_version SET version_num = '9999'"),
        (COORDINATOR, "councils"),
        ("later version", TABLES_VERSION),
    ),
    "settings of a coordinator": (
        settings("coordinator/coordinator.toml"), (COORDINATOR, "councils"), ("schema",),
    ),
}  # fmt: skip
"""What is raised, which command meets it, and what it has to say."""


@pytest.mark.parametrize("what", LATER)
def test_a_later_state_is_refused_by_its_version(what: str, tmp_path: Path) -> None:
    unpack(KEPT, tmp_path)
    run_inside(COORDINATOR, "councils", "--home", tmp_path / "coordinator").said()
    run_inside(NODE, "ledger", "show", "--home", tmp_path / "node").said()
    change, (program, *words), expected = LATER[what]
    path = change(tmp_path)
    before = path.read_bytes()
    home = tmp_path / program.removeprefix("folkmoot-")
    said = run_inside(program, *words, "--home", home).said(3)
    for word in expected:
        assert word in said
    assert "Traceback" not in said
    assert path.read_bytes() == before
