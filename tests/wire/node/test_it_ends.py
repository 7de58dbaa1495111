"""After the policy's sunset, and after the retention of its scores, their use ends."""

from __future__ import annotations

import datetime
import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from stage import Stage, ask

from folkmoot import codec
from folkmoot.refusal import RefusalReason
from folkmoot_node.answering.answer import answer_round, learn, poll
from folkmoot_node.home import open_home
from folkmoot_node.operations.checks import last_run, sunset
from folkmoot_node.operations.retention import Kind, expired
from folkmoot_node.store.reader import open_store, read_key
from folkmoot_operator.checks import State, examine
from folkmoot_operator.problems import ExitCode, Problem
from tests.commands import run_inside

DAY = 86_400
TODAY = datetime.datetime.now(datetime.UTC).date()
UPRN = 200_000_000


def ended(stage: Stage, days: int = 1, extra: str = "") -> datetime.date:
    """Edits the policy so that it ended `days` ago; returns its last day."""
    last = TODAY - datetime.timedelta(days=days)
    policy = stage.home / "risk-policy.toml"
    policy.write_text(policy.read_text().replace("2099-12-31", last.isoformat()) + extra)
    return last


def said(stage: Stage, *words: object, expect: int = 0) -> str:
    return run_inside("folkmoot-node", *words, "--home", stage.home).said(expect)


def a_household(stage: Stage) -> int:
    with open_home(stage.home) as home, home.open_store() as store:
        return int(store.households(store.run.band_names)["uprn"][0])


USES = [
    ("explain", "{uprn}"),
    ("households", "--out", "{folder}/h.csv"),
    ("linkage", "report"),
    ("linkage", "review"),
]


@pytest.mark.parametrize("words", USES, ids=lambda words: " ".join(words[:2]))
def test_after_a_sunset_that_was_brought_forward_uses_are_refused_with_the_date(
    stage: Stage, tmp_path: Path, words: tuple[str, ...]
) -> None:
    uprn = a_household(stage)
    last = ended(stage, extra="[retention]\nafter_sunset_days = 30\n")
    command = [word.format(uprn=uprn, folder=tmp_path) for word in words]
    text = said(stage, *command, expect=ExitCode.REFUSED)
    assert last.isoformat() in text
    assert "run `folkmoot-node score`" not in text.lower()
    assert not (tmp_path / "h.csv").exists()


def test_on_the_last_day_they_are_not(stage: Stage, tmp_path: Path) -> None:
    ended(stage, days=0)
    said(stage, "households", "--out", tmp_path / "h.csv")


def test_a_subject_access_request_is_answered_after_the_sunset_and_audited_as_such(
    stage: Stage,
) -> None:
    uprn = a_household(stage)
    policy = (stage.home / "risk-policy.toml").read_bytes()
    before = stage.home / "before.toml"
    before.write_bytes(policy)
    ended(stage, extra="[retention]\nafter_sunset_days = 30\n")
    said(stage, "explain", uprn, "--policy", before, expect=ExitCode.REFUSED)
    text = said(stage, "explain", uprn, "--policy", before, "--subject-access")
    assert f"Household {uprn}" in text
    with open_home(stage.home) as home:
        last = list(home.audit.entries())[-1].body
    assert last["action"] == "household explained for a subject access request"


def test_a_shorter_retention_reaches_scores_made_before(stage: Stage, tmp_path: Path) -> None:
    policy = stage.home / "risk-policy.toml"
    policy.write_text(policy.read_text() + "[retention]\nscores_days = 0\n")
    with open_store(load(stage).store_path, read_key(load(stage).key_file)) as store:
        run = store.run
    with open_home(stage.home, clock=lambda: run.finished_at + 2 * DAY) as home:
        with pytest.raises(Problem, match="kept for 0 days, until") as caught:
            home.check_use(run)
        assert caught.value.exit_code is ExitCode.REFUSED
        assert {item.kind for item in expired(home)} >= {Kind.SCORES}


def load(stage: Stage):  # type: ignore[no-untyped-def]
    from folkmoot_node.settings.node_toml import load_config

    return load_config(stage.home)


def test_after_a_purge_nobody_is_sent_to_a_command_that_is_refused(stage: Stage) -> None:
    uprn = a_household(stage)
    last = ended(stage)
    said(stage, "purge", "--yes")
    for words in (("explain", uprn), ("explain", uprn, "--subject-access"), ("linkage", "report")):
        text = said(stage, *words, expect=ExitCode.REFUSED)
        assert f"the policy ended on {last.isoformat()}" in text
        assert "un `folkmoot-node score`" not in text


