"""A disk, a kill or a second one stops a backup or restore: it says why, and nothing is lost."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from folkmoot_operator.age_encryption import make_key
from folkmoot_operator.backup_file import About, Source, read_backup, write_backup
from folkmoot_operator.backup_home import restore
from folkmoot_operator.file_lock import alone
from tests.commands import run_inside
from tests.hostile_disks import run_where
from tests.power_cut import watched

NODE = "folkmoot-node"
CAUSES = {"full": ("disk is full", 6), "read_only": ("ead-only", 3)}


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return tmp_path / "backup.key"


@pytest.fixture
def public(key: Path) -> str:
    return make_key(key)


@pytest.fixture
def words(public: str, tmp_path: Path) -> tuple[object, ...]:
    return ("backup", "--recipient", public, "--folder", tmp_path / "backups")


def made(program: str, home: Path, words: tuple[object, ...], tmp_path: Path) -> Path:
    run_inside(program, *words, "--home", home).said()
    (path,) = (tmp_path / "backups").iterdir()
    return path


@pytest.mark.parametrize("condition", CAUSES)
def test_a_backup_says_what_is_in_the_way_and_leaves_the_others(
    condition: str, program: str, home: Path, words: tuple[object, ...], tmp_path: Path
) -> None:
    path = made(program, home, words, tmp_path)
    before = path.read_bytes()
    cause, code = CAUSES[condition]
    said = run_where(condition, home, program, *words).said(code)
    assert cause in said
    assert "Traceback" not in said
    assert [one.read_bytes() for one in (tmp_path / "backups").iterdir()] == [before]


@pytest.mark.parametrize("condition", CAUSES)
def test_a_restore_says_what_is_in_the_way_and_leaves_nothing(
    condition: str, program: str, home: Path, key: Path, words: tuple[object, ...], tmp_path: Path
) -> None:
    path = made(program, home, words, tmp_path)
    place = tmp_path / "place"
    place.mkdir()
    cause, code = CAUSES[condition]
    said = run_where(
        condition, place, program, "restore", path, "--identity", key, "--into", place / "new"
    ).said(code)
    assert cause in said
    assert "Traceback" not in said
    assert list(place.iterdir()) == []
    run_inside(program, "restore", path, "--identity", key, "--into", place / "new").said()


def test_a_power_cut_leaves_a_whole_backup_or_none(key: Path, public: str, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"x" * 100_000)
    about = About(program=NODE, version="1", name="x", made_at="now")
    folder = tmp_path / "backups"
    folder.mkdir()
    path = folder / "one.folkmoot-backup"
    with watched(folder) as disk:
        write_backup(path, about, [Source("file", tmp_path / "source")], [public])
    whole = path.read_bytes()
    assert disk.at_the_end == {path.name: whole}
    for files in disk.ever:
        assert files.get(path.name) in (None, whole)
    assert all(mode == 0o600 for modes in disk.modes for mode in modes.values())


def test_a_power_cut_leaves_a_whole_home_or_none(key: Path, public: str, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)
    about, path = About(program=NODE, version="1", name="x", made_at="now"), tmp_path / "backup"
    sources = [Source("a/one", tmp_path / "one"), Source("two", tmp_path / "two")]
    write_backup(path, about, sources, [public])
    place = tmp_path / "place"
    place.mkdir()
    with watched(place) as disk:
        restore(path, key, place / "new", begin=lambda _: None, finish=lambda *_: None)
    whole = {"new/a/one": b"one", "new/two": b"two"}
    assert disk.at_the_end == whole
    for files in disk.ever:
        there = {name: content for name, content in files.items() if name.startswith("new/")}
        assert there in ({}, whole)
    assert not any(mode & 0o077 for modes in disk.modes for mode in modes.values())


def test_what_a_killed_backup_left_goes_with_the_next(
    program: str, home: Path, key: Path, words: tuple[object, ...], tmp_path: Path
) -> None:
    path = made(program, home, words, tmp_path)
    stem = path.name.rpartition("-2")[0]
    leftover = path.with_name(f".{stem}-2026-01-01T0000Z.folkmoot-backup.1a2b3c4d")
    leftover.write_text("half")
    (home / ".backup").mkdir(mode=0o700)
    (home / ".backup" / "0.sqlite").write_text("half")
    path.unlink()
    run_inside(program, *words, "--home", home).said()
    assert not leftover.exists()
    assert not (home / ".backup").exists()
    (again,) = (tmp_path / "backups").iterdir()
    assert read_backup(again, key).files


def test_two_at_once_do_not_get_in_each_others_way(
    program: str, home: Path, words: tuple[object, ...]
) -> None:
    with alone(home / "backup.lock", f"{program} backup"):
        said = run_inside(program, *words, "--home", home).said(5)
    assert "another" in said
    run_inside(program, *words, "--home", home).said()


def test_a_damaged_page_never_becomes_a_backup(
    program: str, home: Path, words: tuple[object, ...], tmp_path: Path
) -> None:
    path = made(program, home, words, tmp_path)
    database = home / ("state.sqlite" if program == NODE else "coordinator.sqlite")
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        table = "outbox" if program == NODE else "rounds"
        query = f"SELECT rootpage FROM sqlite_master WHERE name LIKE '{table}%'"
        (page,) = connection.execute(query).fetchone()
    with database.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)
    later = path.with_name(path.name.replace("2026-", "2025-"))
    path.rename(later)  # of another minute
    said = run_inside(program, *words, "--home", home).said(7)
    assert "damaged" in said
    assert list((tmp_path / "backups").iterdir()) == [later]
