"""Several people at once on one case: whatever they do, nothing that was accepted is lost."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from folkmoot_node.casework.cases.cases import Case, CaseState, Conflict
from folkmoot_node.casework.cases.handling import Handling
from folkmoot_node.casework.cases.models import ActionRow, ChangeRow, ContactRow, NoteRow
from folkmoot_node.casework.cases.record import CaseRecord
from folkmoot_node.casework.cases.words import CaseOutcome, Channel, ContactOutcome
from folkmoot_node.casework.desk import Desk
from folkmoot_web.errors import WebProblem
from folkmoot_web.visitors import Visitor
from tests.casework_cases import MANAGER, OTHER, WORKER, open_case, worker
from tests.casework_council import CaseworkCouncil

PEOPLE = {
    WORKER: worker(WORKER),
    OTHER: worker(OTHER),
    MANAGER: worker(MANAGER, *("lists", "open", "work", "assign")),  # type: ignore[arg-type]
}
TRACKED = ("state", "team", "worker", "review_on", "outcome")


class Locking(RuleBasedStateMachine):
    """People with pages in front of them that may be out of date, on one case."""

    desk: Desk
    council: CaseworkCouncil
    cases = 0

    def __init__(self) -> None:
        super().__init__()
        purpose = f"purpose {type(self).cases}"
        type(self).cases += 1
        self.case_id = open_case(self.council, self.desk, 0, purpose=purpose)
        self.first = self.desk.cases.get(self.case_id)
        self.seen = dict.fromkeys(PEOPLE, self.first)
        self.accepted = 0
        self.added = 0
        self.begun = False

    def act(self, name: str, step: Callable[[Session, int, Visitor], object]) -> None:
        """Does something with the version that somebody has in front of them."""
        before = self.desk.cases.get(self.case_id)
        try:
            with self.desk.state.database.writing() as session:
                step(session, self.seen[name].version, PEOPLE[name])
        except Conflict as conflict:
            assert before.version != self.seen[name].version, "refused without a reason"
            told = [one.version for one in conflict.changes]
            assert told == list(range(self.seen[name].version + 1, before.version + 1))
            assert self.desk.cases.get(self.case_id) == before
        except WebProblem:
            assert self.desk.cases.get(self.case_id) == before
        else:
            assert before.version == self.seen[name].version, "overwrote what they had not seen"
            self.accepted += 1
            self.seen[name] = self.desk.cases.get(self.case_id)

    @rule(name=st.sampled_from(sorted(PEOPLE)))
    def looks(self, name: str) -> None:
        self.seen[name] = self.desk.cases.get(self.case_id)

    @rule(name=st.sampled_from(sorted(PEOPLE)))
    def claims(self, name: str) -> None:
        handling = Handling(self.desk.state)
        self.act(name, lambda s, version, by: handling.claim(s, self.case_id, version, by))

    @rule(name=st.sampled_from(sorted(PEOPLE)))
    def releases(self, name: str) -> None:
        handling = Handling(self.desk.state)
        self.act(name, lambda s, version, by: handling.release(s, self.case_id, version, by))

    @rule(to=st.sampled_from([None, WORKER, OTHER]), team=st.sampled_from([None, "A", "B"]))
    def assigns(self, to: str | None, team: str | None) -> None:
        handling = Handling(self.desk.state)
        self.act(
            MANAGER,
            lambda s, version, by: handling.assign(
                s, self.case_id, version, by, worker=to, team=team
            ),
        )

    @rule(name=st.sampled_from(sorted(PEOPLE)), days=st.integers(0, 3))
    def sets_review(self, name: str, days: int) -> None:
        handling = Handling(self.desk.state)
        on = datetime.date(2027, 2, 1) + datetime.timedelta(days=days)
        self.act(name, lambda s, version, by: handling.review(s, self.case_id, version, by, on))

    @rule(name=st.sampled_from(sorted(PEOPLE)), outcome=st.sampled_from(CaseOutcome))
    def closes(self, name: str, outcome: CaseOutcome) -> None:
        handling = Handling(self.desk.state)
        self.act(name, lambda s, version, by: handling.close(s, self.case_id, version, by, outcome))

    @rule(name=st.sampled_from(sorted(PEOPLE)))
    def reopens(self, name: str) -> None:
        handling = Handling(self.desk.state)
        self.act(name, lambda s, version, by: handling.reopen(s, self.case_id, version, by))

    @rule(name=st.sampled_from(sorted(PEOPLE)))
    def writes_plan(self, name: str) -> None:
        record, accepted = CaseRecord(self.desk.state), self.accepted
        self.act(
            name, lambda s, version, by: record.write_plan(s, self.case_id, version, by, "A plan")
        )
        self.begun |= self.accepted > accepted

    @precondition(lambda self: self.desk.cases.get(self.case_id).state is not CaseState.CLOSED)
    @rule(name=st.sampled_from(sorted(PEOPLE)))
    def adds(self, name: str) -> None:
        """Additions are never refused, however old the page is."""
        with self.desk.state.database.writing() as session:
            CaseRecord(self.desk.state).add_note(session, self.case_id, PEOPLE[name], "A note")
        self.added += 1
        self.begun = True

    @precondition(lambda self: self.desk.cases.get(self.case_id).state is CaseState.CLOSED)
    @rule(name=st.sampled_from(sorted(PEOPLE)))
    def adds_to_a_closed_case(self, name: str) -> None:
        with (
            pytest.raises(WebProblem, match="closed"),
            self.desk.state.database.writing() as session,
        ):
            CaseRecord(self.desk.state).add_note(session, self.case_id, PEOPLE[name], "A note")

    @invariant()
    def history_makes_the_case(self) -> None:
        """Each accepted change is in the history, and the history leads to the case as it is."""
        now = self.desk.cases.get(self.case_id)
        history = self.desk.cases.history(self.case_id)
        assert [one.version for one in history] == list(range(2, now.version + 1))
        assert len(history) == self.accepted
        values: dict[str, Any] = {name: getattr(self.first, name) for name in TRACKED}
        for change in history:
            for name in set(TRACKED) & set(change.changed):
                before, after = change.changed[name]
                begun = name == "state" and values[name] == CaseState.NEW
                assert values[name] == before or begun  # adding begins a case
                values[name] = after
        if values["state"] == CaseState.NEW and self.begun:
            values["state"] = CaseState.OPEN
        assert values == {name: getattr(now, name) for name in TRACKED}
        with self.desk.state.database.reading() as session:
            notes = select(func.count()).where(NoteRow.case_id == self.case_id)
            assert session.scalar(notes) == self.added


def test_whatever_people_do_at_once_nothing_is_lost(council: CaseworkCouncil) -> None:
    desk = council.desk()
    machine = type("MachineOfTest", (Locking,), {"desk": desk, "council": council})
    checked = settings(
        max_examples=15,
        stateful_step_count=15,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    machine.TestCase.settings = checked
    machine.TestCase().runTest()
    desk.state.audit.verify()


class Killed(RuntimeError):
    """The process ends here."""


@pytest.fixture
def kills(council: CaseworkCouncil) -> Iterator[Callable[[Desk, int], None]]:
    """Lets the program end at a writing statement, counted from 1; never for 0."""
    hooks: list[tuple[Any, Any]] = []

    def arm(desk: Desk, at: int) -> None:
        engine = desk.state.database._engine
        left = at

        def executing(_: Any, __: Any, statement: str, *___: Any) -> None:
            nonlocal left
            if statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
                left -= 1
                if left == 0:
                    raise Killed

        event.listen(engine, "before_cursor_execute", executing)
        hooks.append((engine, executing))

    yield arm
    for engine, hook in hooks:
        event.remove(engine, "before_cursor_execute", hook)


def whole_state(desk: Desk, case_id: str) -> tuple[Any, ...]:
    with desk.state.database.reading() as session:
        counts = [
            session.scalar(select(func.count()).select_from(table))
            for table in (ChangeRow, ContactRow, NoteRow, ActionRow)
        ]
    return desk.cases.get(case_id), counts, len(list(desk.state.audit.entries()))


def steps(desk: Desk, case_id: str) -> dict[str, Callable[[Session, Case], object]]:
    by, record, handling = PEOPLE[WORKER], CaseRecord(desk.state), Handling(desk.state)
    return {
        "claim": lambda s, case: handling.claim(s, case_id, case.version, by),
        "contact": lambda s, case: record.add_contact(
            s, case_id, by, happened_at=1, channel=Channel.VISIT,
            outcome=ContactOutcome.NOBODY_IN, text="",
        ),
        "action": lambda s, case: record.add_action(s, case_id, by, "Call", datetime.date.max),
        "plan": lambda s, case: record.write_plan(s, case_id, case.version, by, "A plan"),
        "assessment": lambda s, case: record.assess(s, case_id, by, ["Food"], ""),
        "close": lambda s, case: handling.close(
            s, case_id, case.version, by, CaseOutcome.HELPED
        ),
        "reopen": lambda s, case: handling.reopen(s, case_id, case.version, by),
    }  # fmt: skip


def test_a_program_that_ends_between_writes_leaves_all_of_a_step_or_nothing(
    council: CaseworkCouncil, kills: Callable[[Desk, int], None]
) -> None:
    desk = council.desk()
    case_id = open_case(council, desk, 1)
    for name, step in steps(desk, case_id).items():
        before = whole_state(desk, case_id)
        at = 0
        while True:
            at += 1
            broken = council.desk()
            kills(broken, at)
            try:
                with broken.state.database.writing() as session:
                    steps(broken, case_id)[name](session, broken.cases.get(case_id))
            except Killed:
                assert whole_state(desk, case_id) == before, (name, at)
                continue
            finally:
                broken.state.database.close()
            break
        assert at > 2, f"{name} was never ended between its writes"
        after = whole_state(desk, case_id)
        assert after != before, name
        assert after[2] == before[2] + 1, f"{name} has not one entry in the log"
        assert step is not None
    desk.state.audit.verify()
