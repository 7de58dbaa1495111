"""The region's pages, over connections, from a database that the coordinator's own code filled."""

from __future__ import annotations

import html
import math
import re
from typing import Any

import pytest

from folkmoot_coordinator.viewer.permissions import PERMISSIONS
from folkmoot_web.permissions import PUBLIC, SIGNED_IN
from folkmoot_web.routes import declared_routes
from tests.viewer_region import BOLTON, TRAFFORD, ViewerRegion
from tests.web_site import Browser, RunningSite

SERIES = "5" * 32


def words(page: str) -> str:
    """A page's text, without tags and with single blanks."""
    body = re.sub(r"(?s)<(script|style).*?</\1>", " ", page)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def table(page: str, caption: str) -> list[list[str]]:
    """Rows of the table with this caption, as texts."""
    for found in re.findall(r"(?s)<table.*?</table>", page):
        if caption.lower() in words(re.findall(r"(?s)<caption.*?</caption>", found)[0]).lower():
            body = re.findall(r"(?s)<tbody.*?</tbody>", found)[0]
            return [
                [words(cell) for cell in re.findall(r"(?s)<t[dh][ >].*?</t[dh]>", row)]
                for row in re.findall(r"(?s)<tr.*?</tr>", body)
            ]
    raise AssertionError(f"there is no table {caption!r}")


def statistic(region: ViewerRegion, name: str = "winter", which: str = "band.lsoa") -> str:
    return f"/rounds/{region.id(name)}/statistics/{which}"


def test_the_catalogue_has_every_round_with_its_state(
    analyst: Browser, region: ViewerRegion
) -> None:
    text = words(analyst.get("/").text)
    for stored in region.rounds.values():
        assert stored.round_.title in text
    assert "Withdrawn Complete Bolton counted a street twice" in text
    assert "2 of 3 councils, 1 refused" in text
    assert "3 of 4, closed on" in text, "a series is one entry"
    assert "Roles: analyst, approver" in text, "who may see the other purpose"


def test_rounds_of_other_purposes_are_not_there_for_a_role(
    reader: Browser, analyst: Browser, region: ViewerRegion
) -> None:
    address = f"/rounds/{region.id('secret')}"
    for more in ("", "/statistics/band", "/method", "/committee"):
        path = address + more
        assert analyst.get(path).status_code == 200
        answer = reader.get(path)
        assert answer.status_code == 404
        assert "Safeguarding" not in answer.text
    assert "Safeguarding" not in reader.get("/").text
    assert "Safeguarding" not in reader.get(f"/councils/{BOLTON}").text
    assert "Safeguarding" not in reader.get(statistic(region)).text


def test_the_catalogue_is_searched_by_title_and_purpose(analyst: Browser) -> None:
    text = words(analyst.get("/?find=wrong winter").text)
    assert "Winter support, wrong" in text
    assert "two councils" not in text
    assert "No round has all of these words" in words(analyst.get("/?find=zebra").text)


def test_a_round_says_who_is_waited_for_and_why(analyst: Browser, region: ViewerRegion) -> None:
    text = words(analyst.get(f"/rounds/{region.id('open')}").text)
    assert "Councils can still answer. 1 of 3 councils have released." in text
    assert "Bury Waited for it has not enrolled" in text
    text = words(analyst.get(f"/rounds/{region.id('partial')}").text)
    assert "Trafford Refused" in text


def test_a_round_without_a_result_has_no_statistics(analyst: Browser, region: ViewerRegion) -> None:
    for name, why in (("open", "is open until"), ("void", "is void")):
        answer = analyst.get(statistic(region, name, "band"))
        assert answer.status_code == 409
        assert why in answer.text


