"""What the doctor finds."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from folkmoot_coordinator.clock import DAY
from folkmoot_coordinator.database import checks as database_checks
from folkmoot_coordinator.membership.certificate_authority import Authority
from folkmoot_coordinator.operations.doctor import examine
from folkmoot_coordinator.server import checks as server_checks
from folkmoot_operator.checks import Finding, State
from folkmoot_operator.problems import Problem
from tests.commands import run_inside
from tests.listeners import grpc_server, listening, saying, silence

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office


def finding(office: Office, subject: str) -> Finding:
    return next(one for one in examine(office.home, office.clock) if one.name == subject)


def listen_on(office: Office, port: int) -> None:
    path = office.home.settings_file
    path.write_text(path.read_text().replace("7443", str(port)))


def test_a_sound_home_has_nothing_bad(office: Office) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen_on(office, free.getsockname()[1])
    found = examine(office.home, office.clock)
    bad = [one for one in found if one.state is State.FAIL and "port" not in one.name]
    assert bad == []
    assert {one.name for one in found} == {
        "settings",
        "permissions",
        "leftovers",
        "pauses",
        "audit log",
        "names",
        "authority",
        "signing key",
        "database",
        "clock",
        "councils",
        "policy signers",
        "council codes",
        "schedule",
        "drafts",
        "site",
        "collection port",
        "enrolment port",
        "disk",
        "backup",
    }
    assert finding(office, "collection port").state is State.WARN


def test_no_backups_are_a_warning_that_says_how(office: Office) -> None:
    found = finding(office, "backup")
    assert found.state is State.WARN
    assert "no backups are set up" in found.what
    assert found.command == "folkmoot-coordinator backup keygen --out FILE"
    shown = run_inside("folkmoot-coordinator", "status", "--home", office.home.path).stdout
    assert "not set up; `doctor` says how" in shown


def test_files_open_to_others(office: Office) -> None:
    key = office.home.keys / "signing.key"
    key.chmod(0o640)
    found = finding(office, "permissions")
    assert found.state is State.FAIL
    assert f"chmod go= {key}" in found.remedy


def test_a_lost_key(office: Office) -> None:
    (office.home.keys / "signing.key").unlink()
    found = examine(office.home, office.clock)
    assert any(one.state is State.FAIL and "signing key" in one.what for one in found)
    assert any(one.name == "disk" for one in found), "the examination goes on"


@pytest.mark.parametrize(
    ("days", "state"), [(3500, State.OK), (3600, State.WARN), (3651, State.FAIL)]
)
def test_an_authority_near_its_end(office: Office, days: int, state: State) -> None:
    office.clock.now += days * DAY
    assert finding(office, "authority").state is state


def test_tables_of_another_version(office: Office) -> None:
    with office.database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    found = finding(office, "database")
    assert found.state is State.FAIL
    assert "version 9999" in found.what
    assert "serve" not in found.remedy, "it does not help"
    assert "Install the later version" in found.remedy


def test_older_tables_are_upgraded_and_are_no_fault(office: Office) -> None:
    with office.database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    found = finding(office, "database")
    assert found.state is State.OK
    assert "version 0000" in found.what
    assert "upgrades it" in found.what


def test_a_clock_that_runs_behind(office: Office) -> None:
    office.open()
    office.clock.now -= 60
    assert finding(office, "clock").state is State.FAIL


@contextlib.contextmanager
def coordinator(office: Office, *, mutual: bool) -> Iterator[str]:
    for file in office.home.keys.glob("authority.*"):
        file.unlink()  # made by a clock that tests wind, and TLS goes by the machine's
    authority = Authority.create(office.home.keys, "North", int(time.time()))
    identity = authority.issue_server_identity(("127.0.0.1",), int(time.time()), 30)
    with grpc_server(identity, authority.pem if mutual else None) as address:
        yield address


def test_a_port_that_this_coordinator_serves(office: Office) -> None:
    with coordinator(office, mutual=True) as address:
        listen_on(office, int(address.rpartition(":")[2]))
        found = finding(office, "collection port")
        assert (found.state, found.what) == (State.OK, f"{address} is served")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda office: coordinator(office, mutual=False), "the other port"),
        (lambda _: listening(silence), "does not answer"),
        (lambda _: listening(lambda _: None), "closes the connection"),
        (lambda _: listening(saying(b"HTTP/1.1 400 Bad Request\r\n\r\n")), "not speak TLS"),
        (lambda _: grpc_server(None), "not speak TLS"),
        (lambda office: another_region(office), "not by the authority in this folder"),
    ],
)
def test_another_listener_is_not_taken_for_the_coordinator(
    office: Office, make: Any, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_checks, "CONNECT_SECONDS", 0.5)
    with make(office) as address:
        listen_on(office, int(address.rpartition(":")[2]))
        found = finding(office, "collection port")
    assert found.state is State.FAIL
    assert says in found.what


def another_region(office: Office) -> contextlib.AbstractContextManager[str]:
    folder = office.home.path / "another"
    folder.mkdir()
    authority = Authority.create(folder, "South", int(time.time()))
    identity = authority.issue_server_identity(("127.0.0.1",), int(time.time()), 30)
    return grpc_server(identity, authority.pem)


def test_an_address_that_cannot_be_listened_on(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = office.home.settings_file
    path.write_text(path.read_text().replace('listen = "127.0.0.1', 'listen = "192.0.2.1'))
    monkeypatch.setattr(server_checks, "CONNECT_SECONDS", 0.1)
    found = finding(office, "collection port")
    assert found.state is State.FAIL
    assert "EADDRNOTAVAIL" in found.what


def test_a_disk_that_is_nearly_full(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_checks, "MIN_FREE_BYTES", 2**80)
    assert finding(office, "disk").state is State.WARN


def test_a_folder_that_is_no_home(office: Office) -> None:
    office.home.settings_file.unlink()
    with pytest.raises(Problem, match="no coordinator here"):
        examine(office.home, office.clock)
