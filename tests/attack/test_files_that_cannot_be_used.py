"""A file that cannot be used now is not called damaged: the real cause is named, on both roles.

Who reads "damaged, restore from backup" rolls the ledger back, over a disk that was full.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.hostile_disks import run_where
from tests.wire.node.stage import scored_home

__all__ = ["scored_home"]

CAUSES = {
    "full": ("the disk is full", 6),
    "read_only": ("mounted read-only", 3),
    "no_larger_files": ("files may not grow any more", 3),
    "too_many_files": ("too many files are open", 6),
    "another_account": ("belongs to nobody", 3),
    "locked": ("another process keeps it locked", 6),
}
WRONG = ("is damaged (", "Restore", "key belongs", "a fault in Folkmoot", "Traceback")


@pytest.fixture
def home(scored_home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(scored_home, tmp_path / "home"))


@pytest.mark.parametrize("condition", CAUSES)
def test_a_node_names_what_is_in_the_way_of_its_state(condition: str, home: Path) -> None:
    done = run_where(condition, home, "folkmoot-node", "score")
    cause, code = CAUSES[condition]
    assert (cause in done.stderr, done.code) == (True, code), done.stderr
    assert not [word for word in WRONG if word in done.stderr], done.stderr
