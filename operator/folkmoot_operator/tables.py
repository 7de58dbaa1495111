"""Prints tables so that they can be read at any width: no word is broken, no column is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from folkmoot_operator.console import console

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

_INDENT = 2
_WHOLE = 10
"""Up to so many characters, what stands in a cell is not broken between words: `100 %`."""
_UNLIMITED = 100_000
_LEAST = 24
"""Characters that the longest name of a column has to leave for what stands beside it."""


def print_table(table: Table, out: Console | None = None) -> None:
    """Prints a table, or where its words do not fit beside each other, each row as lines.

    Args:
        table: With a header, and no footer.
        out: Where to; the standard output if it is None.
    """
    out = out or console()
    widths = _widths(table, out)
    if widths is None:
        _print_rows(table, out)
        return
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    out.print(table)


def _widths(table: Table, out: Console) -> list[int] | None:
    """A width for each column that breaks no word; None if the line has no room for that."""
    from rich.measure import Measurement

    least, most = [], []
    unlimited = out.options.update_width(_UNLIMITED)
    for column in table.columns:
        sizes = [
            Measurement.get(out, unlimited, _plain(text, out))
            for text in [column.header, *column.cells]
        ]
        wide = max(size.maximum for size in sizes)
        needed = [sizes[0].maximum if column.no_wrap else sizes[0].minimum]
        for size in sizes[1:]:
            is_whole = column.no_wrap or size.maximum <= _WHOLE
            needed.append(size.maximum if is_whole else size.minimum)
        most.append(max(wide, column.min_width or 0, 1))
        least.append(max(*needed, column.min_width or 0, 1))
    room = out.width - 3 * len(least) - 1  # a blank at each side of a column, and the lines
    if sum(least) > room:
        return None
    widths = list(least)
    for _ in range(min(room, sum(most)) - sum(least)):
        lacking = [
            (have / want, at) for at, (have, want) in enumerate(zip(widths, most, strict=True))
        ]
        widths[min(lacking)[1]] += 1
    return widths


def _plain(text: RenderableType, out: Console) -> RenderableType:
    return out.render_str(text) if isinstance(text, str) else text


def _print_rows(table: Table, out: Console) -> None:
    """Prints each row as lines: the first column as their heading, then names and values."""
    from rich.measure import Measurement
    from rich.padding import Padding
    from rich.table import Table as Lines

    names = [str(column.header) for column in table.columns]
    widest = max(map(len, names[1:]), default=0)
    unlimited = out.options.update_width(_UNLIMITED)
    for row in _rows(table):
        _print_heading(names[0], row[0], out)
        words = [Measurement.get(out, unlimited, _plain(value, out)).minimum for value in row[1:]]
        beside = out.width - _INDENT - widest - 2 >= max(_LEAST, *words)
        lines = Lines.grid(padding=(0, 2))
        if beside:
            lines.add_column(no_wrap=True, width=widest)
        lines.add_column(overflow="fold")
        for name, value in zip(names[1:], row[1:], strict=True):
            if not name and value == "":
                continue
            if beside:
                lines.add_row(name, value)
            else:
                lines.add_row(f"{name}:" if name else "")
                lines.add_row(value)
        out.print(Padding(lines, (0, 0, 0, _INDENT), expand=False))


def _print_heading(name: str, value: RenderableType, out: Console) -> None:
    from rich.measure import Measurement
    from rich.table import Table as Lines

    unlimited = out.options.update_width(_UNLIMITED)
    longest = Measurement.get(out, unlimited, _plain(value, out)).minimum
    heading = Lines.grid(padding=(0, 1))
    if not name or len(name) + 1 + longest > out.width:
        if name:
            heading.add_row(name, style="bold")
        heading.add_row(value, style="bold")
        heading.columns[0].overflow = "fold"
    else:
        heading.add_column(no_wrap=True)
        heading.add_column(overflow="fold")
        heading.add_row(name, value, style="bold")
    out.print(heading)


def _rows(table: Table) -> list[Sequence[RenderableType]]:
    return list(zip(*(list(column.cells) for column in table.columns), strict=True))
