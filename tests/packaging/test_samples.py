"""Sample settings, policies and units are valid, and name things that exist."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from folkmoot_node.config import load_config
from folkmoot_node.initialise import initialise
from folkmoot_node.plugins import load_plugins
from folkmoot_node.release_policy import load_unsigned
from folkmoot_node.risk_policy import load_policy
from folkmoot_operator.problems import Problem

ROOT = Path(__file__).resolve().parents[2]


def test_a_new_node_has_valid_settings_and_a_policy_whose_factors_are_installed(
    tmp_path: Path,
) -> None:
    list(initialise(tmp_path / "node", "E08000009", "Trafford", "0.2", "1", "5"))
    config = load_config(tmp_path / "node")
    assert config.council == "E08000009"
    policy, _ = load_unsigned(config.release_policy)
    assert policy.operator_approval
    risk = load_policy(config.risk_policy)
    assert {factor.factor for factor in risk.document.factors} <= set(load_plugins().factors)


def test_nobodys_loss_is_chosen_for_them(tmp_path: Path) -> None:
    list(initialise(tmp_path / "node", "E08000009", "Trafford", None, None, None))
    with pytest.raises(Problem) as caught:
        load_unsigned(tmp_path / "node" / "release-policy.toml")
    assert [line for line in caught.value.problem.splitlines() if "is missing" in line] == [
        f"loss.{limit} is missing" for limit in ("per_round", "per_period", "lifetime")
    ]


def test_the_rehearsals_policy_is_valid(tmp_path: Path) -> None:
    shipped = resources.files("folkmoot_rehearsal") / "documents" / "risk-policy.toml"
    path = tmp_path / "risk-policy.toml"
    path.write_text(shipped.read_text("utf-8"), "utf-8")
    risk = load_policy(path)
    assert {factor.factor for factor in risk.document.factors} <= set(load_plugins().factors)


@pytest.mark.parametrize("unit", sorted(ROOT.glob("deploy/*.service")), ids=lambda p: p.name)
def test_units_start_commands_that_exist(unit: Path) -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(unit)
    program, command = re.match(
        r"/opt/folkmoot/bin/(\S+) (\S+) --home /srv/", parser["Service"]["ExecStart"]
    ).groups()  # type: ignore[union-attr]
    shown = subprocess.run(
        [str(Path(sys.executable).with_name(program)), command, "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    assert "--home" in shown.stdout
