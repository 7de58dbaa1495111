"""The same state in PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, make_url

from folkmoot.geography import GssCode
from folkmoot.rejection import Rejected, RejectionReason
from folkmoot.rounds import RoundState
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import Base
from folkmoot_coordinator.membership.invitations import invite
from folkmoot_coordinator.publication.round_result import round_result
from folkmoot_coordinator.rounds.progress import summaries
from folkmoot_coordinator.rounds.round_store import find_round
from folkmoot_coordinator.rounds.submissions import Intake
from folkmoot_operator.problems import Problem
from tests.postgresql import PASSWORD, PostgreSQL

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office

BOLTON, BURY = GssCode("E08000001"), GssCode("E08000002")


@pytest.fixture
def database(postgresql: PostgreSQL) -> Iterator[Database]:
    name = postgresql.create("coordinator")
    address = make_url(postgresql.url(name, "postgresql+psycopg")).set(password=PASSWORD)
    url = address.render_as_string(hide_password=False)
    engine = create_engine(url)
    database = Database(url)
    assert database.version() is None
    with pytest.raises(Problem, match="missing or empty"):
        database.bring_up_to_date()
    database.create()
    database.upgrade()
    with pytest.raises(Problem, match="already"):
        database.create()
    database.require_current()
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()
    yield database
    database.close()


@pytest.fixture
def server(office: Office, database: Database) -> Office:
    """The office, with its state in PostgreSQL."""
    return replace(office, database=database, intake=Intake(database, office.signing, office.clock))


def test_a_round_from_invitation_to_result(server: Office, office: Office) -> None:
    assert _round_of(server) == _round_of(office)


def _round_of(at: Office) -> list[list[float]]:
    invite(
        at.database,
        at.settings,
        BOLTON,
        authority="",
        signing_key=at.signing.public,
        now=at.clock(),
    )
    stored = at.open()
    first = at.release(stored, BOLTON)
    assert at.release(stored, BOLTON).receipt == first.receipt
    assert at.refuse(stored, BURY).state is RoundState.PARTIAL
    [summary] = summaries(at.database)
    assert (summary.released, summary.refused) == (1, 1)
    result = round_result(at.database, "R", "latest")
    return [statistic.value.tolist() for statistic in result.statistics]


def test_answers_that_race_are_stored_once(server: Office) -> None:
    stored = server.open()
    receipts: list[bytes] = []
    reasons: list[RejectionReason] = []

    def answer(number: int) -> None:
        council = (BOLTON, BURY)[number % 2]
        cells = stored.round_.plan(council).rows
        try:
            receipt = server.release(stored, council, [number // 4] * cells)
            receipts.append(receipt.receipt)
        except Rejected as error:
            reasons.append(error.rejection.reason)

    threads = [threading.Thread(target=answer, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(receipts)) == 2
    assert set(reasons) == {RejectionReason.ALREADY_ANSWERED}
    assert len(receipts) == 4
    again = find_round(server.database, "latest")
    assert again.state is RoundState.COMPLETE
