"""Opening, restricting, searching, exporting and auditing in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from folkmoot_node.casework.desk import desk_of_app
from folkmoot_node.casework.opening.openings import SHOWN
from tests.browser.conftest import Check, NewPage, Picture, sign_in
from tests.casework_council import CaseworkCouncil, make_council, serving_council
from tests.casework_opening import REASON, SEES_SENSITIVE, change_policy, open_case, restrict
from tests.web_site import PASSWORD, RunningSite


@pytest.fixture
def council(tmp_path_factory: pytest.TempPathFactory) -> CaseworkCouncil:
    made = make_council(tmp_path_factory.mktemp("council"))
    change_policy(made, SEES_SENSITIVE)
    return made


@pytest.fixture
def site(council: CaseworkCouncil) -> Iterator[RunningSite]:
    with serving_council(council) as made:
        yield made


@pytest.fixture
def look(examine: Check, screenshot: Picture) -> Picture:
    """Fails on any violation in a wide window or a narrow one, and keeps pictures."""

    def check(page: Page, name: str) -> None:
        examine(page)
        screenshot(page, f"casework-{name}")

    return check


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_household_is_opened_with_a_reason_kept_open_and_closed(
    council: CaseworkCouncil, site: RunningSite, new_page: NewPage, look: Picture, scripts: bool
) -> None:
    desk = desk_of_app(site.app)
    case_id = open_case(council, desk, 8)
    page = new_page(site.address, java_script_enabled=scripts)
    sign_in(page, "caseworker@example.gov.uk", PASSWORD)
    page.goto(f"/cases/{case_id}/score")
    expect(page.get_by_role("heading", name="Open the household")).to_be_visible()
    if scripts:
        look(page, "open")
    page.get_by_label("In your own words").fill("He lives at M33 7ZF")
    page.get_by_role("button", name="Open the household").click()
    expect(page.get_by_role("alert" if scripts else "heading").first).to_be_visible()
    expect(page.get_by_text("Leave out addresses").first).to_be_visible()
    expect(page.get_by_label("In your own words")).to_have_value("He lives at M33 7ZF")
    if scripts:
        look(page, "open-wrong")
    page.get_by_label("Preparing a contact").check()
    page.get_by_label("In your own words").fill("First call")
    page.get_by_role("button", name="Open the household").click()
    expect(page.get_by_role("heading", name=f"Household {council.uprn(8)}")).to_be_visible()
    expect(page.get_by_text("Not shown: this source is sensitive").first).to_be_visible()
    expect(page.get_by_text("This household is open for you until")).to_be_visible()
    if scripts:
        look(page, "score-sensitive")
    page.get_by_role("link", name="Keep it open longer").click()
    expect(page.get_by_role("heading", name="Keep the household open")).to_be_visible()
    page.get_by_label("Contact with the household").check()
    page.get_by_role("button", name="Keep it open").click()
    page.get_by_role("button", name="Close the household").click()
    page.goto(f"/cases/{case_id}/score")
    expect(page.get_by_text("or you closed it")).to_be_visible()
    if scripts:
        look(page, "open-expired")
    assert len(list(desk.state.audit.entries((SHOWN,)))) == 2


def test_it_can_be_opened_by_keyboard_alone(
    council: CaseworkCouncil, site: RunningSite, new_page: NewPage
) -> None:
    case_id = open_case(council, desk_of_app(site.app), 0)
    page = new_page(site.address)
    sign_in(page, "caseworker@example.gov.uk", PASSWORD)
    page.goto(f"/cases/{case_id}/open")
    reached = _tab_to(page, "input[name=choice]")
    page.keyboard.press("Space")
    _tab_to(page, "textarea[name=reason]")
    page.keyboard.type("First call")
    _tab_to(page, "main button")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"Household {council.uprn(0)}")).to_be_visible()
    assert reached < 30


def _tab_to(page: Page, selector: str) -> int:
    for presses in range(60):
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return presses
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} cannot be reached by keyboard")


def test_a_restricted_household_has_no_link_and_a_page_that_says_nothing(
    council: CaseworkCouncil, site: RunningSite, new_page: NewPage, look: Picture
) -> None:
    desk = desk_of_app(site.app)
    case_id = open_case(council, desk, 0)
    officer = new_page(site.address)
    sign_in(officer, "protection_officer@example.gov.uk", PASSWORD)
    officer.get_by_role("link", name="Restrictions").click()
    look(officer, "restrictions-none")
    officer.get_by_role("button", name="Restrict a household").click()
    officer.get_by_role("button", name="Restrict the household").click()
    expect(officer.get_by_role("alert")).to_be_visible()
    look(officer, "restrict-wrong")
    officer.get_by_label("UPRN").fill(str(council.uprn(0)))
    officer.get_by_label("Safe address").check()
    officer.get_by_label("In your own words").fill("The police asked")
    officer.get_by_label("Last day").fill("2027-03-31")
    officer.get_by_role("button", name="Restrict the household").click()
    expect(officer.get_by_text("The household is restricted")).to_be_visible()
    officer.get_by_role("button", name="Bar a person from a household").click()
    officer.get_by_label("With what name the person signs in").fill("jo@example.gov.uk")
    officer.get_by_label("UPRN").fill(str(council.uprn(3)))
    officer.get_by_label("Why?").fill("Lives there")
    look(officer, "bar")
    officer.get_by_role("button", name="Bar the person").click()
    expect(officer.get_by_text("jo@example.gov.uk", exact=True)).to_be_visible()
    look(officer, "restrictions")

    worker = new_page(site.address)
    sign_in(worker, "caseworker@example.gov.uk", PASSWORD)
    worker.goto("/?whose=")
    expect(worker.get_by_text("Case of a restricted household")).to_be_visible()
    expect(worker.get_by_role("link", name=f"Case {case_id}")).to_have_count(0)
    worker.goto(f"/cases/{case_id}")
    expect(worker.get_by_role("heading", name="You may not see this household")).to_be_visible()
    look(worker, "restricted")

    officer.get_by_role("link", name="Lift the restriction").click()
    officer.get_by_label("Why does it end?").fill("They have moved away")
    look(officer, "lift")
    officer.get_by_role("button", name="End it").click()
    worker.goto(f"/cases/{case_id}")
    expect(worker.get_by_role("heading", name="You may not see this household")).to_have_count(0)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_household_that_no_score_flags_is_found_and_gets_a_case(
    council: CaseworkCouncil, site: RunningSite, new_page: NewPage, look: Picture, scripts: bool
) -> None:
    page = new_page(site.address, java_script_enabled=scripts)
    sign_in(page, "manager@example.gov.uk", PASSWORD)
    page.get_by_role("link", name="Find", exact=True).click()
    page.get_by_label("UPRN").fill("not a number")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_text("Enter a UPRN: a number of up to 12 digits").first).to_be_visible()
    if scripts:
        look(page, "search-wrong")
    page.get_by_label("UPRN").fill(str(council.uprn(20)))
    page.get_by_label("Why do you search").fill("A health visitor asked")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_text("This household has no case")).to_be_visible()
    assert str(council.uprn(20)) not in page.url
    if scripts:
        look(page, "found")
    page.get_by_label("Why do you open a case?").fill("A health visitor asked")
    page.get_by_role("button", name="Open a case").click()
    expect(page.get_by_text("A health visitor asked").first).to_be_visible()
    assert "/cases/" in page.url


def test_a_file_is_made_with_a_reason_and_the_auditor_sees_it(
    council: CaseworkCouncil, site: RunningSite, new_page: NewPage, look: Picture
) -> None:
    desk = desk_of_app(site.app)
    cases = [open_case(council, desk, at) for at in range(3)]
    restrict(council, desk, 2)
    officer = new_page(site.address)
    sign_in(officer, "protection_officer@example.gov.uk", PASSWORD)
    officer.get_by_role("link", name="Exports").click()
    officer.get_by_role("button", name="Make the file").click()
    expect(officer.get_by_role("alert")).to_be_visible()
    look(officer, "exports-wrong")
    officer.get_by_label("Work in progress").check()
    officer.get_by_label("Why do you need the file?").fill("The managers meet on Monday")
    with officer.expect_download() as download:
        officer.get_by_role("button", name="Make the file").click()
    assert download.value.suggested_filename.startswith("folkmoot-export-")
    worker = council.visitor(desk, "caseworker")
    for case_id in cases[:2]:
        desk.openings.open(worker, case_id, REASON)
        desk.openings.look(worker, case_id, "score")

    auditor = new_page(site.address)
    sign_in(auditor, "auditor@example.gov.uk", PASSWORD)
    auditor.goto("/audit")
    expect(auditor.get_by_text("The managers meet on Monday")).to_be_visible()
    look(auditor, "audit")
    auditor.get_by_label("Person").select_option("caseworker@example.gov.uk")
    auditor.get_by_label("What was done").select_option("Household opened")
    auditor.get_by_role("button", name="Show", exact=True).click()
    expect(auditor.get_by_role("heading", name="2 entries")).to_be_visible()
    assert "example.gov.uk" not in auditor.url
    look(auditor, "audit-chosen")
    auditor.get_by_label("Why do you need the file?").fill("For the audit committee")
    with auditor.expect_download():
        auditor.get_by_role("button", name="Save as CSV").click()
    auditor.goto("/audit/unusual")
    look(auditor, "audit-unusual")
    auditor.goto("/audit/household")
    auditor.get_by_label("UPRN").fill(str(council.uprn(0)))
    auditor.get_by_label("Why do you look it up?").fill("A complaint")
    auditor.get_by_role("button", name="Find").click()
    expect(auditor.get_by_role("heading", name="4 entries")).to_be_visible()
    auditor.goto("/audit/chain")
    auditor.get_by_role("button", name="Verify").click()
    expect(auditor.get_by_role("heading", name="The log is whole")).to_be_visible()
    look(auditor, "audit-chain")
    auditor.get_by_label("A head that you noted earlier").fill(f"3:{'0' * 64}")
    auditor.get_by_role("button", name="Verify").click()
    expect(auditor.get_by_text("The log is not what it was")).to_be_visible()
    look(auditor, "audit-broken")
