"""A council whose protection officer sees every source."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot_node.casework.authority.policy import SAMPLE
from folkmoot_node.casework.desk import Desk, desk_of_app
from tests.casework_council import SENSITIVE, CaseworkCouncil, make_council, serving_council
from tests.web_site import RunningSite

POLICY = SAMPLE.replace(
    "[roles.protection_officer]", f'[roles.protection_officer]\nsources = ["{SENSITIVE}"]'
)


@pytest.fixture(scope="session")
def scored_rights_council(tmp_path_factory: pytest.TempPathFactory) -> CaseworkCouncil:
    """A council that nobody may change: tests copy it."""
    return make_council(tmp_path_factory.mktemp("rights"), policy=POLICY)


@pytest.fixture
def council(scored_rights_council: CaseworkCouncil, tmp_path: Path) -> CaseworkCouncil:
    """A council of one's own."""
    home = tmp_path / "home"
    shutil.copytree(scored_rights_council.home, home)
    return CaseworkCouncil(home, list(scored_rights_council.households))


@pytest.fixture
def desk(council: CaseworkCouncil) -> Iterator[Desk]:
    """Its casework."""
    desk = council.desk()
    yield desk
    desk.state.database.close()


@pytest.fixture
def site(council: CaseworkCouncil) -> Iterator[RunningSite]:
    """Its site."""
    with serving_council(council) as site:
        yield site


@pytest.fixture
def site_desk(site: RunningSite) -> Desk:
    """Casework behind the site."""
    return desk_of_app(site.app)
