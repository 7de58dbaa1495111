"""What both programs print can be read at 80 and at 120 columns, with long names in it.

Each output is compared with the same output at a width at which nothing has to give way: no word
of it may be broken, no header lost, no line of a table wider than the terminal.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import run_inside
from tests.enrolled import enrol
from tests.first_day import uprn_of, write_extracts
from tests.viewer_region import fill, fill_series, viewer_region

WIDTHS = (80, 120)
DEAR = {"sources check", "score --try", "score", "doctor"}
"""Start plugins each time, and print no table of their own kind: the narrow width is enough."""
LONG = "Revenues and benefits system of the combined authority, quarterly, north"
NODE = (
    "sources", "sources check", "score --try", "score", f"explain {uprn_of(3)}", "plugins list",
    "audit show", "ledger show", "egress", "linkage report", "corrections list",
    "purge --dry-run", "doctor", "policy show",
)  # fmt: skip
REGION = (
    "round list", "round show latest", "series show 5", "councils list",
    "councils show E08000009", "policy list", "keys list", "audit show", "accounts list", "doctor",
    "round drafts", "round plan @winter.toml --households 98000",
)  # fmt: skip
ROUND = f'''\
title = "{LONG}"
purpose = "winter_support"
policy_digest = "{"0" * 64}"
councils = ["E08000009", "E08000001"]
minimum_councils = 1
rho = 0.1
delta = 1e-6
deadline_hours = 48
[[attributes]]
name = "households_in_need_of_support"
codes = ["none", "low", "medium", "high"]
[[attributes]]
name = "tenure_of_the_household_on_record"
codes = ["owned_outright", "privately_rented"]
[[marginals]]
attributes = ["households_in_need_of_support", "tenure_of_the_household_on_record"]
[[marginals]]
attributes = ["households_in_need_of_support"]
'''
BOXES = re.compile(r"[\u2500-\u257f\u2588]")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("long")
    write_extracts(folder / "exports")
    shutil.move(folder / "exports" / "FSM_eligible_pupils.csv", folder / "exports" / f"{LONG}.csv")
    home = folder / "node"
    limits = ("--rho-per-round", "0.2", "--rho-per-period", "1", "--rho-lifetime", "5")
    named = ("--council", "E08000009", "--name", LONG, "--home", home)
    run_inside("folkmoot-node", "init", *named, "--from", folder / "exports", *limits).said()
    run_inside("folkmoot-node", "policy", "sign", "--signer", LONG, "--home", home).said()
    run_inside("folkmoot-node", "score", "--home", home).said()
    return home


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A coordinator with rounds and a series, whose titles are long."""
    with viewer_region(tmp_path_factory.mktemp("long_region")) as made:
        fill(made, LONG)
        fill_series(made)
        for council in made.areas:
            enrol(made, council)
        (made.home.path / "winter.toml").write_text(ROUND)
        named = ("--home", made.home.path)
        run_inside("folkmoot-coordinator", "keys", "add", LONG, *named).said()
        someone = ("jo.of.the.combined.authority@example.gov.uk", "--role", "analyst")
        run_inside("folkmoot-coordinator", "accounts", "add", *someone, *named).said()
        yield made.home.path


def words(text: str) -> list[str]:
    """The words of an output; times change between two runs, and so do numbers of runs."""
    return re.sub(r"\d+", "#", re.sub(r"\b[0-9a-f]{12,}\b", "#", BOXES.sub(" ", text))).split()


def shown(program: str, command: str, home: Path, width: int, patch: pytest.MonkeyPatch) -> str:
    patch.setenv("COLUMNS", str(width))
    given = [word.replace("@", f"{home}/") for word in command.split()]
    done = run_inside(program, *given, "--home", home)
    assert "a fault in Folkmoot" not in done.stderr, done.stderr
    assert "No such" not in done.stderr, done.stderr
    return done.stdout


def check(program: str, command: str, home: Path, patch: pytest.MonkeyPatch) -> None:
    wide = words(shown(program, command, home, 2000, patch))
    for width in WIDTHS[: 1 if command in DEAR else None]:
        narrow = shown(program, command, home, width, patch)
        lost = set(wide) - set(words(narrow))
        # A path may be longer than the line: nothing but a break lets it stand there.
        lost = {word for word in lost if len(word) < width - 30}
        assert not lost, f"{command} at {width}: {sorted(lost)}\n{narrow}"
        for line in narrow.splitlines():
            assert not BOXES.search(line) or len(line) <= width, f"{command}\n{line}"


@pytest.mark.parametrize("command", NODE)
def test_a_councils_output(command: str, node: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check("folkmoot-node", command, node, monkeypatch)


@pytest.mark.parametrize("command", REGION)
def test_a_regions_output(command: str, region: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check("folkmoot-coordinator", command, region, monkeypatch)


def test_what_init_recognises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "exports").mkdir()
    for number in range(2):
        (tmp_path / "exports" / f"{LONG} {'x' * 20} {number}.csv").write_text("")
    for width in WIDTHS:
        monkeypatch.setenv("COLUMNS", str(width))
        home = tmp_path / f"node{width}"
        named = ("--council", "E08000009", "--name", "Trafford", "--home", home)
        said = run_inside("folkmoot-node", "init", *named, "--from", tmp_path / "exports").said()
        table = [line for line in said.splitlines() if BOXES.search(line)]
        assert max(map(len, table)) <= width
        assert set(LONG.split()) <= set(words("\n".join(table)))
