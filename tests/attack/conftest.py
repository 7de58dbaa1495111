"""How hard the attacks try: bounded in CI, longer with `make attack`."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(scope="session")
def intensity() -> int:
    """How many times as many hostile messages, connections or rounds; FOLKMOOT_ATTACK sets it."""
    return int(os.environ.get("FOLKMOOT_ATTACK", "1"))