def test_rounds_are_refused_after_a_sunset_that_was_brought_forward(stage: Stage) -> None:
    stage.coordinator.rounds = [codec.encode_round(ask())]
    ended(stage, extra="[retention]\nafter_sunset_days = 30\n")
    with open_home(stage.home) as home, home.connect() as client:
        list(poll(home, client))
        (answer,) = home.outbox.answers()
        assert answer.reason is RefusalReason.SUNSET


def test_rounds_wait_for_new_scores_when_the_old_are_past_their_retention(stage: Stage) -> None:
    now = int(time.time())
    stage.coordinator.rounds = [codec.encode_round(ask(deadline=now + 200 * DAY))]
    with open_home(stage.home) as home, home.connect() as client:
        assert list(learn(home, client, client.negotiate())) == []
    with open_home(stage.home, clock=lambda: now + 100 * DAY) as home:
        (known,) = home.round_book().rounds()
        with pytest.raises(Problem, match="might be kept for 90 days"):
            answer_round(home, known)
        assert home.outbox.answers() == ()


def test_a_round_of_the_configured_policy_waits_while_the_scores_are_by_another(
    stage: Stage,
) -> None:
    policy = stage.home / "risk-policy.toml"
    other = stage.home / "other.toml"
    other.write_text(policy.read_text() + "# another\n")
    score = ("score", "--reference-date", "2026-11-23")
    text = said(stage, *score, "--policy", other, expect=ExitCode.USAGE)
    assert "--replace" in text
    said(stage, *score, "--policy", other, "--replace")
    stage.coordinator.rounds = [
        codec.encode_round(ask()),
        codec.encode_round(ask(2, policy_digest=hashlib.sha256(b"a third").digest())),
    ]
    with open_home(stage.home) as home, home.connect() as client:
        texts = [event.text for event in poll(home, client)]
        assert any("it expects the policy that node.toml names" in text for text in texts)
        (answer,) = home.outbox.answers()
        assert answer.round_id == f"{2:032x}", "a policy that nobody here has is refused"
        assert answer.reason is RefusalReason.POLICY_DIGEST
    assert "cannot be answered yet: " in said(stage, "rounds", "show", f"{1:032x}")
    said(stage, *score)
    with open_home(stage.home) as home, home.connect() as client:
        list(poll(home, client))
        answer = home.outbox.find(f"{1:032x}")
        assert answer is not None
        assert answer.reason is None


@pytest.mark.parametrize("days, state", [(-31, "OK"), (-29, "WARN"), (0, "WARN"), (1, "FAIL")])
def test_the_doctor_warns_before_the_sunset_and_fails_after(
    stage: Stage, days: int, state: str
) -> None:
    last = ended(stage, days=days)
    with open_home(stage.home) as home:
        (finding,) = examine([sunset(home)])
    assert finding.state is State[state]
    assert last.isoformat() in finding.what


def test_the_doctor_says_that_rounds_wait(stage: Stage) -> None:
    with open_home(stage.home) as home:
        assert [one.state for one in examine([last_run(home)])] == [State.OK]
        home.unfinished_run.begin(1)
        assert [one.state for one in examine([last_run(home)])] == [State.WARN]
        home.unfinished_run.stop(2)
        (finding,) = examine([last_run(home)])
    assert finding.state is State.WARN
    assert "stopped" in finding.what


@pytest.mark.parametrize("purge", ["automatic", "manual"])
def test_a_serving_process_deletes_by_the_policys_rule(stage: Stage, purge: str) -> None:
    quarantine = stage.home / "quarantine" / "council_tax-0.csv"
    quarantine.parent.mkdir(exist_ok=True)
    quarantine.write_text("a rejected record\n")
    os.utime(quarantine, (time.time() - 40 * DAY,) * 2)
    ended(stage, extra=f'[retention]\npurge = "{purge}"\n')
    with (stage.home / "node.toml").open("a") as file:
        file.write("\n[prefect]\nenabled = false\n")
    store = load(stage).store_path
    program = Path(sys.executable).with_name("folkmoot-node")
    serving = subprocess.Popen(
        [program, "serve", "--home", stage.home, "--poll-seconds", "0.5"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        limit = time.monotonic() + 60
        while len(stage.coordinator.metadata) < 3 and time.monotonic() < limit:
            time.sleep(0.1)
    finally:
        serving.send_signal(signal.SIGTERM)
        _, log = serving.communicate(timeout=60)
    assert len(stage.coordinator.metadata) >= 3, log
    kept = purge == "manual"
    assert (store.exists(), quarantine.exists()) == (kept, kept), log
    assert ("deleted by the policy's retention rule: scores (1)" in log) != kept
    with open_home(stage.home) as home:
        purges = [e.body for e in home.audit.entries() if e.body["action"] == "purged"]
        assert [body["by"] for body in purges] == ["serve, by the policy's rule"] * (not kept)
