"""Hotspots on the region's site."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest

from folkmoot_coordinator.inference.background import background
from folkmoot_coordinator.inference.hotspots import local_sums
from folkmoot_coordinator.viewer.finding_hotspots import Found, find_hotspots
from folkmoot_coordinator.viewer.likeness_words import unlike
from folkmoot_coordinator.viewer.selection import select
from tests.viewer_region import (
    BOLTON,
    BURY,
    HOSTILE,
    NAMES,
    TRAFFORD,
    ViewerRegion,
    fill,
    fill_hot_series,
    fill_series,
    viewer_region,
    with_hotspot,
)
from tests.viewer_visits import ViewerSite, Visit, plain, viewer_site

SIZES = {BOLTON: 64, BURY: 40, TRAFFORD: 48}


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerRegion]:
    with viewer_region(tmp_path_factory.mktemp("hotspots"), SIZES, area_name=HOSTILE) as made:
        fill(made)
        fill_series(made)
        yield made


@pytest.fixture(scope="module")
def hot(region: ViewerRegion) -> set[str]:
    return with_hotspot(region, "hot")


@pytest.fixture(scope="module")
def blocks(region: ViewerRegion) -> dict[str, set[str]]:
    return fill_hot_series(region)


@pytest.fixture(scope="module")
def hollow(region: ViewerRegion) -> set[str]:
    return with_hotspot(region, "hollow", "A hotspot with a hole", hole=True)


@pytest.fixture(scope="module")
def site(
    region: ViewerRegion, hot: set[str], blocks: dict[str, set[str]], hollow: set[str]
) -> Iterator[ViewerSite]:
    with viewer_site(region) as made:
        yield made


@pytest.fixture(scope="module")
def rea(site: ViewerSite) -> Visit:
    return site.visit("rea", ["reader"])


def page_of(region: ViewerRegion, name: str, query: str = "") -> str:
    return f"/rounds/{region.id(name)}/hotspots{query}"


def test_a_real_hotspot_is_found(
    region: ViewerRegion, hot: set[str], site: ViewerSite, rea: Visit
) -> None:
    page = rea.get(page_of(region, "hot", "?table=band.lsoa&band=high"))
    text = plain(page)
    found = re.search(r"Of 152 areas, (\d+) are hotspots of households with band high", text)
    assert found
    assert int(found[1]) >= len(hot)
    assert "no more than 1 in 20 of the hotspots that are listed is there by chance. " in text
    assert "Noise alone makes no hotspot" not in text
    state = site.app.state.region
    published = state.rounds.find(region.id("hot"))
    made = find_hotspots(state, published, select(published, "band.lsoa", {"band": "high"}))
    assert isinstance(made, Found)
    codes = np.array(made.figures.codes)
    assert hot <= set(codes[made.hot])
    # What is found lies around the block: its own areas and those that touch them.
    assert made.hot.sum() <= 25
    assert int(found[1]) == made.hot.sum()
    names = [made.figures.names[at] for at in np.flatnonzero(made.hot)]
    assert all(name in text for name in names)
    assert set(np.array(made.figures.councils)[made.hot]) == {BOLTON}


def test_what_could_have_been_missed_is_said(region: ViewerRegion, rea: Visit) -> None:
    text = plain(rea.get(page_of(region, "hot")))
    assert re.search(
        r"smallest excess that would have been found 80% of the time is \d+ house", text
    )
    assert "of the variance between areas comes from noise" in text
    for name in NAMES.values():
        assert name in text


def test_nothing_found_is_not_nothing_there(region: ViewerRegion, rea: Visit) -> None:
    text = plain(rea.get(page_of(region, "hot", "?table=band.lsoa&band=low")))
    assert "None of 152 areas is a hotspot" in text
    assert "That does not mean that there are none" in text


def test_an_area_unlike_its_neighbours_is_listed(
    region: ViewerRegion, hollow: set[str], site: ViewerSite, rea: Visit
) -> None:
    page = rea.get(page_of(region, "hollow", "?table=band.lsoa&band=high"))
    text = plain(page)
    state = site.app.state.region
    published = state.rounds.find(region.id("hollow"))
    made = find_hotspots(state, published, select(published, "band.lsoa", {"band": "high"}))
    assert isinstance(made, Found)
    known, moran = made.figures, made.likeness
    middle = known.codes.index(sorted(hollow)[4])
    assert np.flatnonzero(moran.unlike.found).tolist() == [middle]
    assert np.flatnonzero(moran.clustered.found).tolist() == [middle]
    assert "Of 152 areas, 1 has neighbours with more than chance and noise explain" in text
    assert "1 area is clearly on the other side of the mean than the areas around." in text
    near = made.shapes.neighbours.among(len(known))
    around = near.others[near.starts[middle] : near.starts[middle + 1]]
    (row,) = unlike(made)
    assert (row.name, row.council, row.kind) == (known.names[middle], BOLTON, "Low among high")
    assert row.sure == "over 99% sure that it is below the mean"
    assert row.moran.startswith("\N{MINUS SIGN}")
    mean = background(known.value, known.variance).mean
    assert row.neighbours == f"+{float(known.value[around].mean()) - mean:.0f}"
    table = plain(page.split('id="h-unlike"')[1].split("</section>")[0])
    for said in (row.name, row.kind, row.sure, row.neighbours, row.moran, row.value, row.interval):
        assert said in table
    assert "records that are missing" in table


def test_where_no_area_is_unlike_its_neighbours(region: ViewerRegion, rea: Visit) -> None:
    text = plain(rea.get(page_of(region, "hot", "?table=band.lsoa&band=low")))
    assert "Of 152 areas, none has neighbours with more than chance and noise explain, and" in text
    assert "none has neighbours with less" in text
    assert "No area is clearly on the other side of the mean than the areas around it." in text
    assert "Low among high" not in text
    assert "records that are missing. " not in text
    series = plain(rea.get(page_of(region, "hot 3", "?table=band.lsoa")))
    assert "In the newest round, of 152 areas, " in series


def test_a_series_says_what_is_new_lasting_and_fading(region: ViewerRegion, rea: Visit) -> None:
    text = plain(rea.get(page_of(region, "series 3", "?table=band.lsoa")))
    assert re.search(
        r"Since the round before, \d+ are new, \d+ have lasted and \d+ are fading", text
    )
    assert "3 rounds were looked at" in text
    assert "Fading" in text
    first = plain(rea.get(page_of(region, "series 1", "?table=band.lsoa")))
    assert "Since the round before" not in first


def test_what_became_of_hotspots(
    region: ViewerRegion, blocks: dict[str, set[str]], site: ViewerSite, rea: Visit
) -> None:
    page = rea.get(page_of(region, "hot 3", "?table=band.lsoa"))
    text = plain(page)
    state = site.app.state.region
    published = state.rounds.find(region.id("hot 3"))
    made = find_hotspots(state, published, select(published, "band.lsoa", {}))
    assert isinstance(made, Found)
    assert made.courses is not None
    course = dict(zip(made.figures.codes, made.courses.course, strict=True))
    middles = {name: sorted(block)[4] for name, block in blocks.items()}
    assert {name: course[code] for name, code in middles.items()} == {
        "new": "new", "lasting": "lasting", "fading": "fading",
    }  # fmt: skip
    certain = dict(zip(made.figures.codes, made.courses.certain, strict=True))
    assert all(certain[code] for code in middles.values())
    for kind in ("new", "lasting", "fading"):
        number = sum(one == kind for one in course.values())
        assert f"{number} {'have lasted' if kind == 'lasting' else f'are {kind}'}" in text
        assert f">{kind.capitalize()}</strong>" in page
    assert "3 rounds" in text
    assert "no more than 1 in 20 of the hotspots of all 3 rounds together is there by" in text
    assert made.figures.covariance is not None
    # Of each round the noise that areas share counts, as it does where one round is looked at.
    alone = local_sums(
        made.figures.value,
        made.figures.variance,
        made.shapes.neighbours.among(len(made.figures)),
        made.spots.background,
        made.figures.covariance[:],
    )
    np.testing.assert_allclose(made.spots.sums.error, alone.error)


def test_an_unchanged_page_is_not_sent_again(region: ViewerRegion, rea: Visit) -> None:
    response = rea.client.get(page_of(region, "hot"))
    again = rea.client.get(
        page_of(region, "hot"), headers={"If-None-Match": response.headers["etag"]}
    )
    assert again.status_code == 304


def test_names_are_text(region: ViewerRegion, rea: Visit) -> None:
    page = rea.get(page_of(region, "hot", "?table=band.lsoa&band=high"))
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_pages_that_are_not_there(region: ViewerRegion, rea: Visit) -> None:
    rea.get(page_of(region, "hot", "?table=band"), 404)
    rea.get(page_of(region, "hot", "?table=band.lsoa&band=purple"), 404)
    rea.get(page_of(region, "void"), 409)
    rea.get(f"/rounds/{'0' * 32}/hotspots", 404)


def test_without_boundaries_it_says_what_is_missing(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with viewer_region(tmp_path_factory.mktemp("bare"), with_boundaries=False) as made:
        fill(made)
        with viewer_site(made) as site:
            text = plain(site.visit("rea", ["reader"]).get(page_of(made, "winter")))
    assert "Hotspots need boundaries" in text


def test_a_partial_result_says_whose_areas_are_missing(region: ViewerRegion, rea: Visit) -> None:
    text = plain(rea.get(page_of(region, "partial")))
    assert "Trafford is not in the figures" in text
