"""The enrolment port has a process of its own: what befalls it does not befall the other."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import grpc

from folkmoot.geography import GssCode
from folkmoot.versions import SPOKEN
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.wire.coordinator.conftest import Region, ServeProcess

BURY, TRAFFORD = GssCode("E08000002"), GssCode("E08000009")
SECONDS = 60.0


def test_it_can_be_killed_and_comes_back(
    stopped_region: Region, serve: Callable[[Path], ServeProcess]
) -> None:
    region = stopped_region
    process = serve(region.home.path)
    member = region.member(TRAFFORD)
    serving, enrolling = process.all_pids()

    os.kill(enrolling, signal.SIGKILL)
    assert member.negotiate() == SPOKEN.newest

    newcomer, until = region.invite(BURY), time.monotonic() + SECONDS
    while newcomer.certificate is None and time.monotonic() < until:
        newcomer.seconds = max(1.0, until - time.monotonic())
        try:
            newcomer.enrol()  # waits in the queue of the socket, which is still open
        except grpc.RpcError:
            time.sleep(0.2)
    assert newcomer.negotiate() == SPOKEN.newest
    now = process.all_pids()
    assert now[0] == serving
    assert now[1:] != [enrolling]
    log = region.home.path / "serve.log"
    for said in ("enrolment process ended exit=-9", "enrolment process started again"):
        wait_until(lambda said=said: said in log.read_text(), said)  # another process says it


def test_it_ends_with_serve_even_if_that_is_killed(
    stopped_region: Region, serve: Callable[[Path], ServeProcess]
) -> None:
    process = serve(stopped_region.home.path)
    _, enrolling = process.all_pids()
    process.kill()
    until = time.monotonic() + SECONDS
    while Path(f"/proc/{enrolling}").exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not Path(f"/proc/{enrolling}").exists()
