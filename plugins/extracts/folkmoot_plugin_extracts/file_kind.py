"""What a file is, by its content: exports are named wrongly more often than they are damaged."""

from __future__ import annotations

import zipfile
from enum import Enum
from pathlib import Path

from folkmoot_sdk import PluginError

_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""Begins workbooks of before 2007, and workbooks of today that are protected by a password."""
_SHEETS = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")
_WORKBOOK_ENDINGS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_RESAVE = "Open it in Excel, and save it as .xlsx or as CSV UTF-8"


_PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\0", b"MM\0*")
_DOCUMENT = "word/document.xml"


class FileKind(Enum):
    """How a file is read."""

    TEXT = "delimited text"
    PARQUET = "Parquet"
    WORKBOOK = "workbook"


def kind_of(path: Path) -> FileKind:
    """Looks at the beginning of a file.

    A file is what its content says, whatever its name: a workbook that somebody named `.csv` is
    read as a workbook.

    Raises:
        PluginError: If it cannot be opened, or holds no table that can be read.
    """
    try:
        with path.open("rb") as file:
            begins = file.read(512)
    except OSError as error:
        raise PluginError(
            str(path), f"cannot be read ({error.strerror})", "Check the path and permissions"
        ) from None
    name = path.name.lower()
    if begins.startswith(b"PAR1") or name.endswith(".parquet"):
        return FileKind.PARQUET
    if begins.startswith(_OLD_OFFICE):
        return FileKind.WORKBOOK
    if begins.startswith(b"PK\x03\x04"):
        return _zipped(path)
    if begins.startswith(b"%PDF"):
        raise PluginError(str(path), "is a PDF document", "Export the table as CSV or .xlsx")
    if begins.startswith(_PICTURES):
        raise PluginError(str(path), "is a picture", "Export the table as CSV or .xlsx")
    if name.endswith(_WORKBOOK_ENDINGS):
        _check_text(path, begins)
    return FileKind.TEXT


def _zipped(path: Path) -> FileKind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError):
        raise PluginError(
            str(path),
            "is a workbook or zip archive that is truncated or damaged",
            "Fetch the file again",
        ) from None
    if any(name in names for name in _SHEETS):
        return FileKind.WORKBOOK
    if _DOCUMENT in names:
        raise PluginError(str(path), "is a Word document", "Export the table as CSV or .xlsx")
    raise PluginError(
        str(path), "is a zip archive", "Unpack it, and put the files in it into the folder"
    )


def _check_text(path: Path, begins: bytes) -> None:
    """Some systems write other formats under the name of a workbook, which Excel opens."""
    if not begins:
        raise PluginError(str(path), "is empty", "Export the file again")
    if begins.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise PluginError(
            str(path), "is a web page or XML, whatever its name says, and no workbook", _RESAVE
        )
