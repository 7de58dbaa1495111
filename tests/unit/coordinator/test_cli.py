"""The command line."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import select
from typer.testing import CliRunner

from folkmoot_coordinator import cli
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import InvitationRow
from tests.commands import KEYS_OF_DOCTORS

ROUND = f"""\
title = "Winter"
purpose = "winter_support"
policy_digest = "{"0" * 64}"
councils = ["E08000009"]
minimum_councils = 1
rho = 0.2
delta = 1e-6
deadline_hours = 1
marginals = [{{ attributes = [] }}]
"""


@dataclass
class Done:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command through its entry point, as the shell would."""

    def execute(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["folkmoot-coordinator", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return Done(int(ended.value.code or 0), printed.out, printed.err)

    return execute


@pytest.fixture
def home(tmp_path: Path) -> Path:
    place = tmp_path / "region"
    done = inside("init", "--home", place, "--name", "North", "--host", "127.0.0.1")
    assert done.exit_code == 0, done.output
    return place


def inside(*arguments: object) -> Any:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


ALL = sorted(commands(typer.main.get_command(cli.app)))


def test_the_commands_are_those_of_the_architecture() -> None:
    assert [" ".join(path) for path in ALL] == [
        "accounts add",
        "accounts disable",
        "accounts link",
        "accounts list",
        "accounts roles",
        "audit show",
        "audit verify",
        "authority change",
        "authority finish",
        "authority renew",
        "authority status",
        "backup keygen",
        "backup list",
        "backup verify",
        "councils accept-signer",
        "councils approve",
        "councils left",
        "councils list",
        "councils merge",
        "councils page",
        "councils refuse",
        "councils requests",
        "councils revoke",
        "councils show",
        "doctor",
        "equality",
        "export",
        "incident add",
        "incident close",
        "incident export",
        "incident list",
        "incident told",
        "init",
        "invite",
        "keys add",
        "keys list",
        "keys revoke",
        "pause",
        "policy add",
        "policy list",
        "policy show",
        "record",
        "restore",
        "resume",
        "round approve",
        "round close",
        "round draft refuse",
        "round draft show",
        "round draft withdraw",
        "round drafts",
        "round list",
        "round open",
        "round plan",
        "round show",
        "round template equality",
        "round template outcomes",
        "round withdraw",
        "series next",
        "series open",
        "series plan",
        "series show",
        "serve",
        "status",
        "validate",
        "view",
        "weights",
    ]


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_each_command_shows_an_example(path: tuple[str, ...]) -> None:
    done = inside(*path, "--help")
    assert done.exit_code == 0
    assert f"Example: folkmoot-coordinator {' '.join(path)}" in " ".join(done.output.split())


def test_help_imports_nothing_heavy() -> None:
    probe = (
        "import sys, folkmoot_coordinator.cli;"
        "print([m for m in ('grpc', 'sqlalchemy', 'alembic', 'cryptography', 'numpy', 'polars',"
        " 'pydantic', 'google.protobuf') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_init_makes_a_whole_private_home_once(home: Path, run: Run) -> None:
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in (home, *home.rglob("*"))} == {
        "region": 0o700,
        "keys": 0o700,
        "coordinator.toml": 0o600,
        "coordinator.sqlite": 0o600,
        "authority.key": 0o600,
        "authority.pem": 0o600,
        "signing.key": 0o600,
    }
    key = (home / "keys" / "authority.key").read_bytes()
    again = run("init", "--home", home, "--name", "North", "--host", "127.0.0.1")
    assert again.code == 3
    assert "there is a coordinator here already" in again.stderr
    assert (home / "keys" / "authority.key").read_bytes() == key


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--host", "not a host"), "--host not a host: 'not a host' is neither a host name"),
        (("--host", "0.0.0.0"), "--host 0.0.0.0: 0.0.0.0 means every address of a machine"),
        (("--host", "::"), "means every address of a machine"),
        (("--host", "a.example", "--host", "https://b.example"), "neither a host name"),
        (("--host", "a.example:7443"), "neither a host name"),
        (("--host", "a.example", "--listen", "0.0.0.0:7443"), "--listen 0.0.0.0:7443: "),
        (("--host", "a.example", "--collection-port", "7444"), "on the same port"),
    ],
)
def test_init_with_a_wrong_host_makes_nothing(
    tmp_path: Path, run: Run, options: tuple[str, ...], says: str
) -> None:
    done = run("init", "--home", tmp_path / "r", "--name", "North", *options)
    assert done.code == 3
    assert says in done.stderr
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("place", ["file", "file/below", "n" * 300])
def test_a_place_that_cannot_be_used_is_named_before_anything_is_done(
    home: Path, tmp_path: Path, run: Run, place: str
) -> None:
    (tmp_path / "file").touch()
    before = Database(f"sqlite:///{home / 'coordinator.sqlite'}")
    for command in (
        ("invite", "E08000009", "--home", home, "--out"),
        ("export", "latest", "--home", home, "--out"),
        ("init", "--name", "North", "--host", "127.0.0.1", "--home"),
    ):
        done = run(*command, tmp_path / place)
        assert done.code == 3
        assert "cannot be used" in done.stderr
        assert "fault" not in done.stderr
    with before.reading() as session:
        assert session.scalars(select(InvitationRow)).all() == []
    before.close()


