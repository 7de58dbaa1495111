"""`kill -9` at every write between learning of a round and holding the receipt.

After each kill the node is started again and must come to the same end: one debit, one
answer, one receipt, the same bytes whenever they were sent.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
import visit_until_killed
from region import TRAFFORD, Node, Region

from folkmoot import answer_codec
from folkmoot.privacy import Rho
from folkmoot_node.home import open_home
from folkmoot_node.release.steps import AnswerStage
from tests.commands import Done
from tests.forked_commands import fork

LAST_WRITE = 40
"""Above the number of writes of a visit with one round; a test checks that."""


@pytest.fixture(scope="module")
def region(enrolled: Region, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    region = Region.copy_of(enrolled, tmp_path_factory.mktemp("region"))
    region.start()
    yield region
    region.stop()


@pytest.fixture(scope="module")
def node(region: Region) -> Iterator[Node]:
    node = Node(region.folder / TRAFFORD)
    yield node
    assert node.json("ledger", "verify")["answers"] > 0


def visit(node: Node, kind: str, point: object) -> Done:
    """One visit as a process of its own, killed at a point."""
    return fork(visit_until_killed.main, node.home, kind, str(point), seconds=60)


def check_end_state(region: Region, node: Node, round_id: str) -> None:
    after = visit(node, "count", 0)
    assert after.code == 0, after.stderr
    with open_home(node.home) as home:
        (debit,) = [entry for entry in home.ledger.debits() if entry.round_id == round_id]
        assert debit.rho == Rho.of("0.001")
        sent = [
            entry.sha256
            for entry in home.egress.departures()
            if entry.method.endswith("Submit") and entry.round_id == round_id
        ]
        assert len(set(sent)) == 1
        answer = home.outbox.find(round_id)
        assert answer is not None
        assert answer.receipt is not None
        assert answer_codec.decode_receipt(answer.receipt).answer_digest == answer.digest
        home.verify_evidence()
    assert region.json("round", "show", round_id)["state"] == "complete"


@pytest.mark.parametrize("step", AnswerStage, ids=lambda step: step.name)
def test_killed_after_a_step(region: Region, node: Node, step: AnswerStage) -> None:
    round_id = region.open_round([TRAFFORD])
    killed = visit(node, "step", step.name)
    assert killed.code == -signal.SIGKILL, killed.stderr
    check_end_state(region, node, round_id)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_before_every_write(region: Region, node: Node) -> None:
    region.open_round([TRAFFORD])
    whole = visit(node, "count", 0)
    assert whole.code == 0, whole.stderr
    writes = int(whole.stdout)
    assert 15 < writes < LAST_WRITE
    for write in range(1, writes + 1):
        round_id = region.open_round([TRAFFORD])
        killed = visit(node, "sql", write)
        assert killed.code == -signal.SIGKILL, (write, killed.stderr)
        check_end_state(region, node, round_id)


@pytest.mark.slow
def test_the_coordinator_killed_between_answer_and_receipt(region: Region, node: Node) -> None:
    round_id = region.open_round([TRAFFORD])
    assert visit(node, "step", AnswerStage.DELIVERED.name).code == -signal.SIGKILL
    region.kill()
    unreachable = visit(node, "count", 0)
    assert unreachable.code != 0
    region.start()
    check_end_state(region, node, round_id)
