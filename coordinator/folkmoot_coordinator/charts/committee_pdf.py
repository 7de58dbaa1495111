"""Turns a page of HTML into a PDF on A4, for a committee.

Nothing is fetched: a page may show the pictures that are given with it, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping

from folkmoot_coordinator.charts.palette import INK, SECONDARY
from folkmoot_coordinator.charts.picture_cache import Picture
from folkmoot_operator import printed_pages
from folkmoot_operator.printed_pages import PrintedPage

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


def print_page(html: str, pictures: Mapping[str, Picture], style: str = "") -> PrintedPage:
    """Prints a page. Equal pages give equal files.

    Args:
        html: The whole document, with `lang` and `<title>`; names in it are escaped.
        pictures: What it shows, by name: `<img src="picture:NAME" alt="...">`.
        style: CSS after ours.

    Raises:
        Problem: If WeasyPrint, or Pango that it needs from the operating system, is missing.
        ValueError: If the page is too long, or shows what was not given with it.
    """
    return printed_pages.print_page(
        html,
        extra=("folkmoot-coordinator", "viewer"),
        pictures={name: (one.content, one.media_type) for name, one in pictures.items()},
        styles=(_STYLE, style),
    )
