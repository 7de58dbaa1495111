"""The file of `export --sum`: named sums, differences and shares of published cells.

TOML, or CSV whose rows may be rows of the published table with a name beside them.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from folkmoot_coordinator.publication.long_table import DESCRIPTIONS
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import Settings, load

NAME, PART, WEIGHT, PLACE, MONTH, MEASURE = "name", "part", "weight", "place", "month", "measure"
MARGINAL = "marginal"
RESERVED = frozenset({NAME, PART, WEIGHT, MONTH, MEASURE, *DESCRIPTIONS})
"""Keys and columns that are no attributes; an attribute of such a name ends in an underscore."""
PARTS = ("cells", "minus", "of")
MAX_EXPRESSIONS = 10_000


@dataclass(frozen=True, slots=True)
class CellEntry:
    """Some cells, as a file names them.

    Attributes:
        where: Where in the file.
        codes: By column of an attribute the codes; a code of each makes a cell.
        weight: How often each is counted.
        place: GSS code of a council, or the name of the region; None for the region.
        marginal: Name of their marginal; None if the file does not say.
        month: Number of a round in the series, as written; None for the last.
        measure: What is counted in a series, as written; None for cumulative counts.
    """

    where: str
    codes: Mapping[str, tuple[str, ...]]
    weight: float = 1.0
    place: str | None = None
    marginal: str | None = None
    month: str | None = None
    measure: str | None = None


@dataclass(frozen=True, slots=True)
class Expression:
    """A named sum.

    Attributes:
        name: What it is called.
        cells: Added up.
        minus: Taken away.
        of: If any, the sum is divided by the sum of these.
    """

    name: str
    cells: tuple[CellEntry, ...]
    minus: tuple[CellEntry, ...] = ()
    of: tuple[CellEntry, ...] = ()

    @property
    def kind(self) -> str:
        """`share`, `difference` or `sum`."""
        return "share" if self.of else "difference" if self.minus else "sum"


class _Estimate(Settings):
    """Table `[[estimates]]`.

    Attributes:
        name: What it is called in the published file.
        cells: Cells that are added up, each by attribute and code; a code may be a list.
        minus: Cells that are taken away.
        of: If any, the sum is divided by the sum of these.
    """

    name: str = Field(min_length=1, max_length=200)
    cells: tuple[dict[str, Any], ...] = Field(min_length=1)
    minus: tuple[dict[str, Any], ...] = ()
    of: tuple[dict[str, Any], ...] = ()


class _SumFile(Settings):
    """The file, as written.

    Attributes:
        estimates: Sums, differences and shares that are published beside the table.
    """

    estimates: tuple[_Estimate, ...] = Field(min_length=1, max_length=MAX_EXPRESSIONS)


def read_expressions(path: Path, passed_over: Collection[str] = ()) -> tuple[Expression, ...]:
    """Reads a file of named sums, TOML or CSV by its ending.

    Args:
        path: The file.
        passed_over: Columns of the published table that say no more about a row than others do.

    Raises:
        Problem: SETTINGS, if it is wrong; says where and how to correct it.
    """
    if path.suffix.lower() == ".csv":
        found = _read_csv(path, {*RESERVED, *passed_over})
    elif path.suffix.lower() == ".toml":
        found = _read_toml(path)
    else:
        raise _problem(str(path), "is neither TOML nor CSV", "Name it .toml or .csv")
    twice = [name for name, count in Counter(one.name for one in found).items() if count > 1]
    if twice:
        raise _problem(str(path), f"{twice[0][:80]!r} names two estimates", "Name each once")
    return found


def _read_toml(path: Path) -> tuple[Expression, ...]:
    found = []
    for at, one in enumerate(load(_SumFile, path).estimates):
        parts = {
            part: tuple(
                _cell(entry, f"{path}, estimates[{at}].{part}[{number}]")
                for number, entry in enumerate(getattr(one, part))
            )
            for part in PARTS
        }
        found.append(Expression(one.name, **parts))
    return tuple(found)


def _cell(entry: Mapping[str, Any], where: str) -> CellEntry:
    """A cell of a TOML file."""
    codes = {}
    for key, value in entry.items():
        if key in RESERVED:
            if key not in (PLACE, MARGINAL, WEIGHT, MONTH, MEASURE):
                raise _problem(
                    where,
                    f"{key!r} says nothing of which cells are meant",
                    f"Give codes of attributes, {PLACE}, {WEIGHT}; in a series {MONTH}, {MEASURE}",
                )
            continue
        listed = value if isinstance(value, list) else [value]
        if not listed or not all(isinstance(code, str) for code in listed):
            raise _problem(
                where, f"{key} is not a code", "Give a code in quotes, or a list of them"
            )
        codes[key] = tuple(listed)
    weight = entry.get(WEIGHT, 1)
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        raise _problem(where, f"{WEIGHT} is not a number", "Give a number, such as -1 or 0.5")
    texts = {key: str(entry[key]) for key in (PLACE, MARGINAL, MONTH, MEASURE) if key in entry}
    return _checked(CellEntry(where, codes, float(weight), **texts))


def _read_csv(path: Path, passed_over: Collection[str]) -> tuple[Expression, ...]:
    rows: dict[str, dict[str, list[CellEntry]]] = {}
    for line, row in _rows(path):
        where = f"{path}, line {line}"
        name, part = row.get(NAME) or "", row.get(PART) or PARTS[0]
        if not name:
            raise _problem(where, "has no name", "Say in the column `name` which sum it belongs to")
        if part not in PARTS:
            raise _problem(
                where, f"{part[:40]!r} is no part", f"Give {', '.join(PARTS)}, or nothing"
            )
        try:
            weight = float(row.get(WEIGHT) or 1)
        except ValueError:
            raise _problem(
                where, f"{WEIGHT} is not a number", "Give a number, or nothing"
            ) from None
        codes = {key: (code,) for key, code in row.items() if key not in passed_over and code}
        texts = {key: row[key] for key in (PLACE, MARGINAL, MONTH, MEASURE) if row.get(key)}
        parts = rows.setdefault(name, {one: [] for one in PARTS})
        parts[part].append(_checked(CellEntry(where, codes, weight, **texts)))
    if not rows:
        raise _problem(str(path), "names no estimate", "Give a row for each cell")
    for name, parts in rows.items():
        if not parts[PARTS[0]]:
            raise _problem(str(path), f"{name[:80]!r} has nothing to add up", "Add rows of `cells`")
    return tuple(
        Expression(name, **{part: tuple(cells) for part, cells in parts.items()})
        for name, parts in rows.items()
    )


def _rows(path: Path) -> Iterable[tuple[int, dict[str, str]]]:
    """Rows of a CSV file by column, each with the number of its line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            if NAME not in header or len(set(header)) < len(header):
                raise _problem(
                    f"{path}, line 1",
                    "the header has no column `name`, or one twice",
                    "Give the columns name, weight, place, and those of attributes",
                )
            for row in reader:
                if not any(row):
                    continue
                if len(row) != len(header):
                    raise _problem(
                        f"{path}, line {reader.line_num}",
                        f"has {len(row)} fields, not {len(header)}",
                        "Give a field for each column of the header",
                    )
                values = (value.strip() for value in row)
                yield reader.line_num, dict(zip(header, values, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise _problem(str(path), f"cannot be read ({reason})", "Give a UTF-8 CSV file") from None


def _checked(cell: CellEntry) -> CellEntry:
    if not math.isfinite(cell.weight) or cell.weight == 0:
        raise _problem(
            cell.where, f"{WEIGHT} is {cell.weight}", "Give a finite number other than zero"
        )
    return cell


def _problem(where: str, problem: str, remedy: str) -> Problem:
    return Problem(problem, where=where, remedy=remedy, exit_code=ExitCode.SETTINGS)
