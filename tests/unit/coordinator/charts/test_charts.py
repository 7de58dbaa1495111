"""Charts: what they say, that they are harmless, and that they are drawn once."""

from __future__ import annotations

import io
import logging
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from folkmoot_coordinator.charts import picture_cache
from folkmoot_coordinator.charts.band_chart import BandChart, Bar
from folkmoot_coordinator.charts.chart import Chart
from folkmoot_coordinator.charts.drawing import PictureKind, draw_chart, draw_png
from folkmoot_coordinator.charts.interval_chart import (
    MAX_ROWS,
    IntervalChart,
    IntervalRow,
    Kind,
    rank_intervals,
    ranked_areas,
    shares,
)
from folkmoot_coordinator.charts.picture_cache import PictureCache
from folkmoot_coordinator.charts.precision_chart import ExpectedTable, PrecisionChart
from folkmoot_operator.problems import Problem
from tests.unit.coordinator.charts.plain_svg import HOSTILE, parsed, texts

NAMES = ["Bolton", "Bury", *HOSTILE, "Bury"]
"""One comes twice, as names of wards do."""


def charts(narrow: bool = False, title: str = "A title") -> dict[str, Chart]:
    rows = [(name, 10.0 + n, 5.0 + n, 16.0 + n) for n, name in enumerate(NAMES)]
    return {
        "ranked": ranked_areas(
            title, "Households", [(*row, n % 2 > 0) for n, row in enumerate(rows)], narrow=narrow
        ),
        "ranks": rank_intervals(
            title,
            [(name, n + 1, max(1, n - 1), n + 3) for n, name in enumerate(NAMES)],
            narrow=narrow,
        ),
        "shares": shares(
            title,
            "Parcels",
            [(name, kind, *row) for name, *row in rows[:8] for kind in ("One way", HOSTILE[0])],
            narrow=narrow,
        ),
        "one share": shares(
            title, "Share", [(n, "p", 0.1, 0.0, 0.2) for n in NAMES], narrow=narrow
        ),
        "two intervals": IntervalChart(
            title,
            "Share",
            tuple(IntervalRow(n, 0.2, 0.1, 0.3, outer=(0.05, 0.4)) for n in NAMES),
            share=True,
            narrow=narrow,
        ),
        "bands": BandChart(
            title,
            "Households",
            tuple(Bar(band, 9.0, 5.0, 12.0) for band in ("{{ 7 }}", *HOSTILE[:3])),
            narrow=narrow,
        ),
        "precision": PrecisionChart(
            title,
            tuple(ExpectedTable(name, 3.0, None if n else 0.5) for n, name in enumerate(NAMES)),
            subtitle=title,
            narrow=narrow,
        ),
    }


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("name", charts())
def test_each_chart_is_plain_svg_and_names_stay_text(name: str, narrow: bool) -> None:
    chart = charts(narrow, title=f"A title {HOSTILE[0]}")[name]
    root = parsed(draw_chart(chart, PictureKind.SVG).decode())
    said = texts(root)
    assert any("A title" in text for text in said)
    assert any("<script>" in text for text in said)
    assert any("{{ 7" in text for text in said)
    assert float(root.get("width") or 0) <= (380 if narrow else 780)


def test_rows_come_in_their_order_with_their_names() -> None:
    svg = draw_chart(ranked_areas("T", "Households", [
        ("Zeal", 3.0, 2.0, 4.0, True), ("Ash", 9.0, 2.0, 14.0, False), ("Ash", 1.0, 0.0, 2.0, True),
    ]), PictureKind.SVG).decode()  # fmt: skip
    said = texts(parsed(svg))
    assert [text for text in said if text in {"Zeal", "Ash"}] == ["Zeal", "Ash", "Ash"]
    assert {"Class is certain", "Class is not certain", "Households"} <= set(said)


