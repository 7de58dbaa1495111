"""A revocation reaches what is open: connections and streams of the council end within seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator
from types import SimpleNamespace

import grpc
import pytest
from cryptography import x509
from sqlalchemy import func, select

from folkmoot.answer_codec import decode_header, encode_release
from folkmoot.rejection_codec import encode_versions
from folkmoot.v1 import collection_pb2, collection_pb2_grpc
from folkmoot.v1.release_pb2 import ReleaseHeader
from folkmoot_coordinator.database.models import AnswerRow
from folkmoot_coordinator.membership.councils import revoke
from folkmoot_coordinator.server import collection_service, server
from folkmoot_coordinator.server.server import REVOKED_SECONDS, CoordinatorServer
from tests.wire.coordinator.conftest import BOLTON, TRAFFORD, Client, Region

WITHIN_SECONDS = 60.0


def ended(channel: grpc.Channel) -> threading.Event:
    """Set when a channel that was ready is connected no more."""
    seen, states = threading.Event(), []

    def note(state: grpc.ChannelConnectivity) -> None:
        states.append(state)
        if state is not grpc.ChannelConnectivity.READY and grpc.ChannelConnectivity.READY in states:
            seen.set()

    channel.subscribe(note)
    return seen


def negotiate(stub: collection_pb2_grpc.CollectionServiceStub) -> str | None:
    request = collection_pb2.NegotiateRequest(versions=encode_versions())
    return stub.Negotiate(request, timeout=60).WhichOneof("outcome")


def test_an_idle_connection_ends_and_another_councils_stays(region: Region) -> None:
    revoked, other = region.member(TRAFFORD), region.member(BOLTON)
    with revoked.channel() as channel, other.channel() as another:
        over, others_over = ended(channel), ended(another)
        stub = collection_pb2_grpc.CollectionServiceStub(channel)
        assert negotiate(stub) == "protocol"
        assert negotiate(collection_pb2_grpc.CollectionServiceStub(another)) == "protocol"
        began = time.monotonic()
        revoke(region.database, TRAFFORD, region.clock())
        assert over.wait(WITHIN_SECONDS)
        assert time.monotonic() - began > 0.9 * REVOKED_SECONDS, "long enough to be told why"
        assert negotiate(stub) == "rejection"
        assert not others_over.is_set()


def test_a_release_that_is_being_sent_is_cut_off(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = region.member()
    region.open_round()
    (signed,) = member.rounds()
    parts = list(encode_release(member.release_for(signed), 1))

    begun, over = threading.Event(), threading.Event()

    def begin(first: collection_pb2.SubmitRequest) -> ReleaseHeader:
        begun.set()
        return decode_header(first)

    monkeypatch.setattr(collection_service, "decode_header", begin)

    def slowly() -> Iterator[collection_pb2.SubmitRequest]:
        yield parts[0]
        begun.wait(WITHIN_SECONDS)  # who is revoked before that is told so in the response
        revoke(region.database, TRAFFORD, region.clock())
        over.wait(WITHIN_SECONDS)
        yield from parts[1:]

    began = time.monotonic()
    with member.channel() as channel, pytest.raises(grpc.RpcError) as caught:
        collection_pb2_grpc.CollectionServiceStub(channel).Submit(
            slowly(), timeout=2 * WITHIN_SECONDS
        )
    over.set()
    assert time.monotonic() - began < WITHIN_SECONDS
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert member_answers(region) == 0


def member_answers(region: Region) -> int:
    with region.database.reading() as session:
        return session.scalar(select(func.count()).select_from(AnswerRow)) or 0


class OpenConnection:
    """In the place of a port: one connection, which comes again as soon as it is ended."""

    def __init__(self, serial: str) -> None:
        self._serial = serial
        self.ended = 0

    async def serials(self) -> set[str]:
        return {self._serial}

    async def end(self, serials: Collection[str]) -> int:
        self.ended += self._serial in serials
        return len(serials)


def test_a_connection_that_comes_again_before_the_next_look_has_its_time_too(
    stopped_region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would be cut off before its call is rejected, and not be told why."""
    region = stopped_region
    member = region.certified(TRAFFORD)
    assert member.certificate is not None
    serial = f"{x509.load_der_x509_certificate(member.certificate).serial_number:x}"
    revoke(region.database, TRAFFORD, region.clock())
    region.server = CoordinatorServer(region.home, region.clock)
    connection, times = OpenConnection(serial), iter((0.0, 0.9, 1.1, 1.2, 2.0, 2.3))
    with monkeypatch.context() as patch:
        patch.setattr(region.server, "_collection", connection)
        patch.setattr(server, "time", SimpleNamespace(monotonic=lambda: next(times)))
        ended = []
        for _ in range(6):
            region.server._end_revoked()
            ended.append(connection.ended)
    assert ended == [0, 0, 1, 1, 1, 2]


def test_a_renewed_certificate_does_not_end_the_connection_of_the_one_before(
    region: Region,
) -> None:
    member: Client = region.member()
    with member.channel() as channel:
        over = ended(channel)
        stub = collection_pb2_grpc.CollectionServiceStub(channel)
        assert negotiate(stub) == "protocol"
        member.renew(member.key)
        assert not over.wait(2.5)
        assert negotiate(stub) == "protocol"
