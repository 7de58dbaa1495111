"""The site says that the region's own certificate ends soon, to those who can do something."""

from __future__ import annotations

from pathlib import Path

import pytest

from folkmoot_coordinator.clock import DAY
from folkmoot_coordinator.membership.certificate_authority import AUTHORITY_DAYS, Authority
from tests.viewer_region import viewer_region
from tests.viewer_visits import plain, viewer_site

SAYS = "The certificate of the region's authority"


@pytest.mark.parametrize(("days_left", "says"), [(200, ""), (13, "ends in 13 days"), (-1, "ended")])
def test_who_asks_sees_it_and_a_reader_does_not(tmp_path: Path, days_left: int, says: str) -> None:
    with viewer_region(tmp_path, with_boundaries=False) as region:
        for file in region.home.keys.glob("authority.*"):
            file.unlink()
        begin = region.clock() - (AUTHORITY_DAYS - days_left) * DAY
        Authority.create(region.home.keys, "North", begin)
        with viewer_site(region) as site:
            shown = plain(site.visit("ann@example.org", ["analyst"]).get("/"))
            assert f"{SAYS} {says}" in shown if says else SAYS not in shown
            assert SAYS not in plain(site.visit("rea@example.org", ["reader"]).get("/"))
