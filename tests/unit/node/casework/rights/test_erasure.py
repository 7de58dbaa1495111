"""Erasure, legal holds, rectification and retention."""

from __future__ import annotations

import datetime
import json

import pytest
from sqlalchemy import select, text

from folkmoot_node.casework.authority.households import known_id
from folkmoot_node.casework.authority.models import HouseholdRow
from folkmoot_node.casework.desk import Desk
from folkmoot_node.casework.holders import RECORDS
from folkmoot_node.casework.rights.comparison import disputable
from folkmoot_node.casework.rights.erasure import ERASED, Erasure
from folkmoot_node.casework.rights.kinds import (
    Effect,
    Ground,
    ObjectionState,
    RequestKind,
    RequestState,
)
from folkmoot_node.casework.rights.models import ErasureRow
from folkmoot_node.casework.rights.objections import Objections, Upholding
from folkmoot_node.casework.rights.rectification import RECTIFIED, Rectification
from folkmoot_node.casework.rights.requests import Requests
from folkmoot_node.casework.rights.retention import (
    CLOSED_CASES,
    PURGED,
    expired_casework,
    purge_casework,
)
from folkmoot_node.corrections.sealed_file import decisions_of, open_corrections
from folkmoot_operator.moments import day_text
from folkmoot_web.database.models import AuditRow
from folkmoot_web.errors import WebProblem
from tests.casework_council import CaseworkCouncil
from tests.casework_rights import OFFICER, flag, object_to, opened
from tests.web_site import Browser, RunningSite

SECRET = "Her sister Ann at number 4 told us"
DAY = 86_400


def everything(desk: Desk) -> str:
    """All that the database has, as text, apart from the log."""
    with desk.state.database.reading() as session:
        names = session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'"))
        tables = [name for name in names if name != AuditRow.__tablename__]
        assert any("casework_cases" in name for name in tables)
        rows = [session.execute(text(f'SELECT * FROM "{name}"')).all() for name in tables]
    return str(rows)


def test_nothing_connects_an_erased_household_with_its_home(
    council: CaseworkCouncil, desk: Desk
) -> None:
    case_id = flag(council, desk, 0, why=SECRET)
    made = object_to(council, desk, case_id)
    shown, officer = opened(council, desk, case_id), council.visitor(desk, OFFICER)
    Objections(desk).refuse(shown, made, 1, "The arrears are right", officer, {})
    requests = Requests(desk)
    asked = requests.record(
        case_id,
        kind=RequestKind.ERASURE,
        asked_by="Ann, the tenant",
        received_on=desk.today(),
        by=officer,
    )
    assert str(council.uprn(0)) in everything(desk)
    erasure = Erasure(desk, RECORDS)
    preview = erasure.preview(shown, asked)
    assert preview.obstacles == ()
    counts = erasure.erase(shown, Ground.OBJECTED, officer, request=(asked, 1))
    assert counts["cases"] == 1
    assert counts["openings"] == 1
    left = everything(desk)
    for gone in (str(council.uprn(0)), SECRET, "Ann", "March", "telephone", "arrears"):
        assert gone not in left, gone
    with desk.state.database.reading() as session:
        row = session.scalars(select(ErasureRow)).one()
        assert row.household_id == shown.household
        assert json.loads(row.counts) == counts
        assert session.scalar(select(HouseholdRow.household_id)) is None
    assert requests.get(asked).state is RequestState.ANSWERED
    entries = list(desk.state.audit.entries((ERASED,)))
    assert entries[0].body["household"] == shown.household
    assert entries[0].body["erased"] == counts
    log = str([one.body for one in desk.state.audit.entries()])
    for gone in (str(council.uprn(0)), SECRET, "Ann", "March", "telephone", "arrears"):
        assert gone not in log, gone


def test_the_address_of_an_erased_case_says_that_it_was_erased_and_when(
    council: CaseworkCouncil, desk: Desk, site: RunningSite
) -> None:
    case_id, other = flag(council, desk, 0), flag(council, desk, 1)
    shown = opened(council, desk, case_id)
    with Browser(site) as worker:
        worker.sign_in("caseworker@example.gov.uk")
        assert worker.get(f"/cases/{case_id}").status_code == 200
        Erasure(desk, RECORDS).erase(shown, Ground.OBJECTED, council.visitor(desk, OFFICER))
        for page in ("", "/score", "/record"):
            answer = worker.get(f"/cases/{case_id}{page}")
            assert answer.status_code == 410
            assert f"erased on {day_text(desk.clock())}" in answer.text
            assert shown.household not in answer.text
        assert worker.get(f"/cases/{other}").status_code == 200
        assert worker.get("/cases/neverthere00").status_code == 404