@pytest.mark.parametrize("which", ["band.lsoa", "lsoa", "band", "total"])
def test_every_table_has_a_page_with_its_figures(
    which: str, analyst: Browser, region: ViewerRegion, site: RunningSite
) -> None:
    answer = analyst.get(statistic(region, which=which))
    assert answer.status_code == 200
    rows = table(answer.text, "Households")
    published = site.app.state.region.rounds.find(region.id("winter"))
    [marginal] = [
        one
        for one in published.round_.workload.marginals
        if (".".join(one.attributes) or "total") == which
    ]
    level = "region" if "lsoa" in which else "council"
    values = [
        float(value)
        for one in published.statistics()
        if one.marginal == marginal and one.level.value == level
        for value, *codes in zip(one.value, *one.codes, strict=True)
        if "band" not in marginal.attributes or "high" in codes
    ]
    at = 3 if level == "region" else 2
    shown = [row[at].split()[0].replace(",", "").replace("\N{MINUS SIGN}", "-") for row in rows]
    rounded = sorted((math.floor(value + 0.5) for value in values), reverse=True)
    assert [int(one) for one in shown] == rounded, "the same numbers, the largest first"
    assert all(" to " in row[at] for row in rows), "no figure stands without its interval"


def test_the_sentence_agrees_with_the_figures(
    analyst: Browser, region: ViewerRegion, site: RunningSite
) -> None:
    text = words(analyst.get(statistic(region)).text)
    published = site.app.state.region.rounds.find(region.id("winter"))
    [all_areas] = [
        one
        for one in published.statistics()
        if one.level.value == "all_areas" and one.marginal.name == "band*lsoa"
    ]
    at = [str(code) for code in all_areas.codes[0]].index("high")
    value, low, high = (
        f"{float(column[at]):,.0f}"
        for column in (all_areas.value, all_areas.lower, all_areas.upper)
    )
    assert f"has about {value} households with band high, in 3 of 3 councils" in text
    assert (
        f"Without the noise, the councils' count is between {low} and {high}, with 95% certainty"
        in text
    )


def test_the_map_says_what_each_area_is_and_how_sure_it_is(
    analyst: Browser, region: ViewerRegion
) -> None:
    page = analyst.get(statistic(region)).text
    [drawn] = re.findall(r'(?s)<svg class="folkmoot-map".*?</svg>', page)
    titles = re.findall(r"<path[^>]*><title>(.*?)</title>", drawn)
    assert len(titles) == 30
    pattern = (
        r"\S+ \d{3}[A-D]: .?[\d,]+ households?, 95% interval \S+ to \S+\. .+ sure that it is in"
    )
    assert all(re.match(pattern, one) for one in titles), titles[:3]
    assert "style=" not in page
    assert "<style" not in page
    assert "url(#map-h" in drawn, "some areas are not certain"


def test_a_partial_round_shows_areas_without_figures(
    analyst: Browser, region: ViewerRegion
) -> None:
    page = analyst.get(statistic(region, "partial")).text
    assert "Trafford is not in the figures, so its areas have none." in words(page)
    assert len(re.findall(": no figure</title>", page)) == len(region.areas[TRAFFORD])


def test_a_council_is_looked_at_alone(analyst: Browser, region: ViewerRegion) -> None:
    page = analyst.get(f"{statistic(region)}?place={TRAFFORD}").text
    assert {row[2] for row in table(page, "Households")} == {"Trafford"}
    assert "Trafford has about" in words(page)
    assert re.search("among all 30, its true rank|of all 30", words(page)), "ranks are the region's"


def test_the_table_sorts_by_links(analyst: Browser, region: ViewerRegion) -> None:
    page = analyst.get(statistic(region)).text
    by_rank = [row[0] for row in table(page, "Households")]
    assert by_rank == sorted(by_rank, key=lambda text: int(text.split()[0]))
    [link] = re.findall(r'<a class="folkmoot-sort" href="([^"]+)">Area<', page)
    page = analyst.get(html.unescape(link)).text
    names = [row[1] for row in table(page, "Households")]
    assert names == sorted(names)
    assert 'aria-sort="ascending"' in page
    [link] = re.findall(r'<a class="folkmoot-sort" href="([^"]+)">Area<', page)
    assert [row[1] for row in table(analyst.get(html.unescape(link)).text, "Households")] == sorted(
        names, reverse=True
    )


def test_the_table_filters_by_name_and_reliability(analyst: Browser, region: ViewerRegion) -> None:
    page = analyst.get(f"{statistic(region)}?find=bury 001").text
    assert [row[1].split()[0] for row in table(page, "Households")] == ["Bury"] * 4
    assert "Showing 1 to 4 of 4 LSOAs." in words(page)
    page = analyst.get(f"{statistic(region)}?only=unreliable").text
    rows = table(page, "Households")
    assert rows
    assert {row[4] for row in rows} == {"Too uncertain to use"}


