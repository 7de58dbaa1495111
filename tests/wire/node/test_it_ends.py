"""After its last day a policy's scores are of no use any more, and `serve` deletes them."""

from __future__ import annotations

import datetime
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from stage import Stage, ask

from folkmoot import round_codec
from folkmoot.refusal import RefusalReason
from folkmoot_node.answering.answer import answer_round
from folkmoot_node.answering.briefing import describe
from folkmoot_node.answering.scores_wait import require_scores_for
from folkmoot_node.answering.visit import learn
from folkmoot_node.evidence.outbox import AnswerKind
from folkmoot_node.home import open_home
from folkmoot_node.operations.automatic_purge import BY, purge_by_rule
from folkmoot_node.operations.doctor import examine
from folkmoot_node.operations.retention import Kind, expired
from folkmoot_node.settings.node_toml import load_config
from folkmoot_node.store.extracts_read import extracts_in, last_read
from folkmoot_operator.checks import State
from folkmoot_operator.problems import ExitCode, Problem
from tests.commands import run_inside

DAY = 86_400
NODE = Path(sys.executable).with_name("folkmoot-node")


def today() -> datetime.date:
    """Now: tests that are read in before midnight may run after it."""
    return datetime.datetime.now(datetime.UTC).date()


def end_policy(home: Path, last: datetime.date | None = None, rule: str = "") -> datetime.date:
    """Gives the policy an earlier last day, or yesterday, when households are scored already."""
    last = last or today() - datetime.timedelta(days=1)
    policy = home / "risk-policy.toml"
    text = policy.read_text().replace("2099-12-31", last.isoformat())
    policy.write_text(text + (f"\n[retention]\n{rule}\n" if rule else ""))
    return last


def some_uprn(home: Path) -> str:
    return (home / "extracts" / "council_tax.csv").read_text().splitlines()[1].split(",")[0]


def uses(home: Path) -> list[list[str]]:
    return [
        ["explain", some_uprn(home)],
        ["households", "--out", str(home / "out.csv")],
        ["equality"],
        ["linkage", "report"],
        ["linkage", "review"],
    ]


def audited(home: Path) -> list[str]:
    with open_home(home) as node:
        return [str(entry.body["action"]) for entry in node.audit.entries()]


def test_after_a_sunset_that_was_set_later_use_ends(stage: Stage) -> None:
    for words in uses(stage.home)[:2]:
        run_inside("folkmoot-node", *words, "--home", stage.home).said()
    (stage.home / "out.csv").unlink()
    before = audited(stage.home)
    yesterday = end_policy(stage.home)
    for words in uses(stage.home):
        said = run_inside("folkmoot-node", *words, "--home", stage.home).said(ExitCode.REFUSED)
        assert f"the policy ended on {yesterday}" in said, words
        assert "folkmoot-node score" not in said, "that would be refused too"
    assert not (stage.home / "out.csv").exists()
    assert audited(stage.home) == before, "nobody has looked"


def test_after_a_retention_that_was_set_later_use_ends(stage: Stage) -> None:
    policy = stage.home / "risk-policy.toml"
    policy.write_text(policy.read_text() + "\n[retention]\nscores_days = 10\n")
    last = open_home(stage.home, clock=lambda: int(time.time()) + 10 * DAY)
    with last as node, node.open_store_for_use():
        pass
    with open_home(stage.home, clock=lambda: int(time.time()) + 11 * DAY) as node:
        with pytest.raises(Problem, match="kept for 10 days") as raised, node.open_store_for_use():
            pass
        assert raised.value.exit_code is ExitCode.REFUSED
        assert "Run `folkmoot-node score`" in raised.value.remedy
        with node.open_store_for_use(subject_access=True):
            pass


def test_a_resident_who_asks_is_answered_as_long_as_there_are_scores(stage: Stage) -> None:
    words = ["explain", some_uprn(stage.home), "--home", stage.home]
    before = run_inside("folkmoot-node", *words).said()
    end_policy(stage.home)
    run_inside("folkmoot-node", *words).said(ExitCode.REFUSED)
    assert run_inside("folkmoot-node", *words, "--subject-access").said() == before
    assert audited(stage.home)[-1] == "subject access request answered"
    run_inside("folkmoot-node", "purge", "--yes", "--home", stage.home).said()
    deleted = today()
    said = run_inside("folkmoot-node", *words, "--subject-access").said(ExitCode.REFUSED)
    assert f"the scores were deleted on {deleted}" in said
    assert "decide on a new one with a new date" in said
    assert "folkmoot-node score" not in said
    for again in (["score"], ["households", "--out", str(stage.home / "out.csv")]):
        said = run_inside("folkmoot-node", *again, "--home", stage.home).said(ExitCode.REFUSED)
        assert "decide on a new one with a new date" in said
    found = {one.name: one for one in examine(stage.home, offline=True)}
    assert "decide on a new one" in found["scores"].remedy


