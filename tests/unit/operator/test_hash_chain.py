"""Hash-chained logs in the database of any program."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot_operator.hash_chain import GENESIS, HashChain, Head, Remedies, create_chain
from folkmoot_operator.problems import ExitCode, Problem

AT = 1_796_126_400


class Library:
    """A program of its own, with tables of its own and a log of who borrowed what."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reader = sqlite3.connect(path)
        with self.reader as connection:
            connection.execute("CREATE TABLE books (title TEXT)")
            create_chain(connection, "loans")
        self.loans = HashChain(self, "loans", Remedies("Ask the librarian", "Find the new book"))

    def lend(self, title: str, at: int = AT) -> None:
        with self.reader as connection:
            connection.execute("INSERT INTO books VALUES (?)", [title])
            self.loans.append(connection, at, {"title": title, "late": None})


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path / "library.sqlite")
    yield library
    library.reader.close()


def test_entries_are_chained_by_digests_that_anybody_can_compute(library: Library) -> None:
    library.lend("Emma")
    library.lend("Persuasion – 1817", AT + 1)
    bodies = ['{"late":null,"title":"Emma"}', '{"late":null,"title":"Persuasion \\u2013 1817"}']
    first = hashlib.sha256(GENESIS + f"1\n{AT}\n{bodies[0]}\n".encode()).digest()
    second = hashlib.sha256(first + f"2\n{AT + 1}\n{bodies[1]}\n".encode()).digest()
    entries = list(library.loans.entries())
    assert [entry.digest for entry in entries] == [first, second]
    assert [entry.previous for entry in entries] == [GENESIS, first]
    assert [(entry.sequence, entry.at) for entry in entries] == [(1, AT), (2, AT + 1)]
    assert entries[1].body == {"title": "Persuasion – 1817", "late": None}
    assert library.loans.verify() == library.loans.head() == Head(2, second)


def test_entries_of_some_actions_alone_can_be_read(library: Library) -> None:
    library.lend("A")
    with library.reader as connection:
        library.loans.append(connection, AT, {"action": "lost", "title": "A"})
        library.loans.append(connection, AT, {"action": "found", "title": "A"})
    assert [entry.sequence for entry in library.loans.entries(("lost", "burnt"))] == [2]
    assert len(list(library.loans.entries())) == 3


def test_an_empty_log_verifies(library: Library) -> None:
    assert library.loans.verify() == library.loans.head() == Head(0, GENESIS)
    library.loans.require(Head(0, GENESIS))


def test_an_entry_belongs_to_the_transaction_of_what_it_records(library: Library) -> None:
    with pytest.raises(RuntimeError), library.reader as connection:
        library.loans.append(connection, AT, {"title": "Emma"})
        raise RuntimeError
    assert library.loans.head().length == 0


@pytest.mark.parametrize("statement", ["UPDATE loans SET at = 0", "DELETE FROM loans"])
def test_the_table_itself_refuses_changes(library: Library, statement: str) -> None:
    library.lend("Emma")
    with pytest.raises(sqlite3.IntegrityError, match="loans entries are never"):
        library.reader.execute(statement)


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE loans SET body = replace(body, 'Emma', 'Ivanhoe')",
        "UPDATE loans SET at = at + 1 WHERE sequence = 2",
        "UPDATE loans SET previous = zeroblob(32) WHERE sequence = 3",
        "UPDATE loans SET digest = zeroblob(32) WHERE sequence = 3",
        "DELETE FROM loans WHERE sequence = 1",
        "DELETE FROM loans WHERE sequence = 2",
    ],
)
def test_a_change_made_all_the_same_is_found(library: Library, tampering: str) -> None:
    for title in ("Emma", "Persuasion", "Sanditon"):
        library.lend(title)
    assert library.loans.verify().length == 3
    with library.reader as connection:
        connection.execute("DROP TRIGGER loans_keeps")
        connection.execute("DROP TRIGGER loans_stays")
        connection.execute(tampering)
    with pytest.raises(Problem, match="loans entry") as caught:
        library.loans.verify()
    assert caught.value.exit_code is ExitCode.VERIFICATION
    assert caught.value.where == str(library.path)
    assert caught.value.remedy == "Ask the librarian"


def test_a_shorter_log_is_found_by_a_head_noted_earlier(library: Library) -> None:
    for title in ("Emma", "Persuasion"):
        library.lend(title)
    noted = library.loans.head()
    assert Head.parse(f" {noted}\n") == noted
    library.loans.require(noted)
    with library.reader as connection:
        connection.execute("DROP TRIGGER loans_stays")
        connection.execute("DELETE FROM loans WHERE sequence = 2")
    assert library.loans.verify().length == 1
    with pytest.raises(Problem) as caught:
        library.loans.require(noted)
    assert caught.value.exit_code is ExitCode.VERIFICATION
    assert caught.value.remedy == "Find the new book"


@pytest.mark.parametrize("text", ["", "12", "12:", "12:abc", "x:" + "0" * 64, "-1:" + "0" * 64])
def test_what_is_not_a_head_is_a_usage_error(text: str) -> None:
    with pytest.raises(Problem) as caught:
        Head.parse(text)
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize("name", ["", "Loans", "loans; DROP TABLE books", 'a"b'])
def test_a_name_that_is_none_of_a_table_is_refused(library: Library, name: str) -> None:
    with pytest.raises(ValueError, match="name of a table"):
        create_chain(library.reader, name)
    with pytest.raises(ValueError, match="name of a table"):
        HashChain(library, name, Remedies("", ""))
