"""What may be kept no longer is found, listed with its rule, and deleted for good."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import time

import pytest
from typer.testing import CliRunner

from folkmoot_node.cli import app
from folkmoot_node.corrections.decisions import Decision
from folkmoot_node.corrections.sealed_file import open_corrections
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.home import open_home
from folkmoot_node.linkage.review_decisions import Decided, ReviewDecisions, SourceReview
from folkmoot_node.operations.checks import extracts, retention
from folkmoot_node.operations.retention import Kind, expired, purge
from folkmoot_node.scoring.explain import explain
from folkmoot_node.sources import connect as node_plugins
from folkmoot_node.store.encrypted_file import only_user, read_key
from folkmoot_node.store.extracts_read import FileRead, note_judged, note_read
from folkmoot_node.store.reader import open_store
from folkmoot_operator.checks import State
from folkmoot_operator.file_lock import acquire_folder, release
from folkmoot_operator.problems import ExitCode, Problem
from tests.power_cut import watched
from tests.unit.node.conftest import POLICY as LASTING
from tests.unit.node.conftest import SUNSET, TODAY, tax_rows

DAY = 86_400
NOW = 1_796_126_400  # 2026-12-01, noon UTC
POLICY = LASTING.replace(str(SUNSET), "2027-03-31")


@pytest.fixture
def scored(node):
    """Scored on 1 December 2026, with a rejected record."""
    with StateDatabase(node.config.state_path, create=True):
        pass
    lsoa = ["E01000001"] * 3
    node.tax.batches = [tax_rows([1, 2, 10**12], [0.0] * 3, ["owned"] * 3, lsoa)]
    node.write_node((node.home / "node.toml").read_text() + "\n[quarantine]\nmaximum_share = 0.5\n")
    node.write_policy(POLICY)
    node.score(clock=lambda: NOW)
    for path in node.config.quarantine_folder.iterdir():
        os.utime(path, (NOW, NOW))
    return node


def at(node, days):
    return open_home(node.home, clock=lambda: NOW + days * DAY)


def found(node, days):
    with at(node, days) as home:
        return {(item.kind, item.path.name.split("-")[0]): item.why for item in expired(home)}


SCORES = (Kind.SCORES, "households.duckdb")
QUARANTINE = (Kind.QUARANTINE, "tax")


def test_defaults_are_a_month_for_files_a_quarter_for_scores_and_nothing_after_sunset(scored):
    assert found(scored, 30) == {}
    assert found(scored, 31) == {QUARANTINE: "kept for 30 days, until 2026-12-31"}
    assert set(found(scored, 90)) == {QUARANTINE}
    assert found(scored, 91)[SCORES] == "kept for 90 days, until 2027-03-01"
    # The policy ends on 31 March 2027, 120 days after.
    scored.write_policy(POLICY + "[retention]\nscores_days = 3000\nquarantine_days = 3000\n")
    scored.score(clock=lambda: NOW)
    assert found(scored, 120) == {}
    assert found(scored, 121) == dict.fromkeys(
        (SCORES, QUARANTINE), "the policy ended on 2027-03-31"
    )


def test_a_later_policy_does_not_keep_scores_longer_than_their_own(scored):
    scored.write_policy(POLICY + "[retention]\nscores_days = 1000\n")
    assert SCORES in found(scored, 91)
    scored.write_policy(POLICY + "[retention]\nscores_days = 5\n")
    assert found(scored, 6)[SCORES] == "kept for 5 days, until 2026-12-06"


def test_scores_whose_own_policy_has_ended_go_though_a_new_one_goes_on(scored):
    scored.write_policy(POLICY.replace("2027-03-31", "2028-03-31"))
    scored.write_policy(POLICY.replace("2027-03-31", "2026-12-10"))
    scored.score(clock=lambda: NOW)
    scored.write_policy(POLICY.replace("2027-03-31", "2028-03-31"))
    assert found(scored, 9) == {}
    assert found(scored, 10)[SCORES] == "the policy ended on 2026-12-10"


def test_files_for_review_have_a_rule_of_their_own(scored):
    folder = scored.config.review_folder
    folder.mkdir()
    (folder / "people.csv").write_text("who\n")
    os.utime(folder / "people.csv", (NOW, NOW))
    scored.write_policy(POLICY + "[retention]\nreview_days = 7\n")
    assert (Kind.REVIEW, "people.csv") not in found(scored, 7)
    assert (Kind.REVIEW, "people.csv") in found(scored, 8)


def test_decisions_of_reviews_need_the_key_as_long_as_they_are_kept(scored):
    key = read_key(scored.config.key_file)
    decisions = ReviewDecisions(scored.config.review_store, key)
    decisions.keep("tax", SourceReview(decided={"0" * 32: Decided(is_home=1)}))
    stored = scored.config.review_store
    scored.write_policy(POLICY + "[retention]\nscores_days = 5\nreview_days = 60\n")
    os.utime(stored, (NOW, NOW))
    with at(scored, 10) as home:
        assert not purge(home, expired(home), "somebody").key_replaced
        assert read_key(scored.config.key_file) == key
        assert decisions.of("tax").decided["0" * 32].is_home == 1
    assert found(scored, 60).keys() == {QUARANTINE}
    with at(scored, 61) as home:
        assert purge(home, expired(home), "somebody").key_replaced
    assert not stored.exists()


def test_decisions_of_review_go_like_its_files_and_need_the_key_till_then(scored):
    config = scored.config
    decisions = ReviewDecisions(config.review_store, read_key(config.key_file))
    decisions.keep("tax", SourceReview())
    os.utime(config.review_store, (NOW, NOW))
    before = config.key_file.read_text()
    assert (Kind.DECISIONS, "review.sealed") not in found(scored, 30)
    scored.write_policy(POLICY + "[retention]\nscores_days = 5\n")
    with at(scored, 6) as home:
        assert {item.kind for item in purge(home, expired(home), "A. Khan").deleted} == {
            Kind.SCORES
        }
    assert config.key_file.read_text() == before
    assert found(scored, 31)[Kind.DECISIONS, "review.sealed"] == (
        "kept for 30 days, until 2026-12-31"
    )
    with at(scored, 31) as home:
        assert purge(home, expired(home), "A. Khan").key_replaced
    assert not config.review_store.exists()
    assert config.key_file.read_text() != before


def uphold(node, objection, until=None):
    file = open_corrections(node.config)
    day = datetime.date(2026, 11, 1)
    file.add(5, Decision(objection=objection, decided_on=day, until=until, withhold=True), {})
    return file


def test_decisions_about_objections_go_when_they_have_ended_and_need_the_key_till_then(scored):
    file = uphold(scored, "a", datetime.date(2026, 12, 3))
    uphold(scored, "b")
    before = scored.config.key_file.read_text()
    ended = Kind.ENDED_CORRECTIONS, "corrections.sealed"
    assert ended not in found(scored, 2)
    assert found(scored, 3)[ended] == "their last day is over"
    scored.write_policy(POLICY + "[retention]\nscores_days = 2\n")
    with at(scored, 3) as home:
        purged = purge(home, expired(home), "A. Khan")
    assert {item.kind for item in purged.deleted} == {Kind.SCORES, Kind.ENDED_CORRECTIONS}
    assert not purged.key_replaced
    assert scored.config.key_file.read_text() == before
    assert [one.objection for one in file.read().households[5]] == ["b"]


def test_decisions_about_objections_go_when_nobody_is_scored_any_more(scored):
    uphold(scored, "a")
    scored.write_policy(POLICY.replace("2027-03-31", "2026-12-10"))
    whole = Kind.CORRECTIONS, "corrections.sealed"
    assert whole not in found(scored, 9)
    assert found(scored, 10)[whole] == "the policy ended on 2026-12-10"
    with at(scored, 10) as home:
        assert purge(home, expired(home), "A. Khan").key_replaced
    assert not scored.config.corrections_file.exists()


def test_decisions_that_cannot_be_read_stop_no_purge(scored):
    uphold(scored, "a")
    scored.config.corrections_file.write_bytes(b"x" * 50)
    assert SCORES in found(scored, 100)


@pytest.fixture
def judged(scored):
    """With a file of outcomes that a back-test has read, and a policy that goes on."""
    scored.write_policy(LASTING)
    path = scored.config.extracts_folder / "events.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text("UPRN,Event\n1,2026-01-05\n")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    note_judged(scored.config, [FileRead(path, sha256)], TODAY)
    return scored


EVENTS = (Kind.OUTCOMES, "events.csv")


def test_outcomes_go_seven_months_after_the_last_back_test_of_them(judged):
    assert EVENTS not in found(judged, 210)
    assert "kept for 210 days" in found(judged, 211)[EVENTS]
    judged.write_policy(LASTING + "[retention]\noutcomes_days = 5\n")
    assert EVENTS not in found(judged, 5)
    with at(judged, 6) as home:
        purged = purge(home, expired(home), "A. Khan")
    assert purged.counts[Kind.OUTCOMES.value] == 1
    assert not list(judged.config.extracts_folder.iterdir())


def test_outcomes_go_at_the_latest_when_nobody_is_scored_any_more(judged):
    judged.write_policy(POLICY)
    assert found(judged, 121)[EVENTS] == "the policy ended on 2027-03-31"


def test_outcomes_that_are_not_what_was_read_stay(judged):
    (judged.config.extracts_folder / "events.csv").write_text("UPRN,Event\n")
    assert EVENTS not in found(judged, 300)


def test_outcomes_that_a_scoring_run_reads_too_go_by_its_rule(judged):
    path = judged.config.extracts_folder / "events.csv"
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    note_read(judged.config, [FileRead(path, sha256)], TODAY)
    assert (Kind.EXTRACTS, "events.csv") not in found(judged, 30)
    assert {kind for kind, name in found(judged, 31) if name == "events.csv"} == {Kind.EXTRACTS}


def test_outcomes_under_the_name_of_what_a_scoring_run_read_go_by_their_own_rule(judged):
    """A run scored by the last file of that name, before its mapping had outcomes alone."""
    path = judged.config.extracts_folder / "events.csv"
    note_read(judged.config, [FileRead(path, "00" * 32)], TODAY)
    assert not {kind for kind, name in found(judged, 210) if name == "events.csv"}
    assert {kind for kind, name in found(judged, 211) if name == "events.csv"} == {Kind.OUTCOMES}


@pytest.mark.parametrize(
    ("days", "state", "says"),
    [
        (0, State.OK, "files of outcomes alone: 1, kept for 210 days after"),
        (180, State.OK, "now until"),
        (181, State.WARN, "events.csv, a file of outcomes, is kept until"),
        (210, State.WARN, "events.csv, a file of outcomes, is kept until"),
    ],
)
def test_doctor_warns_before_outcomes_go(judged, days, state, says):
    with at(judged, days) as home:
        first, *_ = extracts(home).run()
    assert first.state is state
    assert says in first.what
    assert not first.remedy or "evaluate FILE" in first.remedy


def test_what_a_killed_run_left_goes_and_what_a_run_uses_stays(scored):
    folder = scored.config.store_path.parent
    for name in ("households.duckdb.unfinished", "trial-abc/households.duckdb", "runs/1/a.spool"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    left = {path.name for kind, path in leftovers(scored)}
    assert left == {"households.duckdb.unfinished", "trial-abc", "1"}
    lock = acquire_folder(folder / "trial-abc")
    assert lock is not None
    assert {path.name for _, path in leftovers(scored)} == left - {"trial-abc"}
    release(lock)
    with only_user(scored.config.store_path, "", ""):
        assert not leftovers(scored)
        with at(scored, 91) as home, pytest.raises(Problem) as raised:
            purge(home, expired(home), "somebody")
        assert raised.value.exit_code is ExitCode.DATA
    with at(scored, 0) as home:
        assert len(purge(home, expired(home), "somebody").deleted) == 3
    with scored.open() as store:  # the key stays, as the scores do
        assert store.run.households == 2


def leftovers(node):
    with at(node, 0) as home:
        return {(item.kind, item.path) for item in expired(home)}


def test_a_purge_deletes_replaces_the_key_and_is_recorded_by_number(scored):
    copy = scored.home.parent / "backup.duckdb"
    copy.write_bytes(scored.config.store_path.read_bytes())
    old = read_key(scored.config.key_file)
    with at(scored, 91) as home:
        done = purge(home, expired(home), "A. Khan")
        assert done.counts == {"scores": 1, "quarantine files": 1}
        assert done.key_replaced
        [entry] = home.audit.entries()
        assert entry.body == {
            "action": "purged",
            "by": "A. Khan",
            "deleted": {"scores": 1, "quarantine files": 1},
            "key_replaced": True,
        }
        assert expired(home) == ()
        assert purge(home, (), "A. Khan").deleted == ()
        assert len(list(home.audit.entries())) == 1
    new = read_key(scored.config.key_file)
    assert new != old
    assert scored.config.key_file.stat().st_mode & 0o077 == 0
    assert not list(scored.config.quarantine_folder.iterdir())
    with open_store(copy, old) as store:
        assert store.run.households == 2
    with pytest.raises(Problem, match="cannot be opened"), open_store(copy, new):
        pass


def test_what_a_purge_destroyed_does_not_come_back_after_a_power_cut(scored):
    config = scored.config
    old, held = read_key(config.key_file), {scored.config.store_path}
    with at(scored, 91) as home:
        held |= {item.path for item in expired(home)}
        with watched(config.home) as disk:
            assert purge(home, expired(home), "A. Khan").key_replaced
    left = disk.at_the_end
    assert left["keys/store.key"].decode().strip() == read_key(config.key_file).encoded
    assert not any(old.encoded.encode() in content for content in left.values())
    assert len(held) == 2
    assert not {str(path.relative_to(config.home)) for path in held} & left.keys()


def test_the_state_file_is_never_touched(scored):
    with at(scored, 4000) as home:
        home.egress.record("method", "address", (b"message",))
        head = home.egress.verify()
        purge(home, expired(home), "somebody")
        assert home.egress.verify() == head
        assert home.audit.verify().length == 1
        home.ledger.verify()


def test_scores_that_were_made_meanwhile_stay(scored):
    with at(scored, 91) as home:
        old = expired(home)
        scored.score(clock=lambda: NOW + 91 * DAY)
        done = purge(home, old, "somebody")
    assert {item.kind for item in done.deleted} == {Kind.QUARANTINE}
    assert not done.key_replaced
    with scored.open() as store:
        assert store.run.households == 2


def test_afterwards_it_is_said_that_and_why_the_scores_are_gone(scored):
    with at(scored, 91) as home:
        purge(home, expired(home), "somebody")
        with pytest.raises(Problem) as raised, home.open_store():
            pass
    assert raised.value.problem == (
        "the scores were deleted on 2027-03-02: kept for 90 days, until 2027-03-01"
    )
    with pytest.raises(Problem, match="were deleted on 2027-03-02"):
        explain(scored.config, scored.plugins, scored.policy, 1)
    scored.score(clock=lambda: NOW)
    scored.config.store_path.unlink()
    with pytest.raises(Problem, match="no household has been scored yet"):
        explain(scored.config, scored.plugins, scored.policy, 1)


def test_past_the_sunset_scoring_names_purge(scored):
    with pytest.raises(Problem) as raised:
        scored.score(today=datetime.date(2027, 4, 1))
    assert "folkmoot-node purge" in raised.value.remedy


def test_doctor_warns_of_what_is_past_its_retention(scored):
    with at(scored, 5) as home:
        assert (
            "nothing is past the policy's retention rule; `serve` deletes" in retention(home).run()
        )
    with at(scored, 91) as home, pytest.raises(Problem) as raised:
        retention(home).run()
    assert "scores, quarantine files" in raised.value.problem
    assert "folkmoot-node purge" in raised.value.remedy


@pytest.fixture
def ended(scored):
    """A node whose scores and quarantine may be kept for no day, two days ago."""
    scored.write_policy(POLICY + "[retention]\nscores_days = 0\nquarantine_days = 0\n")
    past = time.time() - 2 * DAY
    scored.score(clock=lambda: past)
    for path in scored.config.quarantine_folder.iterdir():
        os.utime(path, (past, past))
    return scored


def run(node, *arguments, answer=None):
    return CliRunner().invoke(app, ["purge", *arguments, "--home", str(node.home)], input=answer)


def test_the_command_lists_asks_and_deletes(ended):
    store = ended.config.store_path
    done = run(ended, "--dry-run")
    assert done.exit_code == 0
    assert "Nothing was." in done.stdout
    assert json.loads(run(ended, "--dry-run", "--json").stdout)["would_delete"][0]["why"]
    assert run(ended, answer="n\n").exit_code == 1
    assert store.exists()
    done = run(ended, answer="y\n")
    assert done.exit_code == 0
    assert "Deleted: scores (1)." in done.stdout
    assert "destroyed and replaced" in done.stdout
    assert not store.exists()
    assert run(ended).stdout == "Nothing is past its retention.\n"
    assert json.loads(run(ended, "--json").stdout) == {"deleted": [], "key_replaced": False}


def test_the_command_without_a_person_to_ask(ended):
    done = run(ended, "--yes", "--json")
    assert done.exit_code == 0
    result = json.loads(done.stdout)
    assert result["key_replaced"]
    assert {row["kind"] for row in result["deleted"]} == {"scores", "quarantine files"}


def test_a_purged_node_scores_again(ended, monkeypatch):
    assert run(ended, "--yes").exit_code == 0
    monkeypatch.setattr(node_plugins, "load_plugins", lambda _: ended.loaded)
    assert ended.score(today=TODAY).households == 2
    with ended.open() as store:
        assert store.run.households == 2


@pytest.mark.parametrize("line", ["scores_days = -1", "scores_day = 3", "scores_days = 1.5"])
def test_a_wrong_rule_is_refused(node, line):
    node.write_policy(POLICY + f"[retention]\n{line}\n")
    with pytest.raises(Problem) as raised:
        _ = node.policy
    assert raised.value.exit_code is ExitCode.SETTINGS
    assert "retention.scores_da" in raised.value.problem
