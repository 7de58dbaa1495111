"""Which extracts of a series are read: the newest, unless the mapping says all.

Systems export the same list again each month, and the files stay beside each other. Files whose
names differ only in a date are such a series; files whose names differ in words, such as north
and south, are parts of one extract.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from folkmoot_plugin_extracts.files import check_copies
from folkmoot_sdk import PluginError

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEAR = r"(?P<y>(?:19|20)[0-9][0-9])"
_MONTH = r"(?P<m>0[1-9]|1[0-2])"
_DAY = r"(?P<d>0[1-9]|[12][0-9]|3[01])"
_NAMED = (
    r"(?P<mon>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_GAP = r"[ ._-]?"
_TIME = (
    r"(?:[t _.-]*(?P<time>(?:[01][0-9]|2[0-3])[.:_-]?[0-5][0-9](?:[.:_-]?[0-5][0-9])?)z?"
    r"(?![.:_-]?[0-9]))?"
)
_DATES = tuple(
    re.compile(rf"(?<![0-9])(?<![a-z](?=[a-z])){pattern}(?![0-9])")
    for pattern in (
        rf"{_YEAR}{_GAP}{_MONTH}{_GAP}{_DAY}(?![0-9]){_TIME}",
        rf"{_YEAR}{_MONTH}{_DAY}(?P<time>[0-9]{{4}}(?:[0-9][0-9])?)",
        rf"{_DAY}{_GAP}{_MONTH}{_GAP}{_YEAR}(?![0-9]){_TIME}",
        rf"(?P<d>[0-9]?[0-9])(?:st|nd|rd|th)?{_GAP}{_NAMED}{_GAP}{_YEAR}",
        rf"(?P<d>[0-9]?[0-9])(?:st|nd|rd|th)?{_GAP}{_NAMED}{_GAP}(?P<yy>[0-9][0-9])",
        rf"{_YEAR}{_GAP}{_NAMED}(?![a-z])(?:{_GAP}{_DAY})?",
        rf"{_NAMED}{_GAP}{_YEAR}",
        rf"{_NAMED}{_GAP}(?P<yy>[0-9][0-9])",
        rf"{_YEAR}{_GAP}{_MONTH}",
        rf"{_MONTH}[ ._-]{_YEAR}",
        rf"(?P<d>0[1-9]|[12][0-9]|3[01]){_GAP}{_MONTH}{_GAP}(?P<yy>[0-9][0-9])",
        rf"{_YEAR}{_GAP}q(?P<q>[1-4])",
        rf"q(?P<q>[1-4]){_GAP}{_YEAR}",
    )
)
_MONTH_ALONE = re.compile(rf"(?<![a-z]){_NAMED}(?![a-z])")
_YEARS = re.compile(
    r"(?<![0-9])(?:19|20)[0-9][0-9](?:[ ._-]?(?:[0-9][0-9]|(?:19|20)[0-9][0-9]))?(?![0-9])"
)
_COPY = re.compile(r"[ _]*\(([0-9]{1,3})\)$|[ _-]+(?:copy|kopie)(?:[ _]*\(?([0-9]{1,3})\)?)?$")
_ENDING = re.compile(r"(?:\.(?:csv|tsv|txt|tab|parquet|xls[xmb]?|ods|gz))+$")
_BETWEEN = re.compile(r"[\s._\0-]+")

Order = tuple[int, int, int, str]


class Extracts(Enum):
    """Which extracts of a series are read."""

    NEWEST = "newest"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class _Name:
    """What a file's name says.

    Attributes:
        path: The file.
        series: The name without dates, copy numbers, ending and case.
        dates: The dates in it, in order.
        copy: Number of the copy, as browsers count downloads; 0 if it is none.
        doubt: Why the dates may mean parts of one extract; empty if they do not.
        unordered: Why the name does not say which extract is the newer; empty if it does.
    """

    path: Path
    series: str
    dates: tuple[Order, ...]
    copy: int
    doubt: str = ""
    unordered: str = ""

    @property
    def order(self) -> tuple[tuple[Order, ...], int]:
        """Sorts the extracts of a series."""
        return self.dates, self.copy


def chosen(
    paths: Sequence[Path], extracts: Extracts | None, note: Callable[[str], None]
) -> list[Path]:
    """The files to read.

    Args:
        paths: All that match.
        extracts: What the mapping says; None if it says nothing, and the newest is read.
        note: Told which files are not read, and why.

    Returns:
        Those that are read, in order of their names.

    Raises:
        PluginError: If two files are the same, or if it is not certain from the names which is the
            newest, and the mapping does not say that all are read.
    """
    if extracts is Extracts.ALL:
        check_copies(paths)
        return list(paths)
    by_series: dict[str, list[_Name]] = defaultdict(list)
    for path in paths:
        name = _read(path)
        by_series[name.series].append(name)
    kept = []
    for names in by_series.values():
        for dates in {name.dates for name in names}:
            check_copies([name.path for name in names if name.dates == dates])
        newest = names[0] if len(names) == 1 else _newest(names, extracts)
        kept.append(newest.path)
        for name in names:
            if name is not newest:
                note(f"{name.path.name} is not read: {newest.path.name} is a newer extract")
    check_copies(kept)
    return sorted(kept)


def series_of(path: Path) -> str:
    """The name of the series that a file belongs to: its own without dates, copies and ending."""
    return _read(path).series


def _newest(names: Sequence[_Name], extracts: Extracts | None) -> _Name:
    ordered = sorted(names, key=lambda name: name.order)
    newest, before = ordered[-1], ordered[-2]
    unordered = next((name.unordered for name in names if name.unordered), "")
    if len({bool(name.dates) for name in names}) == 2:
        unordered = "have names of which only some bear a date"
    elif newest.order == before.order:
        unordered = unordered or "differ in nothing but their endings or how the date is written"
    doubt = next((name.doubt for name in names if name.doubt), "")
    if unordered or (doubt and extracts is None):
        remedy = "move the others out of the folder" if unordered else 'set extracts = "newest"'
        shown = ", ".join(name.path.name for name in ordered)
        raise PluginError(
            str(newest.path.parent),
            f"{shown} {unordered or doubt}: they may be one extract exported again, or "
            "parts of one",
            'If each holds other records, set extracts = "all" in the mapping; if one of them is '
            f"the newest and holds all, {remedy}",
        )
    return newest


def _read(path: Path) -> _Name:
    stem = _ENDING.sub("", path.name.lower())
    copy, doubt, unordered = 0, "", ""
    while match := _COPY.search(stem):
        if match[1] is None:
            unordered = "are a file and copies of it that differ now"
        copy = max(copy, int(match[1] or match[2] or 1))
        stem = stem[: match.start()]
    dates = []
    for pattern in _DATES:
        while match := pattern.search(stem):
            dates.append(_order(match))
            stem = _cut(stem, match)
    if len(dates) > 1:
        doubt = "bear two dates each, as if each held a period of its own"
    elif not dates and (match := _YEARS.search(stem)):
        dates.append((int(match[0][:4]), 0, 0, match[0]))
        stem = _cut(stem, match)
        doubt = "differ only in a year"
    elif not dates and (match := _MONTH_ALONE.search(stem)):
        dates.append((0, _MONTHS.index(match["mon"][:3]) + 1, 0, ""))
        stem = _cut(stem, match)
        unordered = "differ only in the name of a month"
    series = _BETWEEN.sub(" ", stem).strip()
    return _Name(path, series, tuple(sorted(dates)), copy, doubt, unordered)


def _cut(stem: str, match: re.Match[str]) -> str:
    return f"{stem[: match.start()]} \0 {stem[match.end() :]}"


def _order(match: re.Match[str]) -> Order:
    """Year, month, day and time of a date; 0 or empty where the name does not say."""
    said = match.groupdict()
    year = int(said.get("y") or 2000 + int(said.get("yy") or 0))
    if said.get("q"):
        month = 3 * int(said["q"])
    elif said.get("mon"):
        month = _MONTHS.index(said["mon"][:3]) + 1
    else:
        month = int(said.get("m") or 0)
    time = re.sub(r"[^0-9]", "", said.get("time") or "")
    return year, month, int(said.get("d") or 0), time.ljust(6, "0")
