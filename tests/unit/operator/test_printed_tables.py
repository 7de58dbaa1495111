"""Printed tables lose nothing and break no word, at any width."""

from __future__ import annotations

import io
import random
import re

import pytest
from rich.console import Console
from rich.table import Column, Table

from folkmoot_operator.tables import print_table

WIDTHS = (40, 60, 80, 120, 160)


def words(text: str) -> list[str]:
    """All words of an output, without the lines of tables."""
    return re.sub(r"[─-╿]", " ", text).split()


def printed(table: Table, width: int) -> str:
    out = io.StringIO()
    print_table(table, Console(file=out, width=width, highlight=False))
    return out.getvalue()


def made(seed: int) -> Table:
    """A table with columns and cells of any length, as commands make them."""
    chance = random.Random(seed)

    def text(most: int) -> str:
        sizes = (chance.randrange(1, 1 + min(30, most)) for _ in range(chance.randrange(0, most)))
        return " ".join("".join(chance.choices("abcdefgh_", k=size)) for size in sizes)

    columns = [
        Column(
            f"H{at}{text(3)[:12]}".strip() if at and chance.random() < 0.9 else "",
            no_wrap=chance.random() < 0.2,
            justify=chance.choice(("left", "right")),
            overflow=chance.choice(("fold", "ellipsis")),
        )
        for at in range(chance.randrange(2, 9))
    ]
    table = Table(*columns)
    empty = chance.randrange(len(columns))
    for _ in range(chance.randrange(1, 6)):
        cells = [text(chance.randrange(1, 9)) for _ in columns]
        cells[empty] = ""
        table.add_row(*cells)
    return table


@pytest.mark.parametrize("width", WIDTHS)
def test_no_word_is_broken_no_header_lost_and_no_line_too_long(width: int) -> None:
    for seed in range(30):
        shown = printed(made(seed), width)
        everything = words(printed(made(seed), 5000))
        assert not set(everything) - set(words(shown)), f"seed {seed}\n{shown}"
        assert max(map(len, shown.splitlines())) <= width, f"seed {seed}\n{shown}"


def test_short_cells_stay_on_one_line() -> None:
    table = Table("Source", "Share of all records", *(f"Column{n}" for n in range(6)))
    table.add_row("council_tax_arrears", "100 %", *("9 of 10" for _ in range(6)))
    assert "100 %" in printed(table, 100)
    assert "9 of 10" in printed(table, 100)
