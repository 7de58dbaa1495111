"""The audit log and the tables, on both databases."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from folkmoot_operator.hash_chain import Head
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.sql_migrations import Tables
from folkmoot_web.audit import Audit
from folkmoot_web.database.connection import Database
from folkmoot_web.database.models import Base


def write(database: Database, audit: Audit, count: int) -> None:
    for number in range(count):
        with database.writing() as session:
            audit.record(session, "did", "alice", {"number": number, "why": None})


def test_the_log_is_a_chain(database: Database, audit: Audit) -> None:
    assert audit.verify() == Head(0, bytes(32))
    write(database, audit, 5)
    head = audit.verify()
    assert head.length == 5
    assert [entry.body["number"] for entry in audit.entries()] == [0, 1, 2, 3, 4]
    assert [entry.sequence for entry in audit.entries(("did",))] == [1, 2, 3, 4, 5]
    write(database, audit, 2)
    assert audit.verify([head]).length == 7


@pytest.mark.parametrize(
    "change", ["UPDATE web_audit SET at = at + 1", "DELETE FROM web_audit WHERE sequence = 3"]
)
def test_the_table_refuses_changes(change: str, database: Database, audit: Audit) -> None:
    write(database, audit, 3)
    with pytest.raises((DBAPIError, Problem)), database.writing() as session:
        session.execute(text(change))
    assert audit.verify().length == 3


def _without_triggers(session: Session) -> None:
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text("DROP TRIGGER web_audit_keeps"))
        session.execute(text("DROP TRIGGER web_audit_stays"))
    else:
        session.execute(text("DROP TRIGGER web_audit_keeps ON web_audit"))


@pytest.mark.parametrize(
    ("change", "first"),
    [
        ("UPDATE web_audit SET body = replace(body, 'alice', 'bobby') WHERE sequence = 2", 2),
        ("UPDATE web_audit SET at = at - 1 WHERE sequence = 4", 4),
        ("DELETE FROM web_audit WHERE sequence = 3", 3),
        ("DELETE FROM web_audit WHERE sequence = 1", 1),
        ("UPDATE web_audit SET sequence = 50 WHERE sequence = 5", 5),
    ],
)
def test_what_was_changed_all_the_same_shows(
    change: str, first: int, database: Database, audit: Audit
) -> None:
    write(database, audit, 5)
    with database.writing() as session:
        _without_triggers(session)
        session.execute(text(change))
    with pytest.raises(Problem, match=f"entry {first} does not fit") as caught:
        audit.verify()
    assert caught.value.exit_code == ExitCode.VERIFICATION


def test_a_log_that_was_cut_is_known_by_a_head_that_was_noted(
    database: Database, audit: Audit
) -> None:
    write(database, audit, 5)
    noted = audit.verify()
    with database.writing() as session:
        _without_triggers(session)
        session.execute(text("DELETE FROM web_audit WHERE sequence > 3"))
    assert audit.verify().length == 3, "it is a chain by itself"
    with pytest.raises(Problem, match="had the head"):
        audit.verify([noted])


def test_an_entry_is_stored_with_what_it_is_about_or_not_at_all(
    database: Database, audit: Audit
) -> None:
    def fails() -> None:
        with database.writing() as session:
            audit.record(session, "did", "alice")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert audit.verify().length == 0


def test_many_write_at_one_time(database: Database, audit: Audit) -> None:
    failed: list[BaseException] = []

    def work() -> None:
        try:
            write(database, audit, 10)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert audit.verify().length == 60


def test_the_tables_are_those_of_the_models(database: Database) -> None:
    with database.connection(writes=False) as connection:
        there = inspect(connection)
        for table in Base.metadata.sorted_tables:
            columns = {one["name"]: one["nullable"] for one in there.get_columns(table.name)}
            assert columns == {c.name: bool(c.nullable) for c in table.columns}, table.name
            indexes = {one["name"] for one in there.get_indexes(table.name)}
            assert {str(index.name) for index in table.indexes} <= indexes


def test_preparing_again_changes_nothing(database: Database, audit: Audit) -> None:
    write(database, audit, 1)
    database.prepare()
    assert audit.verify().length == 1


ENV = """
from sqlalchemy import MetaData
from folkmoot_operator.sql_migrations import run_migrations
run_migrations(MetaData())
"""
FIRST = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "0001", None, None, None
def upgrade():
    op.create_table("drafts", sa.Column("id", sa.Integer, primary_key=True))
"""


def test_a_product_has_tables_of_its_own_beside(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text(ENV)
    (folder / "versions" / "v0001.py").write_text(FIRST)
    tables = Tables("drafts", folder, "0001")
    url = database._engine.url
    with_product = Database(url, [tables])
    try:
        with_product.prepare()
        with with_product.connection(writes=False) as connection:
            names = set(inspect(connection).get_table_names())
            assert tables.version(connection) == "0001"
        assert {"drafts", "drafts_version", "web_version", "web_audit"} <= names
        assert "alembic_version" not in names, "that is another program's"
    finally:
        with_product.close()


def test_tables_of_a_later_version_are_left_alone(database: Database) -> None:
    with database.writing() as session:
        session.execute(text("UPDATE web_version SET version_num = '9999'"))
    with pytest.raises(Problem, match="made by a later version"):
        database.prepare()


@pytest.mark.parametrize("url", ["nonsense", "oracle://x", "postgresql+nodriver://x/y", ""])
def test_a_url_that_cannot_be_used(url: str) -> None:
    with pytest.raises(Problem) as caught:
        Database(url)
    assert caught.value.where == "database.url"


def test_a_password_is_in_no_message() -> None:
    database = Database("postgresql+psycopg://user:hunter2@127.0.0.1:1/none")
    with pytest.raises(Problem) as caught:
        database.check()
    assert caught.value.exit_code == ExitCode.UNREACHABLE
    assert "hunter2" not in f"{caught.value} {caught.value.remedy} {database.address}"
    database.close()


def test_a_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    database = Database(sqlalchemy.URL.create("sqlite", database=str(tmp_path / "a?b#c %.sqlite")))
    with pytest.raises(Problem):
        database.check()
    assert list(tmp_path.iterdir()) == [], "asking makes no file"
    database.prepare()
    assert (tmp_path / "a?b#c %.sqlite").stat().st_mode & 0o077 == 0
    database.close()
