"""Searches and exports: a reason, noted first, limited, and no more than the work needs."""

from __future__ import annotations

import csv
import io
import stat
from pathlib import Path

import pytest

from folkmoot_node.casework.desk import desk_of_app
from folkmoot_node.casework.opening.exports import EXPORTED, Export
from folkmoot_node.casework.opening.openings import SHOWN
from folkmoot_node.casework.opening.searches import SEARCHED
from folkmoot_web.errors import WebProblem
from tests.casework_council import CaseworkCouncil, serving_council
from tests.casework_opening import EXPORTS_UPRNS, REASON, change_policy, open_case, restrict
from tests.web_site import Browser, RunningSite


def test_a_search_leads_to_a_case_and_shows_nothing_else(
    council: CaseworkCouncil, site: RunningSite
) -> None:
    desk = desk_of_app(site.app)
    case_id = open_case(council, desk, 0)
    with Browser(site) as worker:
        worker.sign_in("caseworker@example.gov.uk")
        assert worker.fill_in("/search", uprn=council.uprn(0)).status_code == 422
        sent = worker.fill_in("/search", uprn=council.uprn(0), reason=REASON)
        address = sent.headers["location"]
        assert str(council.uprn(0)) not in address
        found = worker.get(address).text
        assert f"/cases/{case_id}" in found
        assert str(council.uprn(0)) not in found
        assert "Open a case for another reason" not in found
    with Browser(site) as other:
        other.sign_in("manager@example.gov.uk")
        assert other.get(address).status_code == 404
    entries = list(desk.state.audit.entries((SEARCHED,)))
    assert [one.body["reason"] for one in entries] == [REASON]
    assert str(council.uprn(0)) not in str(entries[0].body)


def test_who_may_decide_opens_a_case_that_no_score_asked_for(
    council: CaseworkCouncil, site: RunningSite
) -> None:
    desk = desk_of_app(site.app)
    with Browser(site) as manager:
        manager.sign_in("manager@example.gov.uk")
        sent = manager.fill_in("/search", uprn=council.uprn(20), reason="A health visitor asked")
        address = sent.headers["location"]
        assert "This household has no case" in manager.get(address).text
        assert manager.fill_in(f"{address}/case", address, purpose="x").status_code == 422
        opened = manager.fill_in(
            f"{address}/case", address, purpose="winter_support", why="A health visitor asked"
        )
        case_id = opened.headers["location"].rpartition("/")[2]
        assert desk.cases.get(case_id).why == "A health visitor asked"
    with Browser(site) as worker:
        worker.sign_in("caseworker@example.gov.uk")
        found = worker.fill_in("/search", uprn=council.uprn(20), reason=REASON).headers["location"]
        refused = worker.post(f"{found}/case", data={"form_token": worker.token("/search")})
        assert refused.status_code == 403


def test_a_restricted_household_is_found_as_little_as_one_there_is_not(
    council: CaseworkCouncil, site: RunningSite
) -> None:
    desk = desk_of_app(site.app)
    open_case(council, desk, 0)
    restrict(council, desk, 0)
    pages = []
    with Browser(site) as worker:
        worker.sign_in("caseworker@example.gov.uk")
        for uprn in (council.uprn(0), 123_456_789):
            sent = worker.fill_in("/search", uprn=uprn, reason=REASON)
            pages.append(worker.get(sent.headers["location"]).text)
    assert pages[0] == pages[1]
    hidden = [one.body["hidden"] for one in desk.state.audit.entries((SEARCHED,))]
    assert hidden == ["yes", "no"]


def test_searches_and_exports_are_limited_in_number(council: CaseworkCouncil) -> None:
    change_policy(
        council,
        ("searches_per_day = 30 ", "searches_per_day = 1 "),
        ("exports_per_day = 5 ", "exports_per_day = 1 "),
    )
    desk = council.desk()
    worker = council.visitor(desk, "caseworker")
    desk.searches.search(worker, council.uprn(0), REASON, is_scored=True)
    with pytest.raises(WebProblem) as refused:
        desk.searches.search(worker, council.uprn(1), REASON, is_scored=True)
    assert refused.value.status == 429
    officer = council.visitor(desk, "protection_officer")
    desk.exports.of_cases(officer, "work", desk.cases.listed(), REASON)
    with pytest.raises(WebProblem) as refused:
        desk.exports.of_cases(officer, "work", desk.cases.listed(), REASON)
    assert refused.value.status == 429


def test_a_file_has_the_columns_of_its_purpose_and_its_number(
    council: CaseworkCouncil, site: RunningSite
) -> None:
    desk = desk_of_app(site.app)
    shown, hidden = (open_case(council, desk, at) for at in range(2))
    restrict(council, desk, 1)
    with Browser(site) as manager:
        manager.sign_in("manager@example.gov.uk")
        assert manager.get("/exports").status_code == 403
    with Browser(site) as officer:
        officer.sign_in("protection_officer@example.gov.uk")
        assert officer.fill_in("/exports", name="work").status_code == 422
        assert officer.fill_in("/exports", name="all", reason=REASON).status_code == 422
        file = officer.fill_in("/exports", name="work", reason=REASON)
    assert file.headers["cache-control"] == "no-store"
    header, *rows = csv.reader(io.StringIO(file.content.decode("utf-8-sig")))
    assert header == ["export", "case", "purpose", "state", "team", "opened_on", "review_on"]
    entry = next(iter(desk.state.audit.entries((EXPORTED,))))
    assert {row[0] for row in rows} == {entry.body["export"]}
    assert entry.body["export"] in file.headers["content-disposition"]
    assert str(council.uprn(0)).encode() not in file.content
    # The protection officer may open restricted households, so both are in it.
    assert {row[1] for row in rows} == {shown, hidden}


def test_households_whose_uprns_leave_are_noted_as_shown_and_hidden_ones_stay(
    council: CaseworkCouncil,
) -> None:
    change_policy(
        council,
        EXPORTS_UPRNS,
        ('"services", "measure"]', '"services", "measure", "export"]'),
    )
    with serving_council(council) as site:
        desk = desk_of_app(site.app)
        shown, _ = (open_case(council, desk, at) for at in range(2))
        restrict(council, desk, 1)
        with Browser(site) as manager:
            manager.sign_in("manager@example.gov.uk")
            file = manager.fill_in("/exports", name="visits", reason=REASON)
        rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
        assert [(row["case"], row["uprn"]) for row in rows] == [(shown, str(council.uprn(0)))]
        exported, noted = desk.state.audit.entries((EXPORTED, SHOWN))
        assert noted.body["what"] == f"export {exported.body['export']}"
        assert noted.body["case"] == shown


def test_no_cell_of_a_file_is_a_formula(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    export = Export("abcdefgh2345", ("team",))
    path = export.write(tmp_path, [["=cmd|' /C calc'!A0"], [None], [7]])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.name == "folkmoot-export-abcdefgh2345.csv"
    rows = list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"))))
    assert [row[1] for row in rows[1:]] == ["'=cmd|' /C calc'!A0", "", "7"]
