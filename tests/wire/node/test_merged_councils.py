"""Two councils merge into one with a code of its own, by the commands that the page names."""

from __future__ import annotations

import json
from pathlib import Path

from inviting import Inviting

from tests.commands import Done, run_inside

Regions = tuple[Inviting, Inviting]
ALLERDALE, CARLISLE, CUMBERLAND = "E07000026", "E07000028", "E06000063"


def node(*words: object) -> Done:
    return run_inside("folkmoot-node", *words)


def made(place: Path, council: str, name: str) -> Path:
    node("init", "--home", place, "--council", council, "--name", name).said()
    return place


def enrolled(region: Inviting, home: Path, council: str) -> None:
    region.coordinator("invite", council, "--out", region.home)
    node("enrol", region.home / f"invitation-{council}.toml", "--home", home).said()


def test_the_new_node_follows_and_the_old_ones_are_out(regions: Regions, tmp_path: Path) -> None:
    region = regions[1]
    before = [
        made(tmp_path / "allerdale", ALLERDALE, "Allerdale"),
        made(tmp_path / "carlisle", CARLISLE, "Carlisle"),
    ]
    for home, council in zip(before, (ALLERDALE, CARLISLE), strict=True):
        enrolled(region, home, council)
    wrong = run_inside(
        "folkmoot-coordinator", "councils", "merge", "E08000009", "--into", CUMBERLAND,
        "--home", region.home,
    )  # fmt: skip
    assert wrong.code == 3
    region.coordinator("councils", "merge", ALLERDALE, CARLISLE, "--into", CUMBERLAND)
    assert node("rounds", "list", "--home", before[0]).code == 5

    new = made(tmp_path / "cumberland", CUMBERLAND, "Cumberland")
    done = node("ledger", "inherit", *before, "--home", new, "--json")
    assert [one["council"] for one in json.loads(done.said())["councils"]] == [ALLERDALE, CARLISLE]
    assert node("ledger", "inherit", *before, "--home", new).code == 5
    assert node("ledger", "verify", "--home", new).code == 0
    enrolled(region, new, CUMBERLAND)
    assert "councils merged" in region.coordinator("audit", "show", "--json")
    again = made(tmp_path / "again", CUMBERLAND, "Cumberland")
    assert node("ledger", "inherit", before[0], before[0], "--home", again).code == 2
