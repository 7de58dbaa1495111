"""Asking, deciding, sharing out and hotspots in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from folkmoot_coordinator.drafts.opening import DraftOpener
from tests.browser.conftest import Check, NewPage, Picture, sign_in
from tests.enrolled import enrol
from tests.viewer_region import (
    BOLTON,
    BURY,
    NAMES,
    TRAFFORD,
    ViewerRegion,
    fill,
    fill_hot_series,
    policy_digest,
    viewer_region,
    with_hotspot,
)
from tests.viewer_visits import PASSWORD, ViewerSite, viewer_site

SIZES = {BOLTON: 64, BURY: 40, TRAFFORD: 48}


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerRegion]:
    with viewer_region(tmp_path_factory.mktemp("asking"), SIZES) as made:
        fill_hot_series(fill(made))
        with_hotspot(made, "hot", "Winter support 2027")
        with_hotspot(made, "hollow", "Winter support 2028", hole=True)
        for council in NAMES:
            enrol(made, council)
        yield made


@pytest.fixture(scope="module")
def site(region: ViewerRegion) -> Iterator[ViewerSite]:
    with viewer_site(region) as made:
        made.add_account("ann", ["analyst"])
        made.add_account("ben", ["approver"])
        yield made


@pytest.fixture
def ann(new_page: NewPage, site: ViewerSite) -> Page:
    page = new_page(site.address)
    sign_in(page, "ann", PASSWORD)
    return page


@pytest.fixture
def ben(new_page: NewPage, site: ViewerSite) -> Page:
    page = new_page(site.address, java_script_enabled=False)
    sign_in(page, "ben", PASSWORD)
    return page


@pytest.fixture
def ben_with_scripts(new_page: NewPage, site: ViewerSite) -> Page:
    """The approver once more: axe needs scripts, and approving has to work without them."""
    page = new_page(site.address)
    sign_in(page, "ben", PASSWORD)
    return page


def write_question(page: Page, title: str, like: str) -> None:
    """Fills in the form by what people read on it."""
    page.goto("/ask")
    page.get_by_label("Title", exact=True).fill(title)
    page.get_by_label("Winter support", exact=True).check()
    page.get_by_label("Policy that households").select_option(policy_digest().hex())
    for number, names in ((1, ["Band", "LSOA (areas)"]), (2, ["Band"])):
        table = page.get_by_role("group", name=f"Table {number}: households by")
        for name in names:
            table.get_by_label(name, exact=True).check()
    page.get_by_label("Privacy loss, rho").fill("0.1")
    page.get_by_label("Figures are about as large as those of").select_option(like)


def test_two_people_ask(
    region: ViewerRegion,
    ann: Page,
    ben: Page,
    ben_with_scripts: Page,
    axe: Check,
    examine: Check,
    screenshot: Picture,
) -> None:
    ann.goto("/ask")
    screenshot(ann, "ask-empty")
    axe(ann)
    ann.get_by_role("button", name="Show what to expect").click()
    expect(ann.get_by_role("alert")).to_contain_text("Enter a title")
    screenshot(ann, "ask-errors")
    axe(ann)
    ann.get_by_role("link", name="Enter a title").click()
    expect(ann.get_by_label("Title", exact=True)).to_be_focused()
    write_question(ann, "Asked in a browser", region.id("winter"))
    ann.get_by_role("button", name="Show what to expect").click()
    expect(ann.get_by_role("heading", name="What to expect")).to_be_visible()
    expect(ann.get_by_label("Title", exact=True)).to_have_value("Asked in a browser")
    screenshot(ann, "ask-expected")
    axe(ann)
    ann.get_by_role("button", name="Save as a draft").click()
    expect(ann.get_by_text("The draft is saved. No council is asked yet.")).to_be_visible()
    screenshot(ann, "draft-saved")
    axe(ann)
    here = ann.url.partition("?")[0]
    ann.get_by_role("button", name="Submit for approval").click()
    expect(ann.get_by_text("Somebody other than ann has to approve the draft")).to_be_visible()
    screenshot(ann, "draft-waiting")
    examine(ann)
    ben_with_scripts.goto("/drafts")
    expect(ben_with_scripts.get_by_text("One draft waits for you")).to_be_visible()
    examine(ben_with_scripts)
    ben_with_scripts.get_by_role("link", name="Asked in a browser").first.click()
    expect(ben_with_scripts.get_by_role("button", name="Approve")).to_be_visible()
    examine(ben_with_scripts)
    ben_with_scripts.get_by_role("button", name="Refuse").click()
    expect(ben_with_scripts.get_by_role("alert")).to_contain_text("Enter a reason")
    examine(ben_with_scripts)
    ben.goto("/drafts")
    expect(ben.get_by_text("One draft waits for you")).to_be_visible()
    screenshot(ben, "drafts")
    ben.get_by_role("link", name="Asked in a browser").first.click()
    ben.get_by_role("button", name="Refuse").click()
    expect(ben.get_by_role("alert")).to_contain_text("Enter a reason")
    screenshot(ben, "draft-decide")
    ben.get_by_role("button", name="Approve").click()
    expect(ben.get_by_text("You have approved the draft.")).to_be_visible()
    ben_with_scripts.goto(here)
    expect(ben_with_scripts.get_by_role("button", name="Approve")).to_have_count(0)
    examine(ben_with_scripts)
    opener = DraftOpener(region.home, region.database, region.signing, region.clock)
    opener.look()
    opener.close()
    ann.goto(here)
    expect(ann.get_by_text("The coordinator opened the round")).to_be_visible()
    screenshot(ann, "draft-opened")
    examine(ann)
    ann.goto("/drafts")
    expect(ann.get_by_text("13 days left").or_(ann.get_by_text("14 days left"))).to_be_visible()
    examine(ann)
    ben_with_scripts.goto(here)
    expect(ben_with_scripts.get_by_text("The coordinator opened the round")).to_be_visible()
    examine(ben_with_scripts)
    ben_with_scripts.goto("/drafts")
    expect(ben_with_scripts.get_by_role("link", name="Asked in a browser").first).to_be_visible()
    examine(ben_with_scripts)


def test_sharing_out(region: ViewerRegion, ann: Page, axe: Check, screenshot: Picture) -> None:
    ann.goto(f"/rounds/{region.id('winter')}")
    ann.get_by_role("link", name="Allocate by need").click()
    screenshot(ann, "allocate-empty")
    axe(ann)
    ann.get_by_label("How much there is").fill("5000")
    ann.get_by_label("Of what").fill("food parcels")
    ann.get_by_text("Compare with a threshold").click()
    ann.get_by_label("Households that a place has to exceed").fill("lots")
    ann.get_by_role("button", name="Share out").click()
    expect(ann.get_by_role("alert")).to_contain_text("must be a number")
    expect(ann.get_by_label("Of what")).to_have_value("food parcels")
    screenshot(ann, "allocate-errors")
    axe(ann)
    ann.get_by_label("Households that a place has to exceed").fill("90")
    ann.get_by_role("button", name="Share out").click()
    expect(ann.get_by_text("If 5,000 food parcels are shared out over 152 areas")).to_be_visible()
    screenshot(ann, "allocate")
    axe(ann)
    with ann.expect_download() as download:
        ann.get_by_role("link", name="CSV").click()
    rows = download.value.path().read_text().splitlines()
    assert len(rows) == 153
    assert sum(int(row.split(",")[8]) for row in rows[1:]) == 5000
    ann.get_by_role("link", name="Page 2").click()
    expect(ann.get_by_text("Showing 51 to 100 of 152")).to_be_visible()


def test_hotspots(region: ViewerRegion, ann: Page, axe: Check, screenshot: Picture) -> None:
    ann.goto(f"/rounds/{region.id('hot')}")
    ann.get_by_role("link", name="Hotspots").click()
    expect(ann.get_by_text("are hotspots of")).to_be_visible()
    screenshot(ann, "hotspots")
    axe(ann)
    ann.get_by_label("Band", exact=True).select_option("low")
    ann.get_by_role("button", name="Show").click()
    expect(ann.get_by_text("None of 152 areas is a hotspot")).to_be_visible()
    screenshot(ann, "hotspots-none")
    axe(ann)
    ann.goto(f"/rounds/{region.id('hollow')}/hotspots?table=band.lsoa&band=high")
    table = ann.get_by_role("table", name="Areas that are unlike their neighbours")
    expect(table.get_by_role("cell", name="Low among high")).to_be_visible()
    screenshot(ann, "hotspots-unlike")
    axe(ann)
    ann.goto(f"/rounds/{region.id('hot 3')}/hotspots")
    expect(ann.get_by_text("Since the round before,")).to_be_visible()
    screenshot(ann, "hotspots-series")
    axe(ann)


def test_without_scripts(region: ViewerRegion, site: ViewerSite, new_page: NewPage) -> None:
    page = new_page(site.address, java_script_enabled=False)
    sign_in(page, "ann", PASSWORD)
    write_question(page, "Without scripts", "")
    page.get_by_role("button", name="Add another table").click()
    expect(page.get_by_role("group", name="Table 4: households by")).to_be_visible()
    expect(page.get_by_label("Title", exact=True)).to_have_value("Without scripts")
    page.get_by_label("Title", exact=True).press("Enter")
    expect(page.get_by_role("heading", name="What to expect")).to_be_visible()
    page.get_by_role("button", name="Save as a draft").click()
    page.get_by_role("link", name="Change the question").click()
    expect(page.get_by_label("Title", exact=True)).to_have_value("Without scripts")
    page.get_by_role("button", name="Save as a draft").click()
    page.get_by_label("Reason to withdraw it").fill("A test")
    page.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_text("Reason: A test")).to_be_visible()
    page.goto(f"/rounds/{region.id('winter')}/allocate?quantity=100")
    expect(page.get_by_text("If 100 units are shared out")).to_be_visible()
