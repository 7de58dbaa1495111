"""The page on paper: A4, with its pictures and nothing else."""

from __future__ import annotations

import re
import sys
import zlib
from importlib.abc import MetaPathFinder
from pathlib import Path

import pytest

from folkmoot_coordinator.charts.committee_pdf import print_page
from folkmoot_coordinator.charts.picture_cache import Picture
from folkmoot_operator.problems import Problem
from tests.absent import absent

SVG = Picture(
    b'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="50"><path d="M0 0h9v9z"/></svg>',
    "image/svg+xml",
    "d1",
)


def page(body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><title>Committee</title></head><body>{body}</body>'
        "</html>"
    )


def unpacked(pdf: bytes) -> bytes:
    """A PDF file with its compressed streams written out behind it."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    return pdf + b"".join(zlib.decompressobj().decompress(s) for s in streams if s[:1] == b"x")


@pytest.fixture
def pango() -> None:
    try:
        import weasyprint  # noqa: F401
    except OSError:
        absent("Pango is not installed: apt-get install libpango-1.0-0 libpangoft2-1.0-0")


@pytest.mark.usefixtures("pango")
class TestPrinting:
    def test_it_is_one_a4_sheet_that_screen_readers_read(self) -> None:
        found = print_page(page('<h1>Title</h1><img src="picture:map" alt="A map">'), {"map": SVG})
        assert found.pages == 1
        assert found.content.startswith(b"%PDF-")
        content = unpacked(found.content)
        (box,) = re.findall(rb"/MediaBox ?\[0 0 ([0-9.]+) ([0-9.]+)\]", content)
        assert [float(side) / 72 * 25.4 for side in box] == pytest.approx([210, 297], abs=0.1)
        assert b"pdfuaid" in content
        assert b"/Lang (en)" in content
        assert b"/Alt (A map)" in content

    def test_it_says_how_many_sheets_it_takes(self) -> None:
        assert print_page(page("<p>line</p>" * 200), {}).pages > 1

    def test_equal_pages_are_equal_files(self) -> None:
        one, other = (print_page(page("<h1>Title</h1>"), {}) for _ in range(2))
        assert one.content == other.content

    @pytest.mark.parametrize(
        "body",
        [
            '<img src="file:///etc/passwd">',
            '<img src="http://127.0.0.1:9/a.png">',
            '<img src="picture:other">',
            '<link rel="stylesheet" href="file:///etc/passwd">',
            '<p style="background: url(file:///etc/passwd)">x</p>',
            "<style>@import url(http://127.0.0.1:9/a.css);</style>",
            '<object data="file:///etc/passwd">x</object>',
            '<svg viewBox="0 0 9 9"><image href="file:///etc/passwd" width="9" height="9"/></svg>',
        ],
    )
    def test_nothing_is_read_but_the_pictures(self, body: str) -> None:
        with pytest.raises(ValueError, match="not given with it"):
            print_page(page(body), {"map": SVG})

    def test_a_picture_that_asks_for_a_file_gets_none(self, tmp_path: Path) -> None:
        asking = (
            b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image '
            b'href="file:///etc/passwd" width="9" height="9"/></svg>'
        )
        with pytest.raises(ValueError, match="not given with it"):
            print_page(page('<img src="picture:a">'), {"a": Picture(asking, "image/svg+xml", "x")})

    def test_a_page_that_is_too_long_is_refused(self) -> None:
        with pytest.raises(ValueError, match="at most 4 MiB"):
            print_page(page("x" * 5_000_000), {})


class _Missing(MetaPathFinder):
    """Lets the import of WeasyPrint fail as it does without Pango."""

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")


def test_without_pango_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    monkeypatch.setattr(sys, "meta_path", [_Missing(), *sys.meta_path])
    with pytest.raises(Problem) as raised:
        print_page(page("x"), {})
    assert "apt install libpango-1.0-0" in raised.value.remedy


def test_without_weasyprint_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(Problem) as raised:
        print_page(page("x"), {})
    assert "folkmoot-coordinator[viewer]" in raised.value.remedy
