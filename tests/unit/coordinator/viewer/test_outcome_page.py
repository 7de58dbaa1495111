"""How well bands found need, on the region's site: the figures of the command, who may see them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.publication.outcome_round import offered_outcomes
from folkmoot_coordinator.rounds.withdrawal import withdraw
from folkmoot_coordinator.viewer.words import listed
from folkmoot_operator.hash_chain import Entry
from tests.commands import run_inside
from tests.outcome_region import BANDS, LEVELS, OUTCOME, WORKLOAD
from tests.unit.coordinator.charts.plain_svg import parsed, texts
from tests.unit.coordinator.viewer.test_pages import table
from tests.viewer_region import BURY, NAMES, ViewerRegion, viewer_region, with_outcome
from tests.viewer_visits import ViewerSite, Visit, plain, viewer_site

CELL = re.compile(
    r"([\d.]+%|Too few)(?: noise: ([\d.]+)% to ([\d.]+)% and chance: ([\d.]+)% to ([\d.]+)%)?"
)
BY = "financial_hardship"


def recoded(before: tuple[str, ...], now: tuple[str, ...]) -> Workload:
    """The question with other codes for one attribute."""
    return replace(
        WORKLOAD,
        attributes=tuple(
            replace(one, codes=now) if one.codes == before else one for one in WORKLOAD.attributes
        ),
    )


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerRegion]:
    visibility = '[viewer.visibility]\nreader = ["winter_support"]\n'
    with viewer_region(
        tmp_path_factory.mktemp("outcome"), settings=visibility, with_boundaries=False
    ) as made:
        with_outcome(made, "judged")
        with_outcome(made, "small", size=40)
        with_outcome(made, "secret", size=400, purpose="safeguarding")
        with_outcome(made, "wrong", size=400)
        with_outcome(made, "worded", workload=recoded(BANDS, ("none", "low", "very_high")))
        with_outcome(
            made, "worded small", size=40, workload=recoded(BANDS, ("none", "low", "very_high"))
        )
        made.open("open", made.question("Open"))
        yield made


@pytest.fixture(scope="module")
def site(region: ViewerRegion) -> Iterator[ViewerSite]:
    with viewer_site(region) as made:
        yield made


@pytest.fixture(scope="module")
def ana(site: ViewerSite) -> Visit:
    return site.visit("ana", ["analyst"])


@pytest.fixture(scope="module")
def rea(site: ViewerSite) -> Visit:
    return site.visit("rea", ["reader"])


def address(region: ViewerRegion, name: str = "judged", query: str = "") -> str:
    return f"/rounds/{region.id(name)}/outcome{query}"


def shown(rate: dict[str, Any] | None) -> tuple[str, ...]:
    """What people read of a rate of the API."""
    if rate is None:
        return ("Too few", "", "", "", "")
    ends = (*rate["interval_of_noise"], *rate["interval_of_noise_and_chance"])
    return (f"{100 * rate['value']:.1f}%", *(f"{100 * end:.1f}" for end in ends))


def of_page(page: str, caption: str, beside: int) -> list[list[tuple[str, ...]]]:
    """Precision and recall of each row of a table, as numbers that are written there."""
    found = []
    for row in table(page, caption):
        cells = [CELL.fullmatch(cell) for cell in row[beside:]]
        assert all(cells), row
        found.append([tuple(part or "" for part in cell.groups()) for cell in cells if cell])
    return found


def of_api(rates: list[dict[str, Any]]) -> list[list[tuple[str, ...]]]:
    return [
        [shown(one["precision"]), shown(one["recall"]) if at else ("100.0%", "", "", "", "")]
        for at, one in enumerate(rates)
    ]


@pytest.mark.parametrize("name", ["judged", "small"])
def test_page_api_and_command_have_the_same_numbers(
    region: ViewerRegion, ana: Visit, name: str
) -> None:
    query = f"?outcome={OUTCOME}&by={BY}"
    page = ana.get(address(region, name, query)).replace(">100%<", ">100.0%<")
    facts = json.loads(ana.get(f"/api/v1{address(region, name, query)}"))
    words = ("validate", region.id(name), "--outcome", OUTCOME, "--by", BY)
    home = ("--home", region.home.path)
    assert facts == json.loads(run_inside("folkmoot-coordinator", *words, "--json", *home).said())

    assert of_page(page, "recall in the region", 1) == of_api(facts["region"])
    councils = [row for rates in facts["councils"].values() for row in of_api(rates)]
    assert of_page(page, "recall by council", 2) == councils
    groups = [row for rates in facts["groups"].values() for row in of_api(rates)]
    assert of_page(page, "recall by financial hardship", 2) == groups
    assert ("Too few" in str(councils)) == (name == "small")
    if name == "judged":
        low, high = facts["region"][-1]["precision"]["interval_of_noise_and_chance"]
        assert f", {low:.1%} to {high:.1%} with noise and chance. The band holds" in page

    said = run_inside("folkmoot-coordinator", *words, *home).said()
    for value, *ends in (cell for row in (*councils, *groups) for cell in row):
        assert value.lower() in said or value == "100.0%"  # of every event, which has no interval
        assert all(end in said for end in ends)
    told = " ".join(said.split())
    apart = [one for one in (*facts["agreement"], *facts["between_groups"]) if not one["agrees"]]
    assert (name == "judged") == any(one["place"] == BURY for one in apart)
    listed = re.findall(r"<li>([^<]*: (?:higher|lower) by [^<]*)</li>", page)
    assert len(listed) == len(apart)
    for one in listed:
        assert one.replace("Yes,", "yes,").replace("No,", "no,") in told.replace(f"{BY} ", ""), (
            "the same sentence"
        )


def test_what_cannot_be_judged_is_said_and_where_it_ends(region: ViewerRegion, ana: Visit) -> None:
    text = plain(ana.get(address(region, "small")))
    facts = json.loads(ana.get(f"/api/v1{address(region, 'small')}"))
    for code, rates in facts["councils"].items():
        missing = [
            f"{figure} of {one['band']}"
            for at, one in enumerate(rates)
            for figure in ("precision", "recall")
            if one[figure] is None and (at or figure == "precision")
        ]
        says = f"{NAMES[GssCode(code)]}: {listed(missing)}: too few households beyond the noise"
        assert (says in text) == bool(missing)
    text = plain(ana.get(address(region)))
    assert "Events that nobody recorded" in text
    assert "Bury, precision of high: lower by" in text


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("worded", "Bury, precision of very high: lower by"),
        ("worded small", "precision of very high and recall of very high: too few households"),
    ],
)
def test_bands_have_their_names_and_not_their_codes(
    region: ViewerRegion, ana: Visit, name: str, says: str
) -> None:
    text = plain(ana.get(address(region, name, f"?outcome={OUTCOME}&by={BY}")))
    assert says in text
    assert "very_high" not in text


def test_the_outcome_is_chosen_by_form_and_what_is_not_there_is_said(
    region: ViewerRegion, ana: Visit
) -> None:
    page = ana.get(address(region))
    assert re.search(rf'<option value="{OUTCOME}" selected', page)
    assert "By financial hardship" not in plain(page)
    assert "How well bands found need: financial hardship" in plain(
        ana.get(address(region, query="?outcome=financial_hardship"))
    )
    for query in ("?outcome=isolation", "?outcome=zebra", f"?outcome={OUTCOME}&by=isolation"):
        assert "Choose from:" in ana.get(address(region, query=query), expect=404)
    ana.get(address(region, "open"), expect=409)
    ana.get(f"/api/v1{address(region)}?outcome={OUTCOME}&wrong=1", expect=422)


def test_links_lead_to_it_from_the_round_and_the_catalogue(
    region: ViewerRegion, ana: Visit
) -> None:
    link = f'href="{address(region)}"'
    assert link in ana.get("/")
    assert link in ana.get(f"/rounds/{region.id('judged')}")
    assert "/outcome" not in ana.get(f"/rounds/{region.id('open')}")
    [offered, *_] = json.loads(ana.get(f"/api/v1/rounds/{region.id('judged')}"))["outcomes"]
    assert (offered["outcome"], offered["groups"]) == (OUTCOME, [BY])
    ana.get(offered["link"])


def test_pictures_show_both_intervals_and_a_withdrawal(region: ViewerRegion, ana: Visit) -> None:
    base = f"/rounds/{region.id('judged')}/pictures"
    for name in ("precision", "recall"):
        for more in ("", "&narrow=1", f"&by={BY}"):
            said = texts(parsed(ana.get(f"{base}/{name}.svg?outcome={OUTCOME}{more}")))
            assert any("by band" in text for text in said)
            assert any("high" in text for text in said)
            assert ("none" in said) == (name == "precision" and not more.startswith("&by"))
    assert "WITHDRAWN" not in ana.get(f"{base}/recall.svg?outcome={OUTCOME}")
    assert "Warning" not in plain(ana.get(address(region, "wrong")))
    withdraw(region.database, region.id("wrong"), "A street was counted twice", 1, "test")
    assert "A street was counted twice" in plain(ana.get(address(region, "wrong")))
    wrong = f"/rounds/{region.id('wrong')}/pictures/precision.svg"
    assert "WITHDRAWN" in "".join(texts(parsed(ana.get(wrong))))
    facts = json.loads(ana.get(f"/api/v1{address(region, 'wrong')}"))
    assert "A street was counted twice" in facts["withdrawn"]


def test_it_is_for_those_who_may_see_the_round(
    region: ViewerRegion, ana: Visit, rea: Visit
) -> None:
    for path in (address(region, "secret"), f"/api/v1{address(region, 'secret')}"):
        ana.get(path)
        rea.get(path, expect=404)
        rea.get(path.replace(region.id("secret"), region.id("judged")))


def test_taking_the_figures_is_noted(region: ViewerRegion, site: ViewerSite, ana: Visit) -> None:
    def noted() -> list[Entry]:
        return list(site.app.state.site.audit.entries(("statistics downloaded",)))

    before = len(noted())
    ana.get(f"/api/v1{address(region)}?outcome={OUTCOME}")
    [*_, last] = found = noted()
    assert len(found) == before + 1
    assert f"outcome {OUTCOME}" in str(last)


def test_which_attributes_are_on_offer(region: ViewerRegion) -> None:
    """Those of the codes no and yes that are counted by band; asked for alone before others."""
    attributes = (
        Attribute("band", BANDS),
        *(Attribute(name, codes) for name, codes in LEVELS.items()),
        Attribute(OUTCOME, ("unknown", "no", "yes")),
    )
    marginals = (
        Marginal(("band", "isolation", "financial_hardship", OUTCOME)),
        Marginal(("band", OUTCOME)),
        Marginal(("child_need",)),
    )
    round_ = region.question(workload=Workload(attributes, marginals))
    first, second = offered_outcomes(round_)
    assert (first.name, first.groups) == (OUTCOME, ("financial_hardship", "isolation"))
    assert (second.name, second.groups) == ("financial_hardship", ("isolation", OUTCOME))
    others = (Attribute("band", BANDS[:2], others=True), *attributes[1:])
    assert offered_outcomes(region.question(workload=Workload(others, marginals))) == ()
    assert offered_outcomes(region.question()) == ()