def test_a_household_that_comes_back_gets_another_id(council: CaseworkCouncil, desk: Desk) -> None:
    shown = opened(council, desk, flag(council, desk, 0))
    Erasure(desk, RECORDS).erase(shown, Ground.NOT_NEEDED, council.visitor(desk, OFFICER))
    assert opened(council, desk, flag(council, desk, 0)).household != shown.household


def test_what_an_upheld_objection_changes_outlasts_erasure(
    council: CaseworkCouncil, desk: Desk
) -> None:
    case_id = flag(council, desk, 0)
    made = object_to(council, desk, case_id, field=None)
    shown, officer = opened(council, desk, case_id), council.visitor(desk, OFFICER)
    what = Upholding(Effect.LEAVE_OUT, True, "You are left out", None, {})
    Objections(desk).uphold(shown, made, 1, what, officer, disputable(desk))
    erasure = Erasure(desk, RECORDS)
    assert any("stays in force" in one for one in erasure.preview(shown).stays)
    erasure.erase(shown, Ground.OBJECTED, officer)
    assert council.uprn(0) in decisions_of(council.config).in_force(desk.today()).withheld


def test_a_hold_an_open_objection_and_an_open_request_stand_in_its_way(
    council: CaseworkCouncil, desk: Desk
) -> None:
    case_id = flag(council, desk, 0)
    made = object_to(council, desk, case_id)
    shown, officer = opened(council, desk, case_id), council.visitor(desk, OFFICER)
    requests = Requests(desk)
    asked = requests.record(
        case_id,
        kind=RequestKind.ACCESS,
        asked_by="The tenant",
        received_on=desk.today(),
        by=officer,
    )
    erasure = Erasure(desk, RECORDS)
    until = desk.today() + datetime.timedelta(days=10)
    hold = erasure.hold(shown, "A claim is before the court", until, officer)
    assert len(erasure.preview(shown).obstacles) == 3
    with pytest.raises(WebProblem) as refused:
        erasure.erase(shown, Ground.NOT_NEEDED, officer)
    assert refused.value.status == 409
    Objections(desk).withdraw(made, 1, "They said so", officer)
    requests.answer(asked, 1, officer)
    assert len(erasure.preview(shown).obstacles) == 1
    erasure.lift(shown, hold, officer)
    erasure.erase(shown, Ground.NOT_NEEDED, officer)


def test_whoever_works_on_a_case_does_not_erase_it(council: CaseworkCouncil, desk: Desk) -> None:
    officer = council.visitor(desk, OFFICER)
    with desk.state.database.writing() as session:
        case_id = desk.cases.open(
            session, council.uprn(1), purpose="winter_support", why="Decided so", by=officer
        )
    with pytest.raises(WebProblem) as refused:
        Erasure(desk, RECORDS).erase(opened(council, desk, case_id), Ground.NOT_NEEDED, officer)
    assert refused.value.status == 403


def test_a_wrong_text_is_replaced_and_not_kept(council: CaseworkCouncil, desk: Desk) -> None:
    shown = opened(council, desk, flag(council, desk, 0, why=SECRET))
    rectification = Rectification(desk, RECORDS)
    (wrong,) = rectification.texts(shown)
    officer = council.visitor(desk, OFFICER)
    before = rectification.rectify(shown, wrong.reference, "The tenant rang", officer)
    assert before.fact.value == SECRET
    assert SECRET not in everything(desk)
    assert SECRET not in str([one.body for one in desk.state.audit.entries()])
    assert [one.fact.value for one in rectification.texts(shown)] == ["The tenant rang"]
    with pytest.raises(WebProblem) as refused:
        rectification.rectify(shown, wrong.reference, "Again", officer)
    assert refused.value.status == 409
    (entry,) = desk.state.audit.entries((RECTIFIED,))
    assert "rang" not in str(entry.body)


def close(desk: Desk, case_id: str, at: int) -> None:
    with desk.state.database.writing() as session:
        session.execute(
            text("UPDATE casework_cases SET state = 'closed', closed_at = :at WHERE case_id = :id"),
            {"at": at, "id": case_id},
        )


