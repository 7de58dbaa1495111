"""Every block of code in the documents is run, checked, or named here with the reason why not.

A new page needs a line in `RUN`, `ELSEWHERE` or `NOT_RUN` only if it has commands that this module
cannot check by itself. Settings are checked against the models of all files; commands of ours
against the programs; what is in `RUN` is run, in order, at a council that has scored.
"""

from __future__ import annotations

import datetime
import re
import shlex
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from documentation.build import PROGRAMS, named
from documentation.commands import commands as shown
from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_coordinator.publication.sum_file import _SumFile
from folkmoot_coordinator.rounds.round_file import RoundFile
from folkmoot_kit.provenance.trusted_keys import TrustedKeys
from folkmoot_node.casework.authority.policy import SAMPLE, CaseworkPolicy
from folkmoot_node.casework.cohorts.definition import Definition
from folkmoot_node.evaluation.evaluation_file import EvaluationFile
from folkmoot_node.evaluation.fitting.fit_file import FitFile
from folkmoot_node.policies.release_policy import ReleasePolicy
from folkmoot_node.policies.risk_policy import PolicyDocument
from folkmoot_node.scrutiny.scrutiny_file import ScrutinyDocument
from folkmoot_node.settings.node_toml import NodeSettings
from folkmoot_operator.problems import Problem
from folkmoot_operator.settings import Settings, check
from tests.casework_council import CaseworkCouncil, make_council
from tests.commands import run_inside
from tests.document_blocks import ROOT, Block, Line, blocks, fault, inline, lines, pages

CHECKED = ("console", "bash", "sh", "toml", "python", "json", "ini")
"""Languages of blocks that a reader copies."""


@dataclass(frozen=True)
class Run:
    """How the commands of a page are run.

    Attributes:
        replace: What a reader would write in the place of these words; `{home}` is the node's home,
            `{uprn}` the UPRN of a household and `{in_60_days}` a date.
        codes: Exit codes other than 0, by how a command begins.
    """

    replace: dict[str, str] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)


RUN = {
    "docs/casework-authority.md": Run({"--expect HEAD": ""}),
    "docs/casework-cases.md": Run(),
    "docs/casework-rights.md": Run(
        {"100012345678": "{uprn}", "--out answer": "--out {home}/../answer"}
    ),
    "docs/casework-setup.md": Run(
        {"/srv/folkmoot": "{home}"},
        codes={
            "folkmoot-node casework init": 3,  # it is set up already, and says so
            "folkmoot-node doctor": 3,  # the council has not joined a region
        },
    ),
    "docs/data-protection.md": Run({"/var/lib/folkmoot-node": "{home}"}),
    "docs/sources.md": Run(
        {
            "adult_social_care": "council_tax",
            '$(date -d "+60 days" +%F)': "{in_60_days}",
        }
    ),
}
"""Pages whose commands are run here, in order."""

ELSEWHERE = {
    "README.md": "tests/packaging/test_readme.py",
    "docs/analysis.md": "tests/unit/coordinator/publication/test_analysis.py",
    "docs/evaluation.md": "tests/packaging/test_evaluation_page.py",
    "docs/backup.md": "tests/packaging/test_backup_page.py",
    "docs/first-day.md": "tests/packaging/test_first_day_page.py",
    "docs/fitting.md": "tests/packaging/test_fitting_page.py",
    "docs/installing.md": "tests/packaging/test_installing.py",
    "docs/looking-after.md": "tests/wire/node/test_looking_after.py",
    "docs/plugins.md": "tests/packaging/test_plugin_documents.py",
    "docs/casework-referrals.md": "tests/unit/node/casework/referrals/test_commands_of_services.py",
    "docs/scrutiny.md": "tests/unit/node/scrutiny/test_page.py",
    "docs/site.md": "tests/unit/coordinator/viewer/test_scoring_pages.py",
    "docs/validation.md": "tests/unit/coordinator/publication/test_outcomes.py",
    # The region of ten councils takes minutes: tests/packaging/test_readme.py runs a smaller one.
    "rehearsal/README.md": "tests/wire/test_rehearsed_outcomes.py",
}
"""Pages whose commands another test runs or reads."""

