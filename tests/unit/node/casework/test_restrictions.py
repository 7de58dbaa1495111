"""Restricted households, and people who may not see a household."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from folkmoot_node.casework.desk import desk_of_app
from folkmoot_node.casework.opening.openings import REFUSED
from folkmoot_node.casework.opening.restrictions import (
    BAR_LIFTED,
    BARRED,
    LIFTED,
    RESTRICTED,
    RestrictionKind,
)
from folkmoot_node.cli import app
from folkmoot_operator.problems import ExitCode
from folkmoot_web.errors import WebProblem
from tests.casework_council import SUNSET, CaseworkCouncil
from tests.casework_opening import REASON, open_case, restrict
from tests.web_site import Browser, RunningSite


def test_it_closes_at_once_and_stands_in_lists_without_a_link(
    council: CaseworkCouncil, site: RunningSite
) -> None:
    desk = desk_of_app(site.app)
    case_id = open_case(council, desk, 0)
    with Browser(site) as worker, Browser(site) as officer:
        worker.sign_in("caseworker@example.gov.uk")
        officer.sign_in("protection_officer@example.gov.uk")
        worker.fill_in(f"/cases/{case_id}/open", reason=REASON)
        assert worker.get(f"/cases/{case_id}/score").status_code == 200
        made = officer.fill_in(
            "/restrictions/new",
            uprn=council.uprn(0),
            kind="safe address",
            reason="The police asked",
            ends_on="2027-03-31",
        )
        assert made.headers["location"] == "/restrictions?done=restricted"
        page = officer.get("/restrictions?done=restricted").text
        assert "The household is restricted" in page
        assert "The police asked" in page
        assert str(council.uprn(0)) not in page
        for path in ("", "/open", "/score"):
            refused = worker.get(f"/cases/{case_id}{path}")
            assert refused.status_code == 403
            assert "You may not see this household" in refused.text
            assert "safe address" not in refused.text
        listed = worker.get("/?whose=").text
        assert case_id not in listed
        assert "restricted household" in listed
        officer.fill_in(f"/cases/{case_id}/open", reason=REASON)
        assert str(council.uprn(0)) in officer.get(f"/cases/{case_id}/score").text
    refusals = list(desk.state.audit.entries((REFUSED,)))
    assert {one.body["by"] for one in refusals} == {"caseworker@example.gov.uk"}
    assert {one.body["page"] for one in refusals} >= {"/cases/{case_id}/score"}


def test_ends_are_kept_except_those_of_safe_addresses(council: CaseworkCouncil) -> None:
    desk = council.desk()
    worker = council.visitor(desk, "caseworker")
    cases = [open_case(council, desk, at) for at in range(2)]
    restrict(council, desk, 0, RestrictionKind.STAFF)
    restrict(council, desk, 1, RestrictionKind.SAFE_ADDRESS)
    assert [desk.restrictions.may_see_case(worker, one) for one in cases] == [False, False]
    council.clock.now += 31 * 86_400
    assert [desk.restrictions.may_see_case(worker, one) for one in cases] == [True, False]
    listed, _ = desk.restrictions.listed()
    assert [(one.kind, one.is_due) for one in listed] == [(RestrictionKind.SAFE_ADDRESS, True)]


def test_lifting_is_logged_with_its_reason(council: CaseworkCouncil, site: RunningSite) -> None:
    desk = desk_of_app(site.app)
    case_id = open_case(council, desk, 0)
    restriction = restrict(council, desk, 0)
    with Browser(site) as officer:
        officer.sign_in("protection_officer@example.gov.uk")
        assert officer.fill_in(f"/restrictions/{restriction}/lift", reason="").status_code == 422
        officer.fill_in(f"/restrictions/{restriction}/lift", reason="They left the council")
        assert "The restriction is lifted" in officer.get("/restrictions?done=lifted").text
        again = officer.fill_in(f"/restrictions/{restriction}/lift", reason="Once more")
        assert again.status_code == 404
    assert desk.restrictions.may_see_case(council.visitor(desk, "caseworker"), case_id)
    made, ended = desk.state.audit.entries((RESTRICTED, LIFTED))
    assert ended.body["reason"] == "They left the council"
    assert ended.body["household"] == made.body["household"]


def test_who_is_barred_sees_nothing_whatever_their_roles_and_cannot_end_it(
    council: CaseworkCouncil, site: RunningSite
) -> None:
    desk = desk_of_app(site.app)
    case_id = open_case(council, desk, 0)
    officer = council.visitor(desk, "protection_officer")
    own = desk.restrictions.bar(officer, council.uprn(0), officer.name.upper(), "Lives there")
    with Browser(site) as browser:
        browser.sign_in(officer.name)
        assert browser.get(f"/cases/{case_id}").status_code == 403
        page = browser.get("/restrictions").text
        assert "somebody else decides about it" in page
        assert f"/restrictions/people/{own}/lift" not in page
        refused = browser.fill_in(f"/restrictions/people/{own}/lift", reason="It is me")
        assert refused.status_code == 403
    with pytest.raises(WebProblem):
        desk.restrictions.lift_bar(council.visitor(desk, "manager"), own, "May not restrict")
    assert not desk.restrictions.may_see_case(officer, case_id)
    assert desk.restrictions.may_see_case(council.visitor(desk, "manager"), case_id)
    entries = list(desk.state.audit.entries((BARRED, BAR_LIFTED)))
    assert [one.body["person"] for one in entries] == [officer.name]


def test_nobody_without_the_right_restricts(council: CaseworkCouncil) -> None:
    desk = council.desk()
    for role in ("caseworker", "manager", "auditor"):
        visitor = council.visitor(desk, role)
        with pytest.raises(WebProblem):
            desk.restrictions.bar(visitor, council.uprn(0), "x@example.gov.uk", REASON)
    assert desk.restrictions.listed() == ([], [])


def test_commands_keep_to_it(council: CaseworkCouncil) -> None:
    desk = council.desk()
    restrict(council, desk, 0, days=(SUNSET - desk.today()).days)
    for at, code in ((0, ExitCode.REFUSED), (1, ExitCode.OK)):
        run = ["explain", str(council.uprn(at)), "--home", str(council.home), "--reason", REASON]
        shown = CliRunner().invoke(app, run)
        assert getattr(shown.exception, "exit_code", shown.exit_code) == code, shown.output
        assert (str(council.uprn(at)) in shown.stdout) == (at == 1)
    file = council.home / "files" / "all.csv"
    file.parent.mkdir(mode=0o700)
    run = ["households", "--out", str(file), "--home", str(council.home), "--reason", REASON]
    assert CliRunner().invoke(app, run).exit_code == 0
    written = file.read_text()
    assert str(council.uprn(1)) in written
    assert str(council.uprn(0)) not in written


def test_commands_show_no_sensitive_source_to_who_may_not_see_it(council: CaseworkCouncil) -> None:
    run = ["explain", str(council.uprn(8)), "--home", str(council.home), "--reason", REASON]
    shown = CliRunner().invoke(app, run)
    assert "Not shown: this source is sensitive" in shown.stdout
    assert "band not shown" in shown.stdout
    whole = CliRunner().invoke(app, [*run, "--subject-access"])
    assert "Not shown" not in whole.stdout
    assert "band high" in whole.stdout
