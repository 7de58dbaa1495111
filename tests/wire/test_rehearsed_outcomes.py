"""One command makes a council with a past; `evaluate` and `fit` run on it as they stand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_operator.problems import ExitCode
from tests.commands import run_inside

pytestmark = pytest.mark.slow

COMMAND = Path(sys.executable).with_name("folkmoot-rehearse")
CODE = "E08000001"


def rehearsed(out: Path, *words: str) -> Path:
    """The home of a council's node, scored."""
    done = subprocess.run(
        [str(COMMAND), "--out", str(out), "--councils", "1", "--households", "4000",
         "--node-alone", "--outcomes", *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return out / "councils" / CODE


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A council, of whom nothing is planted."""
    return rehearsed(tmp_path_factory.mktemp("lived") / "region")


def test_a_policy_is_judged_and_fitted_as_the_readme_says(home, tmp_path):
    judged = json.loads(
        run_inside(
            "folkmoot-node", "evaluate", home / "evaluation.toml", "--home", home, "--json"
        ).said()
    )
    text = json.dumps(judged)
    assert "homelessness" in text
    assert "safeguarding" in text
    out = tmp_path / "proposed.toml"
    run_inside(
        "folkmoot-node", "fit", home / "fit.toml", "--home", home, "--out", out, "--json"
    ).said()
    weights = {entry.factor: entry.weight for entry in load_policy(out).factors}
    # What reads a protected characteristic is out; of the rest the mechanism knows three.
    assert set(weights) <= {
        "financial_hardship", "domestic_abuse", "relationship_breakdown", "child_need",
    }  # fmt: skip
    assert len(set(weights) - {"child_need"}) >= 2


def test_a_planted_leak_is_refused_by_the_command(tmp_path):
    home = rehearsed(tmp_path / "region", "--plant", "leak")
    said = run_inside("folkmoot-node", "evaluate", home / "evaluation.toml", "--home", home).said(
        ExitCode.SETTINGS
    )
    assert "temporary_accommodation" in said
