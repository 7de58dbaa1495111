"""From a decision to an opened household, and what the log has then."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from folkmoot_node.casework.desk import Desk, desk_of_app
from folkmoot_node.casework.opening.openings import OPENED, SHOWN
from folkmoot_node.casework.settings import database_path
from folkmoot_web.errors import WebProblem
from tests.casework_council import CaseworkCouncil
from tests.web_site import Browser, RunningSite


def open_case(council: CaseworkCouncil, desk: Desk, at: int) -> str:
    by = council.visitor(desk, "manager")
    with desk.state.database.writing() as session:
        return desk.cases.open(
            session, council.uprn(at), purpose="winter_support", why="A decision", by=by
        )


def test_a_household_opens_for_a_reason_and_the_log_says_so(
    council: CaseworkCouncil, site: RunningSite
) -> None:
    desk = desk_of_app(site.app)
    case_id = open_case(council, desk, 0)
    with Browser(site) as worker:
        worker.sign_in("caseworker@example.gov.uk")
        assert case_id in worker.get("/").text
        assert str(council.uprn(0)) not in worker.get(f"/cases/{case_id}").text
        assert worker.get(f"/cases/{case_id}/score").status_code == 403
        refused = worker.fill_in(f"/cases/{case_id}/open", reason="")
        assert "Enter why you open this household" in refused.text
        worker.follow_redirects = True
        shown = worker.fill_in(f"/cases/{case_id}/open", reason="First telephone call")
        assert str(council.uprn(0)) in shown.text
        assert "Council tax" in shown.text
        council.clock.now += 61 * 60
        worker.sign_in("caseworker@example.gov.uk")
        assert worker.get(f"/cases/{case_id}/score").status_code == 403
    entries = list(desk.state.audit.entries((OPENED, SHOWN)))
    assert [one.body["action"] for one in entries] == [OPENED, SHOWN]
    assert entries[0].body["reason"] == "First telephone call"
    assert str(council.uprn(0)) not in str([one.body for one in entries])


def test_who_may_not_open_is_refused_and_noted(council: CaseworkCouncil) -> None:
    desk = council.desk()
    case_id = open_case(council, desk, 1)
    auditor = council.visitor(desk, "auditor")
    with pytest.raises(WebProblem) as refused:
        desk.openings.open(auditor, case_id, "Curiosity")
    assert refused.value.status == 403
    assert [one.body["by"] for one in desk.state.audit.entries(("household not opened",))] == [
        "auditor@example.gov.uk"
    ]


def test_the_database_is_encrypted(council: CaseworkCouncil) -> None:
    desk = council.desk()
    open_case(council, desk, 2)
    desk.state.database.close()
    content = database_path(council.config).read_bytes()
    assert b"SQLite format 3" not in content
    assert b"casework" not in content
    with (
        closing(sqlite3.connect(database_path(council.config))) as plain,
        pytest.raises(sqlite3.DatabaseError),
    ):
        plain.execute("SELECT * FROM sqlite_master").fetchall()
