"""Turns a page of HTML into a PDF by WeasyPrint, in this process.

Nothing is fetched: a page may show the pictures that are given with it, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from folkmoot_operator.extras import how_to_install
from folkmoot_operator.problems import ExitCode, Problem

SCHEME = "picture:"
"""A page shows the picture NAME by `<img src="picture:NAME" alt="...">`."""
MAX_HTML_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True)
class PrintedPage:
    """A page on paper.

    Attributes:
        content: The PDF file, with tags for screen readers (PDF/UA-1).
        pages: How many sheets it takes.
    """

    content: bytes
    pages: int


def print_page(
    html: str,
    *,
    extra: tuple[str, str],
    pictures: Mapping[str, tuple[bytes, str]] | None = None,
    styles: tuple[str, ...] = (),
) -> PrintedPage:
    """Prints a page. Equal pages give equal files.

    Args:
        html: The whole document, with `lang` and `<title>`; names in it are escaped.
        extra: The distribution and its extra that bring WeasyPrint.
        pictures: What it shows, by name: the file and its media type.
        styles: CSS besides that of the page.

    Raises:
        Problem: If WeasyPrint, or Pango that it needs from the operating system, is missing.
        ValueError: If the page is too long, or shows what was not given with it.
    """
    if len(html) > MAX_HTML_BYTES:
        raise ValueError(f"a page has at most {MAX_HTML_BYTES // 2**20} MiB")
    weasyprint = _weasyprint(extra)
    refused: list[str] = []
    fetcher = _fetcher(pictures or {}, refused)
    found: list[int] = []
    document = weasyprint.HTML(string=html, url_fetcher=fetcher)
    sheets = [weasyprint.CSS(string=text, url_fetcher=fetcher) for text in styles if text]
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


def _weasyprint(extra: tuple[str, str]) -> Any:
    try:
        import weasyprint
    except ImportError:
        raise Problem(
            "PDF pages cannot be made: WeasyPrint is not installed",
            where="PDF",
            remedy=f"Install it: {how_to_install(*extra)}",
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


def _fetcher(pictures: Mapping[str, tuple[bytes, str]], refused: list[str]) -> Any:
    """Gives WeasyPrint the pictures; notes every other address, which it does not open."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class GivenPictures(URLFetcher):  # type: ignore[misc]
        """Knows no network and no files."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            picture = pictures.get(url.removeprefix(SCHEME)) if url.startswith(SCHEME) else None
            if picture is None:
                refused.append(url)
                raise ValueError("not given")
            content, media_type = picture
            return URLFetcherResponse(url, content, {"Content-Type": media_type})

    return GivenPictures()
