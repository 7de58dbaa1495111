"""Lists rejected records, on the node, for the people who correct the source.

Quarantine files quote values of records. They are written to the node's own disk, are
readable by the node's account alone, and nothing reads them back.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from folkmoot_operator.private_files import delete_private, make_private_folder, open_private
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.spreadsheets import harmless
from folkmoot_sdk.source import Rejection

HEADER = ("file", "row", "field", "reason", "value")
MAXIMUM_LISTED = 100_000
"""Rejections listed of one source and run; more are counted only, so the disk cannot fill."""
MAXIMUM_REASONS = 40
"""Kinds of rejections that are counted each, of one source and run."""
_MAXIMUM_VALUE = 200
_MOST_KNOWN = 10_000
"""Texts that are kept as they are counted and listed: many records hold the same one."""
_SHOWN = 12
_RESULT = re.compile(r"^gives -?[0-9.,]+ ")
_SAFE = 4
"""A value this long is taken out of the middle of a reason too; a shorter one may be part of it."""
NOT_LISTED = "Run `folkmoot-node score`, and see what it says of the source"
"""What to do about rejections that are not listed."""
_WITHOUT_ROW = attrgetter("file", "field", "reason", "value")


class _Listed(NamedTuple):
    """A rejection as it is counted and listed, without its row."""

    kind: str
    file: str
    field: str
    reason: str
    value: str


class Quarantine:
    """Rejected records of one source and one run.

    The file is made with the first rejection that is listed: no file means that none is.

    Attributes:
        lists: Whether rejections are listed. A past date's are counted alone: whoever was born
            later is one, and nobody would read the list.
        path: The CSV file: file, row, field, reason, value.
        fields: Number of rejections by field.
        reasons: Number of rejections by field and kind of reason, without the values.
    """

    def __init__(self, folder: Path, source: str, run_id: str, *, lists: bool = True) -> None:
        self.lists = lists
        self.path = folder / f"{source}-{run_id}.csv"
        delete_private(self.path)  # of a first try to read the source in this run
        self.fields: Counter[str] = Counter()
        self.reasons: Counter[tuple[str, str]] = Counter()
        self._source = source
        self._stream: io.TextIOWrapper | None = None
        self._writer: Any = None
        self._listed = 0
        self._files: dict[str, int] = {}
        self._rows: set[int] = set()
        self._known: dict[tuple[str, str, str, str], _Listed] = {}

    @property
    def rejected(self) -> int:
        """Number of records with at least one rejection."""
        return len(self._rows)

    def reject(self, rejections: Sequence[Rejection]) -> None:
        """Adds rejections; several of one record count as one record."""
        for entry in rejections:
            at = self._files.setdefault(entry.file, len(self._files))
            self._rows.add(at << 44 | entry.row)
        # Many records hold the same value, which is looked at once.
        for said, number in Counter(map(_WITHOUT_ROW, rejections)).items():
            self.fields[said[1]] += number
            self._count(said[1], self._as_listed(said).kind, number)
        if self.lists:
            self._list(rejections[: MAXIMUM_LISTED - self._listed])

    def summary(self) -> tuple[str, ...]:
        """Rejections by field and kind of reason, the most frequent first, for a terminal."""
        return reasons_in_words(
            [(field, reason, number) for (field, reason), number in self.reasons.most_common()]
        )

    def close(self) -> None:
        """Closes the file, if there is one."""
        self._known.clear()
        if self._stream is not None:
            self._stream.close()
            self._stream = None
            self._writer = None

    def check(self, accepted: int, maximum_share: float, spared: int = 0) -> None:
        """Stops the run if too many records were rejected.

        Args:
            accepted: Sound records that were read, also those that were left out.
            maximum_share: Share of all records that may be rejected, from 0 to 1.
            spared: Rejected ones that are not asked for, and stop nothing.

        Raises:
            Problem: Exit code DATA.
        """
        total = accepted + self.rejected
        if total and self.rejected - spared > maximum_share * total:
            raise Problem(
                f"more than {maximum_share:.1%} of the records were rejected; the last good "
                "scores stay",
                where=f"source {self._source}",
                remedy=f"See {self.path} for file, row, field and reason; correct the extract or "
                "its mapping, then score again"
                if self.lists
                else NOT_LISTED,
                exit_code=ExitCode.DATA,
                for_operator=(
                    f"{self.rejected:,} records could not be read, or not wholly:",
                    *self.summary(),
                ),
            )

    def _list(self, rejections: Sequence[Rejection]) -> None:
        self._listed += len(rejections)
        for entry in rejections:
            known = self._as_listed(_WITHOUT_ROW(entry))
            self._open().writerow((known.file, entry.row, known.field, known.reason, known.value))

    def _as_listed(self, said: tuple[str, str, str, str]) -> _Listed:
        """How a rejection is counted and listed, of its file, field, reason and value."""
        found = self._known.get(said)
        if found is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            file, field, reason, value = said
            found = self._known[said] = _Listed(
                kind_of_reason(reason, value),
                *map(harmless, (file, field, reason, value[:_MAXIMUM_VALUE])),
            )
        return found

    def _count(self, field: str, reason: str, number: int) -> None:
        kind = field, reason
        if kind not in self.reasons and len(self.reasons) >= MAXIMUM_REASONS:
            kind = field, "other reasons"
        self.reasons[kind] += number

    def _open(self) -> Any:
        if self._writer is None:
            make_private_folder(self.path.parent)
            file = open_private(self.path, append=True)
            self._stream = io.TextIOWrapper(file, encoding="utf-8", newline="")
            self._writer = csv.writer(self._stream)
            if self._stream.tell() == 0:
                self._writer.writerow(HEADER)
        return self._writer


def kind_of_reason(reason: str, value: str) -> str:
    """What is wrong with a value, without the value: `is not a number`.

    One line of print: a source's words, or the value in them, could else write to a terminal.
    """
    value = value.strip()
    if value:
        reason = reason.removeprefix(value).strip()
        if len(value) >= _SAFE:
            reason = reason.replace(value, "...")
    said = "".join(sign if sign.isprintable() else " " for sign in _RESULT.sub("", reason))
    return " ".join(said[:_MAXIMUM_VALUE].split()) or "cannot be read"


def reasons_in_words(reasons: Sequence[tuple[str, str, int]]) -> tuple[str, ...]:
    """One line for each kind of rejection, as `Arrears: 3 times: is not a number`.

    Args:
        reasons: Field, kind of reason and number, the most frequent first.
    """
    lines = [
        f"{field or 'whole row'}: {number:,} {'time' if number == 1 else 'times'}: {reason}"
        for field, reason, number in reasons[:_SHOWN]
    ]
    if len(reasons) > _SHOWN:
        lines.append(f"and {len(reasons) - _SHOWN} more kinds of reason")
    return tuple(lines)
