"""The documentation site in a browser: accessible, narrow, searchable, and alone on its server."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Check, NewPage
from tests.documentation_site import built_site
from tests.night import by_night

BY_DAY = (
    "council/index.html",
    "reference/trusted-keys.html",
    "reference/folkmoot-rehearse.html",
    "index.html",
    "walkthrough.html",
    "docs/linkage.html",
    "tests/spec/household_factors/test_area_deprivation.html",
)
LONG = ("reference/node-settings.html", "reference/folkmoot-node.html", "reference/sdk.html")
"""Those of a reference that are made as shorter ones are: axe-core takes long for them."""
PAGES = BY_DAY + LONG
"""At least one of each sort."""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(built_site(tmp_path_factory)))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("scheme", "pages"),
    by_night(
        [
            ("light", BY_DAY),
            ("dark", BY_DAY[:2]),
            ("light", LONG),
            ("dark", LONG),
        ],
        by_day=2,
    ),
)
def test_pages_are_accessible(
    address: str,
    new_page: NewPage,
    axe: Check,
    scheme: str,
    pages: tuple[str, ...],
) -> None:
    page = new_page(address, color_scheme=scheme)
    for name in pages:
        page.goto(f"/{name}")
        axe(page)


def test_pages_are_as_wide_as_a_phone(address: str, new_page: NewPage) -> None:
    """Tables and blocks of code scroll by themselves."""
    page = new_page(address)
    page.set_viewport_size({"width": 320, "height": 900})
    for name in PAGES:
        page.goto(f"/{name}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, name


def test_words_are_found(address: str, new_page: NewPage) -> None:
    page = new_page(address)
    page.goto("/index.html")
    words = page.get_by_role("combobox", name="Search")
    for _ in range(100):  # the page is there before the script that opens the search
        page.keyboard.press("Control+k")
        page.wait_for_timeout(100)
        if words.is_visible():
            break
    words.fill("poll_seconds")
    expect(page.get_by_role("option", name="[coordinator]")).to_be_visible()
