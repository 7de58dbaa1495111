"""Copies of the files that a source reads, changed in one place each."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from folkmoot_operator.problems import ExitCode, Problem

MARK = "QZX7731904862"
"""Stands in place of a cell: no honest message holds it."""

_DELIMITERS = ",;\t|"
_NOT_EXTRACTS = {".toml", ".json", ".yaml", ".yml", ".md", ".py", ".sql"}
_FILE_ADDRESS = re.compile(r"(\w+:///)(.+)")
"""Such as sqlite:///council_tax.sqlite."""
_MAX_FILE_BYTES = 32 << 20
_MAX_FOLDER_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Extract:
    """A text file with columns, of which the first row may be the header.

    Attributes:
        path: The copy.
        text: What it holds.
        delimiter: Between the cells of a row.
    """

    path: Path
    text: str
    delimiter: str

    @property
    def header(self) -> list[str]:
        """The cells of the first row."""
        return self.text.splitlines()[0].split(self.delimiter)

    @property
    def rows(self) -> list[str]:
        """The other rows, as they stand there."""
        return self.text.splitlines()[1:]

    def without_column(self, at: int) -> str:
        """The text with the name of one column changed, as if the supplier had renamed it."""
        names = self.header
        bare = names[at].strip('"')
        names[at] = names[at].replace(bare, f"{bare}_renamed") if bare else "renamed"
        return "\n".join([self.delimiter.join(names), *self.rows, ""])

    def with_mark(self, at: int) -> str:
        """The text with `MARK` in one column of its first three rows.

        Rows with quotes are left as they are: a cell may hold the delimiter.
        """
        rows = []
        for place, row in enumerate(self.rows):
            cells = row.split(self.delimiter)
            if place < 3 and '"' not in row and at < len(cells):
                cells[at] = MARK
            rows.append(self.delimiter.join(cells))
        return "\n".join([self.delimiter.join(self.header), *rows, ""])

    def without_rows(self) -> str:
        """The header alone."""
        return self.delimiter.join(self.header) + "\n"

    def repeated(self, rows: int) -> Iterator[str]:
        """The header, and the rows over and over again until there are so many."""
        yield self.delimiter.join(self.header) + "\n"
        block = "".join(f"{row}\n" for row in self.rows)
        for _ in range(max(1, rows // max(1, len(self.rows)))):
            yield block


@dataclass(frozen=True, slots=True)
class Copies:
    """The options of a source, and copies of the files that they name.

    Attributes:
        options: As given, with the copies in place of the originals.
        base: Folder to which relative paths refer.
        extracts: Text files among them.
    """

    options: Mapping[str, Any]
    base: Path
    extracts: tuple[Extract, ...]


def copied(options: Mapping[str, Any], base: Path, folder: Path) -> Copies:
    """Copies the files and folders that options name.

    Args:
        options: Of a source; texts in them that name an existing path are taken for one.
        base: Folder to which relative paths refer.
        folder: Empty; receives the copies.

    Raises:
        Problem: Exit code SETTINGS, if the files are too large to be tried.
    """
    places: dict[Path, Path] = {}
    changed = {key: _changed(value, base, folder, places) for key, value in options.items()}
    files = [file for place in places.values() for file in _files(place)]
    extracts = [extract for file in sorted(set(files)) if (extract := _extract(file)) is not None]
    return Copies(changed, folder, tuple(extracts))


def _changed(value: Any, base: Path, folder: Path, places: dict[Path, Path]) -> Any:
    if isinstance(value, dict):
        return {key: _changed(item, base, folder, places) for key, item in value.items()}
    if isinstance(value, list):
        return [_changed(item, base, folder, places) for item in value]
    if not isinstance(value, str) or not value or "\0" in value:
        return value
    address = _FILE_ADDRESS.fullmatch(value)
    scheme, value = (address[1], address[2]) if address else ("", value)
    return scheme + _place(value, base, folder, places)


def _place(value: str, base: Path, folder: Path, places: dict[Path, Path]) -> str:
    """The copy of what a text names, copied now if it was not; the text if it names nothing."""
    original = base / value
    try:
        if not original.exists():
            return value
    except OSError:
        return value
    original = original.resolve()
    if original not in places:
        places[original] = _copy(original, folder / f"given{len(places)}")
    return str(places[original].relative_to(folder))


def _copy(original: Path, target: Path) -> Path:
    if _size(original) > _MAX_FOLDER_BYTES:
        raise Problem(
            f"holds more than {_MAX_FOLDER_BYTES >> 20} MiB",
            where=str(original),
            remedy="Check the source on a small sample in a folder of its own",
            exit_code=ExitCode.SETTINGS,
        )
    if original.is_dir():
        shutil.copytree(original, target, symlinks=False)
        return target
    target.mkdir()
    return Path(shutil.copy(original, target / original.name))


def _size(path: Path) -> int:
    total = 0
    for file in _files(path):
        total += file.stat().st_size
        if total > _MAX_FOLDER_BYTES:
            break
    return total


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
    elif place.is_dir():
        yield from (path for path in place.rglob("*") if path.is_file())


def _extract(path: Path) -> Extract | None:
    if path.suffix.lower() in _NOT_EXTRACTS or path.stat().st_size > _MAX_FILE_BYTES:
        return None
    content = path.read_bytes()
    if b"\0" in content:
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    lines = text.splitlines()
    if len(lines) < 2:
        return None
    delimiter = max(_DELIMITERS, key=lines[0].count)
    return Extract(path, text, delimiter) if delimiter in lines[0] else None


def written(path: Path, text: Sequence[str] | Iterator[str] | str) -> None:
    """Replaces a copy; a source keeps the path."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines([text] if isinstance(text, str) else text)
