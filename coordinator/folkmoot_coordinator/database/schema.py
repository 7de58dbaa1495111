"""What a database of ours holds: its tables, their migrations, and what people are told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from folkmoot_operator.sql_migrations import Tables


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables that a program expects in a database.

    Attributes:
        tables: What is migrated together. Several schemas may share a database.
        what: What the database is for people: `the region's database`.
        lost: What to do if it is missing.
        damaged: What to do if it is damaged.
        setting: Key of the settings file that names its URL.
        is_made_when_missing: True if whatever opens it first makes it.
    """

    tables: Tables
    what: str
    lost: str
    damaged: str
    setting: str
    is_made_when_missing: bool = False


REGION = Schema(
    tables=Tables("region", Path(__file__).parent / "migrations", "0011", "alembic_version"),
    what="the region's database",
    lost="Restore it from its backup, to this place; the councils, their certificates and every "
    "answer are in it. For a region that never had one, make a coordinator in another folder with "
    "`folkmoot-coordinator init`",
    damaged="Stop the coordinator, and keep a copy of the file. Restore the newest backup: nodes "
    "send again what the backup lacks, where the round is open there",
    setting="database.url",
)
"""What a region's coordinator keeps."""
