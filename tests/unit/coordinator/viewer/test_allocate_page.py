"""Sharing out a quantity on the region's site."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from urllib.parse import urlencode

import numpy as np
import pytest

from folkmoot_coordinator.inference.allocation import Needs, Rule, Threshold, allocate
from tests.viewer_region import HOSTILE, NAMES, ViewerRegion, fill, viewer_region
from tests.viewer_visits import ViewerSite, Visit, plain, viewer_site

ASKED = {"table": "band.lsoa", "band": "high", "quantity": "5000", "unit": "food parcels"}


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerRegion]:
    with viewer_region(tmp_path_factory.mktemp("allocate"), area_name="=") as made:
        yield fill(made)


@pytest.fixture(scope="module")
def site(region: ViewerRegion) -> Iterator[ViewerSite]:
    with viewer_site(region) as made:
        yield made


@pytest.fixture(scope="module")
def ann(site: ViewerSite) -> Visit:
    return site.visit("ann", ["analyst"])


def page_of(region: ViewerRegion, name: str = "winter", **asked: str) -> str:
    return f"/rounds/{region.id(name)}/allocate?{urlencode(asked)}"


def table_of(ann: Visit, region: ViewerRegion, **asked: str) -> list[dict[str, str]]:
    address = page_of(region, **asked).replace("/allocate?", "/allocate/allocation.csv?")
    return list(csv.DictReader(io.StringIO(ann.get(address))))


def test_the_page_begins_with_an_empty_form(region: ViewerRegion, ann: Visit) -> None:
    text = plain(ann.get(page_of(region)))
    assert "Share out food parcels, visits or money over areas" in text
    assert "There is a problem" not in text
    assert "Who gets what" not in text


def test_a_quantity_is_shared_out_whole(region: ViewerRegion, site: ViewerSite, ann: Visit) -> None:
    page = ann.get(page_of(region, **ASKED))
    text = plain(page)
    assert re.search(r"If 5,000 food parcels are shared out over 30 areas in proportion to", text)
    assert "go to other places than they are due to, because of noise" in text
    assert "under 1%" in text or re.search(r"\(\d+%\)", text)
    rows = table_of(ann, region, **ASKED)
    assert len(rows) == 30
    for rule in ("proportional", "shrunken"):
        assert sum(int(row[f"{rule}_units"]) for row in rows) == 5000
    assert "threshold_units" not in rows[0]
    assert all(row["name"].startswith("'=") for row in rows)
    assert {row["council_name"] for row in rows} == set(NAMES.values())


def test_the_figures_are_those_of_the_engine(
    region: ViewerRegion, site: ViewerSite, ann: Visit
) -> None:
    asked = ASKED | {"need": "90", "probability": "75", "equally": "yes"}
    rows = table_of(ann, region, **asked)
    councils = sorted({row["council"] for row in rows})
    published = site.app.state.region.rounds.find(region.id("winter"))
    marginal = published.round_.workload.marginals[0]
    statistic = published.statistic(marginal)
    keep = (statistic.codes[0] == "high") & (statistic.codes[1] != "(other)")
    known = [row["area"] for row in rows]
    assert list(statistic.codes[1][keep]) == known
    needs = Needs(
        statistic.value[keep],
        statistic.standard_error[keep] ** 2,
        np.array([councils.index(row["council"]) for row in rows]),
    )
    threshold = Threshold(90, 0.75, equally=True)
    found = allocate(needs, 5000, seed=region.id("winter"), threshold=threshold)
    names = {
        Rule.PROPORTIONAL: "proportional",
        Rule.THRESHOLD: "threshold",
        Rule.SHRUNKEN: "shrunken",
    }
    assert [one.rule for one in found.alternatives] == list(names)
    for one in found.alternatives:
        assert [int(row[f"{names[one.rule]}_units"]) for row in rows] == one.areas.units.tolist()
        assert [float(row[f"{names[one.rule]}_under_served"]) for row in rows] == pytest.approx(
            one.areas.under_served.tolist(), abs=1e-6
        )
    assert [float(row["due_upper_95"]) for row in rows] == pytest.approx(found.upper, abs=1e-5)
    text = plain(ann.get(page_of(region, **asked)))
    for one in found.alternatives:
        assert f"{one.misplaced:,.0f}" in text
    assert "Above threshold" in text


def test_an_area_is_shown_with_what_it_is_due(
    region: ViewerRegion, site: ViewerSite, ann: Visit
) -> None:
    page = plain(ann.get(page_of(region, **ASKED)))
    for row in table_of(ann, region, **ASKED)[:5]:
        low, high = float(row["due_lower_95"]), float(row["due_upper_95"])
        digits = 0 if high >= 10 else 1
        assert f"{low:,.{digits}f} to {high:,.{digits}f}" in page
    for name in NAMES.values():
        assert name in page


def test_one_council_is_shown_and_the_whole_region_shared_out(
    region: ViewerRegion, ann: Visit
) -> None:
    text = plain(ann.get(page_of(region, **ASKED, place="E08000002")))
    assert "shared out over 30 areas" in text
    assert "Showing 1 to 8 of 8" in text


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"quantity": ""}, "quantity", "Enter how much"),
        ({"quantity": "0"}, "quantity", "1 or more"),
        ({"quantity": "many"}, "quantity", "whole number"),
        ({"quantity": "99999999999"}, "quantity", "or less"),
        ({"need": "-3"}, "need", "0 or more"),
        ({"need": "abc"}, "need", "must be a number"),
        ({"need": "100000"}, "need", "No area exceeds the threshold"),
        ({"need": "5", "probability": "100"}, "probability", "99 or less"),
        ({"unit": "x" * 41}, "unit", "40 characters"),
    ],
)
def test_errors_stand_beside_their_fields(
    region: ViewerRegion, ann: Visit, changes: dict[str, str], field: str, says: str
) -> None:
    page = ann.get(page_of(region, **(ASKED | changes)), 422)
    assert f'href="#{field}"' in page
    assert f'id="{field}-error"' in page
    assert says in plain(page)
    assert all(f'value="{value}"' in page for value in changes.values() if value)
    assert "Who gets what" not in page


def test_councils_share_too(region: ViewerRegion, site: ViewerSite, ann: Visit) -> None:
    text = plain(ann.get(page_of(region, table="band", band="high", quantity="300")))
    assert "shared out over 3 councils" in text
    rows = table_of(ann, region, table="band", band="high", quantity="300")
    assert sum(int(row["proportional_units"]) for row in rows) == 300


def test_the_picture_is_drawn(region: ViewerRegion, ann: Visit) -> None:
    for ending, begins in (("svg", b"<svg"), ("png", b"\x89PNG")):
        address = page_of(region, **ASKED).replace("/allocate?", f"/allocate/shares.{ending}?")
        response = ann.client.get(address)
        assert response.status_code == 200
        assert response.content.startswith(begins)
        tag = response.headers["etag"]
        again = ann.client.get(address, headers={"If-None-Match": tag})
        assert again.status_code == 304
    ann.get(page_of(region, **ASKED).replace("/allocate?", "/allocate/other.svg?"), 404)
    ann.get(page_of(region).replace("/allocate?", "/allocate/shares.svg?"), 404)


def test_what_is_shared_out_is_text(region: ViewerRegion, ann: Visit) -> None:
    page = page_of(region, **(ASKED | {"unit": HOSTILE}))
    for address in (page, page.replace("/allocate?", "/allocate/shares.svg?")):
        text = ann.get(address)
        assert "<script>alert" not in text
        assert "&lt;script&gt;" in text
    formula = page_of(region, **(ASKED | {"unit": "=1+1"}))
    rows = csv.DictReader(io.StringIO(ann.get(formula.replace("e?", "e/allocation.csv?"))))
    assert {row["unit"] for row in rows} == {"'=1+1"}


def test_a_withdrawn_result_says_so(region: ViewerRegion, site: ViewerSite, ann: Visit) -> None:
    page = page_of(region, "wrong", **ASKED)
    assert "do not use them" in plain(ann.get(page))
    address = page.replace("/allocate?", "/allocate/allocation.csv?")
    rows = list(csv.DictReader(io.StringIO(ann.get(address))))
    assert all("Bolton counted a street twice" in row["withdrawn"] for row in rows)
    drawn = ann.client.get(page.replace("/allocate?", "/allocate/shares.svg?")).text
    assert "WITHDRAWN" in drawn


def test_who_may_allocate(region: ViewerRegion, site: ViewerSite) -> None:
    reader = site.visit("rea", ["reader"])
    reader.get(page_of(region, **ASKED), 403)
    assert "/allocate" not in reader.get(f"/rounds/{region.id('winter')}")
    ann = site.visit("amy", ["analyst"])
    assert "/allocate" in ann.get(f"/rounds/{region.id('winter')}")
    ann.get(f"/rounds/{'0' * 32}/allocate", 404)
    ann.get(f"/rounds/{region.id('open')}/allocate", 409)
