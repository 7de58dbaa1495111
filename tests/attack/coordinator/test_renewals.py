"""A council that renews its certificate without end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import func, select

from folkmoot.geography import GssCode
from folkmoot.rejection import Rejected, RejectionReason
from folkmoot.versions import SPOKEN
from folkmoot_coordinator.clock import DAY
from folkmoot_coordinator.database.models import CertificateRow
from folkmoot_coordinator.membership.enrolment import RENEWALS_A_DAY, VALID_CERTIFICATES

if TYPE_CHECKING:
    from tests.wire.coordinator.conftest import Client, Region

TRAFFORD = GssCode("E08000009")


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def renewed(client: Client) -> Client:
    """The node after a renewal, with its new key."""
    key = new_key()
    after = type(client)(client.invitation, key)
    after.certificate = client.renew(key)
    return after


def rejection(act: Callable[[], object]) -> Rejected:
    with pytest.raises(Rejected) as caught:
        act()
    return caught.value


def valid(region: Region) -> int:
    with region.database.reading() as session:
        return (
            session.scalar(
                select(func.count())
                .select_from(CertificateRow)
                .where(
                    CertificateRow.revoked_at.is_(None),
                    CertificateRow.expires_at > region.clock(),
                )
            )
            or 0
        )


def test_renewals_of_a_day_are_limited_and_certificates_bounded(
    region: Region, intensity: int
) -> None:
    client = region.member()
    for _ in range(RENEWALS_A_DAY):
        renewed(client)
    for _ in range(20 * intensity):
        refused = rejection(lambda: renewed(client)).rejection
        assert refused.reason is RejectionReason.CERTIFICATE
        assert refused.transient, "the node tries again by itself"
        assert "within a day" in refused.detail
    assert valid(region) == VALID_CERTIFICATES
    assert client.negotiate() == SPOKEN.newest, "the one that asks is not ended"
    region.clock.now += DAY
    assert renewed(client).negotiate() == SPOKEN.newest
    assert valid(region) == VALID_CERTIFICATES


def test_a_certificate_ends_when_enough_newer_ones_were_had(region: Region) -> None:
    first = region.member()
    latest = first
    for _ in range(VALID_CERTIFICATES):
        region.clock.now += 60
        latest = renewed(latest)
    assert latest.negotiate() == SPOKEN.newest
    assert rejection(first.negotiate).rejection.reason is RejectionReason.CERTIFICATE


def test_limits_are_of_each_council(region: Region) -> None:
    hostile, other = region.member(), region.member(GssCode("E08000002"))
    for _ in range(RENEWALS_A_DAY):
        renewed(hostile)
    rejection(lambda: renewed(hostile))
    assert renewed(other).negotiate() == SPOKEN.newest
