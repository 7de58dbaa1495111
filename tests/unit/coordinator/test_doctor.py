"""What the doctor finds."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from folkmoot_coordinator import doctor
from folkmoot_coordinator.clock import DAY
from folkmoot_coordinator.doctor import Finding, Verdict, examine
from folkmoot_operator.problems import Problem

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office


def finding(office: Office, subject: str) -> Finding:
    return next(one for one in examine(office.home, office.clock) if one.subject == subject)


def listen_on(office: Office, port: int) -> None:
    path = office.home.settings_file
    path.write_text(path.read_text().replace("7443", str(port)))


def test_a_sound_home_has_nothing_bad(office: Office) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen_on(office, free.getsockname()[1])
    found = examine(office.home, office.clock)
    bad = [one for one in found if one.verdict is Verdict.BAD and "port" not in one.subject]
    assert bad == []
    assert {one.subject for one in found} == {
        "settings",
        "permissions",
        "authority",
        "signing key",
        "database",
        "clock",
        "councils",
        "collection port",
        "enrolment port",
        "disk",
    }
    assert finding(office, "collection port").verdict is Verdict.WARNING


def test_files_open_to_others(office: Office) -> None:
    key = office.home.keys / "signing.key"
    key.chmod(0o640)
    found = finding(office, "permissions")
    assert found.verdict is Verdict.BAD
    assert f"chmod go= {key}" in found.remedy


def test_a_lost_key(office: Office) -> None:
    (office.home.keys / "signing.key").unlink()
    found = examine(office.home, office.clock)
    assert any(one.verdict is Verdict.BAD and "signing key" in one.detail for one in found)
    assert any(one.subject == "disk" for one in found), "the examination goes on"


@pytest.mark.parametrize(
    ("days", "verdict"), [(3500, Verdict.GOOD), (3600, Verdict.WARNING), (3651, Verdict.BAD)]
)
def test_an_authority_near_its_end(office: Office, days: int, verdict: Verdict) -> None:
    office.clock.now += days * DAY
    assert finding(office, "authority").verdict is verdict


def test_tables_of_another_version(office: Office) -> None:
    with office.database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    found = finding(office, "database")
    assert found.verdict is Verdict.BAD
    assert "version 0000" in found.detail


def test_a_clock_that_runs_behind(office: Office) -> None:
    office.open()
    office.clock.now -= 60
    assert finding(office, "clock").verdict is Verdict.BAD


def test_a_port_that_is_served_and_one_that_cannot_be(office: Office) -> None:
    with socket.create_server(("127.0.0.1", 0)) as served:
        listen_on(office, served.getsockname()[1])
        assert finding(office, "collection port").verdict is Verdict.GOOD
    path = office.home.settings_file
    path.write_text(path.read_text().replace('listen = "127.0.0.1', 'listen = "192.0.2.1'))
    doctor_seconds = doctor._CONNECT_SECONDS
    doctor._CONNECT_SECONDS = 0.1
    try:
        found = finding(office, "collection port")
    finally:
        doctor._CONNECT_SECONDS = doctor_seconds
    assert found.verdict is Verdict.BAD
    assert "EADDRNOTAVAIL" in found.detail


def test_a_disk_that_is_nearly_full(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "MIN_FREE_BYTES", 2**80)
    assert finding(office, "disk").verdict is Verdict.WARNING


def test_a_folder_that_is_no_home(office: Office) -> None:
    office.home.settings_file.unlink()
    with pytest.raises(Problem, match="no coordinator here"):
        examine(office.home, office.clock)