def test_change_since_an_earlier_round_has_its_own_interval(
    analyst: Browser, region: ViewerRegion
) -> None:
    page = analyst.get(f"{statistic(region)}?since={region.id('earlier')}").text
    said = {row[5].split(maxsplit=4)[-1] for row in table(page, "Households")}
    assert said >= {"higher", "cannot tell apart"}, "a third of the areas rose by half"
    assert "Change since Winter support 2025" in words(page)
    answer = analyst.get(f"{statistic(region)}?since={region.id('wrong')}")
    assert answer.status_code == 404, "a result that was withdrawn is compared with nothing"


def test_two_areas_are_compared_with_a_correction(analyst: Browser, region: ViewerRegion) -> None:
    rows = table(analyst.get(statistic(region)).text, "Households")
    first, second, last = (rows[at][1].split()[2] for at in (0, 1, -1))
    text = words(analyst.get(f"{statistic(region)}?a={first}&b={last}").text)
    assert "Yes: " in text
    assert "Corrected for all 435 pairs that this page offers" in text
    assert "and know nothing else of them" in text
    assert "with 95% certainty for all pairs together" in text
    text = words(analyst.get(f"{statistic(region)}?a={second}&b={rows[2][1].split()[2]}").text)
    assert "The noise is too large to say whether" in text
    assert "This page says that one has more from 97.5%." in text


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("a=Bolton&b=E01000001", "12 areas have that in their names"),
        ("a=zebra&b=E01000001", "No area here is called “zebra”"),
        ("a=E01000001&b=E01000001", "Enter another area than the first"),
        ("a=E01000001&b=", "Enter the name or the code of an area"),
    ],
)
def test_what_is_wrong_with_a_comparison_stands_beside_the_field(
    typed: str, fault: str, analyst: Browser, region: ViewerRegion
) -> None:
    page = analyst.get(f"{statistic(region)}?{typed}").text
    assert fault in words(page)
    assert "There is a problem" in words(page)
    assert 'value="E01000001"' in page or 'value="zebra"' in page, "what was typed is kept"


def test_a_link_that_names_one_area_asks_for_the_other_without_an_error(
    analyst: Browser, region: ViewerRegion
) -> None:
    page = analyst.get(f"{statistic(region)}?a=E01000001").text
    assert "There is a problem" not in words(page)
    assert 'value="E01000001"' in page


@pytest.mark.parametrize(
    "wrong",
    [
        "statistics/zebra",
        "statistics/band.lsoa?band=zebra",
        "statistics/band.lsoa?place=E08000099",
        "statistics/band.lsoa?since=zebra",
        "pictures/zebra.svg?table=band",
        "pictures/ranked.gif?table=band",
        "pictures/change.svg?table=band",
    ],
)
def test_what_there_is_not_is_not_found(wrong: str, analyst: Browser, region: ViewerRegion) -> None:
    assert analyst.get(f"/rounds/{region.id('winter')}/{wrong}").status_code == 404


@pytest.mark.parametrize("strange", ["latest", "%", "zzzzzzzz", "a" * 33, "12345678", "..%2f"])
def test_only_ids_name_rounds(strange: str, analyst: Browser) -> None:
    assert analyst.get(f"/rounds/{strange}").status_code == 404


def test_strange_parameters_are_taken_for_none(analyst: Browser, region: ViewerRegion) -> None:
    for query in ("page=zebra&sort=zebra", "page=99999999999999", "page=-1&sort=-", "only=zebra"):
        assert analyst.get(f"{statistic(region)}?{query}").status_code == 200


def test_a_result_that_was_withdrawn_says_so_on_every_page(
    analyst: Browser, region: ViewerRegion
) -> None:
    base = f"/rounds/{region.id('wrong')}"
    for path in ("", "/statistics/band.lsoa", "/method", "/committee"):
        text = words(analyst.get(base + path).text)
        assert "withdrawn on 15 November 2027: Bolton counted a street twice" in text, path
        assert "do not use them" in text
    for picture in ("ranked", "ranks", "bands", "map"):
        drawn = words(analyst.get(f"{base}/pictures/{picture}.svg?table=band.lsoa").text)
        assert "withdrawn" in drawn.lower(), picture