NOT_RUN = {
    "docs/casework-example.md folkmoot-rehearse": "a borough of 20,000 households takes minutes; "
    "tests/spec and tests/browser/test_cohorts.py make a smaller one",
    "docs/casework-setup.md folkmoot-node casework serve": "runs until it is stopped: "
    "tests/unit/node/casework serves it",
    "docs/casework-setup.md folkmoot-node casework share": "needs root and a group: "
    "tests/unit/node/casework/test_own_account.py",
    "docs/running.md folkmoot-node ledger accept-clock": "needs a clock that was wrong: "
    "tests/wire/node/test_clock_of_ledger.py",
    "docs/running.md folkmoot-node plugins": "needs a registry and a wheel: "
    "tests/attack/test_plugin_provenance.py",
    "docs/running.md folkmoot-plugin verify": "needs a wheel that is signed: "
    "tests/attack/test_plugin_provenance.py",
}
"""Commands of ours that are not run here, by page and beginning; why. Keep this list short."""
MOST_NOT_RUN = 7
"""The list may only get shorter: lower this with it, and do not raise it."""

OF_OTHERS = {
    "cd": "moves",
    "dask": "a cluster of the council's",
    "groupadd": "makes accounts, as root",
    "mkdir": "makes a folder",
    "pip": "installs from an index",
    "python": "measures, or builds",
    "useradd": "makes accounts, as root",
    "usermod": "makes accounts, as root",
}
"""Programs of others that documents name; why these lines are not run."""


def commands() -> Iterator[Line]:
    for block in blocks():
        yield from lines(block)


OURS = [line for line in commands() if line.program.startswith("folkmoot-")]


@pytest.mark.parametrize("line", OURS, ids=lambda line: f"{line.block} {line.text[:60]}")
def test_commands_in_blocks_are_commands_with_these_options(line: Line) -> None:
    assert not fault(line.words)


@pytest.mark.parametrize("program", PROGRAMS)
def test_examples_of_help_are_commands_with_these_options(program: str) -> None:
    """The site shows them as blocks, too."""
    examples = [
        example
        for command in shown(program, named(PROGRAMS[program]))
        for block in re.findall(r"```text\n(.*?)\n```", command.help, re.S)
        for example in block.splitlines()
    ]
    assert examples
    faults = {example: fault(shlex.split(example)) for example in examples}
    assert not {example: said for example, said in faults.items() if said}


@pytest.mark.parametrize("page", pages())
def test_commands_in_the_text_are_commands(page: str) -> None:
    wrong = []
    for text in inline(page):
        words = re.sub(r"[\[\](){}'\"|]", " ", text.partition(";")[0].partition(" 2>")[0]).split()
        said = fault(words)
        if said:
            wrong.append(f"{text}: {said}")
    assert not wrong, "\n".join(wrong)


def test_every_command_is_run_or_it_is_said_why_not() -> None:
    unsaid = []
    for line in commands():
        page = line.block.page
        if page in ELSEWHERE or (page in RUN and line.program.startswith("folkmoot-")):
            continue
        if any(f"{page} {line.text}".startswith(one) for one in NOT_RUN):
            continue
        if line.program == "make":
            makefile = (ROOT / "Makefile").read_text()
            assert re.search(rf"^{line.words[1]}:", makefile, re.M), f"{line.block}: {line.text}"
        elif line.program.endswith("pytest"):
            for word in line.words[1:]:
                assert word.startswith("-") or (ROOT / word).exists(), f"{line.block}: {word}"
        elif line.program not in OF_OTHERS:
            unsaid.append(f"{line.block}: {line.text}")
    assert not unsaid, "\n".join(["say in RUN, ELSEWHERE or NOT_RUN how or why not:", *unsaid])


def test_what_is_said_is_still_so() -> None:
    assert len(NOT_RUN) <= MOST_NOT_RUN
    for test in ELSEWHERE.values():
        assert (ROOT / test).is_file(), test
    all_lines = [f"{line.block.page} {line.text}" for line in commands()]
    for beginning, reason in NOT_RUN.items():
        assert any(line.startswith(beginning) for line in all_lines), f"gone: {beginning}"
        for path in re.findall(r"tests/[\w/]+(?:\.py)?", reason):
            assert (ROOT / path).exists(), path
    for page in RUN:
        assert any(line.startswith(f"{page} folkmoot-") for line in all_lines), f"gone: {page}"


@pytest.fixture
def council(tmp_path: Path) -> CaseworkCouncil:
    return make_council(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN)
def test_the_commands_of_a_page_run_in_order(
    page: str, council: CaseworkCouncil, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOLKMOOT_NODE_HOME", str(council.home))
    how = RUN[page]
    in_60_days = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=60)
    own = {"home": council.home, "uprn": council.uprn(0), "in_60_days": in_60_days}
    for line in OURS:
        if line.block.page != page or any(f"{page} {line.text}".startswith(n) for n in NOT_RUN):
            continue
        text = line.text
        for old, new in how.replace.items():
            text = text.replace(old, new.format(**own))
        program, *words = Line(line.block, text).words
        done = run_inside(program, *words)
        expected = next((c for begin, c in how.codes.items() if line.text.startswith(begin)), 0)
        assert done.code == expected, f"{line.block}: {text}\n{done.stdout}\n{done.stderr}"


