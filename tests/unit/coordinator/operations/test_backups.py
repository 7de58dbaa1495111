"""A coordinator's backup holds keys and databases together, from SQLite and from PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import make_url, select

from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import InvitationRow
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.membership.authorities import load_authorities
from folkmoot_coordinator.membership.certificate_authority import CERTIFICATE_FILE
from folkmoot_coordinator.operations.back_up import back_up
from folkmoot_coordinator.operations.checks import backups
from folkmoot_operator import checks
from folkmoot_operator.accounts import Operator
from folkmoot_operator.age_encryption import make_key
from folkmoot_operator.backup_file import read_backup
from folkmoot_operator.backup_settings import BackupSettings
from folkmoot_operator.checks import State
from folkmoot_operator.problems import ExitCode, Problem
from tests.commands import run_inside
from tests.postgresql import PASSWORD, PostgreSQL

PROGRAM = "folkmoot-coordinator"
WHO = Operator("tester", 1000)
DAY = 86_400


def made(home: Path, *more: object) -> Home:
    words = ("init", "--home", home, "--name", "Region", "--host", "127.0.0.1", *more)
    run_inside(PROGRAM, *words).said()
    return Home(home)


def settings(folder: Path) -> BackupSettings:
    return BackupSettings(
        recipients=(make_key(folder / "backup.key"),), folder=folder / "backups", keep=3
    )


def table(home: Home, chosen: BackupSettings) -> None:
    text = f'\n[backup]\nrecipients = ["{chosen.recipients[0]}"]\nfolder = "{chosen.folder}"\n'
    home.settings_file.write_text(home.settings_file.read_text() + text)


def names_in(backup: Path, key: Path) -> list[str]:
    held: list[str] = []
    read_backup(backup, key, take=lambda name, _: held.append(name))
    return held


def test_keys_and_database_go_in_together_and_caches_do_not(tmp_path: Path) -> None:
    home, chosen = made(tmp_path / "home"), settings(tmp_path)
    (home.viewer_cache).mkdir()
    (home.viewer_cache / "map.svg").write_text("made again")
    done = back_up(home, chosen, WHO)
    held = names_in(done.written.path, tmp_path / "backup.key")
    assert {"coordinator.toml", "coordinator.sqlite", "keys/authority.key"} <= set(held)
    assert not [name for name in held if name.startswith("viewer-cache")]


@pytest.mark.parametrize("named", ["home", "link", "."])
def test_however_the_home_is_named(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = made(tmp_path / "home")
    inside = settings(tmp_path).model_copy(update={"folder": home.path / "backups"})
    (tmp_path / "link").symlink_to(home.path)
    monkeypatch.chdir(home.path if named == "." else tmp_path)
    for now in (0, DAY):
        done = back_up(Home(Path(named)), inside, WHO, clock=lambda now=now: now)
        held = names_in(done.written.path, tmp_path / "backup.key")
        assert "coordinator.sqlite" in held
        assert not [name for name in held if name.startswith("backups/")]


def test_planted_files_push_no_real_one_out_and_are_told_apart(tmp_path: Path) -> None:
    home, chosen = made(tmp_path / "home"), settings(tmp_path)
    table(home, chosen)
    chosen.folder.mkdir()
    planted = [f"Region-{year}-01-01T0000Z.folkmoot-backup" for year in range(2090, 2099)]
    for name in planted:
        (chosen.folder / name).write_text("looks newer")
    real = [
        back_up(home, chosen, WHO, clock=lambda now=now: now).written.path.name
        for now in range(0, 5 * DAY, DAY)
    ]
    left = {path.name for path in chosen.folder.iterdir()}
    assert left == {*planted, *real[-3:]}
    listed = run_inside(PROGRAM, "backup", "list", "--json", "--home", home.path).said()
    told = {Path(one["file"]).name: one["made_here"] for one in json.loads(listed)}
    assert told == dict.fromkeys(planted, False) | dict.fromkeys(real[-3:], True)
    key = tmp_path / "backup.key"
    tried = run_inside(
        PROGRAM, "restore", "--drill", "--identity", key, "--home", home.path, "--json"
    )
    assert json.loads(tried.said())["made_at"].startswith("1970-01-05")


def test_a_database_outside_the_home_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/elsewhere.sqlite"
    home = made(tmp_path / "home", "--database", url)
    with pytest.raises(Problem, match="outside") as refused:
        back_up(home, settings(tmp_path), WHO)
    assert refused.value.exit_code is ExitCode.SETTINGS


@pytest.mark.parametrize("ends", [False, True])
def test_a_region_that_changes_its_authority_comes_back(ends: bool, tmp_path: Path) -> None:
    """Also one whose change was broken off at its end, when files of both are there."""
    home, chosen = made(tmp_path / "home"), settings(tmp_path)
    run_inside(PROGRAM, "authority", "change", "--home", home.path).said()
    if ends:
        (home.keys / CERTIFICATE_FILE).write_bytes(load_authorities(home.keys).invited)
    before = load_authorities(home.keys)
    done = back_up(home, chosen, WHO)
    new = tmp_path / "restored"
    words = ("restore", done.written.path, "--identity", tmp_path / "backup.key", "--into", new)
    run_inside(PROGRAM, *words).said()
    assert load_authorities(new / "keys").issuing.der == before.issuing.der


def test_a_change_without_its_key_is_no_backup(tmp_path: Path) -> None:
    home, chosen = made(tmp_path / "home"), settings(tmp_path)
    run_inside(PROGRAM, "authority", "change", "--home", home.path).said()
    (home.keys / "authority-next.key").unlink()
    done = back_up(home, chosen, WHO)
    words = ("restore", "--drill", done.written.path, "--identity", tmp_path / "backup.key")
    tried = run_inside(PROGRAM, *words, "--home", home.path)
    assert tried.code != 0
    assert "authority-next.key" in tried.stderr


def test_doctor_warns_until_one_is_made_and_tried(tmp_path: Path) -> None:
    home, chosen = made(tmp_path / "home"), settings(tmp_path)
    table(home, chosen)

    def states(now: int) -> dict[str, State]:
        found = checks.examine(backups(home, home.settings(), now))
        return {one.name: one.state for one in found if "disk" not in one.what}

    assert set(states(0).values()) == {State.WARN}
    run_inside(PROGRAM, "backup", "--home", home.path).said()
    key = tmp_path / "backup.key"
    run_inside(PROGRAM, "restore", "--drill", "--identity", key, "--home", home.path).said()
    database = Database(home.database_url(home.settings()))
    last = [entry.at for entry in audit_log.entries(database)][-1]
    database.close()
    assert set(states(last).values()) == {State.OK}
    assert states(last + 3 * DAY) == {"backup": State.WARN, "restore drill": State.OK}
    assert states(last + 181 * DAY)["restore drill"] is State.WARN


def test_a_database_in_postgresql_comes_back(
    postgresql: PostgreSQL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_url(postgresql.url(postgresql.create("before"), "postgresql+psycopg"))
    first = first.set(password=PASSWORD)
    home = made(tmp_path / "home", "--database", first.render_as_string(hide_password=False))
    run_inside(PROGRAM, "invite", "E08000009", "--out", tmp_path, "--home", home.path).said()
    done = back_up(home, settings(tmp_path), WHO)
    words = ("restore", done.written.path, "--identity", tmp_path / "backup.key")
    new = tmp_path / "new"
    said = run_inside(PROGRAM, *words, "--into", new, "--json").said()
    (how,) = (one for one in json.loads(said)["missing"] if "pg_restore" in one)
    assert str(new / "database.pgdump") in how

    second = first.set(database=postgresql.create("after"))
    subprocess.run(
        ["pg_restore", "--no-owner", "--exit-on-error", f"--dbname={second.database}",
         new / "database.pgdump"],
        check=True,
        env={**os.environ, "PGHOST": str(second.host), "PGPORT": str(second.port),
             "PGUSER": str(second.username), "PGPASSWORD": PASSWORD},
    )  # fmt: skip
    database = Database(second)
    audit_log.verify(database)
    with database.reading() as session:
        invited = list(session.execute(select(InvitationRow.council)).scalars())
    database.close()
    assert invited == ["E08000009"]

    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Problem, match="not installed") as refused:
        back_up(
            home,
            BackupSettings(recipients=(make_key(tmp_path / "second.key"),), folder=tmp_path),
            WHO,
        )
    assert refused.value.exit_code is ExitCode.SETTINGS
    assert "pg_dump --format=custom" in refused.value.remedy
    assert PASSWORD not in f"{refused.value} {refused.value.remedy}"
