"""What browsers may keep, and names that are no names."""

from __future__ import annotations

import contextlib
import re
import zlib
from collections.abc import Iterator

import pytest

from folkmoot_coordinator.rounds.withdrawal import reinstate, withdraw
from folkmoot_coordinator.viewer.pages import committee
from tests.viewer_region import (
    BOLTON,
    BURY,
    HOSTILE,
    ViewerRegion,
    fill,
    fill_series,
    serving_region,
    viewer_region,
)
from tests.web_site import Browser, RunningSite


def pages(region: ViewerRegion) -> list[str]:
    """Each page that shows a result or a name."""
    base = f"/rounds/{region.id('winter')}"
    return [
        "/",
        base,
        f"{base}/statistics/band.lsoa?since={region.id('earlier')}&a=E01000001&b=E01000002",
        f"{base}/statistics/band",
        f"{base}/method",
        f"{base}/committee",
        f"/rounds/{region.id('partial')}/statistics/band.lsoa",
        f"/councils/{BOLTON}",
        f"/series/{'5' * 32}?table=band",
    ]


def pictures(region: ViewerRegion) -> list[str]:
    base = f"/rounds/{region.id('winter')}/pictures"
    return [
        f"{base}/{name}.svg?table=band.lsoa&since={region.id('earlier')}"
        for name in ("ranked", "ranks", "bands", "change", "map")
    ] + [f"/series/{'5' * 32}/rounds.svg?table=band"]


def test_a_result_is_kept_and_asked_about(analyst: Browser, region: ViewerRegion) -> None:
    for path in [*pages(region)[2:4], pages(region)[5], *pictures(region)]:
        first = analyst.get(path)
        assert first.status_code == 200
        assert first.headers["cache-control"] == "private, no-cache"
        tag = first.headers["etag"]
        assert re.fullmatch(r'"[0-9a-f]{32}(-gzip)?"', tag), "strong"
        again = analyst.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        other = analyst.get(path, headers={"If-None-Match": '"zebra"'})
        assert other.status_code == 200
        assert other.content == first.content, "the same tag, the same bytes"
        assert analyst.head(path).headers["etag"] == tag


def test_tags_differ_by_encoding_reader_and_withdrawal(
    analyst: Browser, reader: Browser, region: ViewerRegion
) -> None:
    path = f"/rounds/{region.id('earlier')}/statistics/band"
    tag = analyst.get(path).headers["etag"]
    assert analyst.get(path, headers={"Accept-Encoding": "identity"}).headers["etag"] != tag
    assert reader.get(path).headers["etag"] != tag
    withdraw(region.database, region.id("earlier"), "A test", region.clock(), "test")
    try:
        answer = analyst.get(path, headers={"If-None-Match": tag})
        assert answer.status_code == 200, "what was withdrawn is not shown from memory"
        assert "A test" in answer.text
    finally:
        reinstate(region.database, region.id("earlier"), "A test", region.clock(), "test")
    assert analyst.get(path, headers={"If-None-Match": tag}).status_code == 304


def test_whoever_signed_out_gets_nothing(site: RunningSite, region: ViewerRegion) -> None:
    path = f"/rounds/{region.id('winter')}/statistics/band"
    with Browser(site) as client:
        client.sign_in("reader@example.gov.uk")
        tag = client.get(path).headers["etag"]
        client.cookies.clear()
        answer = client.get(path, headers={"If-None-Match": tag})
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in")


def pages_of(pdf: bytes) -> int:
    """How many pages a PDF file has; its objects may be compressed."""
    found = pdf
    for packed in re.findall(rb"(?s)stream\r?\n(.*?)endstream", pdf):
        with contextlib.suppress(zlib.error):
            found += zlib.decompressobj().decompress(packed)
    [count] = set(re.findall(rb"/Type\s*/Pages\b[^>]*?/Count (\d+)", found)) | set(
        re.findall(rb"/Count (\d+)[^>]*?/Type\s*/Pages\b", found)
    )
    return int(count)


def test_a_sheet_is_one_page(analyst: Browser, region: ViewerRegion) -> None:
    for name, query in (("winter", "table=band.lsoa"), ("wrong", "table=band"),
                        ("partial", f"table=lsoa&place={BURY}")):  # fmt: skip
        answer = analyst.get(f"/rounds/{region.id(name)}/committee.pdf?{query}")
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF-")
        assert pages_of(answer.content) == 1