@pytest.mark.parametrize(
    ("left", "state"), [(31, State.OK), (30, State.WARN), (0, State.WARN), (-1, State.FAIL)]
)
def test_doctor_warns_thirty_days_before_and_fails_after(
    stage: Stage, left: int, state: State
) -> None:
    last = end_policy(stage.home, today() + datetime.timedelta(days=left))
    found = [one for one in examine(stage.home, offline=True) if one.name == "sunset"]
    assert found[0].state is state
    assert last.isoformat() in found[0].what


def serving(home: Path, log: Path, until: str) -> str:
    """What `serve` says, until it has said something; then it is stopped."""
    settings = home / "node.toml"
    settings.write_text(settings.read_text() + "\n[prefect]\nenabled = false\n")
    with log.open("wb") as output:
        process = subprocess.Popen([NODE, "serve", "--home", home], stderr=output)
        try:
            limit = time.monotonic() + 60
            while until not in log.read_text():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < limit, log.read_text()
                time.sleep(0.1)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
    return log.read_text()


def test_serve_purges_when_the_day_has_passed(stage: Stage, tmp_path: Path) -> None:
    config = load_config(stage.home)
    key = config.key_file.read_text()
    new = config.extracts_folder / "arrived_today.csv"
    new.write_text("UPRN\n1\n")
    yesterday = end_policy(stage.home)
    said = serving(stage.home, tmp_path / "serve.log", "was destroyed and replaced")
    assert f"purged scores by the policy's rule: the policy ended on {yesterday}" in said
    assert not config.store_path.exists()
    assert config.key_file.read_text() != key
    assert extracts_in(config) == (new,), "what no good run has read stays"
    with open_home(stage.home) as node:
        *_, entry = node.audit.entries()
        assert entry.body["by"] == BY
        assert entry.body["deleted"] == {"scores": 1, "extracts that a good run has read": 1}


def test_with_a_manual_rule_serve_only_says_what_waits(stage: Stage, tmp_path: Path) -> None:
    end_policy(stage.home, rule='purge = "manual"')
    said = serving(stage.home, tmp_path / "serve.log", "Run `folkmoot-node purge`")
    assert "past the policy's retention rule: scores" in said
    assert load_config(stage.home).store_path.exists()
    assert run_inside("folkmoot-node", "doctor", "--offline", "--home", stage.home).code


def kinds(home: Path, days: int) -> set[Kind]:
    with open_home(home, clock=lambda: int(time.time()) + days * DAY) as node:
        return {item.kind for item in expired(node)}


def test_extracts_go_a_month_after_the_last_good_run_that_read_them(stage: Stage) -> None:
    config = load_config(stage.home)
    (read,) = extracts_in(config)
    assert Kind.EXTRACTS not in kinds(stage.home, 30)
    assert Kind.EXTRACTS in kinds(stage.home, 31)
    with open_home(stage.home, clock=lambda: int(time.time()) + 31 * DAY) as node:
        assert any("purged extracts" in event.text for event in purge_by_rule(node))
    assert not read.exists()


def test_an_extract_that_has_changed_or_that_no_good_run_has_read_stays(stage: Stage) -> None:
    config = load_config(stage.home)
    (read,) = extracts_in(config)
    old = time.time() - 300 * DAY
    unread = config.extracts_folder / "of_another_system.csv"
    unread.write_text("NINO\n")
    elsewhere = stage.home / "elsewhere.csv"
    shutil.copy(read, elsewhere)
    (config.extracts_folder / "link.csv").symlink_to(elsewhere)
    os.utime(unread, (old, old))
    assert last_read(config) == {read: today(), unread: None}
    with read.open("a") as file:
        file.write("1,2,Y,E01900901\n")
    assert Kind.EXTRACTS not in kinds(stage.home, 4000)
    # A run that fails has not read it well.
    (stage.home / "node.toml").write_text(
        (stage.home / "node.toml").read_text().replace("maximum_share = 0.02", "maximum_share = 0")
    )
    with read.open("a") as file:
        file.write("nonsense,2,Y,E01900901\n")
    run_inside("folkmoot-node", "score", "--home", stage.home).said(ExitCode.DATA)
    assert Kind.EXTRACTS not in kinds(stage.home, 4000)
    (found,) = [one for one in examine(stage.home, offline=True) if one.name == "extracts"]
    assert found.state is State.WARN
    assert str(unread) in found.remedy


