"""A cohort in a real browser: built, counted, saved, run, decided on, and run again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Check, NewPage, Picture, sign_in
from tests.casework_council import CaseworkCouncil, make_council, serving_council
from tests.casework_opening import MANAGER_SEES, change_policy
from tests.web_site import PASSWORD, RunningSite

TITLE = "Council tax arrears, 65 or over, alone"
CONDITIONS = (
    ("Council tax arrears, pounds (from council_tax)", "more than", "1000"),
    ("Oldest age, years (from council_tax)", "this or more", "65"),
    ("People (from council_tax)", "this or less", "1"),
)


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> CaseworkCouncil:
    council = make_council(tmp_path_factory.mktemp("council"))
    change_policy(council, MANAGER_SEES)
    return council


@pytest.fixture(scope="module")
def site(council: CaseworkCouncil) -> Iterator[RunningSite]:
    with serving_council(council) as made:
        yield made


def add_conditions(page: Page) -> None:
    """Adds the three conditions one by one, as people read them."""
    for number, (about, comparison, value) in enumerate(CONDITIONS, 1):
        page.get_by_label("condition about").select_option(about)
        page.get_by_role("button", name="Add this condition").click()
        group = page.get_by_role("group", name=f"Condition {number}:")
        group.get_by_label("Comparison").select_option(comparison)
        group.get_by_label("Value").fill(value)


def save(page: Page, title: str) -> None:
    """Fills in what a saved cohort needs, and saves it."""
    page.get_by_label("Title", exact=True).fill(title)
    page.get_by_label("Lawful basis").fill("UK GDPR article 6(1)(e); Localism Act 2011, section 1")
    for part, value in (("Day", "31"), ("Month", "3"), ("Year", "2028")):
        page.get_by_role("group", name="Last day").get_by_label(part).fill(value)
    page.get_by_role("button", name="Save the cohort").click()


def test_a_cohort_leads_to_cases_by_decisions_of_people(
    council: CaseworkCouncil,
    site: RunningSite,
    new_page: NewPage,
    examine: Check,
    screenshot: Picture,
) -> None:
    page = new_page(site.address)
    sign_in(page, "manager@example.gov.uk", PASSWORD)
    page.get_by_role("link", name="Cohorts", exact=True).click()
    expect(page.get_by_text("No cohort is saved.")).to_be_visible()
    screenshot(page, "cohorts-none")
    examine(page)
    page.get_by_role("button", name="Build a cohort").click()
    page.get_by_role("button", name="Count households").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter what the cohort is for")
    screenshot(page, "cohort-builder-errors")
    examine(page)
    page.get_by_role("link", name="Enter what the cohort is for").click()
    expect(page.get_by_label("What is the cohort for?")).to_be_focused()
    page.get_by_label("What is the cohort for?").fill("Advice on debt before recovery goes on")
    add_conditions(page)
    screenshot(page, "cohort-builder")
    examine(page)
    page.get_by_role("button", name="Count households").click()
    expect(
        page.get_by_text("Fewer than 5 of 40 households; fewer than 5 more may belong")
    ).to_be_visible()
    screenshot(page, "cohort-counted")
    examine(page)
    save(page, TITLE)
    expect(page.get_by_text("Nobody is listed until you run it.")).to_be_visible()
    page.get_by_role("button", name="Run it").click()
    expect(page.get_by_text("All are new: there is no run before it.")).to_be_visible()
    screenshot(page, "cohort")
    examine(page)

    page.get_by_role("link", name="Run 1").click()
    expect(page.get_by_role("listitem").filter(has_text="Band high")).to_have_count(2)
    screenshot(page, "cohort-members")
    examine(page)
    page.get_by_role("listitem").filter(has_text="Band high").get_by_role("link").first.click()
    expect(page.get_by_text("2,600 pounds")).to_be_visible()
    page.get_by_role("button", name="Record the decision").click()
    expect(page.get_by_role("alert")).to_contain_text("Select what you decide")
    screenshot(page, "cohort-member-errors")
    examine(page)
    page.get_by_label("Open a case").check()
    page.get_by_label("Why?").fill("Nobody has spoken with them about the debt")
    page.get_by_label("Team that gets the case").select_option("Welfare rights")
    page.get_by_role("button", name="Record the decision").click()
    expect(page.get_by_text("One case was opened.")).to_be_visible()
    screenshot(page, "cohort-decided")
    examine(page)

    changed = list(council.households)
    changed[1] = replace(changed[1], arrears=0)
    changed[2] = replace(changed[2], arrears=1_001)
    council.households = changed
    council.clock.now = site.clock.now = site.clock.now + 60
    council.write_extracts()
    council.score()
    page.get_by_role("link", name=TITLE).click()
    page.get_by_role("button", name="Run it again").click()
    expect(page.get_by_text("1 new, 0 unchanged and 2 gone")).to_be_visible()
    screenshot(page, "cohort-run-again")
    page.get_by_role("link", name="Run 2").click()
    page.get_by_role("link", name="Gone (2)").click()
    expect(page.get_by_text("Gone: in a case")).to_be_visible()
    expect(page.get_by_text("Gone: does not meet the conditions any more")).to_be_visible()
    screenshot(page, "cohort-gone")
    examine(page)
    page.go_back()
    page.get_by_role("checkbox").first.check()
    page.get_by_label("Open no case").check()
    page.get_by_label("Why?").fill("Has agreed to pay by instalments")
    page.get_by_role("button", name="Record the decision").click()
    expect(page.get_by_text("Your decision to open no case is recorded.")).to_be_visible()
    page.get_by_role("link", name="Cohorts", exact=True).first.click()
    screenshot(page, "cohorts")
    examine(page)


def test_a_cohort_is_built_with_a_keyboard_alone_and_without_scripts(
    site: RunningSite, new_page: NewPage
) -> None:
    page = new_page(site.address, java_script_enabled=False)
    sign_in(page, "manager@example.gov.uk", PASSWORD)
    page.goto("/cohorts/new")
    page.set_viewport_size({"width": PHONE, "height": 900})
    page.get_by_label("What is the cohort for?").focus()
    page.keyboard.type("Advice on debt before recovery goes on")
    add = page.get_by_label("condition about")
    add.focus()
    page.keyboard.type("Council tax a")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Add this condition")).to_be_focused()
    page.keyboard.press("Enter")
    value = page.get_by_role("group", name="Condition 1:").get_by_label("Value")
    value.focus()
    page.keyboard.type("900")
    page.keyboard.press("Enter")  # in a field it counts, and never removes or saves
    expect(page.get_by_role("heading", name="Count")).to_be_visible()
    expect(value).to_have_value("900")
    save(page, "Arrears alone")
    expect(page.get_by_text("Nobody is listed until you run it.")).to_be_visible()
    page.get_by_role("button", name="Run it").press("Enter")
    page.get_by_role("link", name="Run 1").press("Enter")
    box = page.get_by_role("checkbox").first
    box.press("Space")
    expect(box).to_be_checked()
    page.get_by_label("Open no case").press("Space")
    page.get_by_label("Why?").fill("A test of the keyboard")
    page.get_by_role("button", name="Record the decision").press("Enter")
    expect(page.get_by_text("Your decision to open no case is recorded.")).to_be_visible()
