"""The public page of a council in a browser: accessible, narrow, and alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from folkmoot_node.scrutiny.differences import differences
from folkmoot_node.scrutiny.public.page import Published
from folkmoot_node.scrutiny.public.publishable import publishable
from folkmoot_node.scrutiny.public.releases_made import ReleaseMade
from folkmoot_node.scrutiny.public.site import write_site
from folkmoot_node.scrutiny.public.versions import Version
from tests.browser.conftest import NewPage, Picture
from tests.made_up_facts import approved, changed

NOON = 1_796_126_400
"""1 December 2026, 12:00 UTC."""


@pytest.fixture
def address(tmp_path: Path) -> str:
    """A page with tables, missing answers, a release and a change that nobody approved."""
    before, now = publishable(approved()), publishable(approved(changed("node.name", "Sale")))
    first = Version(1, NOON, "first review", approved().sha256, ())
    counted = ("by band: 4 counts, each within 3.1 of the truth 19 times in 20",)
    release = ReleaseMade(
        "ab" * 16, "Winter", "winter", NOON, "0.25", 3.1, "1e-06", counted, "cd" * 32
    )
    changes = differences(before, now)
    content = Published("Trafford", now, changes, True, (first,), (release,), NOON)
    return write_site(content, tmp_path / "site")[0].as_uri()


def test_the_page_is_accessible(address: str, accessible_file: Callable[[str], None]) -> None:
    accessible_file(address)


def test_the_page_fits_a_telephone(address: str, new_page: NewPage, screenshot: Picture) -> None:
    page = new_page(address)
    page.goto(address)
    screenshot(page, "public-page")


def test_what_is_folded_opens_by_keyboard_and_without_scripts(
    address: str, new_page: NewPage
) -> None:
    page = new_page(address, java_script_enabled=False)
    page.goto(address)
    source = page.locator("#thing-sources-housing")
    expect(source.locator("dd").first).to_be_hidden()
    source.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(source.locator("dd").first).to_be_visible()


def test_what_is_folded_is_printed(address: str, new_page: NewPage) -> None:
    """As many pages as if a reader had opened all of it."""
    page = new_page(address)
    page.goto(address)
    folded = page.pdf(format="A4")
    page.emulate_media(media="print")
    hidden = "all => all.filter(one => !one.checkVisibility()).length"
    assert page.locator("details dd, details li").evaluate_all(hidden) == 0
    page.emulate_media(media="screen")
    assert page.locator("details dd, details li").evaluate_all(hidden) > 10
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    assert pages(folded) == pages(page.pdf(format="A4"))


def pages(pdf: bytes) -> int:
    """How many a file of Chromium's has, in which they are not compressed."""
    return len(re.findall(rb"/Type\s*/Page\b", pdf))
