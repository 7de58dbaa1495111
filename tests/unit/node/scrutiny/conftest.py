"""A council whose facts are known."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from folkmoot_node.scrutiny.facts import FactBase
from tests.casework_council import CaseworkCouncil
from tests.scrutinised_council import facts_of, scrutinised


@pytest.fixture(scope="session")
def council(tmp_path_factory: pytest.TempPathFactory) -> CaseworkCouncil:
    return scrutinised(tmp_path_factory.mktemp("scrutinised"))


@pytest.fixture(scope="session")
def base(council: CaseworkCouncil) -> FactBase:
    return facts_of(council)


@pytest.fixture
def own(council: CaseworkCouncil, tmp_path: Path) -> CaseworkCouncil:
    """A council that a test may change."""
    home = tmp_path / "home"
    shutil.copytree(council.home, home)
    return CaseworkCouncil(home, list(council.households))