def test_pictures_are_png_too(analyst: Browser, region: ViewerRegion) -> None:
    for path in pictures(region):
        answer = analyst.get(path.replace(".svg", ".png"))
        assert answer.headers["content-type"] == "image/png"
        assert answer.content.startswith(b"\x89PNG")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerRegion]:
    """A region whose councils, areas and rounds have markup for names."""
    folder = tmp_path_factory.mktemp("hostile")
    names = {BOLTON: f"Bolton{HOSTILE}", BURY: HOSTILE}
    with viewer_region(folder, area_name=HOSTILE, names=names) as made:
        yield fill_series(fill(made, HOSTILE), HOSTILE)


def test_hostile_names_are_text(hostile: ViewerRegion) -> None:
    with serving_region(hostile) as site, Browser(site) as client:
        client.sign_in("analyst@example.gov.uk")
        for path in [*pages(hostile), *pictures(hostile)]:
            answer = client.get(path)
            assert answer.status_code == 200, path
            assert "<script>alert" not in answer.text, path
            assert "49" not in re.findall(r"&amp;(\{\{7\*7\}\}|49)", answer.text), path
            if ".svg" not in path:
                assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text, path
        sheet = client.get(f"/rounds/{hostile.id('winter')}/committee.pdf?table=band.lsoa")
        assert sheet.status_code == 200
        search = client.get("/", params={"find": HOSTILE})
        assert "<script>alert" not in search.text
        typed = client.get(
            f"/rounds/{hostile.id('winter')}/statistics/band.lsoa",
            params={"a": HOSTILE, "find": HOSTILE, "sort": HOSTILE},
        )
        assert "<script>alert" not in typed.text
        assert typed.status_code == 200


def test_a_region_without_boundaries_has_tiles(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("tiles")
    with viewer_region(folder, with_boundaries=False) as made:
        fill(made)
        with serving_region(made) as site, Browser(site) as client:
            client.sign_in("reader@example.gov.uk")
            base = f"/rounds/{made.id('winter')}"
            page = client.get(f"{base}/statistics/band").text
            assert "folkmoot-map--tiles" in page
            assert "squares do not lie where the councils do" in page
            page = client.get(f"{base}/statistics/band.lsoa").text
            assert "There is no map of these areas" in page
            assert "folkmoot-map" not in page.replace("folkmoot-mapped", "")
            assert client.get(f"{base}/pictures/map.svg?table=band.lsoa").status_code == 404
            sheet = client.get(f"{base}/committee.pdf?table=band.lsoa")
            assert sheet.content.startswith(b"%PDF-")


def test_a_broken_file_of_boundaries_is_named_on_the_page(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("broken")
    with viewer_region(folder, shapes='{"type": "FeatureCollection", "features": [') as made:
        fill(made)
        with serving_region(made) as site, Browser(site) as client:
            client.sign_in("reader@example.gov.uk")
            answer = client.get(f"/rounds/{made.id('winter')}/statistics/band.lsoa")
            assert answer.status_code == 200, "figures are shown without their map"
            assert "The map cannot be drawn" in answer.text


def test_the_database_gone_is_said_and_comes_back(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("gone")
    with viewer_region(folder) as made:
        fill(made)
        with serving_region(made) as site, Browser(site) as client:
            client.sign_in("reader@example.gov.uk")
            path = f"/rounds/{made.id('winter')}"
            assert client.get(path).status_code == 200
            made.database.close()
            site.app.state.region.database.close()
            file, aside = made.home.database_file, made.home.path / "aside"
            file.rename(aside)
            answer = client.get(path)
            assert answer.status_code in (500, 503)
            assert "Code:" in answer.text
            assert str(made.home.path) not in answer.text
            aside.rename(file)
            assert client.get(path).status_code == 200, "without a restart"


def test_few_sheets_are_printed_at_one_time(analyst: Browser, region: ViewerRegion) -> None:
    sheet = f"/rounds/{region.id('partial')}/committee.pdf?table=lsoa"
    with committee._PRINTING, committee._PRINTING:
        answer = analyst.get(sheet)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert "Other pages are being printed" in answer.text
    assert analyst.get(sheet).content.startswith(b"%PDF")
    with committee._PRINTING, committee._PRINTING:
        assert analyst.get(sheet).status_code == 200, "one that was printed is kept"
