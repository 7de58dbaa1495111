"""Work on cases in a real browser; the steps of the walk-through in `docs/casework-cases.md`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from folkmoot_node.casework.cases.record import CaseRecord
from folkmoot_node.casework.desk import Desk, desk_of_app
from tests.browser.conftest import PHONE, Check, NewPage, Picture, sign_in
from tests.casework_cases import MANAGER, OTHER, WORKER, open_case, worker
from tests.casework_council import CaseworkCouncil, make_council, serving_council
from tests.web_site import PASSWORD, RunningSite


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> CaseworkCouncil:
    made = make_council(tmp_path_factory.mktemp("cases"))
    policy = made.home / "casework-policy.toml"
    policy.write_text(
        policy.read_text().replace("[openings]", "[openings]\nblind_first_look = true")
    )
    made.sign()
    return made


@pytest.fixture(scope="module")
def site(council: CaseworkCouncil) -> Iterator[RunningSite]:
    with serving_council(council) as made:
        made.add_account(OTHER, "caseworker")
        yield made


@pytest.fixture(scope="module")
def desk(site: RunningSite) -> Desk:
    return desk_of_app(site.app)


def open_household(page: Page, case_id: str, reason: str = "First telephone call") -> None:
    page.goto(f"/cases/{case_id}/open")
    page.locator("#reason").fill(reason)
    page.get_by_role("button", name="Open the household").click()


def record_first_look(page: Page) -> None:
    page.get_by_label("Likely in need", exact=True).check()
    page.get_by_label("Why do you think so?").fill("They called about their arrears last week")
    page.get_by_role("button", name="Record and see the score").click()


def test_a_case_from_claim_to_close(
    council: CaseworkCouncil,
    site: RunningSite,
    desk: Desk,
    new_page: NewPage,
    examine: Check,
    screenshot: Picture,
) -> None:
    case_id = open_case(council, desk, 0, flagged_days_ago=9, cohort=True)
    page = new_page(site.address)
    sign_in(page, WORKER, PASSWORD)
    page.goto("/")
    examine(page)
    page.get_by_role("link", name=f"Case {case_id}").click()
    page.get_by_role("button", name="Claim this case").click()
    expect(page.get_by_text("You have the case now")).to_be_visible()
    examine(page)
    screenshot(page, "case")

    open_household(page, case_id)
    expect(page.get_by_role("heading", name="First look")).to_be_visible()
    examine(page)
    screenshot(page, "case-first-look")
    record_first_look(page)
    expect(page.get_by_role("heading", name="Household")).to_be_visible()
    examine(page)

    page.get_by_role("link", name="Contacts and notes").click()
    page.get_by_role("button", name="Record the contact").click()
    expect(page.get_by_role("link", name="Select how you tried to reach them")).to_be_visible()
    examine(page)
    page.get_by_label("How", exact=True).select_option("telephone")
    page.get_by_label("What came of it").select_option("reached")
    page.get_by_label("What was said (optional)").fill("Will send the bill. Prefers mornings.")
    page.get_by_role("button", name="Record the contact").click()
    expect(page.get_by_text("Will send the bill")).to_be_visible()
    page.get_by_label("Note", exact=True).fill("Heating is off to save money")
    page.get_by_role("button", name="Add the note").click()
    expect(page.get_by_text("Heating is off")).to_be_visible()
    examine(page)
    screenshot(page, "case-record")

    page.get_by_role("link", name="Needs", exact=True).click()
    page.get_by_label("Yes", exact=True).check()
    page.get_by_label("Money and debt").check()
    page.get_by_label("Heating and energy").check()
    page.get_by_role("button", name="Record the assessment").click()
    expect(page.get_by_role("heading", name="Need found")).to_be_visible()
    examine(page)
    screenshot(page, "case-needs")

    page.get_by_role("link", name="Plan", exact=True).click()
    page.get_by_label("What is to be done").fill("Apply for the discretionary reduction")
    for part, value in (("Day", "1"), ("Month", "2"), ("Year", "2027")):
        page.get_by_label(part, exact=True).fill(value)
    page.get_by_role("button", name="Add the action").click()
    page.get_by_label("Plan", exact=True).fill("Arrears paid in parts; heating on again")
    page.get_by_role("button", name="Save the plan").click()
    expect(page.get_by_text("Arrears paid in parts").first).to_be_visible()
    examine(page)
    screenshot(page, "case-plan")
    page.get_by_role("button", name="Mark as done").click()
    expect(page.get_by_text("The action is marked as done")).to_be_visible()

    page.get_by_role("link", name="Then and now").click()
    expect(page.get_by_role("heading", name="Then and now")).to_be_visible()
    examine(page)
    screenshot(page, "case-then-and-now")

    page.get_by_role("link", name="Case", exact=True).last.click()
    page.get_by_text("Close the case").first.click()
    page.get_by_label("Helped: a need was found").check()
    examine(page)
    page.get_by_role("button", name="Close the case").click()
    expect(
        page.get_by_text("The case is closed. If that was a mistake, reopen it.")
    ).to_be_visible()
    page.get_by_role("button", name="Reopen this case").click()
    expect(page.get_by_text("The case is open again")).to_be_visible()


def test_a_case_by_keyboard_without_scripts(
    council: CaseworkCouncil, site: RunningSite, desk: Desk, new_page: NewPage
) -> None:
    case_id = open_case(council, desk, 1, flagged_days_ago=3)
    page = new_page(site.address, java_script_enabled=False)
    page.set_viewport_size({"width": PHONE, "height": 900})
    sign_in(page, WORKER, PASSWORD)
    page.goto(f"/cases/{case_id}")
    tab_to(page, "Claim this case")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You have the case now")).to_be_visible()
    open_household(page, case_id)
    tab_to(page, "Likely in need", exact_radio="view")
    page.keyboard.press("Space")
    tab_to(page, "why")
    page.keyboard.type("They asked for help at the desk")
    tab_to(page, "Record and see the score")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Household")).to_be_visible()
    page.goto(f"/cases/{case_id}/record")
    tab_to(page, "note_text")
    page.keyboard.type("Typed without a mouse")
    tab_to(page, "Add the note")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Typed without a mouse")).to_be_visible()
    page.goto(f"/cases/{case_id}")
    tab_to(page, "Close the case")
    page.keyboard.press("Enter")
    page.get_by_label("No need found").check()
    page.get_by_role("button", name="Close the case").press("Enter")
    expect(page.get_by_text("The case is closed.")).to_be_visible()


def tab_to(page: Page, what: str, exact_radio: str = "") -> None:
    """Presses Tab until something with this text, id or name of a radio has the focus."""
    for _ in range(90):
        page.keyboard.press("Tab")
        found = page.locator(":focus")
        if not found.count():
            continue
        name = found.get_attribute("name") or ""
        text = found.inner_text().strip() if found.get_attribute("type") != "radio" else ""
        if (exact_radio and name == exact_radio) or what in (found.get_attribute("id"), text):
            return
    raise AssertionError(f"nothing with {what!r} can be reached by keyboard")


def test_cases_are_given_out_several_at_once(
    council: CaseworkCouncil,
    site: RunningSite,
    desk: Desk,
    new_page: NewPage,
    examine: Check,
    screenshot: Picture,
) -> None:
    ids = [open_case(council, desk, at, flagged_days_ago=at) for at in range(4, 34)]
    page = new_page(site.address)
    sign_in(page, MANAGER, PASSWORD)
    page.goto("/?show=unassigned&whose=")
    expect(page.get_by_text("1 to 25 shown")).to_be_visible()
    examine(page)
    page.get_by_role("button", name="Give out").click()
    expect(page.get_by_role("link", name="Select at least one case")).to_be_visible()
    examine(page)
    screenshot(page, "work-list")
    for case_id in ids[-3:]:
        page.get_by_label(f"Give out case {case_id}").check()
    page.get_by_label("To a team").select_option("Welfare rights")
    page.get_by_label("To a worker").select_option(label="Caseworker")
    other = new_page(site.address, java_script_enabled=False)
    sign_in(other, OTHER, PASSWORD)
    other.goto(f"/cases/{ids[-1]}")
    other.get_by_role("button", name="Claim this case").click()
    page.get_by_role("button", name="Give out").click()
    expect(page.get_by_role("heading", name="1 case you did not give out")).to_be_visible()
    expect(page.get_by_text("Worker from nobody to Second")).to_be_visible()
    examine(page)
    screenshot(page, "work-list-conflict")
    assert desk.cases.get(ids[-1]).worker == OTHER
    assert desk.cases.get(ids[-2]).worker == WORKER
    page.goto("/")
    page.get_by_label("Whose").select_option(label="Caseworker")
    page.get_by_label("Team", exact=True).select_option("Welfare rights")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_text("2 cases.")).to_be_visible()
    page.get_by_label("Which").select_option("overdue")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_text("There are no such cases")).to_be_visible()
    examine(page)


def test_two_people_at_once_are_told_and_lose_nothing(
    council: CaseworkCouncil,
    site: RunningSite,
    desk: Desk,
    new_page: NewPage,
    examine: Check,
    screenshot: Picture,
) -> None:
    case_id = open_case(council, desk, 2)
    one, two = new_page(site.address), new_page(site.address)
    sign_in(one, MANAGER, PASSWORD)
    sign_in(two, WORKER, PASSWORD)
    for page in (one, two):
        page.goto(f"/cases/{case_id}")
    two.get_by_role("button", name="Claim this case").click()
    one.get_by_text("Give the case to somebody").click()
    one.get_by_label("Team", exact=True).select_option("Adult social care")
    one.get_by_role("button", name="Give out").click()
    expect(one.get_by_role("heading", name="Somebody else has changed this case")).to_be_visible()
    examine(one)
    screenshot(one, "case-conflict")
    one.get_by_role("button", name="Give the case out all the same").click()
    expect(one.get_by_text("The case is given out")).to_be_visible()
    assert desk.cases.get(case_id).team == "Adult social care"

    for page in (one, two):
        open_household(page, case_id)
        record_first_look(page)
        page.goto(f"/cases/{case_id}/plan")
    two.get_by_label("Plan", exact=True).fill("A visit on Tuesday")
    two.get_by_role("button", name="Save the plan").click()
    one.get_by_label("Plan", exact=True).fill("A letter first")
    one.get_by_role("button", name="Save the plan").click()
    expect(one.get_by_label("Plan", exact=True)).to_have_value("A letter first")
    expect(one.get_by_text("A visit on Tuesday")).to_be_visible()
    examine(one)
    screenshot(one, "case-plan-conflict")
    one.get_by_role("button", name="Save my plan in place of theirs").click()
    expect(one.get_by_text("The plan is recorded")).to_be_visible()


def test_a_home_that_left_the_list(
    council: CaseworkCouncil,
    site: RunningSite,
    desk: Desk,
    new_page: NewPage,
    examine: Check,
    screenshot: Picture,
) -> None:
    case_id = open_case(council, desk, 3)
    extract: Path = council.home / "extracts" / "council_tax.csv"
    before = extract.read_text()
    rows = before.splitlines()
    kept = [row for row in rows if not row.startswith(str(council.uprn(3)))]
    page = new_page(site.address)
    sign_in(page, MANAGER, PASSWORD)
    try:
        extract.write_text("\n".join(kept) + "\n")
        council.score()
        open_household(page, case_id)
        record_first_look(page)
        page.goto(f"/cases/{case_id}/then-and-now")
        expect(page.get_by_text("no longer in the council's list of homes")).to_be_visible()
        page.get_by_label("UPRN now").fill("12")
        page.get_by_label("How do you know?").fill("The gazetteer joined two flats")
        page.get_by_role("button", name="Connect the case with this UPRN").click()
        expect(page.get_by_role("link", name="No home in the council's list")).to_be_visible()
        examine(page)
        screenshot(page, "case-gone")
        page.get_by_label("UPRN now").fill(str(council.uprn(39)))
        page.get_by_role("button", name="Connect the case with this UPRN").click()
        expect(page.get_by_text("The case is about the other UPRN now")).to_be_visible()
        assert str(council.uprn(39)) not in page.url
    finally:
        extract.write_text(before)
        council.score()


def test_outcomes_in_figures(
    council: CaseworkCouncil,
    site: RunningSite,
    desk: Desk,
    new_page: NewPage,
    examine: Check,
    screenshot: Picture,
) -> None:
    record = CaseRecord(desk.state)
    for at in range(30):
        case_id = open_case(
            council, desk, at, flagged_days_ago=10, cohort=at % 3 != 0, purpose="outcomes"
        )
        with desk.state.database.writing() as session:
            record.assess(session, case_id, worker(WORKER), ["Food"] if at % 4 else [], "")
    page = new_page(site.address)
    sign_in(page, MANAGER, PASSWORD)
    page.get_by_role("link", name="Outcomes").click()
    expect(page.get_by_role("heading", name="Was there a need?")).to_be_visible()
    examine(page)
    screenshot(page, "outcomes")
    page.get_by_role("button", name="Write the file for scoring").click()
    expect(page.get_by_text("The file is written")).to_be_visible()
