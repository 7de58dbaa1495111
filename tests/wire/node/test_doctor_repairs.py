"""Each fault is found, with the command that repairs it; run as it is written, it does."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
from collections.abc import Callable

import pytest
from stage import Stage, ask

from folkmoot import round_codec
from folkmoot_node.answering.checks import coordinator
from folkmoot_node.answering.visit import poll
from folkmoot_node.evidence.pauses import paused
from folkmoot_node.evidence.scoring_runs import recorded_run
from folkmoot_node.federation.identity import KeyFiles
from folkmoot_node.federation.path_checks import path_to_coordinator
from folkmoot_node.home import open_home
from folkmoot_node.operations.doctor import _checks
from folkmoot_node.operations.pausing import pause
from folkmoot_node.scoring.checks import licences
from folkmoot_node.settings.node_toml import load_config
from folkmoot_node.store.pause_note import note_pause, noted_pause
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.checks import Check, Finding, State
from folkmoot_operator.checks import examine as run
from folkmoot_operator.prefect_check import prefect
from folkmoot_operator.prefect_settings import PrefectSettings
from folkmoot_operator.problems import Problem
from folkmoot_operator.signatures import create_key
from tests.commands import run_inside

WORDS = {"TEXT": "settled", "NAME": "A. Khan", "NAME, ROLE": "A. Khan"}


def open_home_to_others(stage: Stage) -> None:
    stage.home.chmod(0o755)


def open_key(stage: Stage) -> None:
    (stage.home / "keys" / "policy-signing.key").chmod(0o604)


def unsigned_policy(stage: Stage) -> None:
    path = stage.home / "release-policy.toml"
    path.write_text(path.read_text() + "\n# changed\n")


def no_scores(stage: Stage) -> None:
    (stage.home / "store" / "households.duckdb").unlink()


def stopped_by_people(stage: Stage) -> None:
    with open_home(stage.home) as node:
        pause(node, "a test", current_operator())


def stopped_run(stage: Stage) -> None:
    with pytest.raises(ZeroDivisionError), recorded_run(stage.home / "state.sqlite", "test"):
        raise ZeroDivisionError


def left_by_a_run(stage: Stage) -> None:
    (stage.home / "store" / "households.duckdb.unfinished-1").write_bytes(b"x")


def lost_answers(stage: Stage) -> None:
    """An answer has left, and the files are those of before."""
    before = (stage.home / "state.sqlite").read_bytes()
    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    with open_home(stage.home) as node, node.connect() as client:
        list(poll(node, client))
    for name in ("state.sqlite-wal", "state.sqlite-shm"):
        (stage.home / name).unlink(missing_ok=True)
    (stage.home / "state.sqlite").write_bytes(before)
    with open_home(stage.home) as node, node.connect() as client, pytest.raises(Problem):
        list(poll(node, client))


def clock_was_fast(stage: Stage) -> None:
    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    ahead = int(time.time()) + 3000
    with open_home(stage.home, clock=lambda: ahead) as node, node.connect() as client:
        list(poll(node, client))


def unfinished_file(stage: Stage) -> None:
    path = stage.home / "keys" / ".node.crt.0a1b2c3d"
    path.write_text("half")
    old = time.time() - 7200
    os.utime(path, (old, old))


def stale_lock(stage: Stage) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    (stage.home / "serve.lock").write_text(f"{gone.pid}\n")


def half_a_pause(stage: Stage) -> None:
    note_pause(stage.home / "store" / "households.duckdb", 1, "a test")


FIX = "folkmoot-node doctor --fix"
FAULTS: list[tuple[Callable[[Stage], None], str, str]] = [
    (open_home_to_others, "home", "chmod go= {home}"),
    (open_key, "keys", "chmod 600 {home}/keys/policy-signing.key"),
    (unsigned_policy, "release policy", 'folkmoot-node policy sign --signer "NAME, ROLE"'),
    (no_scores, "scores", "folkmoot-node score"),
    (stopped_by_people, "pauses", "folkmoot-node resume --reason TEXT"),
    (stopped_run, "scoring runs", "folkmoot-node score"),
    (left_by_a_run, "retention", "folkmoot-node purge"),
    (lost_answers, "evidence", "folkmoot-node ledger recover"),
    (clock_was_fast, "clock", "folkmoot-node ledger accept-clock --reason TEXT"),
    (unfinished_file, "leftovers", FIX),
    (stale_lock, "leftovers", FIX),
    (half_a_pause, "leftovers", FIX),
]


@pytest.fixture(autouse=True)
def _without_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """`doctor --fix` looks at everything twice: here not at plugins, in processes of their own."""
    for slow in ("confinement", "policy_and_sources"):
        name = f"folkmoot_node.operations.doctor.{slow}"
        monkeypatch.setattr(name, lambda *_: Check("plugins", lambda: ""))


def found(stage: Stage, name: str) -> Finding:
    """What one check of the doctor finds, without the others."""
    with open_home(stage.home) as node:
        [one] = run(check for check in _checks(node, offline=True) if check.name == name)
        return one


@pytest.mark.parametrize(
    ("spoil", "check", "command"), FAULTS, ids=[spoil.__name__ for spoil, *_ in FAULTS]
)
def test_the_command_that_is_named_mends_it(
    stage: Stage, spoil: Callable[[Stage], None], check: str, command: str
) -> None:
    assert found(stage, check).state is State.OK
    spoil(stage)
    wrong = found(stage, check)
    assert wrong.state is not State.OK
    assert wrong.command == command.format(home=stage.home)
    program, *arguments = (WORDS.get(word, word) for word in shlex.split(wrong.command))
    if program == "folkmoot-node":
        asks = {"purge", "recover", "doctor"} & set(arguments)
        further = ["--yes"] if asks else []
        run_inside(program, *arguments, *further, "--home", stage.home).said(None)
    else:
        subprocess.run([program, *arguments], check=True)
    assert found(stage, check).state is State.OK


def test_mending_asks_first_and_the_audit_log_has_what_was_done(stage: Stage) -> None:
    from typer.testing import CliRunner

    from folkmoot_node.cli import app

    open_home_to_others(stage)
    open_key(stage)
    create_key(stage.home / "keys" / "witness.key")
    (stage.home / "keys" / "witness.key").chmod(0o640)
    stale_lock(stage)
    arguments = ["doctor", "--offline", "--fix", "--home", str(stage.home)]
    refused = CliRunner().invoke(app, arguments, input="n\n")
    assert refused.exit_code == 1
    assert "Would close keys/policy-signing.key to other accounts" in refused.output
    assert stage.home.stat().st_mode & 0o077
    done = run_inside("folkmoot-node", *arguments, "--yes", "--json").said(None)
    document = json.loads(done[: done.rindex("}") + 1].partition("Done:")[0])
    assert len(document["repaired"]) == 4
    assert stage.home.stat().st_mode & 0o077 == 0
    with open_home(stage.home) as node:
        [entry] = node.audit.entries(("repaired",))
    assert list(entry.body["what"]) == document["repaired"]
    again = run_inside("folkmoot-node", *arguments, "--yes")
    assert "Nothing can be repaired by itself" in again.stderr


def test_mending_closes_the_pages_of_a_node_that_is_paused(stage: Stage) -> None:
    with open_home(stage.home) as node:
        pause(node, "a test", current_operator())
        store = node.config.store_path
        store.with_name(store.name + ".paused").unlink()
    run_inside("folkmoot-node", "doctor", "--offline", "--fix", "--yes", "--home", stage.home)
    assert noted_pause(store) is not None
    with open_home(stage.home) as node:
        assert paused(node) is not None


def test_what_is_young_or_no_leftover_stays(stage: Stage) -> None:
    young, other = stage.home / ".node.toml.0a1b2c3d", stage.home / ".hidden"
    for path in (young, other):
        path.write_text("")
    os.utime(other, (0, 0))
    assert found(stage, "leftovers").state is State.OK


def steps(stage: Stage) -> list[tuple[str, bool]]:
    config = load_config(stage.home)
    check = path_to_coordinator(config.coordinator, KeyFiles.of(stage.home))
    return [(one.name.removeprefix("path: "), one.ok) for one in run([check])]


def name_address(stage: Stage, address: str, **keys: str) -> None:
    path = stage.home / "node.toml"
    lines = [
        f'address = "{address}"' if line.startswith("address = ") else line
        for line in path.read_text().splitlines()
    ]
    at = next(i for i, line in enumerate(lines) if line.startswith("address = "))
    lines[at:at] = [f'{key} = "{value}"' for key, value in keys.items()]
    path.write_text("\n".join(lines) + "\n")


def test_the_way_to_the_coordinator_step_by_step(stage: Stage) -> None:
    from tests.listeners import listening, saying

    assert steps(stage) == [("path", True)]
    name_address(stage, "nowhere.invalid:7443")
    assert steps(stage) == [("name", False)]
    name_address(stage, "127.0.0.1:9")
    assert steps(stage) == [("name", True), ("port", False)]
    with listening(saying(b"SSH-2.0-OpenSSH\r\n")) as address:
        name_address(stage, address)
        assert steps(stage) == [("name", True), ("port", True), ("TLS", False)]
    name_address(stage, "127.0.0.1:7443", proxy="http://127.0.0.1:9")
    assert steps(stage) == [("proxy", False)]


def test_a_clock_that_is_off_is_said_with_its_command(stage: Stage) -> None:
    stage.coordinator.clock_ahead = 600
    with open_home(stage.home) as node:
        clock = next(one for one in run([coordinator(node)]) if "clock" in one.name)
    assert clock.state is State.WARN
    assert "behind the coordinator" in clock.what
    assert clock.command == "timedatectl set-ntp true"


def test_licences_that_end_soon(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    import datetime

    from folkmoot_node.policies.risk_policy import RiskPolicy

    today = datetime.datetime.now(datetime.UTC).date()
    ends = {
        "income": today + datetime.timedelta(days=10),
        "tenure": today - datetime.timedelta(days=1),
        "cars": today + datetime.timedelta(days=31),
    }
    monkeypatch.setattr(RiskPolicy, "licences", property(lambda _: ends))
    told = list(run([licences(load_config(stage.home), today)]))
    assert {(one.what.split("'")[1], one.state) for one in told} == {
        ("income", State.WARN),
        ("tenure", State.WARN),
    }
    assert all("risk-policy.toml" in one.remedy for one in told)


def test_a_prefect_server_that_does_not_answer(stage: Stage) -> None:
    settings = PrefectSettings(url="http://127.0.0.1:9/api")
    [found] = run([prefect(settings, stage.home, "Install it", offline=False)])
    assert found.state is State.WARN
    assert "does not answer" in found.what
    [off] = run([prefect(PrefectSettings(enabled=False), stage.home, "", offline=False)])
    assert off.state is State.OK