@dataclass(frozen=True)
class Completed:
    """A settings file that a block may be a part of.

    Attributes:
        model: What reads it.
        rest: What the block leaves out, as TOML.
    """

    model: type[Settings]
    rest: str = ""


POLICY = """
schema = 1
name = "P"
purpose = "p"
legal_basis = "L"
owner = "O"
sunset = 2099-01-01
factors = [{ factor = "f", weight = 1 }]
bands = [{ name = "none", from = 0, action = "a" }]
"""
FILES = (
    Completed(
        NodeSettings, 'schema = 1\ncouncil = "E08000009"\nname = "T"\n[scoring]\nframe = "x"'
    ),
    Completed(PolicyDocument, POLICY),
    Completed(
        ReleasePolicy,
        'schema = 1\ncouncil = "E08000009"\nsunset = 2099-01-01\npurposes = ["p"]\n'
        'attributes = ["a"]\n'
        'maximum_ways = 1\nmaximum_cells = 1\noperator_approval = true\nmaximum_delta = "1e-6"\n'
        "[loss]\nper_round = 1\nper_period = 1\nlifetime = 1\nperiod_start = 2026-04-01\n"
        "period_months = 12\nhouseholds_per_person = 2",
    ),
    Completed(CaseworkPolicy, SAMPLE.format(council="E08000009", sunset="2029-03-31")),
    Completed(
        CoordinatorSettings,
        'schema = 1\nregion = "R"\nhosts = ["127.0.0.1"]\n'
        '[collection]\nlisten = "127.0.0.1:1"\naddress = "127.0.0.1:1"\n'
        '[enrolment]\nlisten = "127.0.0.1:2"\naddress = "127.0.0.1:2"',
    ),
    Completed(
        RoundFile,
        'purpose = "p"\npolicy = "x"\ncouncils = "all"\nminimum_councils = 1\nrho = 1\n'
        "delta = 1e-6\ndeadline_hours = 1\nmarginals = [{ attributes = [] }]",
    ),
    Completed(_SumFile),
    Completed(Definition),
    Completed(EvaluationFile),
    Completed(FitFile),
    Completed(ScrutinyDocument, 'schema = 1\ncouncil = "E08000009"\nversion = 1'),
    Completed(TrustedKeys),
)
OTHER_TOML: dict[str, Callable[[dict[str, object]], bool]] = {
    "a plugin's pyproject.toml": lambda found: set(found) <= {"project"},
}


def merged(rest: dict[str, object], block: dict[str, object]) -> dict[str, object]:
    both = dict(rest)
    for key, value in block.items():
        before = both.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            value = merged(before, value)
        both[key] = value
    return both


def sampled(text: str) -> str:
    """Digests and keys that a document cuts short, whole; each another."""
    numbers = iter(range(100))
    return re.sub(
        r"(ed25519|sha256):\.\.\.", lambda found: f"{found[1]}:{next(numbers):064x}", text
    )


SETTINGS = [block for block in blocks() if block.language == "toml"]


@pytest.mark.parametrize("block", SETTINGS, ids=str)
def test_settings_are_valid_in_the_file_that_they_are_of(block: Block) -> None:
    """A key that no file has, or a value that its file refuses, fails."""
    found = tomllib.loads(sampled(block.text))
    if any(is_it(found) for is_it in OTHER_TOML.values()):
        return
    refused = []
    for file in FILES:
        rest = tomllib.loads(file.rest)
        if file.model is NodeSettings and isinstance(found.get("sources"), list):
            rest["scoring"] = {"frame": found["sources"][0]["name"]}
        try:
            check(file.model, merged(rest, found), str(block))
        except Problem as problem:
            refused.append(f"{file.model.__name__}: {problem.problem}")
        else:
            return
    pytest.fail(min(refused, key=lambda said: said.count("\n")))  # the nearest file's


@pytest.mark.parametrize(
    "block", [block for block in blocks() if block.language == "python"], ids=str
)
def test_python_is_python(block: Block) -> None:
    """That it does what is said is for the test of its page."""
    compile(block.text, str(block), "exec")


def test_a_block_has_a_language_that_is_checked() -> None:
    """A drawing has none."""
    assert {block.language for block in blocks()} <= {*CHECKED, "", "text"}
