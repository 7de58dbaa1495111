"""Recognises rows of a file that are no records: repeated headers, totals, notes, rulers.

Reports are made for readers: a title above, totals between, who printed them below. Such a row
read as a record is a household that does not exist, or a debt that nobody has.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot_sdk.parameters import parameter

EMPTY = "row without a value"
HEADER = "header repeated between the records"
TOTAL = "row of totals"
NOTE = "title or note, not a record"
RULER = "line drawn with signs"
COMMENT = "comment"
ABOVE = "line above the header"

_TOTAL = re.compile(
    r"[\W_]*(?:(?:grand|sub|over-?all|running|report|page|column|account|ward|area)[\s_-]*){0,2}"
    r"totals?\b(?!\s+[a-z]+\s+(?:ltd|limited|plc))",
    re.IGNORECASE,
)
_DONE = (
    r"(?:run|printed|produced|generated|extracted|created|exported|prepared|executed|downloaded"
    r"|completed|refreshed|compiled)"
)
_WHAT = r"(?:report|extract|export|data|file|list|query|print(?:out)?|job)"
_NOTE = re.compile(
    r"[\W_]*(?:"
    r"page\s*:?\s*[0-9]+"
    rf"|(?:end|start|bottom)\s+of\s+(?:the\s+)?{_WHAT}"
    r"|end\s+of\s+(?:page|section|records?)"
    rf"|(?:this\s+)?{_WHAT}?\s*(?:was\s+)?{_DONE}\s*(?:on|at|by|from|date|time|for|:|-|[0-9])"
    rf"|{_WHAT}\s*(?:run|date|time|id|ref(?:erence)?|name|title|parameters?|criteria|as\s+at)\b"
    r"|(?:completion|run|print)\s+(?:time|date)\b"
    r"|[0-9][0-9,]*\s*(?:rows?|records?|lines?)(?:\s*\(s\))?"
    r"(?:\s+(?:affected|selected|returned|printed|exported|found|read|written|in\s+total))?\W*$"
    r"|(?:number|no\.?|count)\s+of\s+(?:rows?|records?|accounts?|cases?|people|properties)\b"
    r"|(?:rows?|records?)\s*(?:count|printed|selected|exported|returned|in\s+(?:file|report))\b"
    r"|(?:official|private\s+and\s+confidential|confidential|restricted|protect)"
    r"(?:[\s:\u2013-]*(?:sensitive|personal|only))*\W*$"
    r"|(?:source|notes?|note\s+[0-9]+|filters?|parameters|user)\s*:"
    r"|\x1a"
    r")",
    re.IGNORECASE,
)
_RULED = re.compile(r"[-=_*~#+|\s]*[-=_*~#]{3}[-=_*~#+|\s]*")


@dataclass(frozen=True, slots=True)
class LeaveOut:
    """Rows that are no records, because a column holds or begins with one of some texts.

    Attributes:
        column: Column of the file.
        values: Texts that it holds.
        starts_with: Texts that it begins with.
        reason: What such rows are, for the summary.
    """

    column: str
    values: tuple[str | int, ...] = parameter(default=(), name="in")
    starts_with: tuple[str, ...] = ()
    reason: str = ""

    def __post_init__(self) -> None:
        if not self.values and not any(text.strip() for text in self.starts_with):
            raise ValueError("give texts by `in` or by `starts_with`")

    @property
    def texts(self) -> tuple[str, ...]:
        """The values as texts."""
        return tuple(str(value) for value in self.values)

    @property
    def why(self) -> str:
        """Why the rows are left out."""
        return self.reason or f"the mapping leaves it out for its {self.column}"

    def matches(self, text: str) -> bool:
        """Whether a cell is one of the texts, or begins with one."""
        text = text.strip()
        return text in self.texts or any(text.startswith(begin) for begin in self.starts_with)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around the records of a file, as its mapping says.

    Attributes:
        skip_rows: Number of lines above the header; None to find the header by its names.
        comment: What comments begin with; empty if there are none.
        keys: Columns that say whom a record is about: a row of totals has none.
        rules: What else is no record.
    """

    skip_rows: int | None = None
    comment: str = ""
    keys: tuple[str, ...] = ()
    rules: tuple[LeaveOut, ...] = ()


@dataclass(frozen=True, slots=True)
class NotRecords:
    """Says which rows of one file are no records.

    Attributes:
        names: The names of its columns.
        around: What the mapping says.
        above: The texts of the lines above the header, which reports repeat on each page.
    """

    names: Sequence[str]
    around: Surroundings
    above: frozenset[str] = frozenset()

    def reason(self, cells: Sequence[str]) -> str:
        """Why a row is no record; empty if it may be one.

        Args:
            cells: The row, with as many cells as it has.
        """
        filled = [cell.strip() for cell in cells if cell.strip()]
        if not filled:
            return EMPTY
        if [cell.strip() for cell in cells] == list(self.names):
            return HEADER
        if all(_RULED.fullmatch(cell) for cell in filled):
            return RULER
        first = filled[0]
        if self._has_no_key(cells, first) and _TOTAL.match(first):
            return TOTAL
        if len(filled) == 1 or len(cells) < len(self.names):
            if first in self.above or _NOTE.match(first):
                return NOTE
            if " ".join(filled) in self.above:
                return NOTE
        return self._ruled_out(cells)

    def _has_no_key(self, cells: Sequence[str], first: str) -> bool:
        held = {self._cell(cells, name) for name in self.around.keys} - {"", first}
        return not held

    def _ruled_out(self, cells: Sequence[str]) -> str:
        for rule in self.around.rules:
            if rule.matches(self._cell(cells, rule.column)):
                return rule.why
        return ""

    def _cell(self, cells: Sequence[str], name: str) -> str:
        at = self.names.index(name) if name in self.names else len(cells)
        return cells[at].strip() if at < len(cells) else ""
