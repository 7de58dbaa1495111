"""The public cells of the histogram, as numbers and as area codes."""

from __future__ import annotations

CELLS = 1_000


def area(cell: int) -> str:
    """The area code of a cell."""
    return f"E01{cell:06}"
