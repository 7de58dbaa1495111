"""Backups of a node and a coordinator that are in use, restored by public commands."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from region import TRAFFORD, Node, Region

from tests.commands import run_inside

ASKED = "0.001"


@pytest.fixture
def region(enrolled: Region, tmp_path: Path) -> Iterator[Region]:
    region = Region.copy_of(enrolled, tmp_path)
    region.start()
    yield region
    region.stop()


@pytest.fixture
def node(region: Region) -> Node:
    return Node(region.folder / TRAFFORD)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return tmp_path / "backup.key"


@pytest.fixture
def recipient(key: Path) -> str:
    return run_inside("folkmoot-node", "backup", "keygen", "--out", key).said().strip()


def answer(node: Node) -> None:
    node.run("serve", "--until-idle", "--poll-seconds", "0.2")


def name_backups(home: Path, file: str, recipient: str, folder: Path, keep: int = 14) -> None:
    settings = home / file
    table = f'\n[backup]\nrecipients = ["{recipient}"]\nfolder = "{folder}"\nkeep = {keep}\n'
    settings.write_text(settings.read_text() + table)


def restored(node: Node, backup: str, key: Path, folder: Path) -> str:
    """Restores a backup, and puts the new home in the place of the old one."""
    words = ("restore", backup, "--identity", key, "--into", folder / "new")
    said = run_inside("folkmoot-node", *words).said()
    node.home.rename(folder / "old")
    (folder / "new").rename(node.home)
    return said


def test_an_older_backup_releases_nothing_until_it_has_compared(
    region: Region, node: Node, key: Path, recipient: str, tmp_path: Path
) -> None:
    name_backups(node.home, "node.toml", recipient, tmp_path / "backups")
    made = node.json("backup")
    first = region.open_round([TRAFFORD])
    answer(node)

    said = restored(node, made["file"], key, tmp_path)
    assert "store's key" in said
    assert "ledger recover" in said
    shutil.copy(tmp_path / "old/keys/store.key", node.home / "keys/store.key")

    second = region.open_round([TRAFFORD])
    assert "ledger recover" in node.run("serve", "--until-idle", expect=7)
    assert "older than what has left" in node.run("release", second, expect=7)
    assert region.json("round", "show", second)["state"] == "open"
    node.run("ledger", "recover", "--yes")
    answer(node)
    assert region.json("round", "show", second)["state"] == "complete"
    debits = node.json("ledger", "show")["debits"]
    assert [(one["round_id"], one["recovered"]) for one in debits] == [
        (first, True),
        (second, False),
    ]
    assert all(one["rho"] == ASKED for one in debits)
    node.run("ledger", "verify")
    node.run("doctor")


def test_a_backup_without_the_key_scores_again(
    region: Region, node: Node, key: Path, recipient: str, tmp_path: Path
) -> None:
    made = node.json("backup", "--recipient", recipient, "--folder", tmp_path / "backups")
    restored(node, made["file"], key, tmp_path)
    into = node.home
    assert not (into / "keys" / "store.key").exists()
    shutil.copytree(tmp_path / "old/extracts", into / "extracts")
    assert "key" in node.run("score", expect=3)
    shutil.move(into / "store", into / "store-without-key")
    node.run("score")
    round_id = region.open_round([TRAFFORD])
    answer(node)
    assert region.json("round", "show", round_id)["state"] == "complete"
    found = [one["action"] for one in node.json("audit", "show")]
    assert "restored from a backup" in json.dumps(found)


def test_a_coordinators_backup_gets_the_same_answers_again(
    region: Region, node: Node, key: Path, recipient: str, tmp_path: Path
) -> None:
    name_backups(region.home, "coordinator.toml", recipient, tmp_path / "backups")
    round_id = region.open_round([TRAFFORD])
    made = region.json("backup")  # while it serves
    answer(node)
    before = region.json("round", "show", round_id)
    assert before["state"] == "complete"
    region.run("restore", "--drill", "--identity", key)

    region.kill()
    new = tmp_path / "new"
    words = ("restore", made["file"], "--identity", key, "--into", new)
    run_inside("folkmoot-coordinator", *words).said()
    region.home.rename(tmp_path / "old")
    new.rename(region.home)
    region.start()
    assert region.json("round", "show", round_id)["state"] == "open"
    node.run("release", round_id)
    assert region.json("round", "show", round_id)["state"] == "complete"
    region.run("audit", "verify")
    region.run("doctor")
    assert len(node.json("ledger", "show")["debits"]) == 1


def test_a_coordinator_that_hides_a_receipt_is_found_by_a_witness(
    region: Region, node: Node, key: Path, recipient: str, tmp_path: Path
) -> None:
    share = tmp_path / "share"
    share.mkdir()
    with (node.home / "node.toml").open("a") as file:
        file.write(f'\n[ledger]\nwitnesses = ["{share}"]\n')
    region.open_round([TRAFFORD])
    answer(node)  # makes the witness's key, which the backup then holds
    made = node.json("backup", "--recipient", recipient, "--folder", tmp_path / "backups")
    region.stop()
    shutil.copytree(region.home, tmp_path / "honest")
    region.start()
    second = region.open_round([TRAFFORD])
    answer(node)
    assert len(list(share.iterdir())) == 2
    node.run("ledger", "verify", "--witness", share)

    # The node is restored, and the coordinator forgets the second round with its receipt.
    region.stop()
    region.home.rename(tmp_path / "honest-later")
    (tmp_path / "honest").rename(region.home)
    region.start()
    restored(node, made["file"], key, tmp_path)
    shutil.copy(tmp_path / "old/keys/store.key", node.home / "keys/store.key")
    third = region.open_round([TRAFFORD])
    said = node.run("serve", "--until-idle", expect=7)
    assert "witness" in said
    assert "hides" in node.run("ledger", "recover", "--yes", expect=7)
    assert region.json("round", "show", third)["state"] == "open"

    # When it shows the receipt again, the loss is counted and the node goes on.
    region.stop()
    shutil.rmtree(region.home)
    (tmp_path / "honest-later").rename(region.home)
    region.start()
    node.run("ledger", "recover", "--yes")
    fourth = region.open_round([TRAFFORD])
    answer(node)
    assert region.json("round", "show", fourth)["state"] == "complete"
    debits = node.json("ledger", "show")["debits"]
    assert [one["round_id"] for one in debits if one["recovered"]] == [second]
    node.run("ledger", "verify", "--witness", share)
