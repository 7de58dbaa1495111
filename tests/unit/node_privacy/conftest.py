"""Makes the helpers of this folder importable, and a node's privacy half a fixture."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from privacy_half import PrivacyHalf

from folkmoot_node.state import StateDatabase


@pytest.fixture
def node(tmp_path: Path) -> Iterator[PrivacyHalf]:
    with StateDatabase(tmp_path / "state.sqlite", create=True) as state:
        yield PrivacyHalf(state)