def test_the_daily_commands(home: Path, tmp_path: Path) -> None:
    invited = inside("invite", "E08000009", "--home", home, "--out", tmp_path / "out", "--json")
    assert invited.exit_code == 0, invited.output
    [entry] = json.loads(invited.output)
    file = Path(entry["file"])
    assert tomllib.loads(file.read_text())["council"] == "E08000009"
    assert json.loads(inside("councils", "list", "--home", home, "--json").output) == []
    assert "No council has enrolled" in inside("councils", "list", "--home", home).output
    assert "No council has enrolled" in inside("councils", "--home", home).output
    misplaced = inside("councils", "--home", home, "list")
    assert misplaced.exit_code == 2
    assert "after `list`" in misplaced.output

    (tmp_path / "round.toml").write_text(ROUND)
    opened = inside("round", "open", tmp_path / "round.toml", "--home", home, "--json")
    round_id = json.loads(opened.output)["round_id"]
    assert json.loads(opened.output)["not_enrolled"] == ["E08000009"]

    shown = json.loads(inside("round", "show", "latest", "--home", home, "--json").output)
    assert (shown["round_id"], shown["state"], shown["waiting"]) == (round_id, "open", 1)
    [council] = shown["councils"]
    assert (council["council"], council["answer"], council["enrolled"]) == (
        "E08000009",
        "waiting",
        False,
    )
    table = inside("round", "show", round_id[:8], "--home", home).output
    assert "of 1 invited: 0 released, 0 refused, 1 waited for" in table
    assert "Invite the council" in " ".join(table.split())

    closed = inside("round", "close", round_id, "--home", home)
    assert f"round show {round_id[:12]}` says why it has no result" in closed.output
    closed = inside("round", "close", round_id, "--home", home, "--json")
    assert json.loads(closed.output) == {"round_id": round_id, "state": "void"}
    [listed] = json.loads(inside("round", "list", "--home", home, "--json").output)
    assert (listed["state"], listed["released"], listed["invited"]) == ("void", 0, 1)
    assert "missing" in inside("round", "show", "latest", "--home", home).output
    assert round_id[:12] in inside("round", "list", "--home", home).output


