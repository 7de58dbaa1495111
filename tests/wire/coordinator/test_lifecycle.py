"""Rounds that close, and a coordinator that stops, dies and comes back."""

from __future__ import annotations

import errno
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest

from folkmoot.answer_codec import encode_release
from folkmoot.geography import GssCode
from folkmoot.rounds import RoundState
from folkmoot.v1 import collection_pb2
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.rounds.progress import council_responses
from folkmoot_coordinator.rounds.round_store import find_round
from folkmoot_coordinator.server.server import CoordinatorServer
from folkmoot_operator.problems import Problem

if TYPE_CHECKING:
    from tests.wire.coordinator.conftest import Region, ServeProcess

BOLTON, BURY, TRAFFORD = GssCode("E08000001"), GssCode("E08000002"), GssCode("E08000009")
Serve = Callable[[Path], "ServeProcess"]


def state_of(region: Region, round_id: str) -> RoundState:
    return find_round(region.database, round_id).state


def until_closed(region: Region, round_id: str) -> RoundState:
    deadline = time.monotonic() + 60
    while state_of(region, round_id) is RoundState.OPEN and time.monotonic() < deadline:
        time.sleep(0.05)
    return state_of(region, round_id)


@pytest.mark.parametrize(
    ("answers", "minimum", "at_once", "end"),
    [
        ("RR", 1, True, RoundState.COMPLETE),
        ("RF", 1, True, RoundState.PARTIAL),
        ("RF", 2, True, RoundState.VOID),
        ("FF", 1, True, RoundState.VOID),
        ("R-", 1, False, RoundState.PARTIAL),
        ("R-", 2, False, RoundState.VOID),
        ("--", 1, False, RoundState.VOID),
        ("F-", 1, False, RoundState.VOID),
    ],
)
def test_a_round_ends_complete_partial_or_void(
    region: Region, answers: str, minimum: int, at_once: bool, end: RoundState
) -> None:
    """R releases, F refuses, - is silent; at once means before the deadline."""
    clients = [region.member(council) for council in (BOLTON, BURY)]
    round_ = region.open_round((BOLTON, BURY), minimum=minimum)
    for client, answer in zip(clients, answers, strict=True):
        if answer == "-":
            continue
        [signed] = client.rounds()
        if answer == "R":
            client.submit(client.release_for(signed))
        else:
            client.refuse(client.refusal_for(signed))
    if at_once:
        assert state_of(region, round_.round_id) is end
        return
    assert state_of(region, round_.round_id) is RoundState.OPEN
    region.clock.now = round_.deadline
    assert until_closed(region, round_.round_id) is end


def test_who_is_waited_for_and_why(region: Region) -> None:
    bolton, bury = region.member(BOLTON), region.member(BURY)
    round_ = region.open_round((BOLTON, BURY, TRAFFORD))
    [signed] = bolton.rounds()
    bolton.refuse(bolton.refusal_for(signed))
    first, second, third = council_responses(region.database, round_)
    assert (first.answer, first.refusal.name if first.refusal else "") == ("refused", "DECLINED")
    assert (second.answer, second.enrolled, second.last_seen) == ("waiting", True, None)
    assert (third.answer, third.enrolled) == ("waiting", False)
    bury.submit(bury.release_for(signed))
    assert [one.answer for one in council_responses(region.database, round_)] == [
        "refused",
        "released",
        "waiting",
    ]


def test_state_survives_a_killed_coordinator(stopped_region: Region, serve: Serve) -> None:
    region = stopped_region
    process = serve(region.home.path)
    assert process.ready.startswith("Serving Greater Manchester")
    bolton, bury = region.member(BOLTON), region.member(BURY)
    round_ = region.open_round((BOLTON, BURY))
    [signed] = bolton.rounds()
    release = bolton.release_for(signed)
    receipt = bolton.submit(release)

    process.kill()
    serve(region.home.path)

    assert bolton.submit(release) == receipt, "the same receipt, from another process"
    bury.submit(bury.release_for(signed))
    assert state_of(region, round_.round_id) is RoundState.COMPLETE


def test_a_coordinator_killed_during_a_submission_stored_nothing(
    stopped_region: Region, serve: Serve
) -> None:
    region = stopped_region
    process = serve(region.home.path)
    client = region.member()
    region.open_round()
    [signed] = client.rounds()
    parts = list(encode_release(client.release_for(signed), 1))
    killed = threading.Event()

    def interrupted() -> Iterator[collection_pb2.SubmitRequest]:
        yield parts[0]
        time.sleep(0.2)
        process.kill()
        killed.set()
        yield parts[1]

    with pytest.raises(grpc.RpcError):
        client.submit_parts(interrupted())
    assert killed.wait(timeout=60)
    assert region.stored() == {"answers": 0, "cells": 0}
    serve(region.home.path)
    assert client.submit(client.release_for(signed))
    assert region.stored() == {"answers": 1, "cells": 1}


def test_what_fails_beside_the_ports_does_not_stop_them(
    region: Region, caplog: pytest.LogCaptureFixture
) -> None:
    """A disk that is full, for one: Prefect cannot be started again on it."""
    stop, looks = threading.Event(), []

    def attend() -> None:
        looks.append(region.clock())
        if len(looks) < 3:
            raise OSError(errno.ENOSPC, "no space left on device")
        assert region.member().rounds() == []
        stop.set()

    server, region.server = region.server, None  # it ends by itself
    assert server is not None
    with caplog.at_level("INFO"):
        server.wait(stop, attend)
    assert caplog.text.count("no space left on device") == 1
    assert "the schedule goes on" in caplog.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_coordinator_gently(
    stopped_region: Region, serve: Serve, number: signal.Signals
) -> None:
    region = stopped_region
    process = serve(region.home.path)
    client = region.member()
    client.negotiate()
    process.process.send_signal(number)
    assert process.process.wait(timeout=60) == 0
    log = (region.home.path / "serve.log").read_text().splitlines()
    assert [line.split(" ", 1)[1] for line in log] == [
        "INFO enrolled council=E08000009",
        "INFO stopped",
    ]


def test_a_port_that_is_taken_is_a_problem_with_a_remedy(region: Region) -> None:
    second = CoordinatorServer(Home(region.home.path), region.clock)
    with pytest.raises(Problem, match="cannot be listened on") as caught:
        second.start()
    assert caught.value.where == region.settings.collection.listen
    second.stop()


def test_a_database_that_is_gone_is_unavailable_not_a_rejection(region: Region) -> None:
    """A node tries again later; a rejection would make it stop."""
    client = region.member()
    client.negotiate()
    region.database.close()
    region.home.database_file.rename(region.home.path / "moved")
    region.home.database_file.mkdir()
    server = region.server
    assert server is not None
    server._database.close()
    try:
        with pytest.raises(grpc.RpcError) as caught:
            client.negotiate()
        code = caught.value.code()
        assert code is grpc.StatusCode.UNAVAILABLE
    finally:
        region.home.database_file.rmdir()
        (region.home.path / "moved").rename(region.home.database_file)
