"""Finds the cells of a sheet that hold no value: errors, and formulas without a saved result."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

_CELL = re.compile(
    rb'<c\b(?=[^>]*\br="(?P<ref>[A-Z]{1,3}[0-9]{1,7})")(?P<attributes>[^>]*?)'
    rb"(?:/>|>(?P<content>.*?)</c>)",
    re.DOTALL,
)
_SUSPECT = re.compile(rb'\bt="e"|<f\b')
_HAS_VALUE = re.compile(rb"<v>[^<]|<is>")
_ERROR = re.compile(rb'\bt="e"')
_SHEET = re.compile(rb"<(?:\w+:)?sheet\s[^>]*>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s[^>]*>")
_PIECE = 4 << 20


def unusable_cells(path: Path, sheet: int) -> dict[tuple[int, int], str]:
    """Row and column, from 0, of the cells without a value, and what to show for each.

    Only .xlsx and .xlsm say so; in other workbooks such cells are blank, that is, unknown.

    Args:
        path: The workbook.
        sheet: Place of the sheet among all sheets, from 0.
    """
    if not zipfile.is_zipfile(path):
        return {}
    with zipfile.ZipFile(path) as archive:
        name = _sheet_name(archive, sheet)
        if not name:
            return {}
        found: dict[tuple[int, int], str] = {}
        rest = b""
        with archive.open(name) as stream:
            while piece := stream.read(_PIECE):
                text = rest + piece
                # Cells that a piece cuts in two stand in the next one.
                end = text.rfind(b"<row")
                end = end if end > 0 else text.rfind(b"<c ")
                if end <= 0:
                    rest = text
                    continue
                _collect(text[:end], found)
                rest = text[end:]
        _collect(rest, found)
    return found


def _collect(text: bytes, found: dict[tuple[int, int], str]) -> None:
    if not _SUSPECT.search(text):
        return
    for cell in _CELL.finditer(text):
        content = cell["content"] or b""
        if _ERROR.search(cell["attributes"]):
            found[_place(cell["ref"])] = "an error, as #N/A or #REF!"
        elif b"<f" in content and not _HAS_VALUE.search(content):
            found[_place(cell["ref"])] = "a formula whose result was not saved"


def _place(reference: bytes) -> tuple[int, int]:
    letters = reference.rstrip(b"0123456789")
    column = 0
    for letter in letters:
        column = column * 26 + letter - 64
    return int(reference[len(letters) :]) - 1, column - 1


def _sheet_name(archive: zipfile.ZipFile, sheet: int) -> str:
    """The file of a sheet in the archive; empty if it is not an .xlsx."""
    try:
        book = archive.read("xl/workbook.xml")
        relations = archive.read("xl/_rels/workbook.xml.rels")
    except KeyError:
        return ""
    ids = [_attribute(entry[0], b"id") for entry in _SHEET.finditer(book)]
    target_of = {
        _attribute(entry[0], b"Id"): _attribute(entry[0], b"Target")
        for entry in _RELATION.finditer(relations)
    }
    target = target_of.get(ids[sheet], "") if sheet < len(ids) else ""
    name = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    return name if name in archive.namelist() else ""


def _attribute(element: bytes, name: bytes) -> str:
    found = re.search(rb"[\s:]" + name + rb'="([^"]*)"', element)
    return found[1].decode("utf-8", "replace") if found else ""
