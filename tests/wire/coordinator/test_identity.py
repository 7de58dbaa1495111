"""Who may speak on the collection port."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from folkmoot.geography import GssCode
from folkmoot.rejection import Rejected, RejectionReason
from folkmoot.rejection_codec import decode_rejection, encode_versions
from folkmoot.v1 import collection_pb2, collection_pb2_grpc
from folkmoot.versions import SPOKEN
from folkmoot_coordinator.clock import DAY, HOUR
from folkmoot_coordinator.membership.certificate_authority import Authority, SigningRequest
from folkmoot_coordinator.membership.councils import revoke
from folkmoot_coordinator.operations.doctor import examine
from folkmoot_coordinator.server import server
from folkmoot_operator.checks import State
from folkmoot_operator.network_addresses import split_address

if TYPE_CHECKING:
    from tests.wire.coordinator.conftest import Client, Region

BURY, TRAFFORD = GssCode("E08000002"), GssCode("E08000009")


def reason_of(act: Callable[[], object]) -> RejectionReason:
    with pytest.raises(Rejected) as caught:
        act()
    return caught.value.rejection.reason


def no_handshake(client: Client) -> None:
    client.seconds = 60
    with pytest.raises(grpc.RpcError) as caught:
        client.negotiate()
    code = caught.value.code()
    assert code is grpc.StatusCode.UNAVAILABLE


def certificate_of(client: Client, authority: Authority, council: GssCode, now: int) -> bytes:
    request = SigningRequest(client.key.public_key())
    return authority.issue_node_certificate(request, council, now, 30).certificate


def test_without_a_certificate_the_collection_port_does_not_answer(region: Region) -> None:
    no_handshake(region.invite())


def test_a_certificate_of_another_authority_does_not_pass(
    region: Region, tmp_path_factory: pytest.TempPathFactory
) -> None:
    client = region.member()
    other = Authority.create(tmp_path_factory.mktemp("other"), "Elsewhere", region.clock())
    client.certificate = certificate_of(client, other, TRAFFORD, region.clock())
    no_handshake(client)


def test_an_expired_certificate_does_not_pass_the_handshake(region: Region) -> None:
    region.clock.now -= 31 * DAY
    client = region.member()
    region.clock.now += 31 * DAY
    no_handshake(client)


def test_a_certificate_that_expires_during_a_connection_is_refused(region: Region) -> None:
    client = region.member()
    with client.channel() as channel:
        stub = collection_pb2_grpc.CollectionServiceStub(channel)
        request = collection_pb2.NegotiateRequest(versions=encode_versions())
        assert stub.Negotiate(request, timeout=60).protocol == SPOKEN.newest
        region.clock.now += 30 * DAY
        answer = stub.Negotiate(request, timeout=60)
    assert decode_rejection(answer.rejection).reason is RejectionReason.CERTIFICATE
    assert "expired" in answer.rejection.detail


def test_a_revoked_certificate_is_refused_on_an_open_connection(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "REVOKED_SECONDS", 60.0)  # however long the next call takes
    client = region.member()
    with client.channel() as channel:
        stub = collection_pb2_grpc.CollectionServiceStub(channel)
        request = collection_pb2.NegotiateRequest(versions=encode_versions())
        assert stub.Negotiate(request, timeout=60).protocol == SPOKEN.newest
        revoke(region.database, TRAFFORD, region.clock())
        # The connection lasts for some time more, in which the council is told why.
        refused = decode_rejection(stub.Negotiate(request, timeout=60).rejection)
        assert refused.reason is RejectionReason.CERTIFICATE
    for act in (client.rounds, lambda: client.renew(client.key)):
        assert reason_of(act) is RejectionReason.CERTIFICATE


def test_a_certificate_that_was_signed_but_never_recorded_is_refused(region: Region) -> None:
    client = region.member()
    authority = Authority.load(region.home.keys)
    client.certificate = certificate_of(client, authority, BURY, region.clock())
    assert reason_of(client.negotiate) is RejectionReason.CERTIFICATE


def test_the_servers_own_certificate_is_no_councils(region: Region) -> None:
    client = region.member()
    own = Authority.load(region.home.keys).issue_server_identity(("127.0.0.1",), region.clock(), 90)
    key = serialization.load_pem_private_key(own.key, None)
    client.key = key  # type: ignore[assignment]
    client.certificate = x509.load_pem_x509_certificate(own.certificate).public_bytes(
        serialization.Encoding.DER
    )
    client.seconds = 3
    with pytest.raises((Rejected, grpc.RpcError)):
        client.negotiate()


def test_collection_calls_on_the_enrolment_port_are_refused_or_unknown(region: Region) -> None:
    client = region.member()
    with client.enrolment_channel() as channel, pytest.raises(grpc.RpcError) as caught:
        collection_pb2_grpc.CollectionServiceStub(channel).Negotiate(
            collection_pb2.NegotiateRequest(versions=encode_versions()), timeout=60
        )
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def until_seen(region: Region, after: int | None) -> int | None:
    """When the one council was last seen, as soon as that is not `after` any more."""
    from folkmoot_coordinator.membership.councils import enrolled

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        [council] = enrolled(region.database, region.clock())
        if council.last_seen != after:
            return council.last_seen
        time.sleep(0.02)
    return after


def test_when_a_council_was_last_seen_is_remembered(region: Region) -> None:
    from folkmoot_coordinator.membership.councils import enrolled

    client = region.member()
    assert enrolled(region.database, region.clock())[0].last_seen is None
    client.negotiate()
    first = region.clock()
    assert until_seen(region, after=None) == first
    region.clock.now += 60
    client.rounds()
    region.stop()
    assert until_seen(region, after=first) == first + 60, "written at the latest at the end"


def test_the_servers_certificate_is_replaced_while_running(region: Region) -> None:
    region.stop()
    text = region.home.settings_file.read_text()
    region.home.settings_file.write_text(text.replace("server_days = 90", "server_days = 1"))
    region.start()
    address = split_address(region.settings.enrolment.address)

    def serial() -> int:
        pem = ssl.get_server_certificate(address)
        return x509.load_pem_x509_certificate(pem.encode()).serial_number

    first = serial()
    assert serial() == first
    region.clock.now += 15 * HOUR
    assert serial() == first
    region.clock.now += 2 * HOUR
    second = serial()
    assert second != first
    assert serial() == second


def test_doctor_knows_the_ports_of_a_coordinator_that_runs(region: Region) -> None:
    found = {one.name: one for one in examine(region.home)}
    for name in ("collection port", "enrolment port"):
        assert found[name].state is State.OK, found[name]
    text = region.home.settings_file.read_text()
    ports = (region.settings.collection.listen, region.settings.enrolment.listen)
    for before, after in ((ports[0], "@"), (ports[1], ports[0]), ("@", ports[1])):
        text = text.replace(before, after)
    region.home.settings_file.write_text(text)
    found = {one.name: one for one in examine(region.home)}
    for name in ("collection port", "enrolment port"):
        assert found[name].state is State.FAIL
        assert "it is the other port" in found[name].what
