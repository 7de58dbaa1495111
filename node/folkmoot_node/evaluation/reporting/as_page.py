"""A report as one HTML file: no script, nothing fetched, plots inside, tables beside them.

The page says to the browser what it may do (a content security policy): show its own style and
its own pictures. So a name in somebody's policy cannot make it do anything else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from importlib.resources import files
from itertools import count, groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from folkmoot_node.evaluation.reporting.document import Block, Document, Plot, Points, Sheet, Words
from folkmoot_node.evaluation.reporting.plots import svg
from folkmoot_operator.output_places import writing_to
from folkmoot_operator.private_files import write_private

_ROOM = "folkmoot_node.evaluation.reporting"


def as_page(document: Document) -> str:
    """Makes the page.

    Returns:
        HTML 5 as text; the same document gives the same text.

    Raises:
        Problem: If the libraries that draw are not installed.
    """
    style = files(_ROOM).joinpath("templates", "report.css").read_text("utf-8")
    environment = Environment(
        loader=PackageLoader(_ROOM),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    numbers = count(1)
    return environment.get_template("report.html").render(
        document=document,
        style=style,
        style_sha256=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        sections=[
            {
                "id": f"part-{at}",
                "title": section.title,
                "level": section.level,
                "blocks": list(_blocks(section.blocks, numbers)),
            }
            for at, section in enumerate(document.sections, 1)
        ],
    )


def write_page(document: Document, path: Path) -> None:
    """Writes the page to a file that this account alone may read.

    Raises:
        Problem: If the libraries that draw are not installed, or the file cannot be written.
    """
    text = as_page(document)
    with writing_to(path):
        write_private(path, text.encode(), replace=True)


def _blocks(blocks: tuple[Block, ...], numbers: Iterator[int]) -> Iterator[dict[str, Any]]:
    """What the template shows; plots that follow each other stand beside each other."""
    for is_plot, run in groupby(blocks, lambda block: isinstance(block, Plot)):
        if is_plot:
            plots = [_plot(one) for one in run if isinstance(one, Plot)]
            yield {"kind": "plots", "plots": plots}
            continue
        for block in run:
            match block:
                case Words():
                    yield {"kind": "words", "text": block.text, "is_warning": block.is_warning}
                case Points():
                    yield {"kind": "points", "entries": block.items}
                case Sheet():
                    yield {"kind": "sheet", "id": f"table-{next(numbers)}", "sheet": block}


def _plot(plot: Plot) -> dict[str, str]:
    return {
        "title": plot.title,
        "alternative": plot.alternative,
        "svg": base64.b64encode(svg(plot).encode()).decode(),
    }
