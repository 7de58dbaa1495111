"""Work lists: who waits longest comes first, whatever the score."""

from __future__ import annotations

import datetime

from folkmoot_node.casework.cases.handling import Handling
from folkmoot_node.casework.cases.models import RIGHTS_PURPOSE
from folkmoot_node.casework.cases.record import CaseRecord
from folkmoot_node.casework.cases.words import CaseOutcome
from folkmoot_node.casework.cases.worklists import Filter, WorkLists
from tests.casework_cases import WORKER, open_case, worker
from tests.casework_council import CaseworkCouncil


def test_those_that_have_waited_longest_come_first_and_the_score_changes_nothing(
    council: CaseworkCouncil,
) -> None:
    desk = council.desk()
    waits = {at: (at * 7) % 11 for at in range(11)}  # in an order that is not that of scores
    ids = {open_case(council, desk, at, flagged_days_ago=days): days for at, days in waits.items()}
    lists = WorkLists(desk.state)
    page = lists.page(Filter.OPEN, size=100)
    assert [one.waiting_days for one in page] == sorted(ids.values(), reverse=True)
    assert [ids[one.case.case_id] for one in page] == [one.waiting_days for one in page]
    parts = [lists.page(Filter.OPEN, first=first, size=4) for first in (0, 4, 8)]
    assert [one for part in parts for one in part] == page
    assert lists.count(Filter.OPEN) == 11


def test_filters_find_what_they_say(council: CaseworkCouncil) -> None:
    desk = council.desk()
    by = worker(WORKER)
    handling, record, lists = Handling(desk.state), CaseRecord(desk.state), WorkLists(desk.state)
    new, begun, overdue, review, closed = (open_case(council, desk, at) for at in range(5))
    today = desk.today()
    with desk.state.database.writing() as session:
        handling.claim(session, begun, 1, by)
        late = record.add_action(session, overdue, by, "Call", today - datetime.timedelta(days=1))
        record.add_action(session, review, by, "Call", today)
        handling.review(session, review, 1, by, today)
        handling.close(session, closed, 1, by, CaseOutcome.NO_NEED)

    def found(shown: Filter, who: str | None = None) -> set[str]:
        page = lists.page(shown, worker=who)
        assert lists.count(shown, worker=who) == len(page)
        return {one.case.case_id for one in page}

    assert found(Filter.NEW) == {new}
    assert found(Filter.UNASSIGNED) == {new, overdue, review}
    assert found(Filter.OVERDUE) == {overdue}
    assert found(Filter.REVIEW) == {review}
    assert found(Filter.CLOSED) == {closed}
    assert found(Filter.OPEN) == {new, begun, overdue, review}
    assert found(Filter.OPEN, WORKER) == {begun}
    with desk.state.database.writing() as session:
        record.mark(session, overdue, late, by, is_done=True)
    assert found(Filter.OVERDUE) == set()
    with desk.state.database.writing() as session:
        record.mark(session, overdue, late, by, is_done=False)
        record.remove(session, "action", overdue, late, by)
    assert found(Filter.OVERDUE) == set()


def test_a_case_that_only_answers_a_resident_is_nobodys_to_claim(council: CaseworkCouncil) -> None:
    desk = council.desk()
    lists = WorkLists(desk.state)
    work = open_case(council, desk, 0)
    answering = open_case(council, desk, 0, purpose=RIGHTS_PURPOSE)
    for shown in (Filter.OPEN, Filter.NEW, Filter.UNASSIGNED):
        assert [one.case.case_id for one in lists.page(shown)] == [work], shown
        assert lists.count(shown) == 1
    with desk.state.database.writing() as session:
        Handling(desk.state).claim(session, answering, 1, worker(WORKER))
    assert lists.count(Filter.OPEN) == 1
    mine = lists.page(Filter.OPEN, worker=WORKER)
    assert [one.case.case_id for one in mine] == [answering], "whoever works on it finds it"
