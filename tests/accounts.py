"""Reads a source and keeps account of what became of each row."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from folkmoot_sdk import DataSource, ReadContext, Rejection
from folkmoot_sdk.parameters import build

DATE = datetime.date(2026, 4, 1)


@dataclass
class Account:
    """What a source handed over.

    Attributes:
        frame: All records.
        rows: File and row of each record.
        origins: Files, in order, each once.
        rejections: As handed to `reject`.
        left_out: Records by reason.
    """

    frame: pl.DataFrame
    rows: list[tuple[str, int]] = field(default_factory=list)
    origins: list[str] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def rejected(self) -> set[tuple[str, int]]:
        """File and row of each rejected record."""
        return {(entry.file, entry.row) for entry in self.rejections}

    @property
    def accounted(self) -> int:
        """Rows that are records, left out, or rejected as a whole."""
        whole = self.rejected - set(self.rows)
        return len(self.rows) + self.left_out.total() + len(whole)

    def of(self, key: object) -> dict[str, Any]:
        """The record of one area or UPRN."""
        [row] = self.frame.filter(self.frame[self.frame.columns[0]] == key).to_dicts()
        return row


def read_source(
    cls: type[DataSource],
    base: Path,
    options: Mapping[str, Any],
    fields: Sequence[str] | None = None,
    date: datetime.date = DATE,
) -> Account:
    """Reads all fields of a source, or those named."""
    source = cls(build(cls.Options, {**options, "base": str(base)}, "options"))
    names = [entry.name for entry in source.schema.fields] if fields is None else list(fields)
    account = Account(pl.DataFrame())
    context = ReadContext(
        names,
        date,
        account.rejections.extend,
        leave_out=lambda reason, records: account.left_out.update({reason: records}),
    )
    frames = []
    for batch in source.read(context):
        frame = pl.DataFrame(batch.data)
        frames.append(frame)
        rows = batch.rows
        if rows is None:
            rows = range(batch.first_row, batch.first_row + frame.height)
        account.rows += [(batch.origin, int(row)) for row in rows]
        account.origins += [batch.origin] if batch.origin not in account.origins else []
    account.frame = pl.concat(frames) if frames else account.frame
    account.left_out = Counter({k: n for k, n in account.left_out.items() if n})
    return account
