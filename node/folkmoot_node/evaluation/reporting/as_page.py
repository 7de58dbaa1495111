"""A report as one HTML file: no script, nothing fetched, plots inside, tables beside them."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from itertools import count, groupby
from pathlib import Path
from typing import Any

from folkmoot_node.evaluation.reporting.document import Block, Document, Plot, Points, Sheet, Words
from folkmoot_node.evaluation.reporting.plots import svg
from folkmoot_node.lone_pages import lone_page
from folkmoot_operator.output_places import writing_to
from folkmoot_operator.private_files import write_private


def as_page(document: Document) -> str:
    """Makes the page.

    Returns:
        HTML 5 as text; the same document gives the same text.

    Raises:
        Problem: If the libraries that draw are not installed.
    """
    numbers = count(1)
    return lone_page(
        "folkmoot_node.evaluation.reporting",
        "report.html",
        "report.css",
        document=document,
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
    """What the template shows: plots that follow each other in one row, one beside its table."""
    waiting: dict[str, Any] | None = None
    for is_plot, run in groupby(blocks, lambda block: isinstance(block, Plot)):
        if is_plot:
            plots = [_plot(one) for one in run if isinstance(one, Plot)]
            if waiting is not None and len(plots) == 1:
                yield {**waiting, "kind": "beside", "plots": plots}
            else:
                yield from () if waiting is None else (waiting,)
                yield {"kind": "plots", "plots": plots}
            waiting = None
            continue
        *before, last = (_block(block, numbers) for block in run)
        yield from before
        if last["kind"] == "sheet":
            waiting = last
        else:
            yield last
    if waiting is not None:
        yield waiting


def _block(block: Block, numbers: Iterator[int]) -> dict[str, Any]:
    match block:
        case Words():
            return {
                "kind": "words",
                "text": block.text,
                "is_warning": block.is_warning,
                "lead": block.lead,
            }
        case Points():
            return {"kind": "points", "entries": block.items}
        case Sheet():
            return {"kind": "sheet", "id": f"table-{next(numbers)}", "sheet": block}
        case Plot():
            return {"kind": "plots", "plots": [_plot(block)]}


def _plot(plot: Plot) -> dict[str, str]:
    return {
        "title": plot.title,
        "alternative": plot.alternative,
        "about_line": plot.about_line,
        "svg": base64.b64encode(svg(plot).encode()).decode(),
    }
