"""Councils and their certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Never

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from folkmoot.geography import GssCode
from folkmoot_coordinator.clock import DAY
from folkmoot_coordinator.membership.certificate_authority import Authority, SigningRequest
from folkmoot_coordinator.membership.councils import (
    LastSeen,
    certificate_valid,
    enrolled,
    record_certificate,
    revoke,
)
from folkmoot_operator.problems import ExitCode, Problem

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office

BURY, TRAFFORD = GssCode("E08000002"), GssCode("E08000009")


def certify(office: Office, council: GssCode) -> str:
    request = SigningRequest(ec.generate_private_key(ec.SECP256R1()).public_key())
    authority = Authority.load(office.home.keys)
    issued = authority.issue_node_certificate(request, council, office.clock(), 30)
    with office.database.writing() as session:
        record_certificate(session, issued)
    return issued.serial


def valid(office: Office, council: GssCode, serial: str) -> bool:
    with office.database.reading() as session:
        return certificate_valid(session, council, serial, office.clock())


def test_a_certificate_is_valid_for_its_council_until_it_expires(office: Office) -> None:
    serial = certify(office, TRAFFORD)
    assert valid(office, TRAFFORD, serial)
    assert not valid(office, BURY, serial)
    assert not valid(office, TRAFFORD, serial + "0")
    office.clock.now += 30 * DAY
    assert not valid(office, TRAFFORD, serial)


def test_revocation_is_of_one_council_and_all_its_certificates(office: Office) -> None:
    first, second, other = (certify(office, code) for code in (TRAFFORD, TRAFFORD, BURY))
    assert revoke(office.database, TRAFFORD, office.clock()) == (2, 0)
    assert revoke(office.database, TRAFFORD, office.clock()) == (0, 0)
    assert not valid(office, TRAFFORD, first)
    assert not valid(office, TRAFFORD, second)
    assert valid(office, BURY, other)


def test_the_list_counts_valid_certificates_and_knows_who_called(office: Office) -> None:
    start = office.clock()
    certify(office, BURY)
    office.clock.now += DAY
    certify(office, BURY)
    certify(office, TRAFFORD)
    revoke(office.database, TRAFFORD, office.clock())
    seen = LastSeen(office.database)
    seen.note(BURY, office.clock())
    seen.write()
    bury, trafford = enrolled(office.database, office.clock())
    assert (bury.code, bury.enrolled_at, bury.last_seen) == (BURY, start, start + DAY)
    assert (bury.valid_certificates, bury.expires_at) == (2, start + 31 * DAY)
    assert (trafford.valid_certificates, trafford.expires_at) == (0, None)


def test_being_seen_is_noted_at_intervals_and_written_when_asked(office: Office) -> None:
    certify(office, BURY)
    start = office.clock()
    seen = LastSeen(office.database)
    seen.note(BURY, start)
    assert enrolled(office.database, start)[0].last_seen is None
    for later, expected in ((0, start), (14, start), (15, start + 15)):
        seen.note(BURY, start + later)
        seen.write()
        assert enrolled(office.database, start)[0].last_seen == expected


def test_what_was_noted_is_written_once_the_database_is_back(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    certify(office, BURY)
    seen = LastSeen(office.database)
    seen.note(BURY, office.clock())

    def away(*, writes: bool) -> Never:
        raise Problem("away", remedy="wait", exit_code=ExitCode.UNREACHABLE)

    with monkeypatch.context() as patch:
        patch.setattr(office.database, "connection", away)
        with pytest.raises(Problem, match="away"):
            seen.write()
    seen.write()
    assert enrolled(office.database, office.clock())[0].last_seen == office.clock()
