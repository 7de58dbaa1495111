"""Sites that tests of the web kit share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot_web.audit import Audit
from folkmoot_web.database.connection import Database
from folkmoot_web.settings import WebSettings
from folkmoot_web.sign_in.accounts import Accounts
from tests.postgresql import PASSWORD as DATABASE_PASSWORD
from tests.postgresql import PostgreSQL
from tests.web_site import PERMISSIONS, Browser, Clock, RunningSite, running_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """A site with an account for each role, named after it."""
    with running_site(tmp_path_factory.mktemp("site")) as running:
        for role in PERMISSIONS.roles:
            running.add_account(f"{role}@example.gov.uk", role)
        yield running


@pytest.fixture
def browser(site: RunningSite) -> Iterator[Browser]:
    """Somebody who is not signed in."""
    with Browser(site) as client:
        yield client


@pytest.fixture
def writer(site: RunningSite) -> Iterator[Browser]:
    """Somebody who is signed in and may do everything."""
    with Browser(site) as client:
        assert client.sign_in("writer@example.gov.uk").status_code == 303
        yield client


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database with the kit's tables, of each kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'site.sqlite'}"
    else:
        server: PostgreSQL = request.getfixturevalue("postgresql")
        url = server.url(server.create("web"), "postgresql+psycopg")
        url = url.replace("@", f":{DATABASE_PASSWORD}@", 1)
    made = Database(url)
    made.prepare()
    yield made
    made.close()


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def audit(database: Database, clock: Clock) -> Audit:
    """An empty audit log."""
    return Audit(database, clock)


@pytest.fixture
def accounts(database: Database, audit: Audit, clock: Clock) -> Accounts:
    """Accounts of a site, none yet."""
    settings = WebSettings(name="Greater Exampleshire")
    return Accounts(database, audit, PERMISSIONS, settings, clock)
