"""Reads the rows of a file into values, and rejects what is malformed among them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from operator import or_

import polars as pl

from folkmoot_plugin_extracts import columns
from folkmoot_plugin_extracts.batch import Batch, Unread
from folkmoot_plugin_extracts.csv_file import Reject
from folkmoot_sdk import Rejection


@dataclass(frozen=True, slots=True)
class Output:
    """One column of values.

    Attributes:
        name: Name of the values.
        column: Column of the file.
        reader: How the values are read.
    """

    name: str
    column: str
    reader: columns.Reader


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


@dataclass(frozen=True, slots=True)
class Parser:
    """Reads rows of text, or of typed values, column by column.

    Attributes:
        outputs: The values wanted.
        nulls: Texts that stand for an unknown value, as an empty cell does.
        pool: Threads that read the columns.
    """

    outputs: Sequence[Output]
    nulls: Sequence[str]
    pool: ThreadPoolExecutor

    def parse(self, file: str, batch: Batch, reject: Reject) -> Reading:
        """Reads the values of rows. A malformed value costs its row nothing else.

        Args:
            file: Name of the file, for rejections.
            batch: The rows.
            reject: Receives a rejection for each malformed value.
        """
        # Fields that read one column in one way, such as oldest and youngest age, share it.
        keys = list(dict.fromkeys((output.column, output.reader) for output in self.outputs))
        parsed = self.pool.map(
            lambda key: columns.read_column(key[1], batch.frame[key[0]], self.nulls), keys
        )
        read = dict(zip(keys, parsed, strict=True))
        frame = pl.DataFrame([
            read[output.column, output.reader].values.alias(output.name) for output in self.outputs
        ])  # fmt: skip
        malformed = {key: parsed.malformed for key, parsed in read.items()}
        faulty = {key: mask for key, mask in malformed.items() if mask is not None}
        if faulty:
            reject(_rejections(file, batch, faulty))
        unread = {
            output.name: faulty[output.column, output.reader]
            for output in self.outputs
            if (output.column, output.reader) in faulty
        }
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


def _rejections(
    file: str, batch: Batch, faulty: dict[tuple[str, columns.Reader], pl.Series]
) -> list[Rejection]:
    numbers = batch.numbers()
    found = []
    for (column, reader), mask in faulty.items():
        at = mask.arg_true()
        texts = columns.Text().parse(batch.frame[column].gather(at)).str.strip_chars()
        for row, text in zip(numbers[at.to_numpy()].tolist(), texts.to_list(), strict=True):
            value = text if reader.quotable else ""
            found.append(Rejection(file, row, column, reader.fault(text), value))
    return sorted(found, key=lambda entry: entry.row)
