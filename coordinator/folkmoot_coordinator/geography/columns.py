"""Which columns of a boundary file hold codes and names of areas, found or named."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from folkmoot.geography import GSS_CODE
from folkmoot_coordinator.geography.features import unusable

_GSS = re.compile(GSS_CODE)
_CODE_ENDING = re.compile(r"(?:CD|_?CODE|_?ID)$", re.IGNORECASE)
_NAME_ENDINGS = ("NM", "nm", "_name", "NAME", "name", "_NAME", "Name", "label", "LABEL")
_SHOWN = 8

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a file.

    Attributes:
        code: Column of the areas' own codes.
        name: Column of their names; None if there is none.
        larger: Columns with codes of larger areas, each with the column of their names or None.
    """

    code: str
    name: str | None
    larger: Mapping[str, str | None]


def find_columns(rows: Sequence[Row], path: Path, code: str | None, name: str | None) -> Columns:
    """Finds the columns: codes are GSS codes, and names stand beside codes.

    Args:
        rows: Texts of each feature by column, at least one.
        path: The file, for the message.
        code: The column of codes as the region's settings name it; None to find it. A column
            that is named may hold codes of any kind.
        name: The column of names, likewise.

    Raises:
        Problem: SETTINGS, if a column is not there, there is none of codes, or codes are missing
            or there twice.
    """
    present = list(dict.fromkeys(column for row in rows for column in row))
    for wanted in (code, name):
        if wanted is not None and wanted not in present:
            raise unusable(f"it has no column {wanted[:60]}", path, _columns(present))
    coded = {column: found for column in present if (found := _codes(rows, column))}
    own = code if code is not None else _most_detailed(coded)
    if own is None:
        raise unusable(
            "it has no column of GSS codes, such as LSOA21CD",
            path,
            f"Name the column of codes in the settings. {_columns(present)}",
        )
    _require_one_each([row.get(own, "") for row in rows], own, path, named=code is not None)
    larger = {
        column: _name_beside(column, present)
        for column, found in coded.items()
        if column != own and len(set(found)) < len(rows)
    }
    return Columns(own, name or _name_beside(own, present), larger)


def _codes(rows: Sequence[Row], column: str) -> list[str]:
    """The column's codes; empty if some value is no GSS code."""
    found = [row[column] for row in rows if row.get(column)]
    return found if all(map(_GSS.fullmatch, found)) else []


def _most_detailed(coded: Mapping[str, list[str]]) -> str | None:
    """The column with the most codes; the first of those with equally many."""
    return max(coded, key=lambda column: len(set(coded[column])), default=None)


def _require_one_each(codes: list[str], column: str, path: Path, *, named: bool) -> None:
    seen: dict[str, int] = {}
    for number, code in enumerate(codes, start=1):
        if not code:
            raise unusable(
                f"it has no code in column {column}",
                path,
                "Give each area its code, or leave the feature out",
                at=f"feature {number}",
            )
        if code in seen:
            other = "" if named else " If these are not the areas' codes, name the column of codes"
            raise unusable(
                f"the code {code[:40]} (column {column}) is in feature {seen[code]}, too",
                path,
                f"Give each area as one feature, with all its parts as a MultiPolygon.{other}",
                at=f"feature {number}",
            )
        seen[code] = number


def _name_beside(column: str, present: Sequence[str]) -> str | None:
    """`LSOA21NM` for `LSOA21CD`, `ward24_name` for `ward24_code`."""
    stem = _CODE_ENDING.sub("", column)
    return next((stem + ending for ending in _NAME_ENDINGS if stem + ending in present), None)


def _columns(present: Sequence[str]) -> str:
    shown = ", ".join(column[:40] for column in present[:_SHOWN])
    more = f" and {len(present) - _SHOWN} more" if len(present) > _SHOWN else ""
    return f"Its columns are {shown}{more}" if present else "Its features have no columns"
