"""Calls that wait, of one council or of several, leave others served."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from folkmoot.geography import GssCode
from folkmoot.v1 import collection_pb2
from folkmoot.versions import SPOKEN
from folkmoot_coordinator.membership.councils import revoke
from folkmoot_coordinator.server import reception
from folkmoot_coordinator.server.server import MIN_CALLS
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.wire.coordinator.conftest import Client, Region

TRAFFORD = GssCode("E08000009")
CALLS = 240
SECONDS = 60.0
"""Within which another council must be answered, on a machine that is busy."""
PATIENT = 4 * SECONDS
"""For so long calls that wait keep their places, so that nobody is answered because one ended."""
METHODS = ("Negotiate", "ListReceipts", "ListRounds", "Submit", "Refuse", "PublishCatalogue")


class Waiting:
    """Calls whose first message never comes."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._channels: list[grpc.Channel] = []
        self.calls: list[Any] = []

    def begin(self, client: Client, calls: int) -> None:
        """Opens calls, sixteen on each connection, of every method in turn."""
        for at in range(calls):
            if at % 16 == 0:
                self._channels.append(client.channel())
            method = f"/folkmoot.v1.CollectionService/{METHODS[at % len(METHODS)]}"
            self.calls.append(self._channels[-1].stream_unary(method).future(self._silence()))

    def ended(self) -> int:
        """How many calls the coordinator has ended."""
        return sum(call.done() for call in self.calls)

    def end(self) -> None:
        self._over.set()
        for channel in self._channels:
            channel.close()

    def _silence(self) -> Iterator[bytes]:
        self._over.wait(PATIENT)
        yield from ()


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Waiting]:
    monkeypatch.setattr(reception, "FIRST_MESSAGE_SECONDS", PATIENT)
    calls = Waiting()
    yield calls
    calls.end()


def answered(client: Client) -> None:
    client.seconds = SECONDS
    begin = time.monotonic()
    assert client.negotiate() == SPOKEN.newest
    assert time.monotonic() - begin < SECONDS


def answers(client: Client) -> bool:
    """Whether a call is answered now; one that has no place is told to come back."""
    try:
        return client.negotiate() == SPOKEN.newest
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.UNAVAILABLE:
            raise
        return False


@pytest.mark.parametrize("member", [True, False], ids=["enrolled", "revoked"])
def test_one_council_does_not_take_every_worker(
    region: Region,
    waiting: Waiting,
    intensity: int,
    member: bool,
) -> None:
    hostile, other = region.member(GssCode("E08000001")), region.member(TRAFFORD)
    if not member:
        revoke(region.database, hostile.council, region.clock())
    waiting.begin(hostile, CALLS * intensity)
    answered(other)
    held = max(MIN_CALLS, region.settings.limits.workers // 3) if member else 0
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and waiting.ended() < len(waiting.calls) - held:
        time.sleep(0.05)
    assert waiting.ended() == len(waiting.calls) - held, "the others were told to come back"


def test_many_councils_together_do_not_take_every_worker(
    region: Region, waiting: Waiting, intensity: int
) -> None:
    """A call that waits costs no worker, whoever makes it."""
    other = region.member(TRAFFORD)
    for number in range(1, 9 * intensity):
        waiting.begin(region.certified(GssCode(f"E08{number:06d}")), 16)
    answered(other)
    assert sum(not call.done() for call in waiting.calls) > 2 * region.settings.limits.workers


def test_calls_that_are_broken_off_leave_no_place_taken(region: Region, intensity: int) -> None:
    client = region.member(TRAFFORD)
    request = collection_pb2.ListReceiptsRequest(protocol=1, answers_digest=bytes(32))
    method = "/folkmoot.v1.CollectionService/ListReceipts"
    with client.channel() as channel:
        for _ in range(300 * intensity):
            channel.unary_stream(method)(request.SerializeToString()).cancel()
    wait_until(lambda: answers(client), "places of calls that were broken off to be free")
