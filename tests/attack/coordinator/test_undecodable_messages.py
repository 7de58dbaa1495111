"""Messages that are none: they cost a coordinator no memory that lasts, and no trace in its log."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from folkmoot.geography import GssCode
from folkmoot_coordinator.membership.councils import revoke

if TYPE_CHECKING:
    from tests.wire.coordinator.conftest import Region, ServeProcess

BURY, TRAFFORD = GssCode("E08000002"), GssCode("E08000009")
ENROLMENT, COLLECTION = "/folkmoot.v1.EnrolmentService/", "/folkmoot.v1.CollectionService/"
MESSAGES = 3_000
KIB_EACH = 4.0
"""What may stay of each; before, it was 19.7."""
WARM = 1_000
"""Messages after which pools and caches have their size."""
BAD = b"\xff\xff\xff\xff"
CALLERS = 4

NO_MESSAGE = {
    "Enrol": ("stranger", ENROLMENT, BAD, "INVALID_ARGUMENT"),
    "Negotiate": ("member", COLLECTION, BAD, "INVALID_ARGUMENT"),
    "Submit": ("member", COLLECTION, BAD, "INVALID_ARGUMENT"),
    "PublishCatalogue": ("member", COLLECTION, b"\x0a\x05\xff", "INVALID_ARGUMENT"),
    "ListRounds": ("revoked", COLLECTION, BAD, "OK", "UNAVAILABLE"),
    "Renew": ("stranger", ENROLMENT, BAD, "OK"),
    "NoSuchMethod": ("stranger", ENROLMENT, BAD, "UNIMPLEMENTED"),
}
"""By method: who calls, its service, what is sent, and how the call may end. A caller who is
refused has its answer before the message is read; what a revoked one has open is ended besides."""


def status_of(call: Any, message: bytes) -> str:
    try:
        call(message, timeout=60)
    except grpc.RpcError as error:
        return str(error.code().name)  # type: ignore[attr-defined]
    return "OK"


@pytest.mark.slow
def test_undecodable_messages_leave_neither_memory_nor_traces(
    stopped_region: Region, serve: Callable[[Path], ServeProcess], intensity: int
) -> None:
    region = stopped_region
    process = serve(region.home.path)
    member, revoked = region.member(TRAFFORD), region.member(BURY)
    revoke(region.database, BURY, region.clock())
    channels = {
        "stranger": region.invite(BURY).enrolment_channel(),
        "member": member.channel(),
        "revoked": revoked.channel(),
    }
    tries = [
        (channels[who].unary_unary(service + method), message, expected)
        for method, (who, service, message, *expected) in NO_MESSAGE.items()
    ]

    def send(number: int) -> None:
        call, message, expected = tries[number % len(tries)]
        assert status_of(call, message) in expected

    with ThreadPoolExecutor(CALLERS) as callers:
        list(callers.map(send, range(WARM)))
        before = process.memory()
        count = MESSAGES * intensity
        list(callers.map(send, range(count)))
        kept = (process.memory() - before) / 1024 / count
    for channel in channels.values():
        channel.close()
    assert kept < KIB_EACH, f"{kept:.2f} KiB stay of each message"
    log = (region.home.path / "serve.log").read_text()
    assert "Traceback" not in log
    assert "Exception" not in log
    assert member.negotiate(), "it still serves"


@pytest.mark.parametrize("message", [b"", BAD, bytes(70_000)])
def test_a_message_that_is_none_is_the_callers_fault(region: Region, message: bytes) -> None:
    expected = {"": "OK"}.get(message.decode("latin-1"), "INVALID_ARGUMENT")
    expected = "RESOURCE_EXHAUSTED" if len(message) > 2**16 else expected
    with region.invite().enrolment_channel() as channel:
        assert status_of(channel.unary_unary(ENROLMENT + "Enrol"), message) == expected


def test_a_message_that_is_packed_is_refused(region: Region) -> None:
    """A few kilobytes could become many megabytes."""
    with region.invite().enrolment_channel() as channel:
        call = channel.unary_unary(ENROLMENT + "Enrol")
        with pytest.raises(grpc.RpcError) as caught:
            call(bytes(10_000), timeout=60, compression=grpc.Compression.Gzip)
    assert caught.value.code().name in ("UNIMPLEMENTED", "INTERNAL")  # type: ignore[attr-defined]
