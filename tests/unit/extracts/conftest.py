import datetime
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest

from folkmoot_plugin_extracts.source import ExtractsSource
from folkmoot_sdk import ReadContext
from folkmoot_sdk.parameters import build

MAPPING = """
schema = 1
name = "accounts"
level = "household"
files = ["accounts*"]
uprn = "UPRN"
null_values = ["NULL", "-9"]
{top}
[fields.owed]
column = "Owed"
type = "number"
combine = "sum"
category = "finance"
minimum = 0
[fields.rooms]
column = "Rooms"
type = "integer"
combine = "max"
category = "housing"
[fields.tenure]
column = "Tenure"
type = "category"
combine = "first"
category = "housing"
codes = {{ "1" = "own", "2" = "rent" }}
[fields.since]
column = "Since"
type = "date"
format = "%d/%m/%Y"
combine = "max"
category = "housing"
[fields.benefit]
column = "Benefit"
type = "boolean"
true = ["Y"]
false = ["N"]
combine = "any"
category = "finance"
{fields}
"""
HEADER = "UPRN,Owed,Rooms,Tenure,Since,Benefit"


@dataclass
class Folder:
    """A node's home with one mapping and some extracts."""

    path: Path
    rejected: list = field(default_factory=list)
    batches: list = field(default_factory=list)
    left_out: Counter = field(default_factory=Counter)
    notes: list = field(default_factory=list)

    def mapping(self, text):
        (self.path / "mapping.toml").write_text(text, encoding="utf-8")

    def accounts(self, top="", fields=""):
        self.mapping(MAPPING.format(top=top, fields=fields))

    def csv(self, *rows, name="accounts.csv", header=HEADER, end="\n", encoding="utf-8"):
        text = end.join([header, *rows]) + end
        (self.path / name).write_bytes(text.encode(encoding))

    def source(self):
        options = {"mapping": "mapping.toml", "folder": ".", "base": str(self.path)}
        return ExtractsSource(build(ExtractsSource.Options, options, "options"))

    def read(self, *wanted, reference_date=datetime.date(2026, 4, 1), known_on=None):
        """All records, as one frame without the UPRN unless asked for."""
        self.rejected.clear()
        self.batches.clear()
        self.left_out.clear()
        self.notes.clear()
        source = self.source()
        names = wanted or [entry.name for entry in source.schema.fields]
        context = ReadContext(
            tuple(names),
            reference_date,
            self.rejected.extend,
            leave_out=lambda reason, n: self.left_out.update({reason: n}),
            note=self.notes.append,
            known_on=known_on,
        )
        self.batches.extend(source.read(context))
        return pl.concat([batch.data for batch in self.batches])

    def rows(self):
        """Row numbers of the records read."""
        return [
            row
            for batch in self.batches
            for row in (
                batch.rows
                if batch.rows is not None
                else range(batch.first_row, batch.first_row + batch.data.height)
            )
        ]

    def unread(self):
        """Row number and column of each value that could not be read."""
        found = []
        for batch in self.batches:
            rows = batch.rows
            if rows is None:
                rows = range(batch.first_row, batch.first_row + batch.data.height)
            order = batch.data.columns.index
            found += sorted(
                (rows[at], order(name), name)
                for name, places in batch.unread.items()
                for at in places
            )
        return [(row, name) for row, _, name in found]


@pytest.fixture
def folder(tmp_path):
    made = Folder(tmp_path)
    made.accounts()
    return made
