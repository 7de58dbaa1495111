"""Old backups put back, of a node's files and of the coordinator's database.

Whatever the moment of the backup: no second noise for a round leaves the node unnoticed,
and what was spent is within the policy once it is recovered.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from region import TRAFFORD, Node, Region, copy_node
from test_kill import LAST_WRITE, visit

from folkmoot.privacy import Rho
from folkmoot_node.home import open_home

ASKED = Rho.of("0.001")


@pytest.fixture
def region(enrolled: Region, tmp_path: Path) -> Iterator[Region]:
    """A region of each test's own, since its files are put back."""
    region = Region.copy_of(enrolled, tmp_path)
    region.start()
    yield region
    region.stop()


@pytest.fixture
def node(region: Region) -> Node:
    return Node(region.folder / TRAFFORD)


def put_back(backup: Node, node: Node) -> None:
    shutil.rmtree(node.home)
    shutil.copytree(backup.home, node.home)


def sent(node: Node, round_id: str) -> set[bytes]:
    """SHA-256 of what was handed to the network for a round."""
    with open_home(node.home) as home:
        return {
            entry.sha256
            for entry in home.egress.departures()
            if entry.method.endswith("Submit") and entry.round_id == round_id
        }


def spent(node: Node) -> Rho:
    with open_home(node.home) as home:
        return home.balance().spent


def answer(node: Node) -> None:
    node.run("serve", "--until-idle", "--poll-seconds", "0.2")


def test_a_nodes_old_backup_lets_nothing_out_until_it_is_recovered(
    region: Region, node: Node, tmp_path: Path
) -> None:
    backup = copy_node(node, tmp_path / "backup")
    first = region.open_round([TRAFFORD])
    answer(node)
    head = node.json("ledger", "show")["head"]
    put_back(backup, node)

    second = region.open_round([TRAFFORD])
    for arguments in (
        ["serve", "--until-idle"],
        ["release", second],
        ["approve", second],
        ["rounds", "list"],
        ["ledger", "verify"],
        ["ledger", "verify", "--expect", head],
    ):
        told = node.run(*arguments, expect=7)
        assert "ledger recover" in told, arguments
    assert "FAIL" in node.run("doctor", expect=3)
    assert sent(node, first) == sent(node, second) == set()
    assert region.json("round", "show", second)["state"] == "open"

    node.run("ledger", "recover", "--yes")
    answer(node)
    assert region.json("round", "show", second)["state"] == "complete"
    assert sent(node, first) == set()
    assert len(sent(node, second)) == 1
    assert spent(node) == ASKED + ASKED
    node.run("ledger", "verify")
    node.run("doctor")


def test_the_coordinators_old_backup_gets_the_same_bytes_again(
    region: Region, node: Node, tmp_path: Path
) -> None:
    round_id = region.open_round([TRAFFORD])
    region.stop()
    shutil.copytree(region.home, tmp_path / "backup")
    region.start()
    answer(node)
    (bytes_sent,) = sent(node, round_id)
    assert region.json("round", "show", round_id)["state"] == "complete"

    region.kill()
    shutil.rmtree(region.home)
    shutil.copytree(tmp_path / "backup", region.home)
    region.start()
    assert region.json("round", "show", round_id)["state"] == "open"
    told = node.run("release", round_id)
    assert "released, receipt held" in told
    assert sent(node, round_id) == {bytes_sent}
    assert region.json("round", "show", round_id)["state"] == "complete"
    assert spent(node) == ASKED
    node.run("ledger", "verify")
    node.run("doctor")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_backup_from_between_any_two_transactions_of_a_visit(
    region: Region, node: Node, tmp_path: Path
) -> None:
    """Each in turn: killed before it begins, copied, ended, and the copy put back."""
    region.open_round([TRAFFORD])
    answer(node)
    ways = set()
    for transaction in range(1, LAST_WRITE):
        round_id = region.open_round([TRAFFORD])
        killed = visit(node, "transaction", transaction)
        if killed.code == 0:
            break  # the visit has no more
        assert killed.code == -signal.SIGKILL, killed.stderr
        backup = copy_node(node, tmp_path / f"backup-{transaction}")
        answer(node)
        first = sent(node, round_id)
        assert len(first) == 1
        put_back(backup, node)

        done = node.run("serve", "--until-idle", "--poll-seconds", "0.2", expect=None)
        lost = "older than what has left" in done
        if lost:
            assert sent(node, round_id) == set()
            node.run("ledger", "recover", "--yes")
            answer(node)
        assert sent(node, round_id) <= first, transaction
        ways.add(lost)
        with open_home(node.home) as home:
            debits = [debit for debit in home.ledger.debits() if debit.round_id == round_id]
        assert [debit.rho for debit in debits] == [ASKED], transaction
        node.run("ledger", "verify")
    assert ways == {True, False}
    assert transaction > 6
