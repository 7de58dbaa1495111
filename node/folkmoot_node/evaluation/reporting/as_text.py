"""A report for a terminal: paragraphs and tables, without plots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Column, Table
from rich.text import Text

from folkmoot_node.evaluation.reporting.document import Block, Document, Plot, Points, Sheet, Words
from folkmoot_operator.tables import print_table

if TYPE_CHECKING:
    from rich.console import Console


def print_document(document: Document, out: Console) -> None:
    """Prints a report so that no word is broken at any width from 40 characters."""
    _say(document.title, out, style="bold")
    _say(document.subtitle, out)
    for section in document.sections:
        out.print()
        _say(section.title, out, style="bold underline" if section.level == 2 else "bold")
        for block in section.blocks:
            _print_block(block, out)
    out.print()
    for line in document.footer:
        _say(line, out)


def _print_block(block: Block, out: Console) -> None:
    match block:
        case Words():
            _say(f"Warning: {block.text}" if block.is_warning else block.text, out)
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
