"""Residents' rights in a real browser: the notice, objections, access with redaction, erasure."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from folkmoot_node.casework.authority.policy import SAMPLE
from folkmoot_node.casework.desk import Desk, desk_of_app
from folkmoot_node.casework.rights.access_folder import DATA, PAGE
from tests.browser.conftest import Check, NewPage, Picture, sign_in
from tests.casework_council import SENSITIVE, CaseworkCouncil, make_council, serving_council
from tests.casework_rights import flag, object_to
from tests.web_site import PASSWORD, RunningSite

SECRET = "Her sister Ann at number 4 told us"
POLICY = SAMPLE.replace(
    "[roles.protection_officer]", f'[roles.protection_officer]\nsources = ["{SENSITIVE}"]'
)


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> CaseworkCouncil:
    return make_council(tmp_path_factory.mktemp("rights"), policy=POLICY)


@pytest.fixture(scope="module")
def site(council: CaseworkCouncil) -> Iterator[RunningSite]:
    with serving_council(council) as made:
        yield made


@pytest.fixture(scope="module")
def desk(site: RunningSite) -> Desk:
    return desk_of_app(site.app)


@pytest.fixture
def officer(new_page: NewPage, site: RunningSite) -> Page:
    page = new_page(site.address)
    sign_in(page, "protection_officer@example.gov.uk", PASSWORD)
    return page


@pytest.fixture
def plain_officer(new_page: NewPage, site: RunningSite) -> Page:
    """The protection officer without scripts."""
    page = new_page(site.address, java_script_enabled=False)
    sign_in(page, "protection_officer@example.gov.uk", PASSWORD)
    return page


@pytest.fixture
def caseworker(new_page: NewPage, site: RunningSite) -> Page:
    page = new_page(site.address)
    sign_in(page, "caseworker@example.gov.uk", PASSWORD)
    return page


@pytest.fixture
def look(examine: Check, screenshot: Picture) -> Picture:
    """Fails on any violation in a wide window or a narrow one, and keeps pictures."""

    def check(page: Page, name: str) -> None:
        page.wait_for_load_state("networkidle")
        examine(page)
        screenshot(page, f"casework-rights-{name}")

    return check


def press(page: Page, name: str, key: str = "Enter") -> None:
    """Reaches a button or link by the keyboard alone, and presses it."""
    for _ in range(120):
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.innerText.trim()")
        if focused == name:
            page.keyboard.press(key)
            page.wait_for_load_state()
            return
    raise AssertionError(f"the keyboard does not reach {name!r}")


def record(page: Page, council: CaseworkCouncil, at: int, kind: str) -> None:
    """Records what a resident asks for."""
    page.goto("/rights/new")
    page.get_by_label(kind).check()
    page.get_by_label("UPRN of their home").fill(str(council.uprn(at)))
    page.get_by_label("Who asks, about whom").fill("The tenant, who showed a passport")
    page.get_by_role("button", name="Record it").click()


def open_household(page: Page, case_id: str) -> None:
    """Opens the household of a case with a reason."""
    page.goto(f"/cases/{case_id}/open")
    page.get_by_label("The resident asked").check()
    page.get_by_role("button", name="Open the household").click()
    page.wait_for_url(f"**/cases/{case_id}/*")


def test_a_notice_is_read_and_printed(
    officer: Page, desk: Desk, council: CaseworkCouncil, look: Picture, tmp_path: Path
) -> None:
    case_id = flag(council, desk, 0)
    open_household(officer, case_id)
    officer.goto(f"/cases/{case_id}/notice")
    expect(officer.get_by_role("heading", name="How the council scored your home")).to_be_visible()
    expect(officer.get_by_text("£2,600. It comes")).to_be_visible()
    expect(officer.get_by_text("A person decides, and not the score")).to_be_visible()
    look(officer, "notice")
    officer.get_by_role("link", name="Large print").click()
    text = officer.locator("article p").first
    expect(text).to_have_css("font-size", "24px")  # 18 points
    look(officer, "notice-large")
    officer.emulate_media(media="print")
    expect(text).to_have_css("font-size", "24px")
    expect(officer.get_by_role("link", name="Usual print")).to_be_hidden()
    expect(officer.get_by_role("link", name="Sign out")).to_be_hidden()
    paper = officer.pdf(format="A4", prefer_css_page_size=True)
    assert paper.startswith(b"%PDF")
    officer.emulate_media(media="screen")
    officer.get_by_role("link", name="Cymraeg").click()
    expect(officer.get_by_text("have no translation yet")).to_be_visible()


def test_an_objection_from_record_to_upheld_and_in_the_explanation(
    caseworker: Page,
    officer: Page,
    desk: Desk,
    council: CaseworkCouncil,
    look: Picture,
) -> None:
    case_id = flag(council, desk, 1)
    caseworker.goto(f"/cases/{case_id}/objections")
    expect(caseworker.get_by_text("This household has not objected.")).to_be_visible()
    caseworker.get_by_role("button", name="Record an objection").click()
    caseworker.get_by_role("button", name="Record the objection").click()
    expect(caseworker.get_by_role("alert")).to_contain_text("Enter what the household says")
    look(caseworker, "objection-errors")
    caseworker.get_by_label("The result, or that an input is wrong").check()
    caseworker.get_by_label("Which information is it about?").select_option("council_tax_arrears")
    caseworker.get_by_label("What does the household say?").fill("We paid this in March")
    caseworker.get_by_label("Day").fill("31")
    caseworker.get_by_label("Month").fill("2")
    caseworker.get_by_label("Year").fill("2027")
    caseworker.get_by_label("Who speaks for the household").fill("The tenant, by telephone")
    caseworker.get_by_role("button", name="Record the objection").click()
    expect(caseworker.get_by_role("alert")).to_contain_text("Enter a real date")
    said = caseworker.get_by_label("What does the household say?")
    expect(said).to_have_value("We paid this in March")
    for name in ("Day", "Month", "Year"):
        caseworker.get_by_label(name).fill("")
    caseworker.get_by_role("button", name="Record the objection").click()
    expect(caseworker.get_by_text("The objection is recorded.")).to_be_visible()
    look(caseworker, "objections-of-case")

    officer.goto("/rights")
    look(officer, "list")
    officer.get_by_role("link", name="Contest").first.click()
    expect(officer.get_by_text("We paid this in March")).to_have_count(0)
    look(officer, "objection-closed")
    press(officer, "Open the household")
    expect(officer.get_by_text("We paid this in March")).to_be_visible()
    expect(officer.get_by_role("heading", name="Without the input")).to_be_visible()
    look(officer, "objection-open")
    officer.get_by_label("the input is wrong, correct it").check()
    officer.get_by_label("If you correct it: what is right?").fill("150")
    officer.get_by_role("button", name="Only compare the scores").click()
    expect(officer.get_by_role("heading", name="With the other value")).to_be_visible()
    officer.get_by_label("do not use this input").check()
    officer.get_by_role("button", name="Give this answer").click()
    expect(officer.get_by_role("alert")).to_contain_text("Enter what the household is answered")
    officer.get_by_label("What is the household answered").fill("We do not use it any more")
    officer.get_by_role("button", name="Give this answer").click()
    expect(officer.get_by_text("The objection is upheld.")).to_be_visible()
    expect(officer.get_by_text("left out of lists and of counts")).to_be_visible()
    look(officer, "objection-upheld")

    council.score()
    officer.goto(f"/cases/{case_id}/score")
    expect(officer.get_by_text("we agreed not to use it")).to_be_visible()
    officer.goto(f"/cases/{case_id}/notice")
    expect(officer.get_by_text("you objected, and we agreed not to use it")).to_be_visible()
    expect(officer.get_by_text("We leave your home out of lists and counts")).to_be_visible()


def test_a_refusal_names_the_regulator_and_is_undone_without_scripts(
    plain_officer: Page, desk: Desk, council: CaseworkCouncil
) -> None:
    page = plain_officer
    made = object_to(council, desk, flag(council, desk, 2), field=None)
    page.goto(f"/rights/objections/{made}")
    page.get_by_label("Person").select_option("protection_officer@example.gov.uk")
    page.get_by_role("button", name="Give it to them").click()
    expect(page.get_by_text("protection_officer@example.gov.uk answers it.")).to_be_visible()
    page.get_by_role("button", name="Open the household").click()
    page.get_by_label("Refuse it").check()
    page.get_by_label("What is the household answered").fill("The law lets us: see the policy")
    page.get_by_role("button", name="Give this answer").click()
    expect(page.get_by_text("Information Commissioner's Office")).to_be_visible()
    page.get_by_text("Undo: open it again").click()
    page.get_by_label("Why is it opened again?").fill("New evidence came")
    page.get_by_role("button", name="Open it again").click()
    expect(page.get_by_text("The objection is open again.")).to_be_visible()


def test_subject_access_with_redaction(
    officer: Page,
    new_page: NewPage,
    site: RunningSite,
    desk: Desk,
    council: CaseworkCouncil,
    look: Picture,
    axe: Check,
    tmp_path: Path,
) -> None:
    object_to(council, desk, flag(council, desk, 3, why=SECRET))
    record(officer, council, 999, "They ask what is held about them")
    expect(officer.get_by_role("alert")).to_contain_text("Nothing is held about a household")
    look(officer, "new-request")
    record(officer, council, 3, "They ask what is held about them")
    expect(officer.get_by_text("The request is recorded.")).to_be_visible()
    assert str(council.uprn(3)) not in officer.url
    officer.get_by_role("button", name="Open the household").click()
    expect(officer.get_by_text("Review the texts first.")).to_be_visible()
    look(officer, "access")
    officer.get_by_role("button", name="Review").click()
    expect(officer.get_by_label(SECRET)).not_to_be_checked()
    look(officer, "access-review")
    officer.get_by_label("We paid this in March").check()
    officer.get_by_role("button", name="Store the review").click()
    expect(officer.get_by_text("1 let through")).to_be_visible()
    with officer.expect_download() as waiting:
        officer.get_by_role("button", name="Download the folder").click()
    archive = tmp_path / "answer.zip"
    waiting.value.save_as(archive)
    with zipfile.ZipFile(archive) as content:
        content.extractall(tmp_path)
    (folder,) = (one for one in tmp_path.iterdir() if one.is_dir())
    text = json.dumps(json.loads((folder / DATA).read_text()))
    assert str(council.uprn(3)) in text
    assert "We paid this in March" in text
    assert SECRET not in text
    reader = new_page(f"file://{folder}", offline=True)
    reader.goto((folder / PAGE).as_uri())
    expect(reader.get_by_role("heading", level=1)).to_contain_text("holds about your household")
    expect(reader.get_by_text("Kept back: it may be about somebody else").first).to_be_visible()
    look(reader, "access-folder")
    officer.get_by_label("What was the resident told?").fill("Handed over on paper")
    officer.get_by_role("button", name="It is answered").click()
    expect(officer.get_by_text("The request is answered.")).to_be_visible()


def test_a_wrong_text_is_corrected(
    officer: Page, desk: Desk, council: CaseworkCouncil, look: Picture
) -> None:
    flag(council, desk, 4, why=SECRET)
    record(officer, council, 4, "They ask for a wrong record to be corrected")
    officer.get_by_role("button", name="Open the household").click()
    look(officer, "rectification")
    officer.get_by_role("button", name="Correct a text").click()
    look(officer, "rectification-texts")
    row = officer.locator(".govuk-summary-list__row", has_text=SECRET)
    row.get_by_role("link", name="Correct").click()
    officer.get_by_label("What is right?").fill("The tenant rang")
    look(officer, "rectification-text")
    officer.get_by_role("button", name="Correct it").click()
    expect(officer.get_by_text("The text is corrected.")).to_be_visible()
    expect(officer.get_by_text(SECRET)).to_have_count(0)
    expect(officer.get_by_text("The tenant rang")).to_be_visible()


def test_a_household_is_erased_after_a_hold_is_lifted(
    officer: Page, desk: Desk, council: CaseworkCouncil, look: Picture
) -> None:
    case_id = flag(council, desk, 5)
    record(officer, council, 5, "They ask for erasure")
    officer.get_by_role("button", name="Open the household").click()
    officer.get_by_role("button", name="See what would be erased").click()
    expect(officer.get_by_text("next scoring run reads them again")).to_be_visible()
    officer.get_by_label("Why may nothing be deleted?").fill("A claim is before the court")
    officer.get_by_label("Day").fill("1")
    officer.get_by_label("Month").fill("3")
    officer.get_by_label("Year").fill("2030")
    officer.get_by_role("button", name="Place a hold").click()
    expect(officer.get_by_text("A legal hold lasts until 2030-03-01.")).to_be_visible()
    look(officer, "erasure-hold")
    officer.get_by_role("button", name="Lift this hold").click()
    officer.get_by_role("button", name="Erase the household").click()
    expect(officer.get_by_role("alert")).to_contain_text("Select why the household is erased")
    look(officer, "erasure")
    officer.get_by_label("It is no longer needed for its purpose").check()
    officer.get_by_label("I understand that this cannot be undone").check()
    officer.get_by_role("button", name="Erase the household").click()
    expect(officer.get_by_text("The household is erased from casework.")).to_be_visible()
    look(officer, "erased")
    answer = officer.goto(f"/cases/{case_id}")
    assert answer is not None
    assert answer.status == 410  # and says that the household asked for it