def test_what_cannot_be_drawn_is_refused() -> None:
    row = IntervalRow("a", 1, 0, 2)
    with pytest.raises(ValueError, match="1 to 60 rows"):
        IntervalChart("T", "x", ())
    with pytest.raises(ValueError, match="1 to 60 rows"):
        IntervalChart("T", "x", (row,) * (MAX_ROWS + 1))
    with pytest.raises(ValueError, match="kind of a row"):
        IntervalChart("T", "x", (row,), kinds=(Kind("b", "#000000"),))
    with pytest.raises(ValueError, match="a bar at least"):
        BandChart("T", "x", ())
    with pytest.raises(ValueError, match="1 to 40 tables"):
        PrecisionChart("T", ())


def test_a_png_has_two_pixels_for_each_of_the_picture() -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"><path fill="#1d70b8" ' \
        'd="M0 0h30v20h-30z"/></svg>'  # fmt: skip
    image = Image.open(io.BytesIO(draw_png(svg)))
    assert image.size == (60, 40)
    assert image.convert("RGB").getpixel((30, 20)) == (0x1D, 0x70, 0xB8)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Chart]:
    """Grows with each chart that is drawn; draws nothing."""
    times: list[Chart] = []

    def counted(chart: Chart, kind: PictureKind) -> bytes:
        times.append(chart)
        return f"{kind} {len(times)} {'x' * 1000}".encode()

    monkeypatch.setattr(picture_cache, "draw_chart", counted)
    return times


def test_equal_charts_are_drawn_once(tmp_path: Path, drawn: list[Chart]) -> None:
    cache = PictureCache(tmp_path / "pictures")
    first = cache.chart(charts()["ranked"], PictureKind.SVG)
    again = PictureCache(tmp_path / "pictures").chart(charts()["ranked"], PictureKind.SVG)
    assert first == again
    assert (first.media_type, len(drawn)) == ("image/svg+xml", 1)
    (file,) = (tmp_path / "pictures").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_other_charts_have_other_pictures(tmp_path: Path, drawn: list[Chart]) -> None:
    cache = PictureCache(tmp_path / "pictures")
    ranked = charts()["ranked"]
    assert isinstance(ranked, IntervalChart)
    moved = replace(ranked, rows=(replace(ranked.rows[0], high=99.0), *ranked.rows[1:]))
    found = [
        cache.chart(ranked, PictureKind.SVG),
        cache.chart(ranked, PictureKind.PNG),
        cache.chart(replace(ranked, narrow=True), PictureKind.SVG),
        cache.chart(moved, PictureKind.SVG),
        cache.chart(charts()["shares"], PictureKind.SVG),
    ]
    assert len({one.digest for one in found}) == len(drawn) == 5
    assert found[1].media_type == "image/png"


def test_the_folder_is_bounded_and_the_oldest_go(tmp_path: Path, drawn: list[Chart]) -> None:
    cache = PictureCache(tmp_path / "pictures", most_bytes=10_500)
    for number in range(25):
        cache.chart(BandChart("T", "x", (Bar("a", number, 0, 2),)), PictureKind.SVG)
        kept = sum(one.stat().st_size for one in (tmp_path / "pictures").iterdir())
        assert kept <= 10_500
    last = BandChart("T", "x", (Bar("a", 24, 0, 2),))
    cache.chart(last, PictureKind.SVG)
    assert len(drawn) == 25


def test_a_folder_that_cannot_be_written_is_no_reason_to_show_nothing(
    tmp_path: Path, drawn: list[Chart], caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "pictures").write_text("a file has its name")
    with caplog.at_level(logging.WARNING):
        found = PictureCache(tmp_path / "pictures").chart(charts()["ranks"], PictureKind.SVG)
    assert found.content
    assert "could not be kept" in caplog.text


def test_an_axis_names_each_rank_once() -> None:
    chart = rank_intervals("T", [("A", 1, 1, 2), ("B", 2, 1, 2)])
    drawn = draw_chart(chart, PictureKind.SVG).decode()
    axis = [text for text in re.findall(r"<text[^>]*>([^<]*)</text>", drawn) if text.isdigit()]
    assert axis == ["1", "2"]


@pytest.mark.parametrize("library", ["altair", "vl_convert"])
def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(Problem) as raised:
        draw_chart(charts()["ranked"], PictureKind.SVG)
    assert "folkmoot-coordinator[viewer]" in raised.value.remedy
