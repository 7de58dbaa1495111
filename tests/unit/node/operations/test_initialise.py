"""A node's first steps, with the mistakes that people make."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from folkmoot_node.cli import app
from folkmoot_operator.problems import ExitCode, Problem

INIT = ["init", "--name", "Trafford"]


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        (["--council", "E0800009"], "--council"),
        (["--council", "E08000009", "--rho-per-round", "much"], "--rho-per-round"),
        (
            ["--council", "E08000009", "--rho-per-round", "2", "--rho-per-period", "1"],
            "--rho-per-period",
        ),
        (
            ["--council", "E08000009", "--rho-per-round", "2", "--rho-lifetime", "1"],
            "--rho-lifetime",
        ),
        (
            ["--council", "E08000009", "--rho-per-period", "2", "--rho-lifetime", "1"],
            "--rho-lifetime",
        ),
    ],
)
def test_a_wrong_option_is_a_usage_error_and_makes_nothing(
    tmp_path: Path, arguments: list[str], where: str
) -> None:
    done = CliRunner().invoke(app, [*INIT, *arguments, "--home", str(tmp_path / "node")])
    assert isinstance(done.exception, Problem)
    assert (done.exception.where, done.exception.exit_code) == (where, ExitCode.USAGE)
    assert not (tmp_path / "node").exists()


def test_a_code_in_small_letters_is_understood(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, [*INIT, "--council", "e08000009", "--home", str(tmp_path)])
    assert done.exit_code == 0
    assert 'council = "E08000009"' in (tmp_path / "node.toml").read_text()


@pytest.mark.parametrize("command", [["score"], ["ledger", "show"], ["doctor"]])
def test_a_folder_without_a_node_is_said_to_be_so(tmp_path: Path, command: list[str]) -> None:
    done = CliRunner().invoke(app, [*command, "--home", str(tmp_path)])
    if isinstance(done.exception, Problem):
        assert done.exception.exit_code is ExitCode.SETTINGS
        told = f"{done.exception.problem} {done.exception.remedy}"
    else:
        assert done.exit_code == 3
        told = " ".join(done.output.split())
    assert "there is no node here" in told
    assert "--home" in told


def test_a_new_node_has_spent_and_sent_nothing(tmp_path: Path) -> None:
    limits = ["--rho-per-round", "0.2", "--rho-per-period", "1", "--rho-lifetime", "5"]
    for arguments in (
        [*INIT, "--council", "E08000009", *limits],
        ["policy", "sign", "--signer", "A. Khan"],
    ):
        assert CliRunner().invoke(app, [*arguments, "--home", str(tmp_path)]).exit_code == 0
    ledger = CliRunner().invoke(app, ["ledger", "show", "--home", str(tmp_path)]).output
    assert "nothing is spent" in ledger
    assert "rho 0 of 1 spent, 1 left" in ledger
    assert "For all time: rho 0 of 5 spent, 5 left" in ledger
    egress = CliRunner().invoke(app, ["egress", "--home", str(tmp_path)]).output
    assert egress == "Nothing has left this node.\n"
    verified = CliRunner().invoke(app, ["policy", "verify", "--home", str(tmp_path)]).output
    assert verified.startswith("The release policy was signed by A. Khan on ")
    assert verified.endswith(" UTC.\n")
