"""A table of figures as a workbook: what it is on the first sheet, the figures on the second.

Text is written as text, never as a formula or a link. A text that begins like a formula is also
marked as text, so that it stays one when somebody edits the cell.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from folkmoot_coordinator.viewer.api.figures_table import FiguresTable, described
from folkmoot_coordinator.viewer.api.written_tables import written_file
from folkmoot_coordinator.viewer.words import table_title
from folkmoot_operator.moments import to_datetime
from folkmoot_operator.spreadsheets import FORMULA
from folkmoot_web.errors import WebProblem

MOST_ROWS = 100_000
"""Of a workbook, which is written cell by cell: so many take some 15 seconds."""
_WRITING = BoundedSemaphore(2)
"""More workbooks at one time would keep pages waiting."""
_AGAIN = 20  # seconds
_FORMULA = re.compile(FORMULA)
_WIDTH = 16
_WIDE = 60


def as_xlsx(table: FiguresTable, folder: Path) -> Iterator[bytes]:
    """A workbook; the same rows give the same bytes.

    Args:
        table: At most `MOST_ROWS` rows.
        folder: Where it is written before it is sent.

    Raises:
        WebProblem: Status 503, when the first bytes are asked for, if others are being written.
    """
    return written_file(folder, lambda path: _write_in_turn(table, path))


def _write_in_turn(table: FiguresTable, path: Path) -> None:
    if not _WRITING.acquire(blocking=False):
        raise WebProblem(
            503,
            "Other workbooks are being written",
            "",
            "Try again in a minute, or ask for CSV.",
            headers={"Retry-After": str(_AGAIN)},
        )
    try:
        _write(table, path)
    finally:
        _WRITING.release()


def _write(table: FiguresTable, path: Path) -> None:
    import xlsxwriter

    options = {
        "constant_memory": True,
        "tmpdir": str(path.parent),
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    published = table.published
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties(
            {
                "title": published.stored.title,
                "company": published.region,
                "created": to_datetime(published.stored.closed_at or 0).replace(tzinfo=None),
            }
        )
        sheet = _Sheet(book, "About this table")
        sheet.sheet.set_column(0, 0, 2 * _WIDTH)
        sheet.sheet.set_column(1, 1, _WIDE * 2)
        for line in _about(table):
            sheet.add(line)
        sheet = _Sheet(book, "Figures")
        names = list(table.schema)
        sheet.sheet.set_column(0, len(names) - 1, _WIDTH)
        sheet.sheet.freeze_panes(1, 0)
        sheet.add(names, sheet.bold)
        for piece in table.pieces():
            for row in piece.iter_rows():
                sheet.add(row)
        sheet.sheet.autofilter(0, 0, max(sheet.row - 1, 1), len(names) - 1)


def _about(table: FiguresTable) -> Iterator[tuple[Any, ...]]:
    published = table.published
    if published.withdrawn:
        yield ("WITHDRAWN", f"The figures are wrong, do not use them: {published.withdrawn}")
    yield ("Title", published.stored.title)
    yield ("Table", "All tables" if table.marginal is None else table_title(table.marginal))
    yield ("Region", published.region)
    yield ("Purpose", published.round_.purpose)
    yield ("Round", published.round_.round_id)
    yield ("Policy (SHA-256)", published.round_.policy_digest.hex())
    yield ("Coverage", str(published.coverage))
    for name, values in table.chosen.items():
        yield (f"Only rows with {name}", ", ".join(map(str, values)))
    yield ("Software", " ".join(described(published)["software"].values()))
    for at, paragraph in enumerate(published.statement().split("\n\n")):
        yield ("Privacy" if at == 0 else "", " ".join(paragraph.split()))
    for name, text in table.columns.items():
        yield (f"Column {name}", text)


class _Sheet:
    """A sheet that is written row by row."""

    def __init__(self, book: Any, name: str) -> None:
        self.sheet = book.add_worksheet(name)
        self.bold = book.add_format({"bold": True})
        self._marked = book.add_format()
        self._marked.set_quote_prefix()
        self.row = 0

    def add(self, values: Any, style: Any = None) -> None:
        """Adds a row: texts, numbers, nulls."""
        for column, value in enumerate(values):
            if isinstance(value, str):
                marked = self._marked if style is None and _FORMULA.search(value) else style
                self.sheet.write_string(self.row, column, value, marked)
            elif value is not None and math.isfinite(value):
                self.sheet.write_number(self.row, column, value, style)
        self.row += 1
