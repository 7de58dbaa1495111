"""A council with casework, and its site."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.casework_council import CaseworkCouncil, make_council, serving_council
from tests.web_site import RunningSite


@pytest.fixture(scope="session")
def scored_council(tmp_path_factory: pytest.TempPathFactory) -> CaseworkCouncil:
    """A council that nobody may change: tests copy it."""
    return make_council(tmp_path_factory.mktemp("council"))


@pytest.fixture
def council(scored_council: CaseworkCouncil, tmp_path: Path) -> CaseworkCouncil:
    """A council of one's own."""
    home = tmp_path / "home"
    shutil.copytree(scored_council.home, home)
    return CaseworkCouncil(home, list(scored_council.households))


@pytest.fixture
def site(council: CaseworkCouncil) -> Iterator[RunningSite]:
    """Its site; each role of the sample policy has an account."""
    with serving_council(council) as site:
        yield site
