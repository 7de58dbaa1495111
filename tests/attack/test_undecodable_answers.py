"""A coordinator whose answers are none: the node says so, and keeps nothing of them."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "wire" / "node"))

from stage import Stage, scored_home, stage

from folkmoot_node.federation.client import CoordinatorClient
from folkmoot_node.home import NodeHome, open_home
from folkmoot_operator.problems import ExitCode, Problem

__all__ = ["scored_home", "stage"]

BAD = b"\xff\xff\xff\xff"
ANSWERS = 1_000
KIB_EACH = 4.0


class Nonsense(grpc.GenericRpcHandler):
    """Answers every method with bytes that are no message."""

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        def answer(requests: Iterator[bytes], _: object) -> Iterator[bytes]:
            yield BAD

        return grpc.stream_stream_rpc_method_handler(answer)


@pytest.fixture
def nonsense(stage: Stage) -> Iterator[Stage]:
    """The stage, whose coordinator answers nonsense on the same port."""
    address = next(
        line.split('"')[1]
        for line in (stage.home / "node.toml").read_text().splitlines()
        if line.startswith("address")
    )
    stage.server.stop(None).wait()
    server = grpc.server(ThreadPoolExecutor(4), handlers=(Nonsense(),))
    identity = stage.authority.issue_server_identity(("127.0.0.1",), 1_790_000_000, 3_000)
    credentials = grpc.ssl_server_credentials(
        [(identity.key, identity.certificate)], stage.authority.pem, require_client_auth=True
    )
    server.add_secure_port(address, credentials)
    server.start()
    yield stage
    server.stop(None).wait()


def calls(client: CoordinatorClient, home: NodeHome) -> Iterator[Any]:
    yield client.negotiate
    yield lambda: client.receipts(1, bytes(32), lambda _: None)
    yield lambda: list(client.rounds(1))
    yield lambda: client.renew(b"")
    yield lambda: client.publish_catalogue(3, b"", b"")


def memory() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_answers_that_are_none_are_a_problem_and_leave_nothing(
    nonsense: Stage, caplog: pytest.LogCaptureFixture, intensity: int
) -> None:
    caplog.set_level(logging.WARNING)
    with open_home(nonsense.home) as home, home.connect() as client:
        for call in calls(client, home):
            with pytest.raises(Problem, match="cannot be decoded") as caught:
                call()
            assert caught.value.exit_code is ExitCode.UNREACHABLE
            assert caught.value.remedy
        before, count = memory(), ANSWERS * intensity
        for _ in range(count):
            with pytest.raises(Problem):
                client.negotiate()
        kept = (memory() - before) / 1024 / count
    assert kept < KIB_EACH, f"{kept:.2f} KiB stay of each answer"
    assert not [record for record in caplog.records if record.exc_info]
