"""Enrolment over server-authenticated TLS, renewal over mutual TLS."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from folkmoot.geography import GssCode
from folkmoot.rejection import Rejected, RejectionReason
from folkmoot.rejection_codec import decode_rejection
from folkmoot.v1 import enrolment_pb2, enrolment_pb2_grpc
from folkmoot.versions import SPOKEN
from folkmoot_coordinator.membership.caller import Member
from folkmoot_coordinator.membership.councils import revoke
from folkmoot_coordinator.membership.enrolment import Enrolment
from folkmoot_coordinator.server import enrolment_port, reception

if TYPE_CHECKING:
    from tests.wire.coordinator.conftest import Client, Region

BURY, TRAFFORD = GssCode("E08000002"), GssCode("E08000009")


def reason_of(act: Callable[[], object]) -> RejectionReason:
    with pytest.raises(Rejected) as caught:
        act()
    assert caught.value.rejection.detail
    return caught.value.rejection.reason


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def sibling(client: Client) -> Client:
    """Another node with the same invitation and a key of its own."""
    return type(client)(client.invitation)


def test_the_certificate_is_bound_to_the_council_whatever_the_request_claims(
    region: Region,
) -> None:
    client = region.invite()
    certificate = x509.load_der_x509_certificate(client.enrol())
    assert certificate.subject.rfc4514_string() == "CN=E08000009"
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [
        "urn:folkmoot:council:E08000009"
    ]
    assert client.negotiate() == SPOKEN.newest
    assert region.enrolled() == [TRAFFORD]


def test_a_lost_answer_is_given_again_to_the_same_key_even_after_expiry(region: Region) -> None:
    client = region.invite()
    first = client.enrol()
    region.clock.now = client.invitation.expires_at + 1
    assert client.enrol() == first


def test_a_token_works_for_one_key_only(region: Region) -> None:
    client = region.invite()
    client.enrol()
    assert reason_of(lambda: sibling(client).enrol()) is RejectionReason.TOKEN_USED


def test_a_token_used_by_several_nodes_at_once_works_for_one(
    region: Region, together: Callable[[Iterable[Callable[[], None]]], None]
) -> None:
    first = region.invite()
    nodes = [first, *(sibling(first) for _ in range(5))]
    reasons: list[RejectionReason] = []

    def enrol(node: Client) -> None:
        try:
            node.enrol()
        except Rejected as error:
            reasons.append(error.rejection.reason)

    together([lambda node=node: enrol(node) for node in nodes])  # type: ignore[misc]
    [winner] = [node for node in nodes if node.certificate is not None]
    assert reasons == [RejectionReason.TOKEN_USED] * 5
    assert winner.negotiate() == SPOKEN.newest


def test_a_new_invitation_ends_the_one_before(region: Region) -> None:
    first = region.invite()
    second = region.invite()
    assert reason_of(first.enrol) is RejectionReason.TOKEN_EXPIRED
    assert second.enrol()


def test_a_wrong_token_or_another_councils_is_invalid(region: Region) -> None:
    trafford, bury = region.invite(), region.invite(BURY)
    assert reason_of(lambda: trafford.enrol(token=bytes(32))) is RejectionReason.TOKEN_INVALID
    assert reason_of(lambda: trafford.enrol(token=bury.invitation.token)) is (
        RejectionReason.TOKEN_INVALID
    )
    assert reason_of(lambda: trafford.enrol(council=BURY)) is RejectionReason.TOKEN_INVALID
    assert reason_of(lambda: trafford.enrol(token=b"short")) is RejectionReason.MALFORMED
    assert region.enrolled() == []


def test_an_expired_token_is_refused(region: Region) -> None:
    client = region.invite()
    region.clock.now = client.invitation.expires_at
    assert reason_of(client.enrol) is RejectionReason.TOKEN_EXPIRED
    assert region.enrolled() == []


def test_a_request_must_be_well_formed_and_prove_its_key(region: Region) -> None:
    client = region.invite()
    honest = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    from cryptography.hazmat.primitives import hashes

    der = serialization.Encoding.DER
    signed = honest.sign(client.key, hashes.SHA256()).public_bytes(der)
    forged = signed[:-1] + bytes([signed[-1] ^ 1])
    other_curve = honest.sign(
        ec.generate_private_key(ec.SECP384R1()), hashes.SHA256()
    ).public_bytes(der)
    for csr in (b"", b"nonsense", forged, other_curve):
        assert reason_of(lambda csr=csr: client.enrol(csr=csr)) is (  # type: ignore[misc]
            RejectionReason.MALFORMED
        )
    assert reason_of(lambda: client.enrol(council="Trafford")) is RejectionReason.MALFORMED
    assert region.enrolled() == []
    assert client.enrol(), "the token was not used up by refused requests"


def test_a_revoked_enrolment_is_not_given_again(region: Region) -> None:
    client = region.invite()
    client.enrol()
    assert revoke(region.database, TRAFFORD, region.clock()) == (1, 0)
    assert reason_of(client.enrol) is RejectionReason.CERTIFICATE
    again = region.member()
    assert again.negotiate() == SPOKEN.newest, "a new invitation brings the council back"


def test_revocation_withdraws_unused_invitations(region: Region) -> None:
    client = region.invite()
    assert revoke(region.database, TRAFFORD, region.clock()) == (0, 1)
    assert reason_of(client.enrol) is RejectionReason.TOKEN_EXPIRED


def test_a_certificate_is_renewed_and_the_old_one_stays_valid(region: Region) -> None:
    client = region.member()
    key = new_key()
    renewed = sibling(client)
    renewed.key, renewed.certificate = key, client.renew(key)
    assert renewed.negotiate() == client.negotiate() == SPOKEN.newest
    certificate = x509.load_der_x509_certificate(renewed.certificate)
    assert certificate.subject.rfc4514_string() == "CN=E08000009"


def test_no_renewal_under_way_outlives_a_revocation(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = region.member()
    renew = Enrolment.renew

    def revoked_meanwhile(self: Enrolment, member: Member, csr: bytes) -> bytes:
        revoke(region.database, TRAFFORD, region.clock())
        return renew(self, member, csr)

    monkeypatch.setattr(Enrolment, "renew", revoked_meanwhile)
    with pytest.raises(Rejected) as caught:
        client.renew(new_key())
    assert caught.value.rejection.reason is RejectionReason.CERTIFICATE


def test_strangers_that_send_nothing_do_not_keep_the_enrolment_port(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reception, "FIRST_MESSAGE_SECONDS", 1.0)
    done = threading.Event()

    def silent() -> Iterator[enrolment_pb2.EnrolRequest]:
        done.wait(60)
        yield from ()

    with region.invite().enrolment_channel() as channel:
        call = channel.stream_unary("/folkmoot.v1.EnrolmentService/Enrol")
        held = [call.future(silent()) for _ in range(enrolment_port.LIMITS.workers)]
        time.sleep(0.3)
        assert region.member(BURY).certificate
        assert {each.exception(60).code() for each in held} == {grpc.StatusCode.CANCELLED}
        done.set()


def test_renewal_needs_a_certificate_even_on_the_enrolment_port(region: Region) -> None:
    client = region.member()
    with client.enrolment_channel() as channel:
        answer = enrolment_pb2_grpc.EnrolmentServiceStub(channel).Renew(
            enrolment_pb2.RenewRequest(protocol=1, csr=b""), timeout=60
        )
    assert decode_rejection(answer.rejection).reason is RejectionReason.CERTIFICATE


def test_a_node_does_not_talk_to_a_coordinator_of_another_authority(
    region: Region, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from dataclasses import replace

    from folkmoot_coordinator.membership.certificate_authority import Authority

    other = Authority.create(tmp_path_factory.mktemp("other"), "Elsewhere", region.clock())
    client = region.invite()
    client.invitation = replace(client.invitation, authority=other.pem.decode())
    client.seconds = 3
    with pytest.raises(grpc.RpcError):
        client.enrol()
    assert region.enrolled() == []
