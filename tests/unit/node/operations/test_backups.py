"""What a backup of a node holds, what it never holds, and how long it may hold the store's key."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
from contextlib import closing
from datetime import timedelta

import pytest

from folkmoot_node.evidence.database import SCHEMA_VERSION, StateDatabase
from folkmoot_node.evidence.restored import last_restore, require_compared
from folkmoot_node.home import open_home
from folkmoot_node.operations.back_up import (
    EncryptedDatabase,
    back_up,
    delete_ended,
    with_store_key,
)
from folkmoot_node.operations.checks import backups
from folkmoot_node.operations.restore import note_drill, restore_node
from folkmoot_node.store.encrypted_file import read_key
from folkmoot_node.store.reader import open_store
from folkmoot_operator import checks
from folkmoot_operator.accounts import Operator
from folkmoot_operator.age_encryption import make_key
from folkmoot_operator.backup_file import Source, read_backup, write_backup
from folkmoot_operator.backup_settings import BackupSettings
from folkmoot_operator.checks import State
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.sqlcipher import Cipher
from tests.commands import run_inside
from tests.unit.node.conftest import TODAY, tax_rows

WHO = Operator("tester", 1000)
DAY = 86_400
NOW = 1_796_126_400  # 2026-12-01, noon UTC


@pytest.fixture
def scored(node):
    """Scored on 1 December 2026."""
    with StateDatabase(node.config.state_path, create=True):
        pass
    lsoa = ["E01000001"] * 2
    node.tax.batches = [tax_rows([1, 2], [0.0] * 2, ["owned"] * 2, lsoa)]
    node.score(clock=lambda: NOW)
    node.home.chmod(0o700)
    return node


@pytest.fixture
def key(tmp_path_factory):
    return tmp_path_factory.mktemp("key") / "backup.key"


@pytest.fixture
def settings(key, tmp_path_factory):
    folder = tmp_path_factory.mktemp("backups")
    return BackupSettings(recipients=(make_key(key),), folder=folder, keep=2)


def at(node, days=0):
    return open_home(node.home, clock=lambda: NOW + days * DAY)


def made(node, settings, days=0, **options):
    with at(node, days) as home:
        return back_up(home, settings, WHO, **options)


def names(file, key):
    found = []
    read_backup(file, key, take=lambda name, content: found.append(name))
    return found


def actions(node):
    with at(node) as home:
        return [entry.body["action"] for entry in home.audit.entries()]


def restored(file, key, into, **options):
    return restore_node(file, key, into, WHO, clock=lambda: NOW, **options)


def test_records_stay_out_and_so_does_the_key(scored, settings, key):
    for folder in ("extracts", "quarantine", "review"):
        (scored.home / folder).mkdir(exist_ok=True)
        (scored.home / folder / "people.csv").write_text("a resident")
    (scored.home / "store" / "households.duckdb.unfinished").write_text("half")
    done = made(scored, settings)
    held = names(done.written.path, key)
    assert {"node.toml", "state.sqlite", "store/households.duckdb"} <= set(held)
    assert not [name for name in held if name.startswith(("extracts", "quarantine", "review"))]
    assert not [name for name in held if "store.key" in name or "unfinished" in name]
    assert any("the store's key" in what for what in done.about.left_out)
    assert done.about.store_key is None
    assert done.about.expires is None


def test_nobody_else_can_read_one_and_nothing_is_left_beside_it(scored, settings):
    done = made(scored, settings)
    assert stat.S_IMODE(done.written.path.stat().st_mode) == 0o600
    assert list(settings.folder.iterdir()) == [done.written.path]
    assert not (scored.home / ".backup").exists()
    plain = done.written.path.read_bytes()
    assert b"node.toml" not in plain
    assert b"state.sqlite" not in plain


def test_a_copy_is_of_one_moment_while_others_write(scored, settings, key, tmp_path):
    stop = threading.Event()
    written = []

    def write():
        with at(scored) as home:
            while not stop.is_set():
                with home.state.transaction() as connection:
                    home.audit.append(connection, NOW, {"action": "one of two"})
                    home.audit.append(connection, NOW, {"action": "two of two"})
                written.append(1)
                stop.wait(0.02)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while len(written) < 3:
            time.sleep(0.01)
        done = made(scored, settings)
    finally:
        stop.set()
        writer.join()
    assert len(written) > 3
    restored(done.written.path, key, tmp_path / "new")
    with open_home(tmp_path / "new") as home:
        home.verify_evidence()
        counts = [sum(entry.body["action"] == which for entry in home.audit.entries())
                  for which in ("one of two", "two of two")]  # fmt: skip
    assert counts[0] == counts[1] > 0


def test_a_restored_home_says_so_and_answers_nothing(scored, settings, key, tmp_path):
    done = made(scored, settings)
    result = restored(done.written.path, key, tmp_path / "new")
    assert any("store's key" in what for what in result.missing)
    with open_home(tmp_path / "new") as home:
        last = last_restore(home.state)
        assert last is not None
        assert not last.is_compared
        with pytest.raises(Problem) as refused:
            require_compared(home.state)
        warned = [one for one in checks.examine(backups(home)) if one.name == "restored"]
    assert refused.value.exit_code is ExitCode.VERIFICATION
    assert [one.state for one in warned] == [State.WARN]
    for path in (tmp_path / "new").rglob("*"):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


def test_the_key_comes_with_the_backup_or_apart(scored, settings, key, tmp_path):
    without = made(scored, settings).written.path
    with_key = made(scored, settings, store_key=True).written.path
    assert "with-store-key" in with_key.name
    apart = scored.home / "keys" / "store.key"
    for into, file, given in (("one", without, apart), ("two", with_key, None)):
        result = restored(file, key, tmp_path / into, store_key=given)
        config = scored.config.__class__(tmp_path / into, scored.config.settings)
        with open_store(config.store_path, read_key(config.key_file)) as store:
            assert store.run.households == 2
        assert not any("key" in what for what in result.missing if "not in" not in what)


def named_so(node, key_file):
    text = (node.home / "node.toml").read_text()
    node.write_node(text + f'\n[store]\nkey_file = "{key_file}"\n')


@pytest.mark.parametrize("outside", ["../out/evil.key", "/{}/out/evil.key", "keys/../../out/a/b"])
def test_a_forged_backup_does_not_choose_where_the_key_is_written(
    outside, scored, settings, key, tmp_path
):
    kept = tmp_path / "kept.key"
    kept.write_bytes((scored.home / "keys" / "store.key").read_bytes())
    kept.chmod(0o600)
    done = made(scored, settings)
    forged = tmp_path / "forged.folkmoot-backup"
    text = (scored.home / "node.toml").read_text()
    (tmp_path / "node.toml").write_text(
        f'{text}\n[store]\nkey_file = "{outside.format(tmp_path)}"\n'
    )
    unpacked = tmp_path / "unpacked"
    restored(done.written.path, key, unpacked)
    names_of = [path for path in unpacked.rglob("*") if path.is_file()]
    sources = [
        Source(one.relative_to(unpacked).as_posix(),
               tmp_path / "node.toml" if one.name == "node.toml" else one)
        for one in names_of
    ]  # fmt: skip
    write_backup(forged, done.about, sources, settings.recipients)
    (tmp_path / "place").mkdir()
    before = sorted(path for path in tmp_path.rglob("*"))
    with pytest.raises(Problem, match="outside of the home") as refused:
        restored(forged, key, tmp_path / "place" / "new", store_key=kept)
    assert refused.value.exit_code is ExitCode.REFUSED
    assert sorted(path for path in tmp_path.rglob("*")) == before


@pytest.mark.parametrize("named", ["keys/../keys/store.key", "keys/link.key", "linked/store.key"])
def test_the_key_stays_out_however_the_settings_name_it(named, scored, settings, key):
    (scored.home / "keys" / "link.key").symlink_to("store.key")
    (scored.home / "linked").symlink_to("keys")
    named_so(scored, named)
    held = names(made(scored, settings).written.path, key)
    assert "node.toml" in held
    assert not [name for name in held if "store.key" in name]
    assert "keys/store.key" in names(
        made(scored, settings, days=1, store_key=True).written.path, key
    )


def test_a_key_outside_is_not_taken_for_one_inside(scored, settings):
    (scored.home / "keys" / "store.key").rename(scored.home.parent / "store.key")
    named_so(scored, "../store.key")
    with pytest.raises(Problem, match="outside the home"):
        made(scored, settings, store_key=True)


def test_a_backup_with_the_key_ends_with_the_retention_of_what_it_opens(
    scored, settings, monkeypatch
):
    done = made(scored, settings, days=10, store_key=True)
    last = TODAY + timedelta(days=90)  # of the scores, not of the backup
    assert done.about.expires == last
    with at(scored, 10) as home:
        (kept,) = with_store_key(home)
        assert (kept.file, kept.expires) == (done.written.path.name, last)
        found = [one for one in checks.examine(backups(home)) if "store's key" in one.name]
        assert [one.state for one in found] == [State.WARN]
        assert str(last) in found[0].what
    monkeypatch.setattr("folkmoot_node.home.open_home", lambda _: at(scored, 10))
    said = run_inside("folkmoot-node", "purge", "--dry-run", "--home", scored.home).stderr
    assert done.written.path.name in said
    with at(scored, 91) as home:
        assert with_store_key(home) == ()
        with pytest.raises(Problem, match="past their retention"):
            back_up(home, settings, WHO, store_key=True)


def test_one_past_its_end_is_deleted_and_gives_its_key_to_nobody(scored, settings, key, tmp_path):
    done = made(scored, settings, store_key=True)
    copy = tmp_path / "copy.folkmoot-backup"
    copy.write_bytes(done.written.path.read_bytes())
    table = f'\n[backup]\nrecipients = ["{settings.recipients[0]}"]\nfolder = "{settings.folder}"\n'
    scored.write_node((scored.home / "node.toml").read_text() + table)
    with at(scored, 90) as home:
        assert delete_ended(home, WHO) == ()
    with at(scored, 91) as home:
        assert delete_ended(home, WHO) == (done.written.path.name,)
    assert not done.written.path.exists()
    late = restore_node(copy, key, tmp_path / "new", WHO, clock=lambda: NOW + 91 * DAY)
    assert not (tmp_path / "new" / "keys" / "store.key").exists()
    assert any("ended on" in what for what in late.missing)


def test_the_oldest_go_when_a_new_one_is_whole_and_it_is_recorded(scored, settings):
    first = made(scored, settings).written.path
    (settings.folder / "notes.txt").write_text("not ours")
    (settings.folder / f"E07000001-{first.name[10:]}").write_text("another council's")
    planted = [f"E08000009-{year}-01-01T0000Z.folkmoot-backup" for year in range(2090, 2099)]
    for name in planted:
        (settings.folder / name).write_text("looks newer")
    second, third = (made(scored, settings, days) for days in (1, 2))
    assert third.deleted == (first.name,)
    assert {path.name for path in settings.folder.iterdir()} == {
        second.written.path.name, third.written.path.name, "notes.txt",
        f"E07000001-{first.name[10:]}", *planted,
    }  # fmt: skip
    assert actions(scored)[-4:] == ["backup made", "backup made", "backup made", "backup deleted"]


def test_a_damaged_page_stops_a_backup_and_the_older_ones_stay(scored, settings):
    first = made(scored, settings).written.path
    path = scored.config.state_path
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'egress'"
        ).fetchone()
    size = 4096
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(os.urandom(size))
    with pytest.raises(Problem) as refused:
        made(scored, settings, days=1)
    assert refused.value.exit_code is ExitCode.VERIFICATION
    assert list(settings.folder.iterdir()) == [first]


def test_an_encrypted_database_is_copied_encrypted(scored, settings, key, tmp_path):
    path, secret = scored.home / "casework" / "casework.sqlite", bytes(range(32))
    path.parent.mkdir(mode=0o700)
    with closing(Cipher(secret).connect(str(path))) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE cases (name TEXT)")
        connection.execute("INSERT INTO cases VALUES ('a resident')")
        connection.commit()
        done = made(scored, settings, encrypted=[EncryptedDatabase(path, secret, "casework")])
    restored(done.written.path, key, tmp_path / "new")
    copy = tmp_path / "new" / "casework" / "casework.sqlite"
    assert b"SQLite format" not in copy.read_bytes()[:16]
    with closing(Cipher(secret).connect(str(copy))) as connection:
        assert connection.execute("SELECT name FROM cases").fetchall() == [("a resident",)]
    # One whose key nobody gives is named, and not copied byte by byte.
    left = made(scored, settings, days=1).about.left_out
    assert any("casework.sqlite" in what for what in left)


def test_a_state_of_a_later_version_is_refused_by_name_before_anything_is_written(
    scored, settings, key, tmp_path, monkeypatch
):
    monkeypatch.setattr("folkmoot_node.operations.back_up.SCHEMA_VERSION", SCHEMA_VERSION + 1)
    done = made(scored, settings)
    with pytest.raises(Problem) as refused:
        restored(done.written.path, key, tmp_path / "new")
    assert refused.value.exit_code is ExitCode.SETTINGS
    assert f"version {SCHEMA_VERSION + 1}" in refused.value.problem
    assert not list(tmp_path.glob("*new*"))


def test_doctor_warns_of_old_backups_and_of_drills_that_nobody_tried(scored, settings):
    table = f'\n[backup]\nrecipients = ["{settings.recipients[0]}"]\nfolder = "{settings.folder}"\n'
    scored.write_node((scored.home / "node.toml").read_text() + table)

    def states(days):
        with at(scored, days) as home:
            found = list(checks.examine(backups(home)))
            return {one.name: one.state for one in found if "disk" not in one.what}

    assert states(0) == {"backup": State.WARN, "restore drill": State.WARN}
    made(scored, settings)
    with at(scored) as home:
        note_drill(home, WHO, "file", 12.0)
    assert states(2) == {"backup": State.OK, "restore drill": State.OK}
    assert states(3) == {"backup": State.WARN, "restore drill": State.OK}
    assert states(180)["restore drill"] is State.OK
    assert states(181)["restore drill"] is State.WARN


def test_nobody_named_means_no_backup(scored):
    done = run_inside("folkmoot-node", "backup", "--folder", "/nowhere", "--home", scored.home)
    assert "nobody is named" in done.said(3)
    assert "keygen" in done.stderr
    wrong = run_inside(
        "folkmoot-node", "backup", "--folder", "/nowhere", "--recipient", "age1x",
        "--home", scored.home,
    )  # fmt: skip
    assert "no public key of age" in wrong.said(3)
