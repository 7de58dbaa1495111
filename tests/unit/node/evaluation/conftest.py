"""The council of these tests."""

from __future__ import annotations

import pytest

from tests.unit.node.evaluation.dated_council import Council


@pytest.fixture
def council(tmp_path):
    return Council(tmp_path / "home")
