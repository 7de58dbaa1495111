"""`folkmoot-node corrections`: what the operator sees, and what the audit log keeps."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from monthly import FIRST, score_with
from stage import Stage

from folkmoot_node.corrections.decisions import Decision
from folkmoot_node.corrections.sealed_file import Corrections, open_corrections
from folkmoot_node.home import open_home
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.scoring.binding import bind_for
from folkmoot_node.settings.node_toml import load_config
from folkmoot_node.sources.connect import load_plugins
from folkmoot_operator.problems import ExitCode
from tests.commands import Done, run_inside

DAY = datetime.date(2026, 11, 1)
Run = Callable[..., Done]


@pytest.fixture
def run(stage: Stage) -> Run:
    def run(*arguments: str) -> Done:
        return run_inside("folkmoot-node", *arguments, "--home", stage.home)

    return run


@pytest.fixture
def file(stage: Stage) -> Corrections:
    """Three decisions about two households; one has ended."""
    config = load_config(stage.home)
    policy = load_policy(config.risk_policy)
    binding = bind_for(policy, config, load_plugins(config), DAY)
    fields = {name: bound.field for name, bound in binding.fields.items()}
    found = open_corrections(config)
    found.add(
        10_000_003,
        Decision(
            objection="o-1",
            decided_on=DAY,
            correct={"council_tax_arrears": 123.45},
            withhold=True,
        ),
        fields,
    )
    suppress = ("council_tax_support",)
    found.add(10_000_004, Decision(objection="o-2", decided_on=DAY, suppress=suppress), fields)
    ended = DAY + datetime.timedelta(days=1)
    found.add(
        10_000_003,
        Decision(objection="o-3", decided_on=DAY, until=ended, suppress=suppress),
        fields,
    )
    return found


def actions(home: Path) -> list[dict[str, object]]:
    with open_home(home) as node:
        return [
            dict(entry.body)
            for entry in node.audit.entries(())
            if "correction" in str(entry.body.get("action"))
        ]


def test_the_list_shows_no_household_and_no_value_and_is_logged(
    stage: Stage, run: Run, file: Corrections
) -> None:
    text = run("corrections", "list").said()
    for word in ("o-1", "o-2", "o-3", "2026-11-01", "ended", "in force", "3 decisions about 2"):
        assert word in text
    listed = run("corrections", "list", "--json").said()
    for word in ("10000003", "10000004", "123.45"):
        assert word not in text + listed
    assert json.loads(listed) == {
        "households": 2,
        "decisions": [
            {"objection": "o-1", "decided_on": "2026-11-01", "until": None, "suppressed": [],
             "corrected": ["council_tax_arrears"], "withheld": True, "state": "in force"},
            {"objection": "o-2", "decided_on": "2026-11-01", "until": None,
             "suppressed": ["council_tax_support"], "corrected": [], "withheld": False,
             "state": "in force"},
            {"objection": "o-3", "decided_on": "2026-11-01", "until": "2026-11-02",
             "suppressed": ["council_tax_support"], "corrected": [], "withheld": False,
             "state": "ended"},
        ],
    }  # fmt: skip
    assert [body["action"] for body in actions(stage.home)] == ["corrections listed"] * 2


def test_a_decision_is_withdrawn_once_and_logged_before(
    stage: Stage, run: Run, file: Corrections
) -> None:
    text = run("corrections", "withdraw", "o-1").said()
    assert "folkmoot-node score" in text
    assert [one.objection for one in file.read().households[10_000_003]] == ["o-3"]
    (body,) = actions(stage.home)
    assert (body["action"], body["objection"]) == ("correction withdrawn", "o-1")
    assert "by" in body
    again = run("corrections", "withdraw", "o-1")
    assert again.code == ExitCode.DATA
    assert "corrections list" in again.stderr
    assert len(actions(stage.home)) == 1


def test_without_a_decision_there_is_nothing_to_list(run: Run) -> None:
    assert "No objection changes anything." in run("corrections", "list").said()


def test_doctor_says_whether_the_decisions_can_be_read(
    stage: Stage, run: Run, file: Corrections
) -> None:
    def found() -> bool:
        checks = json.loads(run("doctor", "--offline", "--json").stdout)
        return next(bool(one["ok"]) for one in checks if one["check"] == "corrections")

    assert found()
    load_config(stage.home).corrections_file.write_bytes(b"x" * 50)
    assert not found()


def test_score_explain_and_the_list_of_households_say_so(
    stage: Stage, run: Run, file: Corrections, tmp_path: Path
) -> None:
    score_with(stage.home, FIRST)
    run("sources", "accept", "council_tax", "--reason", "a test", "--until", "2099-12-31").said()
    said = run("score").said()
    assert "After objections: 1 values not used, 1 corrected, 1 households withheld." in said
    text = run("explain", "10000003").said()
    assert "123.45 GBP (corrected after an objection on 2026-11-01)" in text
    assert "Withheld: you objected" in text
    other = run("explain", "10000004").said()
    assert "unknown (you objected to it, and we agreed not to use it)" in other
    assert "Withheld" not in other
    assert json.loads(run("explain", "10000003", "--json").said())["withheld"] is True
    out = tmp_path / "out.csv"
    run("households", "--out", str(out)).said()
    lines = out.read_text().splitlines()
    assert not [line for line in lines if line.startswith("10000003,")]
    (line,) = [line for line in lines if line.startswith("10000004,")]
    assert "council_tax_support" in line