def waiting(home: Path, file: Path, *more: str) -> subprocess.Popen[str]:
    """`round open --wait`, when the round is open."""
    program = Path(sys.executable).with_name("folkmoot-coordinator")
    process = subprocess.Popen(
        [program, "round", "open", file, "--wait", "--home", home, *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "is open until" in process.stderr.readline()
    return process


def rest_of(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What it still prints; `communicate` leaves out what came together with the first line."""
    assert process.stdout is not None
    assert process.stderr is not None
    return process.stdout.read(), process.stderr.read()


def test_a_round_may_be_waited_for(home: Path, tmp_path: Path) -> None:
    (tmp_path / "round.toml").write_text(ROUND)
    with waiting(home, tmp_path / "round.toml", "--json") as process:
        assert inside("round", "close", "latest", "--home", home).exit_code == 0
        shown, progress = rest_of(process)
    assert process.returncode == 0
    assert "0 of 1 councils have answered" in progress
    assert shown == inside("round", "show", "latest", "--home", home, "--json").output
    assert json.loads(shown)["state"] == "void"
    at_once = inside("round", "show", "latest", "--wait", "--home", home)
    assert "of 1 invited" in at_once.output


def test_breaking_off_the_waiting_leaves_the_round_open(home: Path, tmp_path: Path) -> None:
    (tmp_path / "round.toml").write_text(ROUND)
    with waiting(home, tmp_path / "round.toml") as process:
        process.send_signal(signal.SIGINT)
        shown, progress = rest_of(process)
    assert process.returncode == 130
    assert shown == ""
    assert "Traceback" not in progress
    listed = json.loads(inside("round", "list", "--home", home, "--json").output)
    assert [one["state"] for one in listed] == ["open"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("invite", "Trafford"), 2, "is not a GSS code"),
        (("round", "show", "latest"), 2, "there is no such round"),
        (("round", "open", "absent.toml"), 3, "cannot be read"),
        (("councils", "revoke", "E08000009"), 2, "neither a valid certificate"),
        (("export", "latest"), 2, "there is no such round"),
    ],
)
def test_trouble_ends_with_its_code_and_a_remedy(
    home: Path, run: Run, arguments: tuple[str, ...], code: int, says: str
) -> None:
    done = run(*arguments, "--home", home)
    assert done.code == code
    assert says in done.stderr
    assert "Remedy:" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_folder_without_a_coordinator_is_said_to_be_so(tmp_path: Path, run: Run) -> None:
    done = run("round", "list", "--home", tmp_path)
    assert done.code == 3
    assert "there is no coordinator here" in done.stderr


def test_doctor_ends_with_three_if_something_is_bad(home: Path) -> None:
    (home / "keys" / "authority.key").chmod(0o644)
    done = inside("doctor", "--home", home, "--json")
    assert done.exit_code == 3
    found = json.loads(done.output)
    assert {frozenset(one) for one in found} == {KEYS_OF_DOCTORS}
    verdicts = {one["subject"]: one["verdict"] for one in found}
    assert verdicts["permissions"] == "bad"
    assert verdicts["database"] == "good"
    mended = inside("doctor", "--home", home, "--fix", "--yes", "--json").stdout
    document = json.loads(mended)
    assert document["repaired"] == ["close keys/authority.key to other accounts"]
    assert {one["check"]: one["ok"] for one in document["checks"]}["permissions"]
    [noted] = json.loads(inside("audit", "show", "--home", home, "--json").stdout)[-1:]
    assert (noted["action"], noted["what"]) == ("repaired", document["repaired"])


def test_tables_of_rounds_fit_a_terminal(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("folkmoot_operator.console._WIDE", 80)
    file = home.parent / "round.toml"
    file.write_text(
        'title = "Winter [support]: who needs help"\npurpose = "winter_support"\n'
        f'policy_digest = "{"0" * 64}"\ncouncils = ["E08000009"]\nminimum_councils = 1\n'
        "rho = 0.2\ndelta = 1e-6\ndeadline = 2099-12-01T12:00:00Z\n"
        "marginals = [{ attributes = [] }]\n"
    )
    assert inside("round", "open", file, "--home", home).exit_code == 0
    listed = inside("round", "list", "--home", home).output
    shown = inside("round", "show", "latest", "--home", home).output
    assert "2099-12-01 12:00" in listed
    assert "[support]" in listed
    for table in (listed, shown):
        assert "…" not in table
        assert max(map(len, table.splitlines())) <= 80


SERIES = """
purpose = "winter_support"
policy_digest = "0000000000000000000000000000000000000000000000000000000000000000"
councils = ["E08000009"]
minimum_councils = 1
rho = 0.1
delta = 1e-6
deadline_hours = 48
[[attributes]]
name = "tenure"
codes = ["owned", "rented", "social"]
[[marginals]]
attributes = ["tenure"]
[series]
rounds = 12
until = {until}
[series.event]
attribute = "band"
codes = ["high"]
"""


def series_file(folder: Path, days: int = 365) -> Path:
    import datetime

    until = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=days)
    file = folder / "months.toml"
    file.write_text(SERIES.format(until=until))
    return file


def test_a_series_is_planned_opened_and_continued(home: Path, tmp_path: Path, run: Run) -> None:
    file = series_file(tmp_path)
    planned = json.loads(run("series", "plan", file, "--home", home, "--json").stdout)
    assert max(one["variance"]["cumulative"] for one in planned["rounds"]) < 3.5
    assert {one["variance"]["one_by_one"] for one in planned["rounds"]} == {12.0}
    text = " ".join(run("series", "plan", file, "--home", home).stdout.split())
    assert "3.43 times that of a single round, against 12, 12 and 12" in text
    opened = json.loads(run("series", "open", file, "--home", home, "--json").stdout)
    assert opened["series"]["position"] == 1
    early = run("series", "next", "--home", home)
    assert early.code == 5
    assert "round 1 is open until" in early.stderr
    run("round", "close", "latest", "--home", home)
    following = json.loads(run("series", "next", "--home", home, "--json").stdout)
    assert following["series"] == {**opened["series"], "position": 2}
    shown = json.loads(run("series", "show", "--home", home, "--json").stdout)
    assert [one["state"] for one in shown["opened"]] == ["void", "open"]


def test_the_file_of_a_series_is_not_that_of_a_round(home: Path, tmp_path: Path, run: Run) -> None:
    file = series_file(tmp_path)
    assert "series open" in run("round", "open", file, "--home", home).stderr
    assert "series plan" in run("round", "plan", file, "--home", home).stderr
    file.write_text(SERIES[: SERIES.index("[series]")])
    assert "has no table [series]" in run("series", "open", file, "--home", home).stderr


def test_a_series_does_not_last_for_ever(home: Path, tmp_path: Path, run: Run) -> None:
    done = run("series", "open", series_file(tmp_path, days=2300), "--home", home)
    assert done.code == 3
    assert "more than six years" in done.stderr
