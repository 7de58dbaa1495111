"""The audit log: a chain in SQLite and PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.database.connection import Database
from folkmoot_operator.hash_chain import Head
from folkmoot_operator.problems import ExitCode, Problem
from tests.postgresql import PASSWORD


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        made = Database(f"sqlite:///{tmp_path / 'audit.sqlite'}")
    else:
        server = request.getfixturevalue("postgresql")
        url = make_url(server.url(server.create("audit"), "postgresql+psycopg"))
        made = Database(url.set(password=PASSWORD))
    made.create()
    yield made
    made.close()


def note(database: Database, action: str, at: int = 5) -> None:
    with database.writing() as session:
        audit_log.note(session, at, action, {"round": "r", "numbers": [1, None]}, "tests")


def test_entries_follow_each_other(database: Database) -> None:
    assert audit_log.verify(database) == Head(0, bytes(32))
    for number in range(3):
        note(database, f"action {number % 2}", at=number)
    found = list(audit_log.entries(database))
    assert [(one.sequence, one.at, one.body["action"]) for one in found] == [
        (1, 0, "action 0"),
        (2, 1, "action 1"),
        (3, 2, "action 0"),
    ]
    assert found[0].body == {
        "action": "action 0", "by": "tests", "round": "r", "numbers": [1, None],
    }  # fmt: skip
    assert [one.sequence for one in audit_log.entries(database, ("action 1",))] == [2]
    assert audit_log.verify(database) == audit_log.head(database) == Head(3, found[2].digest)
    assert audit_log.verify(database, [Head(2, found[1].digest)]).length == 3


def test_more_entries_than_are_read_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("folkmoot_operator.sql_audit._AT_ONCE", 2)
    for number in range(5):
        note(database, str(number))
    assert audit_log.verify(database).length == 5
    assert len(list(audit_log.entries(database))) == 5


def test_the_database_refuses_changes(database: Database) -> None:
    note(database, "first")
    for statement in ("UPDATE audit SET at = 9", "DELETE FROM audit"):
        with pytest.raises(DBAPIError, match="never"), database.writing() as session:
            session.execute(text(statement))
    assert audit_log.verify(database).length == 1


def _without_triggers(database: Database, statement: str) -> None:
    with database.writing() as session:
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        else:
            session.execute(text("DROP TRIGGER audit_keeps"))
            session.execute(text("DROP TRIGGER audit_stays"))
        session.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET body = replace(body, 'tests', 'other') WHERE sequence = 2",
        "UPDATE audit SET at = 6 WHERE sequence = 2",
        "DELETE FROM audit WHERE sequence = 2",
    ],
)
def test_a_change_shows(database: Database, statement: str) -> None:
    for number in range(3):
        note(database, str(number))
    _without_triggers(database, statement)
    with pytest.raises(Problem, match="entry 2 does not fit") as caught:
        audit_log.verify(database)
    assert caught.value.exit_code is ExitCode.VERIFICATION


def test_entries_cut_off_show_by_a_head_that_was_noted(database: Database) -> None:
    for number in range(3):
        note(database, str(number))
    noted = audit_log.head(database)
    _without_triggers(database, "DELETE FROM audit WHERE sequence = 3")
    assert audit_log.verify(database).length == 2
    with pytest.raises(Problem, match="had the head 3:") as caught:
        audit_log.verify(database, [noted])
    assert caught.value.exit_code is ExitCode.VERIFICATION


def test_what_is_not_stored_is_not_noted(database: Database) -> None:
    with pytest.raises(RuntimeError), database.writing() as session:
        audit_log.note(session, 1, "never", {})
        raise RuntimeError
    assert audit_log.head(database).length == 0


def test_entries_that_race_make_one_chain(database: Database) -> None:
    threads = [threading.Thread(target=note, args=(database, str(at))) for at in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert audit_log.verify(database).length == 8


def test_an_account_is_named_by_the_operating_system(database: Database) -> None:
    with database.writing() as session:
        audit_log.note(session, 1, "looked", {})
    [entry] = audit_log.entries(database)
    assert entry.body["by"]
    assert isinstance(entry.body["uid"], int)
