"""A file of areas: a CSV table of which areas each council has, and what they are called."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot_operator.problems import ExitCode, Problem

AREA_COLUMNS = ["council", "area"]
"""First columns of a file of areas."""
WITHIN_COLUMN = "within"
"""May follow: the larger area in which each lies."""
NAME_COLUMN = "name"
"""May follow, too: what people call the area."""
_BOTH = sorted([NAME_COLUMN, WITHIN_COLUMN])


@dataclass(frozen=True, slots=True)
class Areas:
    """The areas of the councils that are invited.

    Attributes:
        by_council: Their codes, in the order of the file.
        within: For each code the larger area in which it lies; empty if the file does not say.
        names: For each code its name; empty if the file does not say.
    """

    by_council: Mapping[GssCode, tuple[str, ...]]
    within: Mapping[str, str]
    names: Mapping[str, str]


def read_areas(content: bytes, path: str, councils: tuple[GssCode, ...], *, nested: bool) -> Areas:
    """Reads a file of areas; rows of other councils are passed over.

    Args:
        content: Of the file.
        path: What it is called in messages.
        councils: Those invited.
        nested: True if the column `within` is needed.

    Raises:
        Problem: SETTINGS, if it cannot be read or a row is wrong; names the line.
    """
    found: dict[GssCode, list[str]] = {}
    within: dict[str, str] = {}
    names: dict[str, str] = {}
    invited = set(councils)
    for line, row in _rows(content, path, nested=nested):
        try:
            council = GssCode(row["council"])
        except ContractError as error:
            raise _in_areas(path, line, error.problem) from None
        if council not in invited:
            continue
        area = row["area"]
        found.setdefault(council, []).append(area)
        if WITHIN_COLUMN in row:
            within[area] = row[WITHIN_COLUMN]
        if row.get(NAME_COLUMN):
            names[area] = row[NAME_COLUMN]
    return Areas({council: tuple(areas) for council, areas in found.items()}, within, names)


def _rows(content: bytes, path: str, *, nested: bool) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows by column, each with the number of its line."""
    wanted = [*AREA_COLUMNS, *([WITHIN_COLUMN] if nested else [])]
    try:
        with io.TextIOWrapper(io.BytesIO(content), "utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            more = header[len(AREA_COLUMNS) :]
            if (
                header[: len(AREA_COLUMNS)] != AREA_COLUMNS
                or sorted(more) not in ([], [NAME_COLUMN], [WITHIN_COLUMN], _BOTH)
                or (nested and WITHIN_COLUMN not in more)
            ):
                raise _in_areas(
                    path, 1, f"the header is not {','.join(wanted)}, nor that and {NAME_COLUMN}"
                )
            for row in reader:
                if not row:
                    continue
                if len(row) != len(header):
                    raise _in_areas(
                        path, reader.line_num, f"has {len(row)} fields, not {len(header)}"
                    )
                values = (value.strip() for value in row)
                yield reader.line_num, dict(zip(header, values, strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise Problem(
            f"cannot be read ({error})",
            where=path,
            remedy="Give a UTF-8 CSV file with the header council,area",
            exit_code=ExitCode.SETTINGS,
        ) from None


def _in_areas(path: str, line: int, problem: str) -> Problem:
    return Problem(
        problem,
        where=f"{path}, line {line}",
        remedy="Give one row for each area: the council's GSS code, the area's code",
        exit_code=ExitCode.SETTINGS,
    )
