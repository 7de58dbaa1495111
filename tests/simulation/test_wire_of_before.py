"""A node and a coordinator that speak the two wire versions before this one, beside today's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from region import TRAFFORD, Node, Region, eventually

from folkmoot.v1 import collection_pb2
from folkmoot.versions import SPOKEN
from folkmoot_node.home import open_home

pytestmark = pytest.mark.slow
BEFORE = [SPOKEN.newest - 1, SPOKEN.newest - 2]
_OLD = """
import importlib, sys
import folkmoot.versions
program, newest = sys.argv.pop(1), int(sys.argv.pop(1))
folkmoot.versions.SPOKEN = folkmoot.versions.VersionRange(1, newest)  # before anything reads it
importlib.import_module(f"folkmoot_{program}.cli").main()
"""


class RegionOfBefore(Region):
    """A coordinator whose process speaks no newer version than one of before."""

    newest = SPOKEN.newest

    def restart(self) -> None:
        self.stop()
        log = (self.folder / "coordinator.log").open("ab")
        words = ["coordinator", str(self.newest), "serve", "--home", str(self.home)]
        command = [sys.executable, "-c", _OLD, *words]
        self._process = subprocess.Popen(command, stdout=log, stderr=log)
        log.close()


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegionOfBefore]:
    region = RegionOfBefore(tmp_path_factory.mktemp("region"))
    region.start()
    yield region
    region.stop()


@pytest.fixture(scope="module")
def node(region: RegionOfBefore) -> Node:
    return region.new_node(TRAFFORD)


def agreed(node: Node) -> int:
    with open_home(node.home) as home, home.connect() as client:
        return client.negotiate()


def answered(region: Region, node: Node, round_id: str) -> None:
    assert "receipt held" in node.run_inside("release", round_id)
    assert region.json("round", "show", round_id)["state"] == "complete"
    node.run_inside("ledger", "verify")


@pytest.mark.parametrize("newest", BEFORE)
def test_a_node_of_before_answers_todays_coordinator(
    newest: int, region: RegionOfBefore, node: Node
) -> None:
    round_id = region.open_round([TRAFFORD])
    words = ["node", str(newest), "release", round_id, "--home", str(node.home)]
    done = subprocess.run(
        [sys.executable, "-c", _OLD, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert region.json("round", "show", round_id)["state"] == "complete"
    with open_home(node.home) as home:
        answer = home.outbox.find(round_id)
    assert answer is not None
    header = collection_pb2.SubmitRequest.FromString(answer.frames[0]).header
    assert header.protocol == newest
    node.run_inside("ledger", "verify")


@pytest.mark.parametrize("newest", BEFORE)
def test_todays_node_answers_a_coordinator_of_before(
    newest: int, region: RegionOfBefore, node: Node
) -> None:
    region.newest = newest
    region.restart()
    eventually(lambda: _speaks(node, newest), 60)
    answered(region, node, region.open_round([TRAFFORD]))


def _speaks(node: Node, newest: int) -> bool:
    try:
        return agreed(node) == newest
    except Exception as error:  # it starts
        if getattr(error, "exit_code", None) != 6:
            raise
        return False
