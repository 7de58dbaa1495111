"""A node's first steps, with the mistakes that people make."""

from __future__ import annotations

import datetime
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from folkmoot_coordinator.membership.certificate_authority import Authority
from folkmoot_node.cli import app
from folkmoot_node.home import open_home
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_operator.problems import ExitCode, Problem
from tests.council_files import release_policy

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


def test_it_says_who_deletes_what_may_be_kept_no_longer(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, [*INIT, "--council", "E08000009", "--home", str(tmp_path)])
    assert "`serve` deletes what is past the retention rule" in done.output
    assert 'With purge = "manual"' in done.output
    assert load_policy(tmp_path / "risk-policy.toml").retention.purge == "automatic"


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
    assert " UTC.\n" in verified
    assert "signer not pinned" in verified


SIGN = ["--sign", "A. Khan, Data Protection Officer"]


def invite(folder: Path, council: str = "E08000009") -> Path:
    """An invitation to a region at which nobody answers."""
    authority = Authority.create(folder, "North", int(time.time()))
    file = folder / "invitation.toml"
    file.write_text(
        f'schema = 1\nregion = "North"\ncouncil = "{council}"\ntoken = "{"0" * 64}"\n'
        f"expires = {datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}\n"
        'address = "127.0.0.1:9"\nenrolment_address = "127.0.0.1:9"\n'
        f'signing_key = "{"0" * 64}"\nauthority = """{authority.pem.decode()}"""\n'
    )
    return file


def test_a_policy_that_the_council_wrote_is_signed_and_kept(tmp_path: Path) -> None:
    written = release_policy()
    (tmp_path / "release-policy.toml").write_text(written)
    command = [*INIT, "--council", "E08000009", "--home", str(tmp_path), *SIGN]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert "signed by A. Khan, Data Protection Officer" in done.output
    assert "policy sign" not in done.output
    assert (tmp_path / "release-policy.toml").read_text() == written
    with open_home(tmp_path) as node:
        assert node.release_policy().signer == "A. Khan, Data Protection Officer"
        (entry,) = node.audit.entries()
        assert entry.body["action"] == "policy signed"


@pytest.mark.parametrize(
    ("policy", "more", "code", "says"),
    [
        (None, [], ExitCode.SETTINGS, "there is no release policy to sign"),
        ("E08000008", [], ExitCode.SETTINGS, "the release policy belongs to E08000008"),
        ("E08000009", ["--rho-per-round", "0.1"], ExitCode.USAGE, "signs the limits"),
    ],
)
def test_what_nobody_has_decided_is_not_signed(
    tmp_path: Path, policy: str | None, more: list[str], code: ExitCode, says: str
) -> None:
    if policy:
        (tmp_path / "release-policy.toml").write_text(release_policy(policy))
    before = sorted(tmp_path.iterdir())
    command = [*INIT, "--council", "E08000009", "--home", str(tmp_path), *SIGN, *more]
    done = CliRunner().invoke(app, command)
    assert isinstance(done.exception, Problem)
    assert done.exception.exit_code is code
    assert says in done.exception.problem
    assert sorted(tmp_path.iterdir()) == before


def test_a_node_whose_region_is_away_is_made_and_enrols_later(tmp_path: Path) -> None:
    home, invitation = tmp_path / "node", invite(tmp_path)
    command = [*INIT, "--council", "E08000009", "--home", str(home), "--enrol", str(invitation)]
    done = CliRunner().invoke(app, command)
    assert isinstance(done.exception, Problem)
    assert done.exception.exit_code is ExitCode.UNREACHABLE
    assert f"run `folkmoot-node enrol {invitation} --home {home}`" in done.output
    again = CliRunner().invoke(app, ["enrol", str(invitation), "--home", str(home)])
    assert isinstance(again.exception, Problem)
    assert again.exception.exit_code is ExitCode.UNREACHABLE  # it got as far as the region


def test_an_invitation_of_another_council_makes_nothing(tmp_path: Path) -> None:
    home, invitation = tmp_path / "node", invite(tmp_path, "E08000008")
    command = [*INIT, "--council", "E08000009", "--home", str(home), "--enrol", str(invitation)]
    done = CliRunner().invoke(app, command)
    assert isinstance(done.exception, Problem)
    assert done.exception.exit_code is ExitCode.REFUSED
    assert not home.exists()
