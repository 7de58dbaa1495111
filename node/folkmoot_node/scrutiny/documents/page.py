"""A document as one HTML file, for screen and paper: no script, nothing fetched."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from itertools import count
from typing import Any

from folkmoot_node.lone_pages import lone_page
from folkmoot_node.scrutiny.documents.answers import Answer, Statement
from folkmoot_node.scrutiny.documents.figures import SMALLEST
from folkmoot_node.scrutiny.documents.standard import Document, Filled
from folkmoot_node.scrutiny.facts import Mark
from folkmoot_node.scrutiny.scrutiny_file import FILE_NAME
from folkmoot_operator.printed_pages import print_page

_CODE = re.compile(r"[0-9a-f]{40,}")
_DIGEST_SHOWN = 12


def as_page(document: Document) -> str:
    """Makes the page.

    Returns:
        HTML 5 as text; the same document gives the same text.
    """
    # Residents do not read names of fields.
    is_plain = document.standard.is_for_residents
    numbers = count(1)
    gathered = datetime.datetime.fromisoformat(document.gathered)
    return lone_page(
        "folkmoot_node.scrutiny.documents",
        "document.html",
        "dossier.css",
        document=document,
        is_code=lambda cell: _CODE.fullmatch(cell) is not None,
        in_cell=lambda cell: cell.replace("_", " ") if is_plain else cell,
        gathered=f"{gathered:%-d %B %Y}",
        smallest=SMALLEST,
        total=sum(1 for _ in document.answers()),
        sections=[
            {
                "id": f"part-{at}",
                "title": one.section.title,
                "fields": [_field(field, numbers) for field in one.fields],
            }
            for at, one in enumerate(document.sections, 1)
        ],
    )


def as_pdf(document: Document) -> bytes:
    """The same page on A4, with tags for screen readers (PDF/UA-1).

    Raises:
        Problem: If WeasyPrint, or Pango that it needs from the operating system, is missing.
    """
    return print_page(as_page(document), extra=("folkmoot-node", "dossier")).content


def _field(field: Filled, numbers: Iterator[int]) -> dict[str, Any]:
    return {
        "number": field.ask.number,
        "title": field.ask.title,
        "tags": list(_tags(field.answer)),
        "places": list(dict.fromkeys(_places(field.answer))),
        "statements": [_statement(one, numbers) for one in field.answer.statements],
    }


def _statement(statement: Statement, numbers: Iterator[int]) -> dict[str, Any]:
    return {
        "text": statement.text,
        "grid": statement.grid,
        "is_missing": statement.mark is Mark.MISSING,
        "id": f"table-{next(numbers)}" if statement.grid else "",
    }


def _tags(answer: Answer) -> Iterator[dict[str, str]]:
    marks = {used.mark for one in answer.statements for used in one.used}
    kinds = {Mark.SYSTEM: "system", Mark.PERSON: "person", Mark.MISSING: "missing"}
    for mark, kind in kinds.items():
        if mark in marks:
            yield {"kind": kind, "text": mark.value.capitalize()}
    if any(one.held for one in answer.statements):
        yield {"kind": "held", "text": "Held by the council"}


def _places(answer: Answer) -> Iterator[str]:
    for one in answer.statements:
        for used in one.used:
            digest = f" (SHA-256 {used.sha256[:_DIGEST_SHOWN]}\u2026)" if used.sha256 else ""
            is_asked = used.mark is Mark.MISSING and used.place == FILE_NAME
            yield f"{used.place}{' (to be entered)' if is_asked else digest}"
