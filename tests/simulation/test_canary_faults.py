"""Marked records go through faults; no mark comes out, not even with --debug.

Plugins that quote the record they broke on, stores that are damaged anywhere, extracts cut off
or replaced while they are read: all through the public commands, as real processes.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from region import BURY, Node, Region, command, copy_node, household_rows

from tests.plugin_council import NAME
from tests.plugin_of_others import install_plugin

UPRN = "918273645546"
AMOUNT = "73915.28"
AREA = "E01987654"
WORD = "Zyxwvut"
MARKS = (UPRN, AMOUNT, "73,915", "7391528", AREA, WORD)
MARKED = [f"{UPRN},{AMOUNT},Y,{AREA}"]

LEAKY = '''
"""A vendor's plugin that quotes what it was working on."""

from folkmoot_sdk.factor import Input, NoParameters, RiskFactor
from folkmoot_sdk.hooks import hookimpl
from folkmoot_sdk.schema import FieldType


class Leaky(RiskFactor):
    name = "leaky"
    title = "Leaky"
    description = "Quotes the largest arrears"
    domain = "finance"
    inputs = (Input("council_tax_arrears", FieldType.NUMBER, unit="GBP"),)
    Parameters = NoParameters

    def score(self, inputs, context):
        largest = inputs["council_tax_arrears"].max()
        try:
            raise KeyError(f"{largest:.2f}")
        except KeyError as error:
            raise ValueError(f"no band for {largest:.2f} of {inputs!r}") from error

    def explain(self, values, score, context):
        raise ValueError(f"cannot explain {values}")


@hookimpl
def folkmoot_risk_factors():
    return [Leaky]
'''


@pytest.fixture(scope="module")
def node(region: Region) -> Node:
    return region.new_node(BURY)


@pytest.fixture
def vendor(node: Node, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The leaky plugin, installed, signed and allowed as any other of somebody else's."""
    settings = node.home / "node.toml"
    usual = settings.read_text()
    others = install_plugin(node.home, usual, monkeypatch, code=LEAKY)
    others.pinned()
    monkeypatch.setenv("PYTHONPATH", str(others.council.site))
    yield
    settings.write_text(usual)
    shutil.rmtree(node.home / "plugins")


def clean(text: str) -> None:
    for mark in MARKS:
        assert mark not in text, mark


def both_ways(run: Callable[..., str], *arguments: object, expect: int | None) -> str:
    """Runs a command without and with --debug; neither shows a mark."""
    short = run(*arguments, expect=expect)
    clean(short)
    trace = run(*arguments, "--debug", expect=None)
    clean(trace)
    return short + trace


def leaves_nothing_behind(region: Region, node: Node) -> None:
    """Neither in the node's state and store nor at the coordinator."""
    paths = [node.home / "state.sqlite", region.folder / "coordinator.log"]
    for folder in (region.home, node.home / "store"):
        paths += [path for path in folder.rglob("*") if path.is_file()]
    for path in paths:
        content = path.read_bytes()
        for mark in MARKS:
            assert mark.encode() not in content, path
    assert len(paths) > 5


@pytest.mark.slow
@pytest.mark.usefixtures("vendor")
def test_a_plugin_that_quotes_records_is_named_and_not_quoted(region: Region, node: Node) -> None:
    node.write_extract([*household_rows(BURY, 500), *MARKED])
    risk_policy = node.home / "risk-policy.toml"
    usual = risk_policy.read_text()
    risk_policy.write_text(usual.replace("financial_hardship", "leaky"))
    shown = both_ways(node.run_anew, "score", expect=1)
    assert f"plugin {NAME} 1.2.0" in shown
    assert "raised ValueError at __init__.py" in shown
    assert "Traceback" in shown  # --debug was worth trying
    risk_policy.write_text(usual)
    clean(node.run("score"))
    leaves_nothing_behind(region, node)


@pytest.mark.slow
def test_a_damaged_store_is_reported_without_what_is_in_it(
    region: Region, node: Node, tmp_path: Path
) -> None:
    """One byte wrong, at four places; all blocks but the first; cut off in the middle."""
    node.write_extract([*household_rows(BURY, 500), *MARKED])
    clean(node.run("score"))
    round_id = region.open_round([BURY])
    clean(node.run("rounds", "list"))
    (store,) = (path for path in (node.home / "store").rglob("*") if path.suffix == ".duckdb")
    whole = store.read_bytes()
    troubles = 0
    for at in range(0, len(whole), len(whole) // 3):
        copied = copy_node(node, tmp_path / f"damaged-{at}")
        damaged = bytearray(whole)
        damaged[at] ^= 0xFF
        (copied.home / store.relative_to(node.home)).write_bytes(damaged)
        troubles += "Error" in both_ways(copied.run, "explain", "10000001", expect=None)
        shutil.rmtree(copied.home)
    assert troubles > 0
    damaged = bytearray(whole)
    damaged[3 * 4096 :: 512] = bytes(byte ^ 0xFF for byte in damaged[3 * 4096 :: 512])
    for content in (bytes(damaged), whole[: len(whole) // 2]):
        store.write_bytes(content)
        assert "Error" in both_ways(node.run, "release", round_id, expect=None)
        clean(node.run("doctor", "--offline", expect=None))
    store.write_bytes(whole)
    clean(node.run("serve", "--until-idle", "--poll-seconds", "0.2"))
    leaves_nothing_behind(region, node)


@pytest.mark.slow
def test_extracts_that_break_are_told_by_place(region: Region, node: Node) -> None:
    """Cut off in a quoted field, of other columns, not text at all, not a file."""
    extract = node.home / "extracts" / "council_tax.csv"
    header = "UPRN,Arrears,Support,LSOA\n"
    for content in (
        header + f'{UPRN},"{AMOUNT},Y,{AREA}',
        header + f"{UPRN},{AMOUNT},Y,{AREA},{WORD},{WORD}\n",
        header + f"{UPRN},{AMOUNT}\n",
        f"{WORD},{UPRN}\n",
        f"{UPRN},{WORD},{WORD},{AREA}\n",
        header + f"{UPRN},{AMOUNT},Y,{AREA}\n" + "\0" * 100,
        header + f"{UPRN},{AMOUNT},Y,{AREA}\n{WORD * 100_000}",
        "",
    ):
        extract.write_text(content)
        both_ways(node.run, "score", expect=None)
        clean(node.run("doctor", "--offline", expect=None))  # which prints no trace
    extract.unlink()
    extract.mkdir()
    both_ways(node.run, "score", expect=None)
    extract.rmdir()
    node.write_extract([*household_rows(BURY, 500), *MARKED])
    clean(node.run("score"))
    leaves_nothing_behind(region, node)


@pytest.mark.slow
def test_the_log_at_its_most_talkative_shows_no_mark(
    region: Region, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """gRPC, too, is asked to say all that it does, over a whole visit."""
    node.write_extract([*household_rows(BURY, 500), *MARKED])
    clean(node.run("score"))
    round_id = region.open_round([BURY])
    monkeypatch.setenv("GRPC_VERBOSITY", "debug")
    monkeypatch.setenv("GRPC_TRACE", "http,channel,call_error,tsi")
    shown = command(
        "folkmoot-node", "serve", "--until-idle", "--poll-seconds", "0.2", "--home", node.home,
        expect=0,
    )  # fmt: skip
    clean(shown)
    monkeypatch.undo()
    clean(node.run("rounds", "show", round_id))
    clean(node.run("egress"))
    clean(node.run("ledger", "show", expect=None))
    clean(region.run("round", "show", round_id))
    leaves_nothing_behind(region, node)
