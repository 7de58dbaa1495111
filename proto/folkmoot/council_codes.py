"""The councils that run nodes: districts and unitary councils, which ended, and what followed.

The list is `councils.csv`: a line for each code that has been a council's since 2009, with its
source. It holds what is certain. Codes are issued after it was written, so that a code which it
lacks is doubtful and not wrong, and a newer file of the same form adds lines or replaces them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from itertools import permutations
from pathlib import Path

from folkmoot.errors import ContractError
from folkmoot.geography import GssCode

COUNCIL_LIST = "councils.csv"
WRITTEN = date(2025, 4, 1)
"""Changes up to this day are in the list."""
BEGINNINGS = ("E06", "E07", "E08", "E09", "W06", "S12", "N09")
"""How the codes of districts and unitary councils begin. Source: ONS, Register of Geographic
Codes."""
WHICH_CODE = (
    "Give the code of the council whose homes are scored: it begins with "
    f"{', '.join(BEGINNINGS[:-1])} or {BEGINNINGS[-1]}"
)
"""What to do about a code that is no council's."""
_COLUMNS = ["code", "name", "operative", "ended", "successors", "source"]


@dataclass(frozen=True, slots=True)
class CouncilLine:
    """What is known of a code.

    Attributes:
        code: The code.
        name: The council's name.
        operative: First day of the code; None if that was before 2009, or is not certain.
        ended: First day on which it stands for nothing any more; None if it goes on, or the day
            is not certain.
        successors: Codes that its homes belong to since; () if it goes on.
        source: The order that made or ended it, or the register it stands in.
    """

    code: GssCode
    name: str
    operative: date | None
    ended: date | None
    successors: tuple[GssCode, ...]
    source: str

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


@dataclass(frozen=True, slots=True)
class CouncilList:
    """Codes of councils, past and present.

    Attributes:
        lines: What is known, by code.
    """

    lines: Mapping[GssCode, CouncilLine]

    def doubt(self, code: GssCode, today: date) -> str:
        """What a person should know before a council takes part under a code.

        Args:
            code: The code.
            today: The day on which it takes part.

        Returns:
            A sentence without its full stop, or an empty string. It may be wrong: codes are
            issued after the list was written, and a council may go on under its old one for a
            while.

        Raises:
            ContractError: If it is no council's code, but for example an LSOA's.
        """
        check_council(code)
        line = self.lines.get(code)
        if line is None:
            return (
                f"{code} is not among the codes of councils that ONS had issued by "
                f"{WRITTEN:%B %Y}. Look whether it is mistyped"
            )
        if line.successors and (line.ended is None or line.ended <= today):
            when = f" on {_in_words(line.ended)}" if line.ended else ""
            now = " and ".join(str(self.lines.get(one, one)) for one in self._today(line))
            return f"{code} ended{when}; its homes are those of {now} now"
        if line.operative is not None and line.operative > today:
            return f"{line} begins on {_in_words(line.operative)}"
        return ""

    def counted_twice(
        self, councils: Iterable[GssCode]
    ) -> Iterator[tuple[CouncilLine, CouncilLine]]:
        """Pairs of councils whose homes are the same: one that ended, and what followed it."""
        known = [self.lines[code] for code in councils if code in self.lines]
        for before, after in permutations(known, 2):
            if after.code in self._following(before):
                yield before, after

    def _following(self, line: CouncilLine) -> set[GssCode]:
        """All codes that have followed one, also those that have ended since."""
        found: set[GssCode] = set()
        waiting = list(line.successors)
        while waiting:
            code = waiting.pop()
            if code not in found:
                found.add(code)
                waiting.extend(self.lines[code].successors if code in self.lines else ())
        return found

    def _today(self, line: CouncilLine) -> list[GssCode]:
        """The codes that have followed one and go on."""
        return sorted(
            code
            for code in self._following(line)
            if code not in self.lines or not self.lines[code].successors
        )


def check_council(code: GssCode, where: str = "council") -> GssCode:
    """Returns `code` if it begins as the codes of councils do, else raises ContractError."""
    if code[:3] not in BEGINNINGS:
        raise ContractError(where, f"{code} is not the code of a council", WHICH_CODE)
    return code


@cache
def council_list(newer: Path | None = None) -> CouncilList:
    """The list of councils.

    Args:
        newer: A file of the same form, whose lines are added or replace those of their codes.

    Raises:
        ContractError: If the newer file cannot be read, or a line is not well formed.
    """
    own = resources.files(__package__).joinpath(COUNCIL_LIST).read_text("utf-8")
    lines = dict(_read(own, COUNCIL_LIST))
    if newer is not None:
        try:
            text = newer.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise ContractError(
                str(newer),
                f"cannot be read ({type(error).__name__})",
                "Name a CSV file in UTF-8, or remove the setting",
            ) from None
        lines |= dict(_read(text, str(newer)))
    return CouncilList(lines)


def _read(text: str, where: str) -> Iterator[tuple[GssCode, CouncilLine]]:
    rows = csv.reader(io.StringIO(text))
    if next(rows, None) != _COLUMNS:
        raise ContractError(where, "has other columns", f"Begin it with {','.join(_COLUMNS)}")
    for row in rows:
        if not row:
            continue
        at = f"{where}: line {rows.line_num}"
        if len(row) != len(_COLUMNS):
            raise ContractError(at, f"has {len(row)} columns", f"Give {len(_COLUMNS)}")
        code, name, operative, ended, successors, source = (cell.strip() for cell in row)
        line = CouncilLine(
            check_council(GssCode(code, at), at),
            name,
            _day(operative, at),
            _day(ended, at),
            tuple(check_council(GssCode(one, at), at) for one in successors.split()),
            source,
        )
        if not name or not source or (line.ended is not None and not line.successors):
            raise ContractError(
                at, "is incomplete", "Give name and source, and successors of a code that ended"
            )
        yield line.code, line


def _day(text: str, where: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ContractError(where, f"{text[:20]!r} is no day", "Write 2023-04-01") from None


def _in_words(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
