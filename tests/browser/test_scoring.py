"""What councils publish of how they score, and the record of the region, read without sign-in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from folkmoot_coordinator.scrutiny.council_pages import add_page, withdraw_page
from tests.browser.conftest import PHONE, WIDE, Check, NewPage, Picture
from tests.made_up_facts import MADE_UP, changed
from tests.published_facts import DAY, NOON, RELEASE, published_facts, real_facts
from tests.viewer_region import (
    BOLTON,
    BURY,
    TRAFFORD,
    ViewerRegion,
    enrol,
    fill,
    serving_region,
    viewer_region,
)
from tests.web_site import RunningSite

LATER = NOON + 30 * DAY


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerRegion]:
    """Trafford has published all that there is, and changed since; Bury little; Bolton nothing."""
    settings = 'public_record = true\n[viewer.visibility]\nreader = ["winter_support"]\n'
    with viewer_region(
        tmp_path_factory.mktemp("scoring"), settings=settings, with_boundaries=False
    ) as made:
        fill(made)
        enrol(made)
        old, real = real_facts(), changed("policy.risk.sunset", "2027-01-31", base=real_facts())
        now = changed("node.name", "Trafford Council", base=real)
        now = changed("policy.risk.sha256", "22" * 32, base=now)  # a word that no line has room for
        files = (
            published_facts(MADE_UP, reason="begun"),
            published_facts(now, old, real, releases=(RELEASE,), made_at=LATER),
            published_facts(now, old, made_at=LATER + DAY),
        )
        for content in files:
            add_page(made.database, TRAFFORD, content, "test", made.clock(), "test")
        withdraw_page(made.database, TRAFFORD, "A name was in it", made.clock(), "test")
        other = published_facts(council=str(BURY), name="Bury", releases=())
        add_page(made.database, BURY, other, "test", made.clock(), "test")
        yield made


@pytest.fixture(scope="module")
def site(region: ViewerRegion) -> Iterator[RunningSite]:
    with serving_region(region) as running:
        yield running


PATHS = {
    "scoring": "/scoring",
    "scoring-council": f"/scoring/{TRAFFORD}",
    "scoring-as-approved": f"/scoring/{BURY}",
    "scoring-none": f"/scoring/{BOLTON}",
    "record": "/record",
}


@pytest.mark.parametrize("name", PATHS)
def test_each_page(
    name: str, new_page: NewPage, site: RunningSite, axe: Check, screenshot: Picture
) -> None:
    page = new_page(site.address)
    page.goto(PATHS[name])
    screenshot(page, f"viewer-{name}")
    for width in (WIDE, PHONE):
        page.set_viewport_size({"width": width, "height": 900})
        axe(page)


def test_a_resident_finds_the_way_without_scripts(new_page: NewPage, site: RunningSite) -> None:
    page = new_page(site.address, java_script_enabled=False)
    page.goto("/")
    page.get_by_role("link", name="How councils score").click()
    page.get_by_role("link", name="Trafford").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("How Trafford scores households")
    page.get_by_role("link", name="Versions and changes").click()
    expect(page.locator("#version-2")).to_be_in_viewport()
    page.get_by_role("link", name="Record of the region").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Record of the region")
