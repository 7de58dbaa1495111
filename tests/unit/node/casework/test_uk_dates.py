"""In summer a day begins in the UK an hour before it does in UTC: people type and read the UK's."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import pytest

from folkmoot_node.casework.cases.record import CaseRecord
from folkmoot_node.casework.cases.worklists import Filter, WorkLists
from folkmoot_node.casework.desk import desk_of_app
from tests.casework_cases import WORKER, worker
from tests.casework_council import CaseworkCouncil, serving_council
from tests.casework_rights import flag
from tests.referring import Referring
from tests.web_site import Browser, RunningSite

EARLY = int(datetime.datetime(2027, 6, 30, 23, 30, tzinfo=datetime.UTC).timestamp())
"""Half past midnight on 1 July 2027 in the UK."""
FIRST_OF_JULY = ("1", "7", "2027")


@pytest.fixture
def site(council: CaseworkCouncil) -> Iterator[RunningSite]:
    council.clock.now = EARLY
    council.write_extracts()
    council.score(council.clock)
    with serving_council(council) as site:
        yield site


@pytest.fixture
def on_site(council: CaseworkCouncil, site: RunningSite) -> Referring:
    return Referring(council, desk_of_app(site.app))


def typed(field: str = "") -> dict[str, str]:
    parts = (f"{field}day", f"{field}month", f"{field}year")
    return dict(zip(parts, FIRST_OF_JULY, strict=True))


@pytest.mark.parametrize("given", [typed(), {}], ids=["typed", "left out"])
def test_a_resident_can_have_asked_today(
    site: RunningSite, on_site: Referring, given: dict[str, str]
) -> None:
    flag(on_site.council, on_site.desk, 0)
    with Browser(site, follow_redirects=True) as browser:
        browser.sign_in("protection_officer@example.gov.uk")
        sent = {
            "uprn": on_site.council.uprn(0),
            "kind": "access",
            "asked_by": "The tenant, in person",
        }
        page = browser.fill_in("/rights/new", **sent, **given)
        assert page.status_code == 200
        assert "Received on 1 July 2027, to be answered by <strong>1 August 2027" in page.text


def test_consent_can_have_been_given_today_and_cases_say_the_day(
    site: RunningSite, on_site: Referring
) -> None:
    case_id = on_site.case()
    with Browser(site, follow_redirects=True) as browser:
        browser.sign_in("caseworker@example.gov.uk")
        page = browser.fill_in(
            f"/cases/{case_id}/consents/new", service=on_site.debt, how="spoken",
            given_by="the resident", fields=["name"], **typed("given_on_"),
        )  # fmt: skip
        assert "Consent is recorded" in page.text
        assert "1 July 2027 by" in browser.get(f"/cases/{case_id}").text


def test_what_was_due_on_the_day_before_is_overdue(on_site: Referring) -> None:
    case_id, desk = on_site.case(), on_site.desk
    with desk.state.database.writing() as session:
        CaseRecord(desk.state).add_action(
            session, case_id, worker(WORKER), "Call", datetime.date(2027, 6, 30)
        )
    assert WorkLists(desk.state).count(Filter.OVERDUE) == 1
    assert CaseRecord(desk.state).counts(case_id).overdue == 1
