"""Page, API and `export` have the same numbers in every form."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from python_calamine import CalamineWorkbook

from folkmoot.precision import Reliability
from folkmoot_coordinator.aggregation.statistic import GeographicLevel
from folkmoot_coordinator.publication import long_table as pieces_of
from folkmoot_coordinator.publication.published_round import Published, PublishedRounds
from folkmoot_coordinator.viewer.api import written_tables
from folkmoot_coordinator.viewer.words import RELIABILITY, slug, span, whole
from tests.api_site import ApiSite
from tests.commands import run_inside
from tests.viewer_region import BOLTON, NAMES, REGION

FIGURES = ("value", "standard_error", "lower", "upper", "coefficient_of_variation")
AREA = re.compile(
    r'<span class="folkmoot-beside">(E01\d{6})</span>.*?'
    r'numeric">([\d,\u2212]+)<span class="folkmoot-beside">([^<]+)</span>'
    r'<span class="folkmoot-beside folkmoot-on-phones">([^<]+)</span>',
    re.DOTALL,
)
"""Of the page's table: code, figure, interval, reliability."""
ROUNDS = ("winter", "partial", "wrong", "series 3")


@pytest.fixture(params=ROUNDS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def published(site: ApiSite, name: str) -> Published:
    return PublishedRounds(site.region.database, REGION, NAMES).find(site.region.id(name))


def rows_of(site: ApiSite, name: str, table: str, key: str) -> list[dict[str, Any]]:
    answer = site.statistics(name, table, key, accept="application/json")
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["rows"]
    return rows


def test_the_api_has_the_numbers_that_pages_take(
    site: ApiSite, key: str, name: str, published: Published
) -> None:
    compared = 0
    for marginal in published.round_.workload.marginals:
        rows = rows_of(site, name, f"/{slug(marginal)}.json", key)
        for about in published.moments:
            for statistic in published.statistics(about):
                if statistic.marginal != marginal:
                    continue
                here = [
                    row
                    for row in rows
                    if (row["level"], row["place"]) == (statistic.level, statistic.place)
                    and (row.get("month"), row.get("measure")) == tuple(about)
                ]
                assert len(here) == len(statistic)
                shown = zip(
                    here, statistic.value, statistic.standard_error, statistic.lower,
                    statistic.upper, statistic.reliability, strict=True,
                )  # fmt: skip
                for row, value, error, lower, upper, reliability in shown:
                    assert row["value"] == value
                    assert row["standard_error"] == error
                    assert (row["lower"], row["upper"]) == (lower, upper)
                    assert row["reliability"] == reliability
                    compared += 1
                for attribute, codes in zip(marginal.attributes, statistic.codes, strict=True):
                    assert [row[attribute] for row in here] == codes.tolist()
    assert compared == published.table().rows


@pytest.mark.parametrize("band", ["high", "low"])
def test_a_page_shows_the_numbers_of_the_api(site: ApiSite, key: str, name: str, band: str) -> None:
    reader = f"{name.replace(' ', '-')}-{band}@example.org"
    site.account(reader, "reader")
    with site.signed_in(reader) as browser:
        page = browser.get(f"/rounds/{site.region.id(name)}/statistics/band.lsoa?band={band}")
    assert page.status_code == 200
    shown = {code: tuple(cells) for code, *cells in AREA.findall(page.text)}
    asked = f"/band.lsoa?band={band}&level=region"
    if name.startswith("series"):
        asked += "&measure=cumulative&month=3"
    rows = rows_of(site, name, asked, key)
    assert shown == {
        row["lsoa"]: (
            whole(row["value"]),
            span(row["lower"], row["upper"]),
            RELIABILITY[Reliability(row["reliability"])],
        )
        for row in rows
    }


def test_csv_and_parquet_are_those_of_the_export(
    site: ApiSite, key: str, name: str, tmp_path: Path
) -> None:
    home, round_id = site.region.home.path, site.region.id(name)
    run_inside("folkmoot-coordinator", "export", round_id, "--out", tmp_path, "--home", home).said()
    exported = pl.read_parquet(next(tmp_path.glob("*.parquet")))
    columns = [one for one in exported.columns if one != "withdrawn"]

    parquet = pl.read_parquet(site.statistics(name, ".parquet", key).content)
    assert parquet.select(columns).equals(exported.select(columns), null_equal=True)

    text = site.statistics(name, ".csv", key).text
    sent = list(csv.DictReader(io.StringIO(text)))
    theirs = list(csv.DictReader(io.StringIO(next(tmp_path.glob("*.csv")).read_text())))
    assert [{one: row[one] for one in columns} for row in sent] == [
        {one: row[one] for one in columns} for row in theirs
    ]
    as_json = rows_of(site, name, ".json", key)
    assert [{one: row[one] for one in columns} for row in as_json] == exported.select(columns).cast(
        {pl.Enum: pl.String}
    ).to_dicts()  # type: ignore[dict-item]


def test_every_row_can_stand_alone(site: ApiSite, key: str, name: str) -> None:
    stored = site.region.again(name)
    withdrawn = str(stored.withdrawal) if stored.withdrawal else None
    rows = rows_of(site, name, "/band.lsoa", key)
    assert {row["round_id"] for row in rows} == {stored.round_.round_id}
    assert {row["policy_digest"] for row in rows} == {stored.round_.policy_digest.hex()}
    assert {row["withdrawn"] for row in rows} == {withdrawn}
    for row in rows:
        assert (row["coverage"] is None) == (row["level"] == "council")


def test_a_workbook_has_them_too(site: ApiSite, key: str, name: str) -> None:
    answer = site.statistics(name, "/band.lsoa.xlsx", key)
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    assert book.sheet_names == ["About this table", "Figures"]
    about = book.get_sheet_by_name("About this table").to_python()
    assert (about[0][0] == "WITHDRAWN") == (name == "wrong")
    header, *cells = book.get_sheet_by_name("Figures").to_python()
    rows = rows_of(site, name, "/band.lsoa", key)
    assert len(cells) == len(rows)
    for cell, row in zip(cells, rows, strict=True):
        seen: Mapping[Any, Any] = dict(zip(header, cell, strict=True))
        assert {one: seen[one] for one in FIGURES if row[one] is not None} == pytest.approx(
            {one: row[one] for one in FIGURES if row[one] is not None}, rel=1e-14
        )
        assert all(seen[one] == "" for one, value in row.items() if value is None)
        assert seen["reliability"] == row["reliability"]


def test_features_have_the_figures_of_their_areas(site: ApiSite, key: str, name: str) -> None:
    answer = site.statistics(name, "/band.lsoa.geojson?band=high", key)
    assert answer.headers["content-type"] == "application/geo+json"
    found = json.loads(answer.content)
    rows = [
        row
        for row in rows_of(site, name, "/band.lsoa", key)
        if row["band"] == "high" and row["level"] == GeographicLevel.REGION
    ]
    assert [one["properties"] for one in found["features"]] == rows
    released = {row["lsoa"] for row in rows}
    assert released <= {code for codes in site.region.areas.values() for code in codes}
    for feature in found["features"]:
        assert feature["geometry"]["type"] == "Polygon"


def test_a_feature_has_the_boundary_of_its_area(site: ApiSite, key: str) -> None:
    import shapely

    file = json.loads((site.region.home.path / "areas.geojson").read_text())
    shapes = {
        one["properties"]["lsoa21_code"]: shapely.geometry.shape(one["geometry"])
        for one in file["features"]
    }
    found = json.loads(site.statistics("winter", "/lsoa.geojson", key).content)
    assert len(found["features"]) == len(shapes)
    for feature in found["features"]:
        area = shapely.geometry.shape(feature["geometry"])
        real = shapes[feature["properties"]["lsoa"]]
        assert area.is_valid
        assert area.exterior.is_ccw
        assert area.symmetric_difference(real).area < 0.02 * real.area


def test_of_a_table_without_areas_features_are_councils(site: ApiSite, key: str) -> None:
    found = json.loads(site.statistics("winter", "/band.geojson?band=low", key).content)
    assert [one["properties"]["place"] for one in found["features"]] == sorted(NAMES)
    assert all(one["geometry"] for one in found["features"])


def test_rows_are_chosen_by_parameters(site: ApiSite, key: str) -> None:
    every = rows_of(site, "winter", "/band.lsoa", key)
    asked = f"?band=high&band=low&place={BOLTON}&level=council"
    chosen = rows_of(site, "winter", f"/band.lsoa{asked}", key)
    assert chosen == [
        row
        for row in every
        if row["band"] in ("high", "low") and row["place"] == BOLTON and row["level"] == "council"
    ]
    assert 0 < len(chosen) < len(every)
    of_month = rows_of(site, "series 3", "/band.json?month=2&measure=new", key)
    assert {(row["month"], row["measure"]) for row in of_month} == {(2, "new")}


def test_large_tables_are_sent_in_pieces(
    site: ApiSite, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    forms = (".json", ".csv", ".parquet", ".geojson")
    whole = {form: site.statistics("winter", f"/band.lsoa{form}", key).content for form in forms}
    monkeypatch.setattr(pieces_of, "ROWS_AT_ONCE", 50)
    monkeypatch.setattr(written_tables, "_AT_ONCE", 7)
    for form, content in whole.items():
        pieces = site.statistics("winter", f"/band.lsoa{form}", key).content
        if form == ".parquet":
            assert pl.read_parquet(pieces).equals(pl.read_parquet(content))
        else:
            assert pieces == content
    assert not list(site.region.home.viewer_cache.glob("download-*"))
