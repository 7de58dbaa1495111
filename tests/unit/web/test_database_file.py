"""The file of a database is shared with other processes, and nothing that one writes is lost."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from folkmoot_coordinator.database.connection import Database as RegionDatabase
from folkmoot_coordinator.drafts.models import DRAFTS
from folkmoot_operator.sqlite_faults import DatabaseFile, UnusableDatabase
from folkmoot_web.database.connection import Database as SiteDatabase

OTHER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
print(connection.execute("SELECT count(*) FROM notes").fetchone()[0])
connection.close()
"""
Prepare = Callable[[Path], SiteDatabase | RegionDatabase]


def of_a_site(path: Path) -> SiteDatabase:
    database = SiteDatabase(f"sqlite:///{path}")
    database.prepare()
    return database


def of_drafts(path: Path) -> RegionDatabase:
    database = RegionDatabase(f"sqlite:///{path}", DRAFTS)
    database.bring_up_to_date()
    return database


def seen_elsewhere(path: Path) -> int:
    """Rows that another process sees, which opens the database and closes it again."""
    done = subprocess.run(
        [sys.executable, "-c", OTHER, str(path)], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def write(database: SiteDatabase | RegionDatabase) -> None:
    with database.connection(writes=True) as connection:
        connection.execute(text("INSERT INTO notes VALUES (1)"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "site.sqlite"


@pytest.mark.parametrize("first", [of_a_site, of_drafts])
@pytest.mark.parametrize("second", [of_a_site, of_drafts])
def test_whoever_opens_it_beside_others_takes_no_lock_from_them(
    first: Prepare, second: Prepare, path: Path
) -> None:
    """Closing a file frees all locks that a process has on it, whatever opened it."""
    one = first(path)
    with one.connection(writes=True) as connection:
        connection.execute(text("CREATE TABLE notes (number INTEGER)"))
    other = second(path)
    assert seen_elsewhere(path) == 0
    for number in range(1, 4):
        write(one)
        assert seen_elsewhere(path) == number, "the log of what is written was taken away"
    one.close()
    other.close()
    assert seen_elsewhere(path) == 3


@pytest.mark.parametrize("prepare", [of_a_site, of_drafts])
def test_a_file_that_was_moved_is_let_go(prepare: Prepare, path: Path) -> None:
    database = prepare(path)
    with database.connection(writes=True) as connection:
        connection.execute(text("CREATE TABLE notes (number INTEGER)"))
    write(database)
    moved = [
        one.rename(one.with_name(f"aside-{one.name}")) for one in sorted(path.parent.glob("site.*"))
    ]
    with pytest.raises(UnusableDatabase):
        write(database)
    assert not list(path.parent.glob("site.*")), "no other was made in its place"
    for one in reversed(moved):
        one.rename(one.with_name(one.name.removeprefix("aside-")))
    write(database)
    database.close()
    assert seen_elsewhere(path) == 2


@pytest.mark.parametrize("prepare", [of_a_site, of_drafts])
def test_what_is_written_goes_into_a_restored_file(prepare: Prepare, path: Path) -> None:
    """Not into the one that it has replaced, where nobody would find it."""
    database = prepare(path)
    with database.connection(writes=True) as connection:
        connection.execute(text("CREATE TABLE notes (number INTEGER)"))
    backup = path.with_suffix(".backup")
    copy = sqlite3.connect(backup)
    source = sqlite3.connect(path)
    source.backup(copy)
    source.close()
    copy.close()
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    backup.rename(path)
    write(database)
    assert seen_elsewhere(path) == 1
    database.close()


def test_a_link_is_not_followed(path: Path) -> None:
    path.symlink_to(path.with_suffix(".elsewhere"))
    with pytest.raises(OSError, match="symbolic links"):
        DatabaseFile(path, "a database", "", 1).make()
    assert not path.with_suffix(".elsewhere").exists()
