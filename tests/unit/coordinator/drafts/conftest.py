"""A region's database and one of drafts, both in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import make_url

from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.drafts.decisions import approve, submit_draft
from folkmoot_coordinator.drafts.drafts import Draft, save_draft
from folkmoot_coordinator.drafts.opening import DraftOpener, open_drafts
from folkmoot_coordinator.drafts.people import AccountKind, Person
from folkmoot_coordinator.rounds.question import Question, read_question
from tests.postgresql import PASSWORD

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office

ANN = Person("ann", AccountKind.WEB)
BEN = Person("ben", AccountKind.WEB)
ROUND = """\
title = "Winter"
purpose = "winter_support"
policy = "policy.toml"
councils = "all"
minimum_councils = 1
rho = 0.2
delta = 1e-6
deadline_hours = 24
marginals = [{ attributes = ["band", "lsoa"] }, { attributes = ["band"], weight = 3 }]

[[attributes]]
name = "band"
codes = ["low", "high"]

[[attributes]]
name = "lsoa"
areas = "areas/lsoa.csv"
vintage = "2021"
"""
AREAS = """\
council,area,name
E08000001,E01000001,Bolton 001A
E08000001,E01000002,Bolton 001B
E08000002,E01000003,Bury 001A
"""
ROOT = Path(__file__).resolve().parents[4]
POLICY = (ROOT / "rehearsal/folkmoot_rehearsal/documents/risk-policy.toml").read_text("utf-8")


def question_in(folder: Path, text: str = ROUND) -> Question:
    (folder / "areas").mkdir(exist_ok=True)
    (folder / "areas" / "lsoa.csv").write_text(AREAS)
    (folder / "policy.toml").write_text(POLICY)
    (folder / "winter.toml").write_text(text)
    return read_question(folder / "winter.toml")


@dataclass
class Desk:
    """Where people write and approve drafts.

    Attributes:
        office: The coordinator.
        drafts: The database of drafts.
        settings: What the coordinator's settings say.
        question: A question to all councils.
    """

    office: Office
    drafts: Database
    settings: CoordinatorSettings
    question: Question

    @property
    def now(self) -> int:
        return self.office.clock()

    def save(self, author: Person = ANN) -> Draft:
        return save_draft(
            self.drafts, self.question, author, self.now, enrolled=["E08000001", "E08000002"]
        )

    def waiting(self, author: Person = ANN) -> Draft:
        draft = self.save(author)
        return submit_draft(self.drafts, draft.draft_id, author, self.now, second_person=True)

    def approved(self) -> Draft:
        draft = self.waiting()
        return approve(self.drafts, draft.draft_id, BEN, draft.digest, self.now)

    def opener(self) -> DraftOpener:
        opener = DraftOpener(
            self.office.home, self.office.database, self.office.signing, self.office.clock,
            monotonic=self.office.clock,
        )  # fmt: skip
        opener._settings = self.settings
        opener._drafts = self.drafts
        return opener


@pytest.fixture(params=["sqlite", "postgresql"])
def desk(request: pytest.FixtureRequest, office: Office, tmp_path: Path) -> Iterator[Desk]:
    settings = office.settings
    region = office.database
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql")
        # One database for both: each has a version table of its own.
        url = make_url(server.url(server.create("both"), "postgresql+psycopg"))
        address = url.set(password=PASSWORD).render_as_string(hide_password=False)
        viewer = settings.viewer.model_copy(update={"database": address})
        settings = settings.model_copy(update={"viewer": viewer})
        region = Database(address)
        region.create()
    drafts = open_drafts(office.home, settings)
    folder = tmp_path / "question"
    folder.mkdir()
    yield Desk(replace(office, database=region), drafts, settings, question_in(folder))
    drafts.close()
    region.close()
