"""The report of a back-test in a browser: accessible, narrow, and alone with what is in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from folkmoot_node.evaluation.reporting.as_page import write_page
from folkmoot_node.evaluation.reporting.content import as_document
from tests.browser.conftest import NewPage, Picture
from tests.evaluation_reports import ABOUT, found_of


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a page with two outcomes: one with all figures, one with too few events."""
    path = tmp_path_factory.mktemp("report") / "evaluation.html"
    write_page(as_document(found_of(), ABOUT), path)
    return path.as_uri()


def test_the_page_is_accessible(report: str, accessible_file: Callable[[str], None]) -> None:
    accessible_file(report)


def test_the_page_fits_a_telephone_and_shows_its_plots(
    report: str, new_page: NewPage, screenshot: Picture
) -> None:
    page = new_page(report)
    page.goto(report)
    screenshot(page, "evaluation-report")
    plots = page.locator("img")
    assert plots.count() > 10
    widths = plots.evaluate_all("all => all.map(one => one.naturalWidth)")
    assert min(widths) > 150
    assert max(widths) <= 290
    expect(page.locator("h1")).to_have_text("Back-test: Homelessness within six months")


def test_the_page_runs_no_script(report: str, chromium: Browser) -> None:
    """Not even one that got into it; the browser says in its console what it has refused."""
    page = chromium.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(report)
    ran = page.evaluate(
        "() => { const one = document.createElement('script'); one.textContent = 'window.ran = 1';"
        "document.body.append(one); return window.ran; }"
    )
    page.close()
    assert ran is None
    assert len(said) == 1
    assert "Content Security Policy" in said[0]


def test_tables_scroll_by_keyboard(report: str, new_page: NewPage) -> None:
    page = new_page(report)
    page.set_viewport_size({"width": 320, "height": 900})
    page.goto(report)
    wide = page.get_by_role("group", name="Events, beside others with the same score").first
    wide.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("one => one.scrollLeft > 0", arg=wide.element_handle())
