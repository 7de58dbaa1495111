"""Marked records go through everything; no mark comes out.

The marks stand in well-formed and in malformed records. They may be found in the extract, in
quarantine, and in what an officer asks for by name; never in what the commands print of
their own accord, in errors, in the node's state, or at the coordinator.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from region import TRAFFORD, Node, Region, command, household_rows

UPRN = "918273645546"
AMOUNT = "73915.28"
AREA = "E01987654"
WORD = "Zyxwvut"
MARKS = (UPRN, AMOUNT, "73,915", AREA, WORD)
MARKED = [f"{UPRN},{AMOUNT},Y,{AREA}"]
MALFORMED = [
    f"{UPRN}99,1,Y,E01900901",
    f"{WORD},1,Y,E01900901",
    f"10000001,-{AMOUNT},Y,E01900901",
    f"10000002,{WORD},Y,E01900901",
    f"10000003,1,{WORD},E01900901",
]


@pytest.fixture(scope="module")
def region(enrolled: Region, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    region = Region.copy_of(enrolled, tmp_path_factory.mktemp("region"))
    region.start()
    yield region
    region.stop()


@pytest.fixture(scope="module")
def node(region: Region) -> Node:
    return Node(region.folder / TRAFFORD)


def clean(text: str) -> None:
    for mark in MARKS:
        assert mark not in text


def files_below(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


@pytest.mark.slow
def test_no_mark_comes_out(region: Region, node: Node) -> None:
    node.write_extract([*household_rows(TRAFFORD, 1000), *MARKED, *MALFORMED])
    clean(node.run("score"))
    assert any(UPRN in path.read_text() for path in (node.home / "quarantine").rglob("*.csv"))

    round_id = region.open_round([TRAFFORD])
    clean(node.run("serve", "--until-idle", "--poll-seconds", "0.2"))
    clean(node.run("rounds", "show", round_id))
    clean(node.run("doctor"))
    clean(node.run("egress"))

    too_many = [*household_rows(TRAFFORD, 20), *MARKED, *MALFORMED]
    node.write_extract(too_many)
    clean(node.run("score", expect=4))
    (node.home / "extracts" / "council_tax.csv").write_text(
        f"UPRN,Arrears,Arrears,LSOA\n{UPRN},{AMOUNT},{WORD},{AREA}\n"
    )
    clean(node.run("score", expect=4))
    (node.home / "extracts" / "council_tax.csv").write_bytes(
        f"UPRN,Arrears,Support,LSOA\n{UPRN},{AMOUNT},{WORD}\xe9".encode("latin-1") + b"\xff\n"
    )
    clean(node.run("score", expect=4))

    inspected = 0
    for path in [
        node.home / "state.sqlite",
        *files_below(region.home),
        *files_below(node.home / "store"),
        region.folder / "coordinator.log",
    ]:
        content = path.read_bytes()
        inspected += 1
        for mark in MARKS:
            assert mark.encode() not in content, path
    assert inspected > 5
    with sqlite3.connect(node.home / "state.sqlite") as state:
        for table in ("ledger", "egress", "audit", "rounds", "outbox"):
            for row in state.execute(f"SELECT * FROM {table}"):
                clean(repr(row))
    state.close()
    out = region.folder / "results"
    command("folkmoot-coordinator", "export", round_id, "--out", out, "--home", region.home)
    for path in files_below(out):
        for mark in MARKS:
            assert mark.encode() not in path.read_bytes()
    # The last good scores are still there, and the officer who asks by name is answered.
    assert UPRN in node.run("explain", UPRN)
