"""Files with a group of columns for each person of a row: one record for each person.

Fields of columns that are the same for everybody, such as the arrears of an account, stand in the
row's first record alone, so that sums count them once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl

from folkmoot_plugin_extracts.batch import Batch
from folkmoot_plugin_extracts.columns import Text
from folkmoot_plugin_extracts.csv_file import Reject
from folkmoot_plugin_extracts.mapping import Mapping
from folkmoot_plugin_extracts.parsing import (
    Output,
    Parser,
    Reading,
    any_of,
    needed_columns,
)
from folkmoot_sdk import Rejection


class PeopleOfRow:
    """How the people of a row are read; a row is one record if the mapping names none.

    Args:
        mapping: Names the columns of each person.
        outputs: What is read of a record.
    """

    def __init__(self, mapping: Mapping, outputs: Sequence[Output]) -> None:
        self._outputs = outputs
        self._fields = mapping.fields
        needed = needed_columns(outputs)
        self._people = [
            {name: column for name, column in person.items() if name in needed}
            for person in mapping.people
        ]
        own = set(self._people[0]) if self._people else set()
        self._columns = tuple(
            dict.fromkeys(
                (
                    *(name for name in needed if name not in own),
                    *(column for person in self._people for column in person.values()),
                )
            )
        )
        self._of_others = [
            output
            for output in outputs
            if output.name not in mapping.fields or own.intersection(output.columns)
        ]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the file that are needed, each once."""
        return self._columns

    def has_own(self, column: str) -> bool:
        """Whether each person of a row has a column of their own in place of this one."""
        return any(column in person for person in self._people)

    def records(self, batch: Batch) -> int:
        """How many records `read` makes of rows."""
        others = (int(self._there(batch, person).sum()) for person in self._people[1:])
        return batch.frame.height + sum(others)

    def read(
        self, reading: Parser, file: str, batch: Batch, reject: Reject
    ) -> Iterator[tuple[Reading, Batch, pl.Series | None]]:
        """Yields the records of the first person of each row, then of the second, and so on.

        The first person's record is there in any case; another's if one of its columns is filled.

        Args:
            reading: Reads the outputs.
            file: What the rows are from.
            batch: The rows.
            reject: Receives a rejection for each malformed value.

        Returns:
            The values, the rows that they are of, and for each row of `batch` whether it is among
            these: Boolean, never null; None if all are.
        """
        if not self._people:
            yield reading.parse(file, batch, reject), batch, None
            return
        for at, person in enumerate(self._people):
            there = self._there(batch, person) if at else None
            rows = batch if there is None else batch.filter(there)
            named = rows.frame.with_columns(
                rows.frame[column].alias(name) for name, column in person.items()
            )
            parse = reading if not at else replace(reading, outputs=self._of_others)
            own = replace(rows, frame=named)
            read = parse.parse(file, own, _renaming(reject, person))
            yield self._whole(read), own, there

    @staticmethod
    def _there(batch: Batch, person: dict[str, str]) -> pl.Series:
        """Whether a row says anything of a person: Boolean, never null."""
        filled = [
            (Text().parse(batch.frame[column]).str.strip_chars() != "").fill_null(False)
            for column in person.values()
        ]
        return any_of(filled) if filled else pl.repeat(False, batch.frame.height, eager=True)

    def _whole(self, read: Reading) -> Reading:
        """All outputs, null where they are not this person's."""
        frame = read.frame
        missing = [output for output in self._outputs if output.name not in frame.columns]
        empty = pl.Series([], dtype=pl.String)
        frame = frame.with_columns(
            pl.lit(None, output.reader.parse(empty).dtype).alias(output.name) for output in missing
        )
        return replace(read, frame=frame.select(output.name for output in self._outputs))


def _renaming(reject: Reject, person: dict[str, str]) -> Reject:
    """Names the column of the file in rejections, instead of the one that the mapping names."""

    def renamed(rejections: list[Rejection]) -> None:
        reject([replace(entry, field=person.get(entry.field, entry.field)) for entry in rejections])

    return renamed
