"""From consent to a service that accepts by its link, and the status back in the case."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from folkmoot_node.casework.desk import desk_of_app
from folkmoot_node.casework.referrals.kinds import Urgency, Way
from tests.browser.conftest import Check, NewPage, Picture, sign_in
from tests.casework_council import make_council, serving_council
from tests.referring import NAME, TELEPHONE, Referring
from tests.web_site import PASSWORD, RunningSite


@pytest.fixture(scope="module")
def on_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningSite, Referring]]:
    council = make_council(tmp_path_factory.mktemp("referring"))
    with serving_council(council) as site:
        yield site, Referring(council, desk_of_app(site.app))


@pytest.fixture
def referring(on_site: tuple[RunningSite, Referring]) -> Referring:
    return on_site[1]


@pytest.fixture
def site(on_site: tuple[RunningSite, Referring]) -> RunningSite:
    return on_site[0]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_consent_referral_link_and_status(
    scripts: bool,
    site: RunningSite,
    referring: Referring,
    new_page: NewPage,
    axe: Check,
    screenshot: Picture,
) -> None:
    case_id = referring.case(0 if scripts else 1)
    worker = new_page(site.address, java_script_enabled=scripts)
    sign_in(worker, "caseworker@example.gov.uk", PASSWORD)
    referring.opened(case_id, referring.visitor("caseworker"))

    def look(page: Page, name: str) -> None:
        if scripts:
            page.wait_for_load_state("networkidle")
            axe(page)
            screenshot(page, f"referrals-{name}")

    worker.goto(f"/cases/{case_id}/referrals")
    expect(worker.get_by_text("No consent is recorded.")).to_be_visible()
    look(worker, "none")
    worker.get_by_role("button", name="Record consent").click()
    worker.get_by_role("button", name="Record consent").click()
    expect(worker.get_by_text("Select how consent was given").first).to_be_visible()
    look(worker, "consent-errors")
    worker.get_by_label("To which service did they agree?").select_option(label="Debt advice")
    worker.get_by_label("The resident", exact=True).check()
    worker.get_by_label("Spoken").check()
    for field in (
        "Name",
        "Telephone number",
        "What help is needed",
        "What the council's records say",
    ):
        worker.get_by_label(field, exact=True).check()
    worker.get_by_label("What did you explain to them?").fill("That they can change their mind")
    worker.get_by_role("button", name="Record consent").click()
    expect(worker.get_by_text("Consent is recorded.")).to_be_visible()

    worker.get_by_role("button", name="Write a referral").click()
    look(worker, "services-to-choose")
    worker.get_by_role("link", name="Debt advice").click()
    worker.get_by_label("Name", exact=True).fill(NAME)
    worker.get_by_label("Telephone number").fill(TELEPHONE)
    worker.get_by_label("What help is needed").fill("Bailiffs have been announced")
    worker.get_by_label("Council tax arrears").check()
    worker.get_by_label("Address", exact=True).fill("1 High Street")
    worker.get_by_label("Harm is likely within weeks").check()
    worker.get_by_role("button", name="Save and check").click()
    expect(
        worker.get_by_text("The consent does not cover Address: leave it out").first
    ).to_be_visible()
    look(worker, "draft-errors")
    worker.get_by_label("Address", exact=True).fill("")
    worker.get_by_role("button", name="Save and check").click()
    expect(worker.get_by_text("Nothing else of the household is handed over.")).to_be_visible()
    look(worker, "draft-to-check")
    worker.get_by_label("By a link that shows it once").check()
    worker.get_by_role("button", name="Send the referral").click()
    expect(worker.get_by_text("The referral is sent.")).to_be_visible()
    look(worker, "sent")
    address = worker.locator(".folkmoot-address").inner_text()
    pin = worker.locator(".folkmoot-pin").inner_text()

    service = new_page(site.address, java_script_enabled=scripts)
    service.goto(address)
    expect(service.get_by_role("heading", name="Enter the PIN")).to_be_visible()
    expect(service.get_by_text(NAME)).to_have_count(0)
    service.get_by_label("PIN").fill("12")
    service.get_by_role("button", name="Continue").click()
    expect(service.get_by_text("Enter the PIN: six digits").first).to_be_visible()
    look(service, "pin")
    # By the keyboard alone.
    service.get_by_label("PIN").focus()
    service.keyboard.type(pin)
    service.keyboard.press("Enter")
    expect(service.get_by_text(NAME)).to_be_visible()
    expect(service.get_by_text("Bailiffs have been announced")).to_be_visible()
    look(service, "service")
    service.get_by_label("We accept the referral").focus()
    service.keyboard.press("Space")
    service.keyboard.press("Tab")
    service.keyboard.press("Tab")
    service.keyboard.press("Enter")
    expect(service.get_by_text("The council sees that you accept the referral.")).to_be_visible()

    worker.goto(f"/cases/{case_id}/referrals")
    expect(worker.get_by_text("Accepted", exact=True)).to_be_visible()
    look(worker, "of-case")
    worker.get_by_role("link", name="Withdraw this consent").click()
    look(worker, "withdraw")
    worker.get_by_role("button", name="Withdraw consent").click()
    expect(worker.get_by_text("Revoked", exact=True)).to_be_visible()
    service.reload()
    expect(service.get_by_text(NAME)).to_have_count(0)


def test_a_second_person_approves_a_ground(
    site: RunningSite, referring: Referring, new_page: NewPage, axe: Check, screenshot: Picture
) -> None:
    case_id = referring.case(2)
    referral_id = referring.draft(case_id, None)
    worker, manager = new_page(site.address), new_page(site.address)
    sign_in(worker, "caseworker@example.gov.uk", PASSWORD)
    sign_in(manager, "manager@example.gov.uk", PASSWORD)
    path = f"/cases/{case_id}/referrals/{referral_id}"
    worker.goto(path)
    worker.get_by_label("Safeguarding an adult").check()
    worker.get_by_label("Why does it hold?").fill("She is at risk, and cannot be asked")
    axe(worker)
    screenshot(worker, "referrals-ground")
    worker.get_by_role("button", name="State the ground").click()
    expect(worker.get_by_text("Somebody else who may override decides")).to_be_visible()
    manager.goto("/referrals")
    axe(manager)
    screenshot(manager, "referrals-work-list")
    manager.get_by_role("link", name=referral_id).click()
    axe(manager)
    screenshot(manager, "referrals-approve")
    manager.get_by_role("button", name="Approve the legal ground").click()
    expect(manager.get_by_text("The legal ground is approved.")).to_be_visible()


def test_services_and_the_order_of_those_who_wait(
    site: RunningSite, referring: Referring, new_page: NewPage, axe: Check, screenshot: Picture
) -> None:
    page = new_page(site.address)
    sign_in(page, "manager@example.gov.uk", PASSWORD)
    page.goto("/services")
    axe(page)
    screenshot(page, "referrals-services")
    page.get_by_role("link", name="Befriending").click()
    page.get_by_label("Referrals that it takes in a week").fill("1")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The service is changed.")).to_be_visible()
    axe(page)
    screenshot(page, "referrals-one-service")
    by = referring.visitor("caseworker")
    for at, (band, urgency) in enumerate(
        [("high", Urgency.ROUTINE), ("low", Urgency.ROUTINE), ("none", Urgency.IMMEDIATE)]
    ):
        case_id = referring.case(10 + at, band=band)
        consent = referring.consent(case_id, referring.friends)
        one = referring.draft(case_id, consent, service_id=referring.friends, urgency=urgency)
        referring.room.referrals.send(case_id, one, by, Way.FILE)
    page.goto(f"/services/{referring.friends}/order")
    expect(page.get_by_text("Harm is likely within days: 40 of 40 points")).to_be_visible()
    # A source is sensitive that this role may not see: bands would give it away.
    expect(page.get_by_text("Waits 0 days: 0 points")).to_have_count(2)
    expect(page.get_by_text("of 30 points")).to_have_count(0)
    axe(page)
    screenshot(page, "referrals-order")
