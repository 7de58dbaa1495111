"""A real browser, Debian's Chromium, for tests of any site of ours.

`new_page` opens a page that fails its test for whatever a visitor would not notice: errors in
the console (a refused style is one), and requests to another host. `axe` fails on any violation
of WCAG 2.2 AA that a program can find. `screenshot` keeps pictures in `screenshots/`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, expect, sync_playwright

from tests.absent import absent

SCREENSHOTS = Path(__file__).resolve().parents[2] / "screenshots"
WIDE, PHONE = 1280, 320
"""Widths of a window, CSS pixels; 320 is 1280 at a zoom of 400 %."""
_HEIGHT = 900
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_ANSWER = "the server responded with a status of 4"  # an error page is one on purpose
NewPage = Callable[..., Page]
Check = Callable[[Page], None]
Picture = Callable[[Page, str], None]

expect.set_options(timeout=30_000)  # milliseconds, as for clicks: the machine may be busy


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser, without windows.

    One for each module: while Playwright runs, no test of this process can run a loop of its own.
    """
    program = shutil.which("chromium")
    if program is None:
        absent("Chromium is not installed; on Debian: apt-get install chromium")
    # Root has no sandbox; the pages are our own.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def new_page(chromium: Browser) -> Iterator[NewPage]:
    """Opens a page of a site in a browser profile of its own.

    Its arguments are the site's address, `hosts` of further sites that it may ask, and those of
    Playwright's `new_context`, such as `java_script_enabled=False`.
    """
    contexts = []
    faults: list[str] = []

    def open_page(address: str, *, hosts: tuple[str, ...] = (), **options: Any) -> Page:
        allowed = {urlsplit(one).netloc for one in (address, *hosts)}
        size = {"width": WIDE, "height": _HEIGHT}
        context = chromium.new_context(base_url=address, viewport=size, **options)
        contexts.append(context)
        page = context.new_page()

        def is_ours() -> bool:
            return urlsplit(page.url).netloc == urlsplit(address).netloc

        def heard(message: ConsoleMessage) -> None:
            if is_ours() and message.type in ("error", "warning") and _ANSWER not in message.text:
                faults.append(f"{page.url} said: {message.text}")

        def asked(route: Route) -> None:
            where = urlsplit(route.request.url)
            if where.scheme not in ("http", "https") or where.netloc in allowed:
                route.continue_()
                return
            if is_ours():
                faults.append(f"{page.url} asked another host: {route.request.url}")
            route.abort()

        context.route("**/*", asked)
        page.on("console", heard)
        page.on("pageerror", lambda error: faults.append(f"{page.url} failed: {error}"))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not faults, "\n".join(faults)


@pytest.fixture(scope="session")
def axe() -> Check:
    """Fails on any violation that axe-core finds on a page."""

    axe_core = Axe()

    def check(page: Page) -> None:
        page.wait_for_load_state()  # a click does not wait for the page that it leads to
        options = {"runOnly": {"type": "tag", "values": _RULES}, "resultTypes": ["violations"]}
        if not page.evaluate("'axe' in window"):
            page.evaluate(axe_core.axe_script)
        results = AxeResults(page.evaluate("options => axe.run(options)", options))
        assert results.violations_count == 0, f"{page.url}\n{results.generate_report()}"

    return check


@pytest.fixture
def examine(axe: Check) -> Check:
    """Fails on any violation on a page in a wide window, or in a narrow one."""

    def check(page: Page) -> None:
        for width in (PHONE, WIDE):
            page.set_viewport_size({"width": width, "height": _HEIGHT})
            axe(page)

    return check


@pytest.fixture
def accessible_file(new_page: NewPage, examine: Check) -> Callable[[str], None]:
    """The same of a file that forbids scripts, as axe-core is one."""

    def check(address: str) -> None:
        page = new_page(address, bypass_csp=True)
        page.goto(address)
        examine(page)

    return check


@pytest.fixture(scope="session")
def screenshot() -> Picture:
    """Keeps pictures of a page at both widths, and checks that nothing needs scrolling sideways."""

    def take(page: Page, name: str) -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        page.wait_for_load_state()  # with its style and its pictures; nothing asks later
        page.evaluate("document.fonts.ready.then(() => true)")
        for width in (PHONE, WIDE):
            page.set_viewport_size({"width": width, "height": _HEIGHT})
            page.screenshot(path=SCREENSHOTS / f"{name}-{width}.png", full_page=True)
            needed = page.evaluate("document.documentElement.scrollWidth")
            assert needed <= width, f"{page.url} is {needed} pixels wide in a window of {width}"

    return take


def sign_in(page: Page, name: str, password: str) -> None:
    """Signs in on a page of any site, which has an account of this name."""
    page.goto("/sign-in")
    page.get_by_label("Email address or user name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("link", name="Sign out").wait_for()
