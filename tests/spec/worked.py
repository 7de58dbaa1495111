"""Reads the tables of worked examples."""

from __future__ import annotations


def rows(table: str) -> list[dict[str, str]]:
    """The rows of a table as dictionaries from heading to cell."""
    lines = [line for line in table.strip().splitlines() if not set(line) <= set("|- ")]
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[1:]]


def words(cell: str) -> dict[str, str]:
    """What a cell like `purpose=fraud rho=0.6` sets."""
    return dict(pair.split("=", 1) for pair in cell.split())
