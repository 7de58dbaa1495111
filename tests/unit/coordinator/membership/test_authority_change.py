"""Who is left while a region changes its authority, and what is done about the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from folkmoot.geography import GssCode
from folkmoot_coordinator.clock import DAY, HOUR
from folkmoot_coordinator.membership.authorities import load_authorities
from folkmoot_coordinator.membership.authority_change import begin, finish, renew, who_is_left
from folkmoot_coordinator.membership.certificate_authority import Authority, SigningRequest
from folkmoot_coordinator.membership.certificate_lives import authority_lives
from folkmoot_coordinator.membership.councils import record_certificate
from folkmoot_coordinator.membership.invitations import invite
from folkmoot_operator.problems import ExitCode, Problem

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office

BURY, TRAFFORD = GssCode("E08000002"), GssCode("E08000009")


def invited(office: Office, council: GssCode) -> None:
    invite(
        office.database,
        office.settings,
        council,
        authority=load_authorities(office.home.keys).invited.decode(),
        signing_key=office.signing.public,
        now=office.clock(),
    )


def certify(office: Office, council: GssCode, authority: Authority) -> None:
    key = SigningRequest(ec.generate_private_key(ec.SECP256R1()).public_key())
    issued = authority.issue_node_certificate(key, council, office.clock(), 30)
    with office.database.writing() as session:
        record_certificate(session, issued)


def test_who_renews_in_the_second_of_a_certificate_of_before_has_moved(office: Office) -> None:
    """A council with several nodes; serial numbers are drawn, and say nothing of the order."""
    begin(office.home, office.database, office.clock())
    found = load_authorities(office.home.keys)
    for council in (BURY, TRAFFORD):
        for _ in range(20):
            certify(office, council, found.present)
    certify(office, TRAFFORD, found.issuing)
    left = who_is_left(office.database, found, office.clock())
    assert left.moved == (TRAFFORD,)
    assert left.behind.keys() == {BURY}


@pytest.mark.parametrize("hours", [1, 23, 25])
def test_an_invitation_of_before_the_change_is_not_forgotten(office: Office, hours: int) -> None:
    invited(office, TRAFFORD)
    office.clock.now += hours * HOUR
    begin(office.home, office.database, office.clock())
    invited(office, BURY)
    left = who_is_left(office.database, load_authorities(office.home.keys), office.clock())
    assert left.invited == (TRAFFORD,)
    with pytest.raises(Problem, match=r"E08000009 \(invited\)") as caught:
        finish(office.home, office.database, office.clock(), leave_behind=False)
    assert caught.value.exit_code is ExitCode.REFUSED


def test_one_that_ends_during_a_change_is_followed_and_not_renewed(office: Office) -> None:
    [before] = authority_lives(office.home, office.clock())
    office.clock.now = int(before.not_after.timestamp()) - 30 * DAY
    [alone] = authority_lives(office.home, office.clock())
    assert "authority renew" in alone.remedy
    begin(office.home, office.database, office.clock())
    for days in (0, 31):
        present, following = authority_lives(office.home, office.clock() + days * DAY)
        assert "authority finish" in present.remedy
        assert "authority renew" not in present.remedy
        assert not following.remedy


@pytest.mark.parametrize("days", [0, 1, 100])
def test_one_that_has_ended_vouches_for_no_other(office: Office, days: int) -> None:
    [before] = authority_lives(office.home, office.clock())
    office.clock.now = int(before.not_after.timestamp()) + days * DAY
    with pytest.raises(Problem, match="has ended") as caught:
        begin(office.home, office.database, office.clock())
    assert "authority renew" in caught.value.remedy
    renew(office.home, office.database, office.clock())
    begin(office.home, office.database, office.clock())
