"""How hard the attacks try: bounded in CI, longer with `make attack`; and a node to attack."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "wire" / "node"))

from stage import scored_home, stage

__all__ = ["intensity", "scored_home", "stage"]


@pytest.fixture(scope="session")
def intensity() -> int:
    """How many times as many hostile messages, connections or rounds; FOLKMOOT_ATTACK sets it."""
    return int(os.environ.get("FOLKMOOT_ATTACK", "1"))
