"""The public page of a council in a browser: accessible, narrow, and alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

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
    first = Version(1, NOON, "first review", approved().sha256, (), is_first=True)
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
