"""What pages say of certainty and of councils is true of the figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from folkmoot.series import Series, SeriesEvent, SeriesRow
from folkmoot_coordinator.publication.series_result import find_series, next_round
from folkmoot_coordinator.rounds.withdrawal import withdraw
from folkmoot_coordinator.viewer.maps import sure_text
from tests.viewer_region import (
    BOLTON,
    BURY,
    MONTH,
    TRAFFORD,
    ViewerRegion,
    fill_series,
    households,
    serving_region,
    viewer_region,
)
from tests.viewer_visits import plain as words
from tests.web_site import Browser


@pytest.mark.parametrize(
    ("probability", "certain", "said"),
    [(0.97, False, "under 90%"), (0.897, False, "under 90%"), (0.89, False, "89%"),
     (0.9, True, "90%"), (0.999, True, "over 99%")],
)  # fmt: skip
def test_an_area_is_not_said_to_be_surer_than_its_colour_says(
    probability: float, certain: bool, said: str
) -> None:
    assert sure_text(probability, certain) == said


def missed(region: ViewerRegion) -> None:
    """A series in which Trafford misses the second of three rounds."""
    length, now = 4, region.clock()
    series = Series("7" * 32, 1, length, SeriesEvent("band", ("high",)), now + 12 * MONTH)
    for month in (1, 2, 3):
        round_ = (
            replace(region.question("New households"), series=series)
            if month == 1
            else next_round(find_series(region.database, "7" * 32), region.clock())
        )
        stored = region.open(f"missed {month}", round_)
        for number, council in enumerate((BOLTON, BURY, TRAFFORD)):
            if month == 2 and council == TRAFFORD:
                continue
            row = SeriesRow(month, month)
            table = sum(
                row.coefficient(cohort, length)
                * households(len(region.areas[council]), 0, number + 10 * cohort)
                for cohort in range(1, month + 1)
            )
            region.release(stored, council, table, row)
        if region.again(f"missed {month}").state.name == "OPEN":
            region.close(f"missed {month}")
        region.clock.now += MONTH


def test_a_series_says_which_councils_each_figure_is_of(tmp_path: Path) -> None:
    with viewer_region(tmp_path) as region:
        missed(region)
        with serving_region(region) as site, Browser(site) as client:
            client.sign_in("analyst@example.gov.uk")
            asked = f"/series/{'7' * 32}?table=band.lsoa&band=high"
            new = words(client.get(f"{asked}&measure=new").text)
            one = words(
                client.get(f"/rounds/{region.id('missed 2')}/statistics/band.lsoa?band=high").text
            )
    # In the third round Trafford's new households are not known: it missed the second.
    assert "in Greater Exampleshire, in 2 of 3 councils" in new
    assert "Not all of these figures count the same councils" in new
    assert "Together, 2 of the 3 councils of Greater Exampleshire have about" in one


def test_a_series_with_a_withdrawn_round_says_so_on_every_page_from_there_on(
    tmp_path: Path,
) -> None:
    with viewer_region(tmp_path) as region:
        fill_series(region)
        withdraw(region.database, region.id("series 2"), "An old extract", region.clock(), "test")
        with serving_region(region) as site, Browser(site) as client:
            client.sign_in("analyst@example.gov.uk")
            last = f"/rounds/{region.id('series 3')}"
            said = "This result was withdrawn with round 2 of its series on"
            for page in ("", "/statistics/band", "/method", "/committee", "/hotspots", "/allocate"):
                assert said in words(client.get(last + page).text), page
                of_first = words(client.get(f"/rounds/{region.id('series 1')}{page}").text)
                assert "withdrawn" not in of_first, page
            assert said in words(client.get(f"/series/{'5' * 32}").text)
            assert "Withdrawn Complete An old extract" in words(client.get("/").text)
            rounds = client.get("/api/v1/rounds").json()["rounds"]
    wrong = {one["position"]: one["withdrawn"] for one in rounds}
    assert wrong[1] is None
    assert wrong[2]["reason"] == wrong[3]["reason"] == "An old extract"
