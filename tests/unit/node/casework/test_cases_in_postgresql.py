"""Cases in PostgreSQL, where writers do run at the same time."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from folkmoot_node.casework.cases.cases import Conflict
from folkmoot_node.casework.cases.handling import Handling
from folkmoot_node.casework.cases.record import CaseRecord
from folkmoot_node.casework.cases.words import Channel, ContactOutcome
from folkmoot_node.casework.cases.worklists import Filter, WorkLists
from folkmoot_node.casework.outcomes.measuring import measured
from tests.casework_cases import OTHER, WORKER, open_case, worker
from tests.casework_council import CaseworkCouncil
from tests.unit.node.casework.test_postgresql import _closed, council, url

__all__ = ["_closed", "council", "url"]  # fixtures
PEOPLE = [f"person{at}@example.gov.uk" for at in range(6)]


def test_of_many_who_claim_at_once_one_has_the_case_and_no_note_is_lost(
    council: CaseworkCouncil,
) -> None:
    desk = council.desk()
    case_id = open_case(council, desk, 0)
    record, handling = CaseRecord(desk.state), Handling(desk.state)
    start = threading.Barrier(len(PEOPLE))
    claimed: list[str] = []
    refused: list[Conflict] = []
    faults: list[BaseException] = []

    def act(name: str) -> None:
        try:
            start.wait(30)
            try:
                with desk.state.database.writing() as session:
                    handling.claim(session, case_id, 1, worker(name))
                claimed.append(name)
            except Conflict as conflict:
                refused.append(conflict)
            with desk.state.database.writing() as session:
                record.add_note(session, case_id, worker(name), f"Note of {name}")
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=act, args=(name,)) for name in PEOPLE]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not faults
    now = desk.cases.get(case_id)
    assert [now.worker] == claimed
    assert len(refused) == len(PEOPLE) - 1
    assert all(one.changes[0].by == now.worker for one in refused)
    assert record.counts(case_id).notes == len(PEOPLE)
    assert now.version == 2
    desk.state.audit.verify()


def test_a_record_lists_and_figures_are_as_in_a_file(council: CaseworkCouncil) -> None:
    desk = council.desk()
    record, lists = CaseRecord(desk.state), WorkLists(desk.state)
    ids = [open_case(council, desk, at, flagged_days_ago=at, cohort=True) for at in range(12)]
    by = worker(WORKER)
    steps: list[Callable[[Session], object]] = [
        lambda s: record.add_contact(
            s, ids[0], by, happened_at=desk.clock(), channel=Channel.VISIT,
            outcome=ContactOutcome.REACHED, text="Said hello",
        ),
        lambda s: record.write_plan(s, ids[0], 1, by, "A plan"),
        lambda s: record.add_action(
            s, ids[0], by, "Call", desk.today() - datetime.timedelta(days=1)
        ),
        *(lambda s, one=one: record.assess(s, one, by, ["Food"], "") for one in ids),
    ]  # fmt: skip
    for step in steps:
        with desk.state.database.writing() as session:
            step(session)
    page = lists.page(Filter.OPEN)
    assert [one.case.case_id for one in page] == ids[::-1]
    assert [one.case.case_id for one in lists.page(Filter.OVERDUE)] == [ids[0]]
    found, _ = measured(desk)
    assert found.hits is not None
    assert (found.hits.hits, found.hits.of) == (12, 12)
    with pytest.raises(Conflict), desk.state.database.writing() as session:
        record.write_plan(session, ids[0], 1, worker(OTHER), "Another plan")
