"""The auditor's page and commands: who looked at what, when and why, and whether it is whole."""

from __future__ import annotations

import csv
import io
import json

import pytest
from typer.testing import CliRunner

from folkmoot_node.casework.desk import desk_of_app
from folkmoot_node.casework.opening.log import LOOKED_UP, READ, VERIFIED
from folkmoot_node.casework.pages.audit import key_of
from folkmoot_node.cli import app
from folkmoot_operator.hash_chain import Head
from folkmoot_web.database.models import AuditRow
from tests.casework_council import CaseworkCouncil
from tests.casework_opening import REASON, open_case
from tests.web_site import Browser, RunningSite


@pytest.fixture
def looked(council: CaseworkCouncil, site: RunningSite) -> list[str]:
    """Two people have each looked at a household of their own, a day apart; ids of the cases."""
    desk = desk_of_app(site.app)
    cases = [open_case(council, desk, at) for at in range(2)]
    for case_id, role in zip(cases, ("caseworker", "manager"), strict=True):
        visitor = council.visitor(desk, role)
        desk.openings.open(visitor, case_id, f"{REASON}, {role}")
        desk.openings.look(visitor, case_id, "score")
        council.clock.now += 86_400
    return cases


def test_it_is_chosen_by_person_case_household_action_and_date(
    council: CaseworkCouncil, site: RunningSite, looked: list[str]
) -> None:
    desk = desk_of_app(site.app)
    household = desk.cases.get(looked[0]).household
    with Browser(site) as auditor:
        auditor.sign_in("auditor@example.gov.uk")
        everything = auditor.get("/audit").text
        assert f"{REASON}, caseworker" in everything
        assert f"{REASON}, manager" in everything
        for query in (
            f"person={key_of('caseworker@example.gov.uk')}",
            f"case={looked[0]}&action=household+opened",
            f"household={household}",
            "first=2027-01-15&last=2027-01-15",
        ):
            page = auditor.get(f"/audit?{query}").text
            assert f"{REASON}, caseworker" in page, query
            assert f"{REASON}, manager" not in page, query
        assert "No entry of the log fits" in auditor.get("/audit?person=0123456789").text
        wrong = auditor.get("/audit?first=yesterday")
        assert wrong.status_code == 422
        assert "Enter a date as year, month and day" in wrong.text


def test_a_household_of_a_complaint_is_found_and_that_is_noted(
    council: CaseworkCouncil, site: RunningSite, looked: list[str]
) -> None:
    desk = desk_of_app(site.app)
    with Browser(site) as auditor:
        auditor.sign_in("auditor@example.gov.uk")
        none = auditor.fill_in("/audit/household", uprn=999, reason="A complaint")
        assert none.status_code == 404
        found = auditor.fill_in("/audit/household", uprn=council.uprn(0), reason="A complaint")
        address = found.headers["location"]
        assert address == f"/audit?household={desk.cases.get(looked[0]).household}"
        assert f"{REASON}, caseworker" in auditor.get(address).text
    assert len(list(desk.state.audit.entries((LOOKED_UP,)))) == 2


def test_a_file_of_the_log_has_what_was_chosen_and_a_reason(
    site: RunningSite, looked: list[str]
) -> None:
    with Browser(site) as auditor:
        auditor.sign_in("auditor@example.gov.uk")
        without = auditor.fill_in("/audit/export", "/audit", case=looked[0])
        assert without.status_code == 422
        assert "Enter why you need the file" in without.text
        file = auditor.fill_in("/audit/export", "/audit", case=looked[0], reason="For the board")
    rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert {row["case"] for row in rows} == {looked[0]}
    assert [row["action"] for row in rows] == [
        "case opened",
        "household opened",
        "household shown",
    ]
    assert rows[1]["reason"] == f"{REASON}, caseworker"


def test_the_chain_is_verified_and_a_change_is_found(site: RunningSite, looked: list[str]) -> None:
    desk = desk_of_app(site.app)
    with Browser(site) as auditor:
        auditor.sign_in("auditor@example.gov.uk")
        whole = auditor.fill_in("/audit/chain")
        assert "The log is whole" in whole.text
        noted = next(iter(desk.state.audit.entries((VERIFIED,)))).body["head"]
        assert noted in whole.text
        assert "The log is whole" in auditor.fill_in("/audit/chain", expected=noted).text
        other = str(Head(2, bytes(32)))
        assert (
            "once, which is not in it now" in auditor.fill_in("/audit/chain", expected=other).text
        )
        assert auditor.fill_in("/audit/chain", expected="nonsense").status_code == 422
        with desk.state.database.writing() as session:
            connection = session.connection()
            for (name,) in connection.exec_driver_sql(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'web_audit'"
            ).fetchall():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
            row = session.get(AuditRow, 3)
            assert row is not None
            row.body += " "
        assert "audit entry 3 does not fit the chain" in auditor.fill_in("/audit/chain").text


def test_long_logs_are_read_page_by_page(site: RunningSite) -> None:
    desk = desk_of_app(site.app)
    with desk.state.database.writing() as session:
        for number in range(120):
            desk.state.audit.record(session, "made for a test", "tester", {"number": number})
    with Browser(site) as auditor:
        auditor.sign_in("auditor@example.gov.uk")
        first = auditor.get("/audit?action=made+for+a+test").text
        assert "120 entries, 1 to 50" in first
        assert "number 119" in first
        last = auditor.get("/audit?action=made+for+a+test&page=3").text
        assert "number 0" in last
        assert "number 119" not in last


def test_commands_show_and_verify_the_log(council: CaseworkCouncil) -> None:
    desk = council.desk()
    case_id = open_case(council, desk, 0)
    desk.state.database.close()
    home = ["--home", str(council.home)]
    run = CliRunner()
    shown = run.invoke(app, ["casework", "audit", "show", *home, "--json", "--case", case_id])
    assert [one["action"] for one in json.loads(shown.stdout)] == ["case opened"]
    verified = json.loads(run.invoke(app, ["casework", "audit", "verify", *home, "--json"]).stdout)
    again = run.invoke(app, ["casework", "audit", "verify", *home, "--expect", verified["head"]])
    assert "The audit log is whole" in again.stdout
    other = f"1:{'0' * 64}"
    cut = run.invoke(app, ["casework", "audit", "verify", *home, "--expect", other])
    assert cut.exit_code == 7 or getattr(cut.exception, "exit_code", None) == 7
    assert len(list(council.desk().state.audit.entries((READ,)))) == 1
