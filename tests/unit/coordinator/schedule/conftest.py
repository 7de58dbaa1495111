"""A region with a schedule, in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import make_url

from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.schedule.jobs import Done, Job, _run, due_jobs
from folkmoot_operator.settings import parse
from tests.postgresql import PASSWORD

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import FakeClock, Office

ROUND = f"""\
title = "Winter"
purpose = "winter_support"
policy_digest = "{"0" * 64}"
councils = ["E08000001", "E08000002"]
minimum_councils = 1
rho = 0.2
delta = 1e-6
deadline_hours = 1
marginals = [{{ attributes = ["band"] }}]
[[attributes]]
name = "band"
codes = ["low", "high"]
"""
SERIES = """
[series]
rounds = 3
until = 2027-12-31
event = { attribute = "band", codes = ["high"] }
"""
DAILY = """
[schedule]
time_zone = "UTC"
[[schedule.rounds]]
name = "winter"
question = "winter.toml"
cron = "0 6 * * *"
"""


@dataclass
class Planned:
    """A region with a schedule.

    Attributes:
        office: The coordinator, with the region's database.
        home: Its folder, which has the file `winter.toml`.
        settings: What its settings say.
    """

    office: Office
    home: Home
    settings: CoordinatorSettings

    @property
    def clock(self) -> FakeClock:
        return self.office.clock

    @property
    def database(self) -> Database:
        return self.office.database

    @property
    def question(self) -> Path:
        return self.home.path / "winter.toml"

    def set(self, text: str, database: str | None = None) -> None:
        """Adds tables to the settings, in place of those added before."""
        whole = (
            self.office_text + (f'\n[viewer]\ndatabase = "{database}"\n' if database else "") + text
        )
        self.home.settings_file.write_text(whole)
        self.settings = parse(CoordinatorSettings, whole.encode(), "settings")

    def due(self) -> list[Job]:
        return list(due_jobs(self.database, self.home, self.settings, self.clock()))

    def work(self) -> dict[str, Done]:
        """Does what is due; by the names of the jobs what became of them."""
        return {
            str(one): _run(self.database, self.home, self.settings, one, self.clock())
            for one in self.due()
        }

    def tomorrow(self, hours: int = 24) -> None:
        self.clock.now += hours * 3600

    office_text: str = ""


@pytest.fixture(params=["sqlite", "postgresql"])
def planned(request: pytest.FixtureRequest, office: Office) -> Iterator[Planned]:
    from dataclasses import replace

    from folkmoot_coordinator.rounds.submissions import Intake

    region, address = office.database, None
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql")
        url = make_url(server.url(server.create("planned"), "postgresql+psycopg"))
        address = url.set(password=PASSWORD).render_as_string(hide_password=False)
        region = Database(address)
        region.create()
        office = replace(
            office, database=region, intake=Intake(region, office.signing, office.clock)
        )
    made = Planned(office, office.home, office.settings)
    made.office_text = office.home.settings_file.read_text()
    made.question.write_text(ROUND)
    made.set(DAILY, address)
    yield made
    region.close()
