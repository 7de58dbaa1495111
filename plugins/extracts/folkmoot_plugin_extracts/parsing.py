"""Reads the rows of a file into values, and rejects what is malformed among them."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

import polars as pl

from folkmoot_plugin_extracts.batch import Batch, Unread
from folkmoot_plugin_extracts.cells import Fault, read_columns
from folkmoot_plugin_extracts.columns import Text
from folkmoot_plugin_extracts.csv_file import Reject
from folkmoot_plugin_extracts.reader import Reader
from folkmoot_sdk import Rejection

_UNSEEN = ("Cc", "Cf", "Zs", "Zl", "Zp")
_MOST_REASONS = 10_000
"""Kept at once. Many rows may hold the same text that is malformed, such as the days of birth of
those who were born after a past date that is scored; and each reason reads its text once more."""

Reasons = dict[tuple[Callable[[Sequence[str]], Sequence[str]], str], str]
"""Why a text is malformed, by what says so and the text."""


@dataclass(frozen=True, slots=True)
class Output:
    """One column of values.

    Attributes:
        name: Name of the values.
        column: Column of the file.
        reader: How the values are read.
        further: Other columns of the file of which, with `column`, one value is made.
        nulls: Texts that stand for an unknown value here, beside the parser's.
    """

    name: str
    column: str
    reader: Reader
    further: tuple[str, ...] = ()
    nulls: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All its columns of the file."""
        return (self.column, *self.further)

    @property
    def read_by(self) -> tuple[tuple[str, ...], Reader, tuple[str, ...]]:
        """What the values depend on."""
        return (self.columns, self.reader, self.nulls)


@dataclass(frozen=True, slots=True)
class Reading:
    """Values of rows.

    Attributes:
        frame: One row for each row of the file, with one column for each output, in the type that
            its reader gives; null where the value is missing, or could not be read.
        unread: For each output of which something could not be read, where.
    """

    frame: pl.DataFrame
    unread: Unread

    def without(self, names: Iterable[str], rows: pl.Series) -> Reading:
        """The same, with some values of some rows unread.

        Args:
            names: The columns.
            rows: Boolean, never null: True for the rows.
        """
        unread = dict(self.unread)
        for name in names:
            unread[name] = unread[name] | rows if name in unread else rows
        frame = self.frame.with_columns(self.frame[name].set(rows, None) for name in names)
        return Reading(frame, unread)


@dataclass(frozen=True, slots=True)
class Parser:
    """Reads rows of text, or of typed values, column by column.

    Attributes:
        outputs: The values wanted.
        nulls: Texts that stand for an unknown value, as an empty cell does.
        pool: Threads that read the columns.
        reasons: Why texts that were met before are malformed.
    """

    outputs: Sequence[Output]
    nulls: Sequence[str]
    pool: ThreadPoolExecutor
    reasons: Reasons = field(default_factory=dict, compare=False)

    def parse(self, file: str, batch: Batch, reject: Reject) -> Reading:
        """Reads the values of rows. A malformed value costs its row nothing else.

        Args:
            file: Name of the file, for rejections.
            batch: The rows.
            reject: Receives a rejection for each malformed value.
        """
        # Fields that read one column in one way, such as oldest and youngest age, share it.
        keys = list(dict.fromkeys(output.read_by for output in self.outputs))
        parsed = self.pool.map(
            lambda key: read_columns(key[1], key[0], batch.frame, (*self.nulls, *key[2])), keys
        )
        read = dict(zip(keys, parsed, strict=True))
        of = [(output.name, read[output.read_by]) for output in self.outputs]
        frame = pl.DataFrame([found.values.alias(name) for name, found in of])
        faults = [(key[1], fault) for key, found in read.items() for fault in found.faults]
        if faults:
            reject(_rejections(file, batch, faults, self.reasons))
        unread = {name: found.malformed for name, found in of if found.malformed is not None}
        return Reading(frame, unread)

    def whole(self, file: str, batch: Batch, reject: Reject) -> tuple[pl.DataFrame, Batch]:
        """Reads the values of rows, and leaves out rows that hold something malformed.

        For tables that are looked things up in: half a line of a directory is not to be relied
        on, and what it would have said is unknown either way. Records of households and people
        are for `parse`.

        Args:
            file: Name of the file, for rejections.
            batch: The rows.
            reject: Receives a rejection for each malformed value.

        Returns:
            One row for each sound row, with one column for each output, in the type that its
            reader gives, null where the value is missing; and those rows of the batch.
        """
        reading = self.parse(file, batch, reject)
        if not reading.unread:
            return reading.frame, batch
        sound = ~any_of(reading.unread.values())
        return reading.frame.filter(sound), batch.filter(sound)


def any_of(masks: Iterable[pl.Series]) -> pl.Series:
    """Whether any mask is true in each row: Boolean, never null.

    Args:
        masks: One or more, of one length and without nulls.
    """
    return reduce(or_, masks)


@contextmanager
def parser(outputs: Sequence[Output], nulls: Sequence[str]) -> Iterator[Parser]:
    """A parser with threads of its own, which end with the context."""
    with ThreadPoolExecutor(os.cpu_count(), "extracts") as pool:
        yield Parser(outputs, nulls, pool)


def needed_columns(outputs: Iterable[Output]) -> tuple[str, ...]:
    """The columns of the file that outputs are read from, each once."""
    return tuple(dict.fromkeys(name for output in outputs for name in output.columns))


def _rejections(
    file: str, batch: Batch, faults: Iterable[tuple[Reader, Fault]], reasons: Reasons
) -> list[Rejection]:
    numbers = batch.numbers()
    found = []
    for reader, fault in faults:
        at = fault.rows.arg_true()
        cells = [
            Text().parse(batch.frame[name].gather(at)).str.strip_chars().fill_null("")
            for name in fault.columns
        ]
        field = " + ".join(fault.columns)
        texts = [" + ".join(parts) for parts in zip(*cells, strict=True)]
        known = _reasons(reader, fault, texts, reasons)
        found += [
            Rejection(file, row, field, known[text], text if reader.quotable else "")
            for row, text in zip(numbers[at.to_numpy()].tolist(), texts, strict=True)
        ]
    return sorted(found, key=lambda entry: entry.row)


def _reasons(
    reader: Reader, fault: Fault, texts: Iterable[str], reasons: Reasons
) -> dict[str, str]:
    """Why each of some texts is malformed: those that were not met before are looked at at once."""
    of_fault = {text: reasons.get((fault.reasons, text), "") for text in texts}
    new = [text for text, reason in of_fault.items() if not reason]
    if len(reasons) + len(new) > _MOST_REASONS:
        reasons.clear()
    for text, reason in zip(new, fault.reasons(new), strict=True):
        of_fault[text] = f"{reason}{_invisible(text)}" if reader.quotable else reason
        if len(reasons) < _MOST_REASONS:
            reasons[fault.reasons, text] = of_fault[text]
    return of_fault


def _invisible(text: str) -> str:
    """Says so if a text holds a character that nobody sees; else empty."""
    for sign in text:
        if sign != " " and unicodedata.category(sign) in _UNSEEN:
            return f"; it holds an invisible character (U+{ord(sign):04X}): take it out"
    return ""
