"""The region's pages in a real browser: read, sorted, filtered, by keyboard, without scripts."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, StorageState, expect
from python_calamine import CalamineWorkbook

from tests.browser.conftest import PHONE, WIDE, Check, NewPage, Picture, sign_in
from tests.outcome_region import OUTCOME
from tests.viewer_region import (
    BOLTON,
    ViewerRegion,
    fill,
    fill_series,
    serving_region,
    viewer_region,
    with_outcome,
)
from tests.web_site import PASSWORD, RunningSite

NAME = "analyst@example.gov.uk"
SERIES = "5" * 32


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerRegion]:
    """A region with boundaries."""
    with viewer_region(tmp_path_factory.mktemp("viewer")) as made:
        fill_series(fill(made))
        with_outcome(made, "judged")
        yield made


@pytest.fixture(scope="module")
def site(region: ViewerRegion) -> Iterator[RunningSite]:
    with serving_region(region) as running:
        yield running


@pytest.fixture(scope="module")
def signed_in(chromium: Browser, site: RunningSite) -> Iterator[StorageState]:
    """The cookies of somebody who has signed in."""
    with chromium.new_context(base_url=site.address) as context:
        sign_in(context.new_page(), NAME, PASSWORD)
        yield context.storage_state()


@pytest.fixture
def page(new_page: NewPage, site: RunningSite, signed_in: StorageState) -> Page:
    """A page of theirs, which shows nothing yet."""
    return new_page(site.address, storage_state=signed_in)


def paths(region: ViewerRegion) -> dict[str, str]:
    """Each page in each state, by name."""
    winter, earlier = region.id("winter"), region.id("earlier")
    return {
        "catalogue": "/",
        "catalogue-nothing-found": "/?find=zebra",
        "round": f"/rounds/{winter}",
        "round-open": f"/rounds/{region.id('open')}",
        "round-withdrawn": f"/rounds/{region.id('wrong')}",
        "round-without-result": f"/rounds/{region.id('void')}/statistics/band",
        "statistic": f"/rounds/{winter}/statistics/band.lsoa",
        "statistic-compared": f"/rounds/{winter}/statistics/band.lsoa?since={earlier}"
        "&a=E01000001&b=E01000030",
        "statistic-fault": f"/rounds/{winter}/statistics/band.lsoa?a=Bolton&b=zebra",
        "statistic-one-council": f"/rounds/{winter}/statistics/band.lsoa?place={BOLTON}",
        "statistic-districts": f"/rounds/{winter}/statistics/band",
        "statistic-partial": f"/rounds/{region.id('partial')}/statistics/band.lsoa",
        "statistic-withdrawn": f"/rounds/{region.id('wrong')}/statistics/band.lsoa",
        "method": f"/rounds/{winter}/method",
        "council": f"/councils/{BOLTON}",
        "committee": f"/rounds/{winter}/committee?table=band.lsoa",
        "series": f"/series/{SERIES}?table=band",
        "outcome": f"/rounds/{region.id('judged')}/outcome?outcome={OUTCOME}&by=financial_hardship",
        "equality": f"/rounds/{region.id('judged')}/equality?by=financial_hardship",
        "keys": "/keys",
        "api": "/api/v1",
    }


NAMES = [
    "catalogue", "catalogue-nothing-found", "round", "round-open", "round-withdrawn",
    "round-without-result", "statistic", "statistic-compared", "statistic-fault",
    "statistic-one-council", "statistic-districts", "statistic-partial", "statistic-withdrawn",
    "method", "council", "committee", "series", "outcome", "equality", "keys", "api",
]  # fmt: skip


def load_pictures(page: Page) -> None:
    """Loads the pictures of both widths; those further down wait until somebody scrolls there."""
    for width in (PHONE, WIDE):
        page.set_viewport_size({"width": width, "height": 900})
        for picture in page.locator("img").all():
            picture.scroll_into_view_if_needed()
            expect(picture).to_have_js_property("complete", True)
            assert picture.evaluate("one => one.naturalWidth") > 0, "a broken picture"
    page.evaluate("scrollTo(0, 0)")


@pytest.mark.parametrize("name", NAMES)
def test_each_page(
    name: str, page: Page, region: ViewerRegion, axe: Check, screenshot: Picture
) -> None:
    assert set(NAMES) == set(paths(region))
    page.goto(paths(region)[name])
    load_pictures(page)
    screenshot(page, f"viewer-{name}")
    axe(page)
    page.set_viewport_size({"width": PHONE, "height": 900})
    axe(page)


def test_a_table_is_sorted_filtered_and_compared_without_scripts(
    new_page: NewPage, site: RunningSite, region: ViewerRegion
) -> None:
    page = new_page(site.address, java_script_enabled=False)
    sign_in(page, NAME, PASSWORD)
    page.get_by_role("link", name="Winter support 2026").click()
    page.get_by_role("link", name="Households by band and LSOA").click()
    page.get_by_label("Band", exact=True).select_option("medium")
    page.get_by_label("Council", exact=True).select_option(BOLTON)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Households by band and LSOA: band medium"
    )
    rows = page.locator("#areas tbody tr")
    expect(rows).to_have_count(12)
    page.get_by_role("link", name="Households", exact=True).click()
    expect(page.locator('th[aria-sort="descending"]')).to_have_text("Households")
    page.get_by_label("Name, or beginning of a code").fill("001")
    page.get_by_role("button", name="Filter").click()
    expect(rows).to_have_count(4)
    expect(page.locator('th[aria-sort="descending"]')).to_have_text("Households")
    rows.nth(0).get_by_role("link", name="Compare").click()
    expect(page.get_by_label("First area")).not_to_have_value("")
    page.get_by_label("Second area").fill("Trafford 001A")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("Corrected for all 435 pairs")).to_be_visible()
    page.get_by_label("Second area").fill("zebra")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("alert")).to_contain_text("No area here is called “zebra”")


def test_by_keyboard_alone(page: Page, region: ViewerRegion) -> None:
    page.goto(f"/rounds/{region.id('winter')}/statistics/band.lsoa")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to main content")
    page.keyboard.press("Enter")
    reached = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "() => { const e = document.activeElement;"
                " return e.getAttribute('aria-label') || e.id || e.innerText.trim() }"
            )
        )
        if page.evaluate("document.activeElement === document.body"):
            continue  # the browser's own window
        visible = page.evaluate(
            "() => { const s = getComputedStyle(document.activeElement);"
            " return s.outlineStyle !== 'none' || s.boxShadow !== 'none' }"
        )
        focused = page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
        assert visible, f"what has the focus shows it: {focused}"
    assert {"f-band", "f-place", "Show", "find", "only", "Filter", "Rank", "Area"} <= reached
    page.get_by_label("Band", exact=True).focus()
    page.keyboard.press("ArrowUp")
    page.get_by_role("button", name="Show").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("band medium")


def test_at_twice_the_size(new_page: NewPage, site: RunningSite, region: ViewerRegion) -> None:
    """A window of 1,280 pixels at a zoom of 200 % has 640 of them for a page."""
    page = new_page(site.address, device_scale_factor=2)
    page.set_viewport_size({"width": 640, "height": 450})
    sign_in(page, NAME, PASSWORD)
    for name, path in paths(region).items():
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 640, name


def test_a_sheet_and_pictures_are_downloaded(page: Page, region: ViewerRegion) -> None:
    page.goto(f"/rounds/{region.id('winter')}/committee?table=band.lsoa")
    address = page.get_by_role("button", name="Open the sheet (PDF)").get_attribute("href")
    assert address is not None
    answer = page.request.get(address)
    assert answer.body().startswith(b"%PDF-")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="PNG").first.click()
    assert waiting.value.path().read_bytes().startswith(b"\x89PNG")


def test_figures_are_downloaded_by_clicking(page: Page, region: ViewerRegion) -> None:
    rows = page.request.get(
        f"/api/v1/rounds/{region.id('winter')}/statistics/band.lsoa.json"
    ).json()["rows"]
    assert len(rows) > 100
    names = ("value", "standard_error", "lower", "upper")
    expected = [tuple(row[name] for name in names) for row in rows]

    def click(link: str) -> Path:
        with page.expect_download() as waiting:
            page.get_by_role("link", name=link).click()
        assert waiting.value.failure() is None
        return waiting.value.path()

    page.goto(f"/rounds/{region.id('winter')}/statistics/band.lsoa")
    with click("CSV, for spreadsheets").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    # CSV has six decimals of each figure, and a workbook 16 digits.
    written = [tuple(float(line[name]) for name in names) for line in lines]
    np.testing.assert_allclose(written, expected, rtol=0, atol=5.1e-7)
    assert [line["reliability"] for line in lines] == [row["reliability"] for row in rows]

    book = CalamineWorkbook.from_path(str(click("Excel workbook")))
    header, *cells = book.get_sheet_by_name("Figures").to_python()
    places = [header.index(name) for name in names]
    shown = [tuple(cell[place] for place in places) for cell in cells]
    np.testing.assert_allclose(shown, expected, rtol=1e-14)

    features = json.loads(click("GeoJSON").read_bytes())["features"]
    assert [one["properties"] for one in features] == [
        row for row in rows if row["level"] == "region"
    ]
    assert all(one["geometry"] for one in features)


def test_a_page_on_paper(page: Page, region: ViewerRegion, axe: Check) -> None:
    page.goto(f"/rounds/{region.id('winter')}/statistics/band.lsoa")
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Show")).to_be_hidden()
    expect(page.locator("svg.folkmoot-map")).to_be_visible()


def test_tiles(
    new_page: NewPage, tmp_path_factory: pytest.TempPathFactory, axe: Check, screenshot: Picture
) -> None:
    with viewer_region(tmp_path_factory.mktemp("tiles"), with_boundaries=False) as made:
        fill(made)
        with serving_region(made) as site:
            page = new_page(site.address)
            sign_in(page, NAME, PASSWORD)
            page.goto(f"/rounds/{made.id('winter')}/statistics/band")
            load_pictures(page)
            screenshot(page, "viewer-tiles")
            axe(page)
            page.goto(f"/rounds/{made.id('winter')}/statistics/band.lsoa")
            screenshot(page, "viewer-without-map")
            axe(page)


def test_a_key_is_made_read_once_used_and_revoked(
    page: Page, site: RunningSite, axe: Check, screenshot: Picture
) -> None:
    page.goto("/")
    page.get_by_role("link", name="Keys").click()
    page.get_by_role("button", name="Make a key").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter which program uses the key")
    axe(page)
    page.get_by_label("Which program uses it").fill("Dashboard of the browser test")
    page.get_by_label("Winter support").check()
    page.get_by_role("button", name="Make a key").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Key made")
    screenshot(page, "viewer-key-made")
    axe(page)
    key = page.get_by_label("The key").input_value()
    asked = {"Authorization": f"Bearer {key}"}
    answer = page.request.get(f"{site.address}/api/v1/rounds", headers=asked)
    assert answer.status == 200
    page.get_by_role("link", name="Back to your keys").click()
    expect(page.get_by_text(key)).to_have_count(0)
    screenshot(page, "viewer-keys-one")
    axe(page)
    page.get_by_role("button", name="Revoke the key Dashboard").click()
    expect(page.get_by_text("The key is revoked")).to_be_visible()
    assert page.request.get(f"{site.address}/api/v1/rounds", headers=asked).status == 401
