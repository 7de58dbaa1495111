"""How a region is, on one screen."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.x509 import load_pem_x509_certificate
from sqlalchemy import select, update

from folkmoot_coordinator.clock import DAY
from folkmoot_coordinator.database.models import CertificateRow, CouncilRow, EnrolmentRequestRow
from folkmoot_coordinator.database.pauses import pause
from folkmoot_coordinator.membership.certificate_authority import Authority
from folkmoot_coordinator.operations.status import coordinator_status
from folkmoot_coordinator.rounds.round_store import open_round
from tests.commands import Done, run_inside
from tests.enrolled import enrol
from tests.listeners import grpc_server
from tests.ports import free_port
from tests.unit.coordinator.conftest import BOLTON, BURY, small_round

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office

KEYS = {
    "schema", "at", "version", "region", "database", "pause", "councils", "requests", "rounds",
    "incidents", "drafts", "authority", "backup", "disk", "serve", "site", "unreadable", "needs",
}  # fmt: skip


@pytest.fixture(autouse=True)
def nobody_listens(office: Office) -> None:
    path = office.home.settings_file
    path.write_text(path.read_text().replace("7443", str(free_port())))


def command(office: Office, *arguments: str) -> Done:
    return run_inside("folkmoot-coordinator", "status", *arguments, "--home", office.home.path)


def document(office: Office) -> dict[str, Any]:
    return coordinator_status(office.home, office.clock).document


def test_a_document_whose_keys_are_stable(office: Office) -> None:
    found = json.loads(command(office, "--json").said())
    assert set(found) == KEYS
    assert found["councils"] == []
    assert found["unreadable"] == []
    assert [one["command"] for one in found["needs"]] == ["folkmoot-coordinator serve"]


@pytest.mark.parametrize(("days", "needs"), [(60, []), (1, [""]), (-3, [""])], ids=str)
def test_when_the_certificates_of_the_ports_end(
    office: Office, days: float, needs: list[str]
) -> None:
    now = int(time.time())
    office.clock.now = now
    begin = now - 4 * DAY
    authority = Authority.load(office.home.keys)
    identity = authority.issue_server_identity(("127.0.0.1",), begin, days + 4)
    with grpc_server(identity) as address:
        path = office.home.settings_file
        lines = path.read_text()
        port = re.search(r'listen = "127.0.0.1:([0-9]+)"', lines)
        assert port
        path.write_text(lines.replace(f":{port[1]}", f":{address.rpartition(':')[2]}"))
        found = document(office)
        shown = command(office).said()
    (collection, enrolment) = (found["serve"][name] for name in ("collection", "enrolment"))
    until = (
        f"{load_pem_x509_certificate(identity.certificate).not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}"
    )
    assert collection["certificate"]["not_after"] == until
    assert (enrolment["open"], enrolment["certificate"]) == (False, None)
    about = [one["what"] for one in found["needs"] if "collection port" in one["what"]]
    assert len(about) == len(needs)
    assert f"certificate until {until[:10]}" in " ".join(shown.split())


def test_every_key_is_in_the_documents() -> None:
    page = (Path(__file__).parents[4] / "docs" / "looking-after.md").read_text()
    assert [key for key in sorted(KEYS) if f"`{key}`" not in page] == []


def test_a_council_that_asks_for_a_certificate_needs_somebody(office: Office) -> None:
    enrol(office, BOLTON)
    now = office.clock()
    with office.database.writing() as session:
        serial = session.scalars(select(CertificateRow.serial)).one()
        session.add(
            EnrolmentRequestRow(
                council=BOLTON,
                key_digest=bytes(32),
                ended=serial,
                asked_at=now,
                expires_at=now + DAY,
            )
        )
    found = document(office)
    fingerprint = found["requests"][0]["fingerprint"]
    assert found["requests"][0]["council"] == BOLTON
    assert [one["command"] for one in found["needs"] if fingerprint in one["what"]] == [
        "folkmoot-coordinator councils requests"
    ]


def test_councils_that_are_silent_and_rounds_as_far_as_they_have_come(office: Office) -> None:
    for council in (BOLTON, BURY):
        enrol(office, council)
    stored = open_round(office.database, office.signing, small_round())
    with office.database.writing() as session:
        session.execute(
            update(CouncilRow)
            .where(CouncilRow.code == BURY)
            .values(last_seen=office.clock() - 5 * DAY)
        )
        session.execute(
            update(CouncilRow).where(CouncilRow.code == BOLTON).values(last_seen=office.clock())
        )
    found = document(office)
    silent = {one["council"]: one["silent_seconds"] for one in found["councils"]}
    assert silent == {BOLTON: 0, BURY: 5 * DAY}
    [open_] = found["rounds"]["open"]
    assert (open_["round_id"], open_["invited"], open_["answered"]) == (
        stored.round_.round_id, 2, 0,
    )  # fmt: skip
    commands = [one["command"] for one in found["needs"]]
    assert f"folkmoot-coordinator councils show {BURY}" in commands
    assert f"folkmoot-coordinator councils show {BOLTON}" not in commands
    office.clock.now += 2 * 3600
    wanted = document(office)["needs"][1]
    assert "is open after its deadline" in wanted["what"]


@pytest.mark.parametrize(
    ("lives", "left", "standing"),
    [(90, 15, "fine"), (90, 14, "soon"), (7, 3, "fine"), (7, 2, "soon"), (90, 0, "none")],
)
def test_how_long_the_certificate_of_a_council_lasts(
    office: Office, lives: int, left: int, standing: str
) -> None:
    enrol(office, BOLTON)
    ends = office.clock() + left * DAY
    with office.database.writing() as session:
        session.execute(
            update(CertificateRow).values(issued_at=ends - lives * DAY, expires_at=ends)
        )
    found = document(office)
    assert [one["certificate_standing"] for one in found["councils"]] == [standing]
    asked = [one["what"] for one in found["needs"] if one["what"].startswith("certificate of")]
    assert len(asked) == (standing == "soon"), asked


def test_a_pause_comes_first(office: Office) -> None:
    pause(office.database, office.clock, "we look into it")
    found = document(office)
    assert found["pause"]["reason"] == "we look into it"
    assert found["needs"][0]["command"] == "folkmoot-coordinator resume --reason TEXT"


@pytest.mark.parametrize(
    ("spoil", "section", "others"),
    [
        ("coordinator.toml", "region", ()),
        ("coordinator.sqlite", "database", ("authority", "disk", "drafts")),
        ("keys/authority.pem", "authority", ("database", "councils", "rounds")),
    ],
)
def test_a_broken_home_is_named_and_the_rest_is_said(
    office: Office, spoil: str, section: str, others: tuple[str, ...]
) -> None:
    office.database.close()
    path = office.home.path / spoil
    assert path.exists(), sorted(office.home.path.rglob("*"))
    path.write_bytes(b"not what it was\n")
    found = json.loads(command(office, "--json").said())
    assert section in {one["section"] for one in found["unreadable"]}
    assert all(found[name] is not None for name in others), found["unreadable"]
    assert command(office, "--check").code == 1


def test_a_screen_of_80_columns(office: Office) -> None:
    for council in (BOLTON, BURY):
        enrol(office, council)
    open_round(office.database, office.signing, small_round())
    pause(office.database, office.clock, "a reason with many words " * 15)
    lines = command(office).said().splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 40
