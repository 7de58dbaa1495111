"""How hard the attacks try: bounded in CI, longer with `make attack`; and a node to attack."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "wire" / "node"))

from stage import scored_home, stage

from tests.commands import run_inside

__all__ = ["home", "intensity", "program", "scored_home", "stage"]


@pytest.fixture(scope="session")
def intensity() -> int:
    """How many times as many hostile messages, connections or rounds; FOLKMOOT_ATTACK sets it."""
    return int(os.environ.get("FOLKMOOT_ATTACK", "1"))


@pytest.fixture(params=["folkmoot-node", "folkmoot-coordinator"])
def program(request: pytest.FixtureRequest) -> str:
    """The node's and the coordinator's, one after the other."""
    return str(request.param)


@pytest.fixture
def home(program: str, scored_home: Path, tmp_path: Path) -> Path:
    """A home of the program: a node that has scored, or a coordinator."""
    home = tmp_path / "home"
    if program == "folkmoot-node":
        shutil.copytree(scored_home, home)
    else:
        words = ("init", "--home", home, "--name", "Region", "--host", "127.0.0.1")
        run_inside(program, *words).said()
    return home
