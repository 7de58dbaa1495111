"""One command makes a council with a past; `evaluate` and `fit` run on it as they stand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_operator.problems import ExitCode
from tests.commands import run_inside
from tests.document_blocks import blocks, lines

pytestmark = pytest.mark.slow

COMMAND = Path(sys.executable).with_name("folkmoot-rehearse")
COUNCIL = Path("borough") / "councils" / "E08000001"
SMALLER = ("--households", "4000", "--seed", "7", "--date", "2026-11-23")
"""And of one day: which factors a fit keeps depends on who is drawn, and that on the day."""
LINES = [
    line
    for block in blocks()
    if block.page == "rehearsal/README.md" and block.language == "bash"
    for line in lines(block)
]
"""The commands of the README about outcomes."""


def rehearsed(folder: Path, *words: str) -> None:
    """Rehearses in a folder, as the README says but for the size."""
    done = subprocess.run(
        [str(COMMAND), *LINES[0].words[1:], *SMALLER, *words],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_policy_is_judged_and_fitted_as_the_readme_says(tmp_path, monkeypatch):
    assert [line.words[1] for line in LINES] == ["--outcomes", "evaluate", "fit"]
    rehearsed(tmp_path)
    monkeypatch.chdir(tmp_path)
    judged, fitted = (run_inside(*line.words).said() for line in LINES[1:])
    assert "homelessness" in judged
    assert "safeguarding" in judged
    assert "proposed.toml" in fitted
    weights = {entry.factor: entry.weight for entry in load_policy(Path("proposed.toml")).factors}
    # What reads a protected characteristic is out; of the rest the mechanism knows three.
    assert set(weights) <= {
        "financial_hardship", "domestic_abuse", "relationship_breakdown", "child_need",
    }  # fmt: skip
    assert len(set(weights) - {"child_need"}) >= 2


def test_a_planted_leak_is_refused_by_the_command(tmp_path):
    rehearsed(tmp_path, "--plant", "leak")
    home = tmp_path / COUNCIL
    said = run_inside("folkmoot-node", "evaluate", home / "evaluation.toml", "--home", home).said(
        ExitCode.SETTINGS
    )
    assert "temporary_accommodation" in said