def other_policy(stage: Stage) -> Path:
    other = stage.home / "other.toml"
    text = (stage.home / "risk-policy.toml").read_text()
    other.write_text(text.replace('name = "', 'name = "Other: ', 1))
    return other


def learned(stage: Stage, *rounds: bytes) -> None:
    stage.coordinator.rounds = list(rounds)
    with open_home(stage.home) as home, home.connect() as client:
        assert list(learn(home, client, client.negotiate())) == []


def test_a_round_of_the_configured_policy_waits_while_scores_are_by_another(stage: Stage) -> None:
    other = other_policy(stage)
    words = ["score", "--policy", other, "--home", stage.home]
    said = run_inside("folkmoot-node", *words).said(ExitCode.USAGE)
    assert "Add --replace if that is meant" in said
    run_inside("folkmoot-node", *words, "--replace").said()
    third = ask(2, policy_digest=bytes(32))
    learned(stage, round_codec.encode_round(ask()), round_codec.encode_round(third))
    with open_home(stage.home) as home:
        waits, refused = (home.round_book().find(f"{n:032x}") for n in (1, 2))
        assert waits is not None
        assert refused is not None
        with pytest.raises(Problem, match="by another policy") as raised:
            answer_round(home, waits)
        assert "Run `folkmoot-node score`" in raised.value.remedy
        assert home.outbox.find(waits.round_id) is None
        statement = describe(home, waits)
        assert statement.objection is None
        assert "by another policy" in str(statement.obstacle)
        answer = answer_round(home, refused)
        assert answer is not None
        assert answer.reason is RefusalReason.POLICY_DIGEST
    run_inside("folkmoot-node", "score", "--home", stage.home).said()
    with open_home(stage.home) as home:
        answer = answer_round(home, waits)
        assert answer is not None
        assert answer.kind is AnswerKind.RELEASE


def test_a_round_waits_for_new_scores_and_is_refused_after_a_sunset_set_later(
    stage: Stage,
) -> None:
    now = int(time.time())
    learned(stage, round_codec.encode_round(ask(deadline=now + 200 * DAY)))
    with open_home(stage.home, clock=lambda: now + 91 * DAY) as home:
        (known,) = home.round_book().rounds()
        with pytest.raises(Problem, match="kept for 90 days"):
            answer_round(home, known)
        assert home.outbox.find(known.round_id) is None
    end_policy(stage.home)
    with open_home(stage.home) as home:
        answer = answer_round(home, known)
        assert answer is not None
        assert answer.reason is RefusalReason.SUNSET


def test_a_round_waits_where_the_licence_of_bought_data_has_ended(stage: Stage) -> None:
    learned(stage, round_codec.encode_round(ask()))
    with open_home(stage.home) as home, home.open_store() as store:
        (known,) = home.round_book().rounds()
        asked = home.round_book().question(known)
        require_scores_for(home, store.run, asked)
        yesterday = today() - datetime.timedelta(days=1)
        rented = store.run.model_copy(update={"licences": {"segment": yesterday}})
        with pytest.raises(Problem, match=f"the licence of segment ended on {yesterday}"):
            require_scores_for(home, rented, asked)


@pytest.mark.parametrize(("typed", "code"), [(b"n\n", 1), (b"y\n", 0)])
def test_at_a_terminal_it_asks_before_it_replaces(stage: Stage, typed: bytes, code: int) -> None:
    other = other_policy(stage)
    terminal, inside = pty.openpty()
    words = [NODE, "score", "--policy", other, "--home", stage.home, "--json"]
    with subprocess.Popen(words, stdin=inside, stdout=-1, stderr=-1) as process:
        os.write(terminal, typed)
        _, said = process.communicate(timeout=120)
    os.close(terminal)
    os.close(inside)
    assert process.returncode == code, said
    assert b"Replace the scores?" in said
    with open_home(stage.home) as home, home.open_store() as store:
        assert store.run.policy_name.startswith("Other: ") is (code == 0)
