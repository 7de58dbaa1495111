"""A report for a terminal: paragraphs and tables, without plots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Column, Table
from rich.text import Text

from folkmoot_node.evaluation.reporting.document import Block, Document, Plot, Points, Sheet, Words
from folkmoot_operator.tables import print_table

if TYPE_CHECKING:
    from rich.console import Console


def print_document(document: Document, out: Console, *, everything: bool) -> None:
    """Prints a report so that no word is broken at any width from 40 characters.

    Args:
        document: The report.
        out: Where to.
        everything: Whether all sections, or those that are the report in short.
    """
    _say(document.title, out, style="bold")
    _say(document.subtitle, out)
    for section in document.sections:
        if not (everything or section.in_short):
            continue
        out.print()
        _say(section.title, out, style="bold underline" if section.level == 2 else "bold")
        for at, block in enumerate(section.blocks):
            if at and isinstance(block, Words) and block.lead:
                out.print()
            _print_block(block, out)
    out.print()
    for line in document.footer:
        _say(line, out)
    if not everything and document.rest:
        _say(document.rest, out)


def _print_block(block: Block, out: Console) -> None:
    match block:
        case Words():
            _words(block, out)
        case Points():
            for item in block.items:
                _item(item, out)
        case Sheet():
            out.print()
            _say(f"{block.caption}:", out)
            print_table(_table(block), out)
            if block.note:
                _say(block.note, out)
        case Plot():  # its figures are in the table before it
            pass


def _words(words: Words, out: Console) -> None:
    lead = "Warning:" if words.is_warning else words.lead
    out.print(Text.assemble((lead, "bold"), " " if lead else "", words.text))


def _table(sheet: Sheet) -> Table:
    table = Table(
        *(
            Column(name, overflow="fold", justify="left" if at in sheet.words else "right")
            for at, name in enumerate(sheet.columns)
        )
    )
    for row in sheet.rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _item(text: str, out: Console) -> None:
    lines = Table.grid(padding=(0, 1))
    lines.add_row("-", Text(text))
    out.print(lines)


def _say(text: str, out: Console, style: str | None = None) -> None:
    out.print(text, markup=False, style=style)
