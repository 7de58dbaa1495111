"""While the coordinator is paused the region's site is closed, and says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from folkmoot_coordinator.database import pauses
from folkmoot_coordinator.database.pauses import pause, resume
from tests.viewer_region import serving_region, viewer_region
from tests.web_site import Browser

WHY = "we are looking into the results of May"


def test_the_site_closes_and_opens_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pauses, "LOOK_SECONDS", 0)
    with (
        viewer_region(tmp_path) as region,
        serving_region(region) as site,
        Browser(site) as browser,
    ):
        assert browser.get("/sign-in").status_code == 200
        pause(region.database, lambda: 1_800_000_000, WHY)
        page = browser.get("/sign-in")
        assert page.status_code == 503
        assert WHY in page.text
        resume(region.database, lambda: 1_800_000_000, "settled")
        assert browser.get("/sign-in").status_code == 200