def test_how_figures_were_made(analyst: Browser, region: ViewerRegion) -> None:
    text = words(analyst.get(f"/rounds/{region.id('partial')}/method").text)
    for said in (
        "By the policy “Winter support (rehearsal)”",
        "Financial hardship 30",
        "High 35",
        "2 of 3 councils",
        "Trafford Refused",
        "zero-concentrated differential privacy with rho = 0.02",
        "The 95% intervals cover the noise, and nothing else",
        "standard errors and 95% intervals state it",
        "Households by band and LSOA",
    ):
        assert said in text, said


def test_one_council_as_the_region_sees_it(analyst: Browser, region: ViewerRegion) -> None:
    page = analyst.get(f"/councils/{BOLTON}").text
    text = words(page)
    assert "Bolton" in text
    assert "Newest figures From Safeguarding" in text, "not a series, and not one withdrawn"
    assert len(table(page, "Households by band")) == 3
    assert f"/rounds/{region.id('secret')}/method#not-covered" in page
    assert len(table(page, "Rounds and how it answered")) == len(region.rounds)
    for unknown in ("E08000035", "zebra", "W00"):
        assert analyst.get(f"/councils/{unknown}").status_code == 404


def test_a_series_round_by_round(analyst: Browser) -> None:
    page = analyst.get(f"/series/{SERIES}?table=band").text
    rows = table(page, "Round by round")
    assert "month" not in words(page).lower(), "a series may be weekly"
    assert [row[0].split(",")[0] for row in rows] == ["Round 1", "Round 2", "Round 3"]
    counts = [int(row[1].split()[0].replace(",", "")) for row in rows]
    assert counts == sorted(counts), "cumulative"
    page = analyst.get(f"/series/{SERIES}?table=band.lsoa&measure=new").text
    new = [int(row[1].split()[0].replace(",", "")) for row in table(page, "Round by round")]
    assert len(new) == 3
    assert abs(sum(new) - counts[-1]) < 60, "new ones add up to those so far, but for noise"
    assert analyst.get(f"/series/{'6' * 32}").status_code == 404
    assert analyst.get(f"/series/{SERIES}/rounds.svg?table=band").status_code == 200
    assert analyst.get(f"/series/{SERIES}/zebra.svg").status_code == 404


def test_a_round_of_a_series_shows_new_households(analyst: Browser, region: ViewerRegion) -> None:
    page = analyst.get(f"{statistic(region, 'series 2')}?measure=new").text
    assert "new households with band high" in words(page)
    assert analyst.get(f"{statistic(region)}?measure=new").status_code == 200, "of no series"
    assert analyst.get(f"{statistic(region, 'series 2')}?measure=zebra").status_code == 404


def test_each_role_on_each_route(site: RunningSite, region: ViewerRegion) -> None:
    """Whoever lacks a permission gets nothing; whoever is not signed in is sent to sign in."""
    values: dict[str, Any] = {
        "round_id": region.id("winter"), "table": "band", "file": "ranked.svg", "code": BOLTON,
        "series_id": SERIES,
    }  # fmt: skip
    ours = [
        one
        for one in declared_routes(site.app)
        if one.permission not in (PUBLIC, SIGNED_IN) and "GET" in one.methods
    ]
    assert len(ours) >= 10
    for role in (None, *PERMISSIONS.roles):
        with Browser(site) as client:
            if role is not None:
                client.sign_in(f"{role}@example.gov.uk")
            for route in ours:
                path = re.sub(r"\{(\w+)(:\w+)?\}", lambda m: str(values.get(m[1], "x")), route.path)
                answer = client.get(path, params={"table": "band"}, follow_redirects=False)
                if role is None:
                    assert answer.status_code in (303, 401), route
                elif route.permission in PERMISSIONS.roles[role]:
                    assert answer.status_code not in (303, 401, 403), (role, route)
                else:
                    assert answer.status_code == 403, (role, route)
