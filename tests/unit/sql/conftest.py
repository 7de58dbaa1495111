"""A table of a database, and a node's home with a mapping of it."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest

from folkmoot_plugin_sql.source import SqlSource
from folkmoot_sdk import ReadContext, Records, Rejection
from folkmoot_sdk.parameters import build
from tests.postgresql import PASSWORD, PostgreSQL

MAPPING = """
schema = 1
name = "accounts"
level = "household"
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
column = "rooms"
type = "integer"
combine = "max"
category = "housing"
[fields.tenure]
column = "tenure"
type = "category"
combine = "first"
category = "housing"
codes = {{ "1" = "own", "2" = "rent" }}
[fields.since]
column = "since"
type = "date"
combine = "max"
category = "housing"
[fields.benefit]
column = "benefit"
type = "boolean"
combine = "any"
category = "finance"
{fields}
"""
TABLE = """
CREATE TABLE accounts ("UPRN" bigint, "Owed" numeric(10, 2), rooms smallint, tenure text,
                       since date, benefit boolean, kind text, secret text);
"""


@dataclass
class Home:
    """A node's home with one mapping of a table.

    Attributes:
        path: The folder.
        options: Of the source.
    """

    path: Path
    options: dict[str, object]
    rejected: list[Rejection] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    batches: list[Records] = field(default_factory=list)

    def mapping(self, top: str = 'table = "accounts"', fields: str = "") -> None:
        (self.path / "mapping.toml").write_text(MAPPING.format(top=top, fields=fields), "utf-8")

    def source(self) -> SqlSource:
        options = {"mapping": "mapping.toml", "base": str(self.path), **self.options}
        return SqlSource(build(SqlSource.Options, options, "options"))

    def context(self, *wanted: str) -> ReadContext:
        names = wanted or tuple(entry.name for entry in self.source().schema.fields)
        return ReadContext(
            names,
            datetime.date(2026, 4, 1),
            self.rejected.extend,
            leave_out=lambda reason, number: self.left_out.update({reason: number}),
        )

    def read(self, *wanted: str) -> pl.DataFrame:
        """All records as one frame."""
        self.rejected.clear()
        self.left_out.clear()
        self.batches = list(self.source().read(self.context(*wanted)))
        return pl.concat([batch.data for batch in self.batches])  # type: ignore[misc]


def home_of(folder: Path, server: PostgreSQL, database: str) -> Home:
    """A home whose source is a database, which the administrator reads."""
    secret = folder / "password"
    secret.write_text(PASSWORD + "\n", "utf-8")
    secret.chmod(0o600)
    made = Home(folder, {"url": server.url(database), "password_file": "password"})
    made.mapping()
    return made


@pytest.fixture
def home(tmp_path: Path, postgresql: PostgreSQL) -> Home:
    """A home whose source is a new database with a table."""
    database = postgresql.create("unit")
    postgresql.run(TABLE, database)
    return home_of(tmp_path, postgresql, database)


@pytest.fixture
def run(home: Home, postgresql: PostgreSQL):
    """Runs SQL in the home's database."""
    database = str(home.options["url"]).rpartition("/")[2]
    return lambda sql: postgresql.run(sql, database)


@pytest.fixture
def statements(home: Home, postgresql: PostgreSQL):
    """The statements that the source has sent since the test began."""
    before = len(postgresql.log)

    def sent() -> list[str]:
        entries = re.split(r"^(?=[a-z]*\|)", postgresql.log[before:], flags=re.MULTILINE)
        return [entry for entry in entries if entry.startswith("folkmoot|")]

    return sent
