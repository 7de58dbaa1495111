"""Turns a page of HTML into a PDF on A4, for a committee: by WeasyPrint, in this process.

Nothing is fetched: a page may show the pictures that are given with it, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from folkmoot_coordinator.charts.palette import INK, SECONDARY
from folkmoot_coordinator.charts.picture_cache import Picture
from folkmoot_operator.extras import how_to_install
from folkmoot_operator.problems import ExitCode, Problem

SCHEME = "picture:"
"""A page shows the picture NAME by `<img src="picture:NAME" alt="...">`."""
MAX_HTML_BYTES = 4 * 2**20

# Liberation Sans, which Debian has, is as wide as Arial.
_STYLE = f"""
@page {{ size: A4 portrait; margin: 16mm 15mm 18mm; }}
@page {{ @bottom-right {{ content: "Page " counter(page) " of " counter(pages);
  font: 8pt Arial, "Liberation Sans", sans-serif; color: {SECONDARY}; }} }}
html {{ font: 10pt/1.35 Arial, "Liberation Sans", Helvetica, sans-serif; color: {INK}; }}
h1 {{ font-size: 17pt; line-height: 1.15; margin: 0 0 3mm; }}
h2 {{ font-size: 12.5pt; margin: 4mm 0 1.5mm; break-after: avoid; }}
p, ul, table {{ margin: 0 0 2.5mm; }}
img, svg {{ max-width: 100%; }}
figure {{ margin: 0 0 3mm; break-inside: avoid; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; padding: 1mm 2mm 1mm 0; border-bottom: 0.2mm solid {SECONDARY}; }}
td.number, th.number {{ text-align: right; }}
svg.folkmoot-map {{ max-height: 110mm; }}
.folkmoot-legend__classes {{ list-style: none; padding: 0; }}
.folkmoot-legend__classes li {{ margin-bottom: 1mm; }}
.folkmoot-legend__swatch {{ vertical-align: middle; margin-right: 2mm; }}
.lead {{ font-size: 12pt; }}
.small {{ font-size: 8.5pt; color: {SECONDARY}; }}
"""


@dataclass(frozen=True, slots=True)
class PrintedPage:
    """A page on paper.

    Attributes:
        content: The PDF file, with tags for screen readers (PDF/UA-1).
        pages: How many sheets it takes.
    """

    content: bytes
    pages: int


def print_page(html: str, pictures: Mapping[str, Picture], style: str = "") -> PrintedPage:
    """Prints a page. Equal pages give equal files.

    Args:
        html: The whole document, with `lang` and `<title>`; names in it are escaped.
        pictures: What it shows, by name.
        style: CSS after ours.

    Raises:
        Problem: If WeasyPrint, or Pango that it needs from the operating system, is missing.
        ValueError: If the page is too long, or shows what was not given with it.
    """
    if len(html) > MAX_HTML_BYTES:
        raise ValueError(f"a page has at most {MAX_HTML_BYTES // 2**20} MiB")
    weasyprint = _weasyprint()
    refused: list[str] = []
    fetcher = _fetcher(pictures, refused)
    found: list[int] = []
    document = weasyprint.HTML(string=html, url_fetcher=fetcher)
    sheets = [weasyprint.CSS(string=text, url_fetcher=fetcher) for text in (_STYLE, style) if text]
    content = document.write_pdf(
        stylesheets=sheets,
        pdf_variant="pdf/ua-1",
        # A map or chart is drawn with attributes: width and height are read from them, too.
        presentational_hints=True,
        finisher=lambda printed, pdf: found.append(len(printed.pages)),
    )
    if refused:
        raise ValueError("the page shows something that was not given with it")
    return PrintedPage(bytes(content), found[0])


def _weasyprint() -> Any:
    try:
        import weasyprint
    except ImportError:
        raise Problem(
            "PDF pages cannot be made: WeasyPrint is not installed",
            where="PDF",
            remedy=f"Install it: {how_to_install('folkmoot-coordinator', 'viewer')}",
            exit_code=ExitCode.SETTINGS,
        ) from None
    except OSError:
        raise Problem(
            "PDF pages cannot be made: WeasyPrint does not find Pango, which sets the text",
            where="PDF",
            remedy="Install it as root. On Debian: `apt install libpango-1.0-0 libpangoft2-1.0-0 "
            "libharfbuzz-subset0 fonts-liberation`",
            exit_code=ExitCode.SETTINGS,
        ) from None
    return weasyprint


def _fetcher(pictures: Mapping[str, Picture], refused: list[str]) -> Any:
    """Gives WeasyPrint the pictures; notes every other address, which it does not open."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class GivenPictures(URLFetcher):  # type: ignore[misc]
        """Knows no network and no files."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            picture = pictures.get(url.removeprefix(SCHEME)) if url.startswith(SCHEME) else None
            if picture is None:
                refused.append(url)
                raise ValueError("not given")
            return URLFetcherResponse(url, picture.content, {"Content-Type": picture.media_type})

    return GivenPictures()