def test_cases_go_after_their_retention_and_the_household_with_them(
    council: CaseworkCouncil, desk: Desk
) -> None:
    rule = desk.known.policy.retention
    old, young = flag(council, desk, 0), flag(council, desk, 1)
    opened(council, desk, old)
    close(desk, old, desk.clock() - rule.closed_cases_days * DAY - 1)
    close(desk, young, desk.clock() - rule.closed_cases_days * DAY + 1)
    assert expired_casework(desk, RECORDS) == {CLOSED_CASES: 1}
    assert str(council.uprn(0)) in everything(desk)
    assert purge_casework(desk, RECORDS, "test") == {CLOSED_CASES: 1}
    left = everything(desk)
    assert str(council.uprn(0)) not in left
    assert str(council.uprn(1)) in left
    assert expired_casework(desk, RECORDS) == {}
    (entry,) = desk.state.audit.entries((PURGED,))
    assert entry.body["deleted"] == {CLOSED_CASES: 1}
    assert purge_casework(desk, RECORDS, "test") == {}
    assert len(list(desk.state.audit.entries((PURGED,)))) == 1


def test_a_case_under_a_hold_or_with_an_objection_stays(
    council: CaseworkCouncil, desk: Desk
) -> None:
    rule, officer = desk.known.policy.retention, council.visitor(desk, OFFICER)
    held, disputed = flag(council, desk, 0), flag(council, desk, 1)
    until = desk.today() + datetime.timedelta(days=3)
    hold = Erasure(desk, RECORDS)
    hold.hold(opened(council, desk, held), "A claim", until, officer)
    made = object_to(council, desk, disputed)
    for one in (held, disputed):
        close(desk, one, desk.clock() - rule.closed_cases_days * DAY - 1)
    assert expired_casework(desk, RECORDS) == {}
    council.clock.now += 4 * DAY
    assert expired_casework(desk, RECORDS) == {CLOSED_CASES: 1}
    Objections(desk).withdraw(made, 1, "They said so", officer)
    council.clock.now += rule.rights_days * DAY + 1
    assert expired_casework(desk, RECORDS)["Requests and objections"] == 2, "and the hold"
    purge_casework(desk, RECORDS, "test")
    purge_casework(desk, RECORDS, "test")  # the case is free only once the objection is gone
    assert str(council.uprn(1)) not in everything(desk)


def test_a_hold_keeps_all_that_is_held_and_goes_itself_when_it_has_long_ended(
    council: CaseworkCouncil, desk: Desk
) -> None:
    rule, officer = desk.known.policy.retention, council.visitor(desk, OFFICER)
    long = (max(rule.rights_days, rule.openings_days, rule.closed_cases_days) + 2) * DAY
    for at in (0, 1):
        case_id = flag(council, desk, at)
        shown = opened(council, desk, case_id)
        made = object_to(council, desk, case_id)
        Objections(desk).refuse(shown, made, 1, "The arrears are right", officer, {})
        if at == 0:
            until = desk.today() + datetime.timedelta(days=long // DAY + 3)
            Erasure(desk, RECORDS).hold(shown, "A claim is before the court", until, officer)
        close(desk, case_id, desk.clock())

    def held_on(at: int) -> list[str]:
        with desk.state.database.reading() as session:
            household = known_id(session, council.uprn(at))
            if household is None:
                return []
            return [one.room for one in RECORDS if list(one.held_on(session, household))]

    before = held_on(0)
    assert {"cases", "openings", "rights"} <= {*before}
    council.clock.now += long
    purge_casework(desk, RECORDS, "test")
    purge_casework(desk, RECORDS, "test")
    assert held_on(0) == before
    assert held_on(1) == []
    council.clock.now += long + 4 * DAY
    purge_casework(desk, RECORDS, "test")
    purge_casework(desk, RECORDS, "test")
    assert held_on(0) == []
    assert str(council.uprn(0)) not in everything(desk)


def test_an_upheld_objection_whose_correction_is_gone_ends(
    council: CaseworkCouncil, desk: Desk
) -> None:
    rule, officer = desk.known.policy.retention, council.visitor(desk, OFFICER)
    case_id = flag(council, desk, 0)
    made = object_to(council, desk, case_id, field=None)
    what = Upholding(Effect.LEAVE_OUT, True, "You are left out", None, {})
    objections = Objections(desk)
    shown = opened(council, desk, case_id)
    objections.uphold(shown, made, 1, what, officer, disputable(desk))
    council.clock.now += rule.rights_days * DAY + 10
    purge_casework(desk, RECORDS, "test")
    assert objections.get(made).state is ObjectionState.UPHELD  # as long as it is in force
    open_corrections(council.config).withdraw(made)
    purge_casework(desk, RECORDS, "test")
    assert objections.get(made).state is ObjectionState.ENDED
    council.clock.now += rule.rights_days * DAY + 10
    assert purge_casework(desk, RECORDS, "test")["Requests and objections"] == 1
