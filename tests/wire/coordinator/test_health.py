"""The health service: who may ask, what is said, and that it takes a place as any other call."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from folkmoot_coordinator.server.enrolment_port import LIMITS
from tests.wire.coordinator.conftest import BOLTON, Region

Status = health_pb2.HealthCheckResponse
COLLECTION = "folkmoot.v1.CollectionService"
ENROLMENT = "folkmoot.v1.EnrolmentService"


def check(channel: grpc.Channel, service: str = "") -> int:
    request = health_pb2.HealthCheckRequest(service=service)
    return int(health_pb2_grpc.HealthStub(channel).Check(request, timeout=60).status)


def status(channel: grpc.Channel) -> grpc.StatusCode:
    try:
        check(channel)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def test_each_port_says_whether_it_serves_what_it_has(region: Region) -> None:
    council, stranger = region.member(), region.invite(BOLTON)
    with council.channel() as channel:
        for service in ("", COLLECTION, ENROLMENT):
            assert check(channel, service) == Status.SERVING
    with stranger.enrolment_channel() as channel:
        assert check(channel) == Status.SERVING
        assert check(channel, ENROLMENT) == Status.SERVING
        with pytest.raises(grpc.RpcError) as caught:
            check(channel, COLLECTION)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_a_stranger_does_not_reach_the_health_of_the_collection_port(region: Region) -> None:
    with region.invite(BOLTON).channel() as channel, pytest.raises(grpc.RpcError) as caught:
        check(channel)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_coordinator_that_stops_or_has_a_damaged_database_is_not_well(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    council = region.member()
    assert region.server is not None
    with council.channel() as channel, monkeypatch.context() as patch:
        patch.setattr(type(region.server), "_is_well", lambda _: False)
        region.stop()
        region.start()
        assert check(channel) == Status.NOT_SERVING


def test_watching_is_not_served(region: Region) -> None:
    """It is a call that stays open, and would hold its caller's places for as long as it likes."""
    with region.member().channel() as channel:
        watched = health_pb2_grpc.HealthStub(channel).Watch(
            health_pb2.HealthCheckRequest(), timeout=20
        )
        with pytest.raises(grpc.RpcError) as caught:
            next(iter(watched))
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_check_takes_a_place_of_its_caller(region: Region) -> None:
    stranger, ends = region.invite(BOLTON), threading.Event()

    def silent() -> Iterator[bytes]:
        ends.wait(60)
        yield from ()

    with stranger.enrolment_channel() as channel:
        enrol: grpc.StreamUnaryMultiCallable[bytes, bytes] = channel.stream_unary(
            f"/{ENROLMENT}/Enrol"
        )
        held = [enrol.future(silent(), timeout=20) for _ in range(LIMITS.calls_each)]
        try:
            until = time.monotonic() + 60
            while status(channel) is not grpc.StatusCode.UNAVAILABLE:
                assert time.monotonic() < until
                # A check that came first may have had the place of one of them.
                held = [
                    enrol.future(silent(), timeout=20) if each.done() else each for each in held
                ]
        finally:
            ends.set()
            for each in held:
                each.cancel()
