"""Who is selected by group: page and command have the same figures, for those who may see."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest

from folkmoot_coordinator.rounds.withdrawal import withdraw
from folkmoot_coordinator.viewer.noted_downloads import DOWNLOADED
from tests.commands import run_inside
from tests.outcome_region import BANDS
from tests.outcome_region import region as outcome_region
from tests.unit.coordinator.charts.plain_svg import parsed, texts
from tests.unit.coordinator.viewer.test_outcome_page import of_page, shown
from tests.viewer_region import NAMES, REGION, ViewerRegion, viewer_region, with_outcome
from tests.viewer_visits import ViewerSite, Visit, plain, viewer_site

BY = "financial_hardship"


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerRegion]:
    visibility = '[viewer.visibility]\nreader = ["winter_support"]\n'
    with viewer_region(
        tmp_path_factory.mktemp("equality"), settings=visibility, with_boundaries=False
    ) as made:
        with_outcome(made, "judged")
        with_outcome(made, "secret", size=400, purpose="safeguarding")
        with_outcome(made, "wrong", size=400)
        made.open("open", made.question("Open"))
        yield made


@pytest.fixture(scope="module")
def site(region: ViewerRegion) -> Iterator[ViewerSite]:
    with viewer_site(region) as made:
        yield made


@pytest.fixture(scope="module")
def ana(site: ViewerSite) -> Visit:
    return site.visit("ana", ["analyst"])


def test_page_and_command_have_the_same_numbers(region: ViewerRegion, ana: Visit) -> None:
    page = ana.get(f"/rounds/{region.id('judged')}/equality?by={BY}")
    words = ("equality", region.id("judged"), "--by", BY, "--home", region.home.path)
    facts = json.loads(run_inside("folkmoot-coordinator", *words, "--json").said())
    said = run_inside("folkmoot-coordinator", *words).said()
    assert facts["comparisons"] == 4 * 2 * 2
    names = {str(code): name for code, name in NAMES.items()}
    places = {REGION: facts["region"]}
    places |= {names[code]: one for code, one in facts["councils"].items()}
    for name, place in places.items():
        rates = [
            shown(place["groups"][group][band]) for band in BANDS[1:] for group in ("no", "yes")
        ]
        assert of_page(page, f"selected in {name}", 2) == [[one] for one in rates]
        for value, *ends in rates:
            assert value in said
            assert all(end in said for end in ends)
        text = plain(page)
        for one in place["differences"]:
            least, most = sorted((100 * abs(one["lower"]), 100 * abs(one["upper"])))
            way = "higher" if one["difference"] > 0 else "lower"
            told = f"{one['group'].capitalize()}, from {one['band']} upwards: {way} by "
            assert (told + f"{least:.1f} to {most:.1f} points" in text) != one["agrees"]
    # The true shares are in the intervals of the noise, or next to them.
    everybody = outcome_region(8_000).values()
    band = np.concatenate([one.band for one in everybody])
    group = np.concatenate([one.levels[:, 0] for one in everybody])
    low, high = facts["region"]["groups"]["yes"]["high"]["interval_of_noise"]
    assert low - 0.005 < np.mean(band[group == 1] == 2) < high + 0.005


def test_programs_get_what_the_command_says_and_the_download_is_noted(
    region: ViewerRegion, site: ViewerSite, ana: Visit
) -> None:
    words = ("equality", region.id("judged"), "--by", BY, "--home", region.home.path, "--json")
    facts = json.loads(run_inside("folkmoot-coordinator", *words).said())
    offered = json.loads(ana.get(f"/api/v1/rounds/{region.id('judged')}"))["equality"]
    link = {one["by"]: one["link"] for one in offered}[BY]
    assert link in ana.get(f"/rounds/{region.id('judged')}/equality?by={BY}")
    assert json.loads(ana.get(link)) == facts
    [last, *_] = reversed(list(site.app.state.site.audit.entries((DOWNLOADED,))))
    assert (last.body["table"], last.body["by"]) == (f"equality {BY}", "ana")
    base = f"/api/v1/rounds/{region.id('judged')}/equality"
    assert json.loads(ana.get(base))["by"] == offered[0]["by"]
    ana.get(f"{base}?by=zebra", expect=404)
    ana.get(f"{base}?by={BY}&wrong=1", expect=422)
    ana.get(f"/api/v1/rounds/{region.id('open')}/equality", expect=409)
    cat = site.visit("cat", ["reader"])
    cat.get(f"/api/v1/rounds/{region.id('secret')}/equality", expect=404)


def test_it_is_linked_chosen_by_form_drawn_and_for_those_who_may_see(
    region: ViewerRegion, site: ViewerSite, ana: Visit
) -> None:
    base = f"/rounds/{region.id('judged')}"
    assert f'href="{base}/equality"' in ana.get(base)
    assert f'href="{base}/equality"' in ana.get("/")
    assert f'href="/rounds/{region.id("open")}/equality"' not in ana.get("/")
    assert "by financial hardship" in plain(ana.get(f"{base}/equality?by={BY}"))
    assert "Choose from:" in ana.get(f"{base}/equality?by=zebra", expect=404)
    ana.get(f"/rounds/{region.id('open')}/equality", expect=409)
    for more in ("", "&narrow=1"):
        said = texts(parsed(ana.get(f"{base}/pictures/selection.svg?by={BY}{more}")))
        assert {"high, no", "high, yes"} <= set(said)
    rea = site.visit("rea", ["reader"])
    rea.get(f"{base}/equality")
    rea.get(f"/rounds/{region.id('secret')}/equality", expect=404)


def test_a_withdrawn_result_is_marked_wherever_it_is_shown(
    region: ViewerRegion, ana: Visit
) -> None:
    round_id = region.id("wrong")
    picture = f"/rounds/{round_id}/pictures/selection.svg?by={BY}"
    assert "WITHDRAWN" not in "".join(texts(parsed(ana.get(picture))))
    why = "A street was counted twice"
    withdraw(region.database, round_id, why, 1, "test")
    assert "WITHDRAWN" in "".join(texts(parsed(ana.get(picture))))
    assert why in plain(ana.get(f"/rounds/{round_id}/equality?by={BY}"))
    assert why in json.loads(ana.get(f"/api/v1/rounds/{round_id}/equality?by={BY}"))["withdrawn"]
    said = run_inside(
        "folkmoot-coordinator", "equality", round_id, "--by", BY, "--home", region.home.path
    ).said()
    assert said.startswith("WITHDRAWN")
    assert why in " ".join(said.split())


def test_a_band_is_no_group_and_tables_that_are_missing_are_named(region: ViewerRegion) -> None:
    words = ("equality", region.id("judged"), "--home", region.home.path, "--by")
    assert "not a group" in run_inside("folkmoot-coordinator", *words, "band").said(expect=2)
    said = run_inside("folkmoot-coordinator", *words, "child_need").said(expect=3)
    assert "did not ask for child_need*band" in said
