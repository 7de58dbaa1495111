"""Documents of a council in a browser: accessible, narrow, and alone with what is in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from folkmoot_node.scrutiny.documents.answers import Decision
from folkmoot_node.scrutiny.documents.dossier import STANDARDS
from folkmoot_node.scrutiny.documents.page import as_page
from folkmoot_node.scrutiny.documents.standard import build
from tests.browser.conftest import Check, NewPage, Picture
from tests.fact_base import fact_base, unanswered
from tests.night import by_night

NAMES = ["dpia", "notice", "atrs", "equality", "foi"]
"""The longest first, and what residents read."""
DECISION = Decision(by="A. Khan, Data Protection Officer", reason="request 2026-114")


@pytest.mark.parametrize("name", by_night(NAMES, by_day=2))
def test_documents_are_accessible_and_fit_a_telephone(
    name: str,
    tmp_path: Path,
    new_page: NewPage,
    axe: Check,
    screenshot: Picture,
) -> None:
    """Whole in a wide window, with gaps in a narrow one."""
    assert set(NAMES) == set(STANDARDS)
    standard = STANDARDS[name]
    page = new_page(tmp_path.as_uri(), bypass_csp=True)  # axe is a script, which a page forbids
    path = tmp_path / f"{name}.html"
    path.write_text(as_page(build(standard, fact_base(), DECISION)), "utf-8")
    page.goto(path.as_uri())
    screenshot(page, f"dossier-{name}")  # at both widths; it ends with the wide one
    axe(page)
    expect(page.locator("h1")).to_have_text(standard.title)
    path.write_text(as_page(build(standard, unanswered())), "utf-8")
    page.set_viewport_size({"width": 320, "height": 900})
    page.reload()
    axe(page)


@pytest.mark.parametrize("name", ["atrs", "notice"])
def test_a_page_needs_nothing_that_it_forbids(tmp_path: Path, new_page: NewPage, name: str) -> None:
    """Its own style counts under its own rule; a refused one is an error of the console."""
    path = tmp_path / f"{name}.html"
    path.write_text(as_page(build(STANDARDS[name], fact_base())), "utf-8")
    page = new_page(path.as_uri())
    page.goto(path.as_uri())
    bar = page.locator(".bar").evaluate("one => getComputedStyle(one).backgroundColor")
    assert bar == "rgb(11, 11, 11)"
