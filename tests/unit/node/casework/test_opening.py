"""Opening a household as a transaction: reason, time, renewal, closing, limits."""

from __future__ import annotations

import pytest

from folkmoot_node.casework.desk import desk_of_app
from folkmoot_node.casework.opening.openings import (
    CLOSED,
    OPENED,
    REFUSED,
    RENEWED,
    SHOWN,
    NotOpen,
)
from folkmoot_web.errors import WebProblem
from tests.casework_council import CaseworkCouncil
from tests.casework_opening import REASON, change_policy, close_case, open_case
from tests.web_site import Browser, RunningSite


def test_a_reason_is_chosen_or_typed_and_names_nobody(
    council: CaseworkCouncil, site: RunningSite
) -> None:
    desk = desk_of_app(site.app)
    case_id = open_case(council, desk, 0)
    address = f"/cases/{case_id}/open"
    with Browser(site) as worker:
        worker.sign_in("caseworker@example.gov.uk")
        nothing = worker.fill_in(address, reason=" ")
        assert nothing.status_code == 422
        assert "Enter why you open this household" in nothing.text
        for named in (
            "She lives at M33 7ZF", "Call 0161 496 0000", f"UPRN {council.uprn(0)}",
            "At M33\N{NO-BREAK SPACE}7ZF", "UPRN \N{FULLWIDTH DIGIT ONE}0000000001",
            "UPRN " + "\N{ARABIC-INDIC DIGIT ONE}" * 11,
        ):  # fmt: skip
            refused = worker.fill_in(address, reason=named)
            assert refused.status_code == 422
            assert "Leave out addresses" in refused.text
            assert named in refused.text  # what was typed is kept
        assert worker.fill_in(address, choice="No such reason").status_code == 422
        assert worker.get(f"/cases/{case_id}/score").status_code == 403
        opened = worker.fill_in(address, choice="Review of the case", reason="Third month")
        assert opened.headers["location"] == f"/cases/{case_id}/score"
    entries = list(desk.state.audit.entries((OPENED,)))
    assert [one.body["reason"] for one in entries] == ["Review of the case: Third month"]


def test_it_stays_open_longer_for_another_reason_and_closes_early(
    council: CaseworkCouncil, site: RunningSite
) -> None:
    desk = desk_of_app(site.app)
    case_id = open_case(council, desk, 0)
    score = f"/cases/{case_id}/score"
    with Browser(site) as worker:
        worker.sign_in("caseworker@example.gov.uk")
        worker.fill_in(f"/cases/{case_id}/open", reason=REASON)
        assert worker.get(score).status_code == 200
        council.clock.now += 50 * 60
        worker.sign_in("caseworker@example.gov.uk")
        worker.fill_in(f"/cases/{case_id}/open", reason="The call takes longer")
        council.clock.now += 50 * 60
        worker.sign_in("caseworker@example.gov.uk")
        assert "open for you until" in worker.get(score).text
        token = worker.token(score)
        worker.post(f"/cases/{case_id}/close-household", data={"form_token": token})
        over = worker.get(score)
        assert over.status_code == 403
        assert "or you closed it" in over.text
        assert str(council.uprn(0)) not in over.text
    actions = [one.body["action"] for one in desk.state.audit.entries((OPENED, RENEWED, CLOSED))]
    assert actions == [OPENED, RENEWED, CLOSED]


def test_after_its_time_the_page_asks_again_and_leads_back(
    council: CaseworkCouncil, site: RunningSite
) -> None:
    desk = desk_of_app(site.app)
    case_id = open_case(council, desk, 0)
    with Browser(site) as worker:
        worker.sign_in("caseworker@example.gov.uk")
        worker.fill_in(f"/cases/{case_id}/open", reason=REASON)
        council.clock.now += 60 * 60
        worker.sign_in("caseworker@example.gov.uk")
        over = worker.get(f"/cases/{case_id}/score")
        assert over.status_code == 403
        assert "The time for which you opened this household is over" in over.text
        assert 'name="then" value="/score"' in over.text


@pytest.mark.parametrize(
    "then", ["//evil.example", "/../../audit", "https://evil.example", "/open"]
)
def test_where_it_leads_is_a_page_of_the_case(
    council: CaseworkCouncil, site: RunningSite, then: str
) -> None:
    desk = desk_of_app(site.app)
    case_id = open_case(council, desk, 0)
    with Browser(site) as worker:
        worker.sign_in("caseworker@example.gov.uk")
        opened = worker.fill_in(f"/cases/{case_id}/open", reason=REASON, then=then)
        assert opened.headers["location"] == f"/cases/{case_id}/score"


def test_so_many_households_a_day_and_renewals_are_not_others(council: CaseworkCouncil) -> None:
    change_policy(council, ("per_day = 60 ", "per_day = 2 "))
    desk = council.desk()
    worker = council.visitor(desk, "caseworker")
    cases = [open_case(council, desk, at) for at in range(3)]
    for case_id in (*cases[:2], cases[0]):
        desk.openings.open(worker, case_id, REASON)
    with pytest.raises(WebProblem) as refused:
        desk.openings.open(worker, cases[2], REASON)
    assert refused.value.status == 429
    assert len(list(desk.state.audit.entries((REFUSED,)))) == 1
    council.clock.now += 86_401
    desk.openings.open(worker, cases[2], REASON)


def test_a_closed_case_opens_only_for_who_answers_residents(council: CaseworkCouncil) -> None:
    desk = council.desk()
    case_id = open_case(council, desk, 0)
    close_case(desk, case_id)
    with pytest.raises(WebProblem) as refused:
        desk.openings.open(council.visitor(desk, "manager"), case_id, REASON)
    assert refused.value.status == 409
    officer = council.visitor(desk, "protection_officer")
    desk.openings.open(officer, case_id, REASON)
    assert desk.openings.look(officer, case_id, "score").uprn == council.uprn(0)


def test_one_person_s_opening_is_not_another_s(council: CaseworkCouncil) -> None:
    desk = council.desk()
    case_id = open_case(council, desk, 0)
    desk.openings.open(council.visitor(desk, "caseworker"), case_id, REASON)
    with pytest.raises(NotOpen):
        desk.openings.look(council.visitor(desk, "manager"), case_id, "score")
    assert not list(desk.state.audit.entries((SHOWN,)))


def test_a_household_that_left_the_frame_keeps_its_case_and_says_so(
    council: CaseworkCouncil, site: RunningSite
) -> None:
    desk = desk_of_app(site.app)
    case_id = open_case(council, desk, 0, uprn=99_999_999)
    with Browser(site) as worker:
        worker.sign_in("caseworker@example.gov.uk")
        worker.fill_in(f"/cases/{case_id}/open", reason=REASON)
        gone = worker.get(f"/cases/{case_id}/score")
        assert gone.status_code == 404
        assert "not among the scored ones any more" in gone.text
        assert worker.get(f"/cases/{case_id}").status_code == 200
