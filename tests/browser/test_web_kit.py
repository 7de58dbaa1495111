"""The kit's pages in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Check, NewPage, Picture, sign_in
from tests.openid_provider import Provider, openid_provider
from tests.web_site import PASSWORD, RunningSite, running_site

NAME = "writer@example.gov.uk"
CONTACT = {"email": "viewer@example.gov.uk", "telephone": "0161 496 0000"}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    users: dict[str, dict[str, Any]] = {"olu": {"name": "Olu Ade", "roles": ["Notes.Write"]}}
    with openid_provider(users) as running:
        yield running


@pytest.fixture(scope="module")
def site(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    openid = {
        "label": "Exampleshire’s account",
        "issuer": provider.issuer,
        "client_id": "notes",
        "roles": {"Notes.Write": ["writer"]},
    }
    home = tmp_path_factory.mktemp("site")
    with running_site(home, sign_in={"openid": openid}, contact=CONTACT) as running:
        running.add_account(NAME, "writer")
        running.add_account("guest@example.gov.uk", "guest")
        yield running


@pytest.fixture
def page(new_page: NewPage, site: RunningSite) -> Page:
    """A page of somebody who is not signed in."""
    return new_page(site.address)


@pytest.fixture
def writer(page: Page) -> Page:
    """A page of somebody who is."""
    sign_in(page, NAME, PASSWORD)
    return page


@pytest.mark.parametrize("path", ["/", "/sign-in", "/accessibility", "/cookies", "/no-such-page"])
def test_pages_for_everybody(path: str, page: Page, axe: Check, screenshot: Picture) -> None:
    page.goto(path)
    screenshot(page, f"kit{path.replace('/', '-').rstrip('-') or '-start'}")
    axe(page)


def test_sign_in_and_out(page: Page, axe: Check, screenshot: Picture) -> None:
    page.goto("/notes")
    expect(page).to_have_url("/sign-in?next=/notes")
    page.get_by_label("Email address or user name").fill(NAME)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Show password").click()
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("type", "text")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).to_have_url("/notes")
    expect(page.get_by_role("heading", name="All notes")).to_be_visible()
    screenshot(page, "kit-signed-in")
    axe(page)
    page.get_by_role("link", name="Sign out").click()
    screenshot(page, "kit-sign-out")
    axe(page)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You have signed out.")).to_be_visible()
    screenshot(page, "kit-signed-out")
    page.go_back()
    page.goto("/notes")
    expect(page).to_have_url("/sign-in?next=/notes")


def test_a_wrong_password(page: Page, axe: Check, screenshot: Picture) -> None:
    page.goto("/sign-in")
    page.get_by_label("Email address or user name").fill(NAME)
    page.get_by_label("Password", exact=True).fill("not this one")
    page.get_by_role("button", name="Sign in", exact=True).click()
    summary = page.get_by_role("alert")
    expect(page.locator(".govuk-error-summary")).to_be_focused()
    expect(page).to_have_title("Error: Sign in – Notes on places – Greater Exampleshire")
    screenshot(page, "kit-wrong-password")
    axe(page)
    summary.get_by_role("link", name="The name or the password is wrong").click()
    expect(page.get_by_label("Email address or user name")).to_be_focused()
    expect(page.get_by_label("Email address or user name")).to_have_value(NAME)
    expect(page.get_by_label("Password", exact=True)).to_have_value("")


def test_a_session_that_has_ended_leads_back_after_sign_in(writer: Page, site: RunningSite) -> None:
    writer.goto("/notes")
    site.clock.now += 31 * 60
    writer.reload()
    expect(writer).to_have_url("/sign-in?next=/notes")
    sign_in(writer, NAME, PASSWORD)


def test_sign_in_at_a_provider(
    new_page: NewPage, site: RunningSite, provider: Provider, axe: Check
) -> None:
    page = new_page(site.address, hosts=(provider.issuer,))
    page.goto("/notes/new")
    page.get_by_role("button", name="Sign in with Exampleshire’s account").click()
    page.locator("[name=sub]").first.wait_for()
    assert page.url.startswith(provider.issuer)
    page.get_by_role("button", name="olu").click()
    expect(page).to_have_url(f"{site.address}/notes/new")
    expect(page.get_by_text("Olu Ade")).to_be_visible()
    axe(page)


def test_a_form_with_errors_and_without(writer: Page, axe: Check, screenshot: Picture) -> None:
    writer.goto("/notes/new")
    screenshot(writer, "kit-form")
    axe(writer)
    writer.get_by_label("Title").fill("A title that is too long for it")
    writer.get_by_label("Households").fill("many")
    writer.get_by_role("button", name="Save").click()
    screenshot(writer, "kit-form-errors")
    axe(writer)
    writer.get_by_role("link", name="Select at least one kind").click()
    writer.keyboard.press("Space")
    expect(writer.get_by_label("Heat")).to_be_checked()
    expect(writer.get_by_label("Households")).to_have_value("many")
    writer.get_by_label("Title").fill("Better")
    writer.get_by_label("Households").fill("12")
    writer.get_by_role("button", name="Save").click()
    expect(writer).to_have_url("/notes?saved")
    screenshot(writer, "kit-notification")
    axe(writer)


def test_who_may_not_is_told(page: Page, axe: Check, screenshot: Picture) -> None:
    sign_in(page, "guest@example.gov.uk", PASSWORD)
    page.goto("/notes")
    expect(page.get_by_role("heading", name="You may not see this page")).to_be_visible()
    screenshot(page, "kit-forbidden")
    axe(page)


def test_a_set_up_link(page: Page, site: RunningSite, axe: Check, screenshot: Picture) -> None:
    page.goto(site.state.accounts.add("bea@example.gov.uk", "Bea Best", ["reader"], by="test"))
    screenshot(page, "kit-set-up")
    axe(page)
    page.get_by_label("Password", exact=True).fill("password1234")
    page.get_by_label("The same password again").fill("password1234")
    page.get_by_role("button", name="Save password").click()
    screenshot(page, "kit-set-up-error")
    axe(page)
    page.get_by_label("Password", exact=True).fill("seven green otters")
    page.get_by_label("The same password again").fill("seven green otters")
    page.get_by_role("button", name="Save password").click()
    expect(page.get_by_role("heading", name="Your password is saved")).to_be_visible()
    screenshot(page, "kit-password-chosen")
    axe(page)
    sign_in(page, "bea@example.gov.uk", "seven green otters")


def test_a_keyboard_is_enough(page: Page) -> None:
    page.goto("/notes")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to main content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    for target in (
        page.get_by_role("button", name="Sign in with"),
        page.get_by_label("Email address or user name"),
    ):
        page.keyboard.press("Tab")
        expect(target).to_be_focused()
    page.keyboard.type(NAME)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url("/notes")


def test_a_phone_has_a_menu(writer: Page, axe: Check) -> None:
    writer.set_viewport_size({"width": PHONE, "height": 700})
    writer.goto("/")
    link = writer.get_by_role("link", name="New note")
    expect(link).to_be_hidden()
    writer.get_by_role("button", name="Menu").click()
    axe(writer)
    link.click()
    expect(writer).to_have_url("/notes/new")


def test_without_scripts_everything_works(new_page: NewPage, site: RunningSite) -> None:
    page = new_page(site.address, java_script_enabled=False)
    page.set_viewport_size({"width": PHONE, "height": 700})
    sign_in(page, NAME, PASSWORD)
    page.get_by_role("link", name="New note").click()
    page.get_by_label("Title").fill("No scripts")
    page.get_by_label("Households").fill("3")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="Select at least one kind")).to_be_visible()
    page.get_by_label("Food").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The note is saved")).to_be_visible()
    page.get_by_role("link", name="Sign out").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You have signed out.")).to_be_visible()
