"""Scoring by another policy, for good or only to see what it would do."""

from __future__ import annotations

import hashlib
import json
import tempfile
import threading

import pytest
from typer.testing import CliRunner

from folkmoot_node.cli import app
from folkmoot_node.linkage.review_decisions import Decided, ReviewDecisions, SourceReview
from folkmoot_node.pipeline.dry_run import FOLDER, Move, aside, left_by_trials, try_policy
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.scoring.explain import explain
from folkmoot_node.sources import connect as node_plugins
from folkmoot_node.store.encrypted_file import read_key
from folkmoot_operator import file_lock
from folkmoot_operator.private_files import delete_private
from folkmoot_operator.problems import ExitCode, Problem
from tests.unit.node.conftest import POLICY, SUNSET, TODAY, tax_rows

HARSH = POLICY.replace("from = 60", "from = 15").replace("Winter support 2026", "Harsh")


@pytest.fixture
def other(node):
    path = node.home / "other.toml"
    path.write_text(HARSH)
    return path


def tried(node, path, **options):
    options.setdefault("reference_date", None)
    return try_policy(
        node.config,
        node.plugins,
        load_policy(path),
        today=TODAY,
        progress=lambda *_: None,
        **options,
    )


def test_a_trial_says_who_would_change_band_and_changes_nothing(node, other):
    node.score()  # 1: 15 points, low; 2: 90 + 10 of 100, high; 3: none
    assert {row[0]: row[1] for row in node.rows().select("uprn", "band").iter_rows()} == {
        1: 1,
        2: 2,
        3: 0,
    }
    before = node.config.store_path.read_bytes()
    found = tried(node, other)
    assert found.moves == (
        Move("none", "none", 1),
        Move("low", "high", 1),
        Move("high", "high", 1),
    )
    assert found.changed == 1
    assert node.config.store_path.read_bytes() == before
    assert not list(node.config.store_path.parent.glob("trial-*"))


def test_a_trial_works_on_copies_of_what_is_reviewed(node, other):
    node.score()
    key = read_key(node.config.key_file)
    decided = SourceReview(decided={"0" * 32: Decided(is_home=1)})
    ReviewDecisions(node.config.review_store, key).keep("tax", decided)
    node.config.review_folder.mkdir()
    (node.config.review_folder / "tax.csv").write_text("a person is at work here\n")
    before = node.config.review_store.read_bytes()
    with aside(node.config) as own:
        assert own.review_folder != node.config.review_folder
        assert (own.review_folder / "tax.csv").read_text() == "a person is at work here\n"
        copied = ReviewDecisions(own.review_store, key)
        assert copied.of("tax") == decided
        copied.keep("tax", SourceReview())
        (own.review_folder / "tax.csv").unlink()
    assert node.config.review_store.read_bytes() == before
    assert (node.config.review_folder / "tax.csv").exists()


def test_households_in_one_of_the_two_runs_are_told_apart(node, other):
    node.score()
    lsoa = ["E01000001"] * 3
    node.tax.batches = [tax_rows([2, 3, 4], [3000.0, 0.0, 0.0], ["owned"] * 3, lsoa)]
    found = tried(node, other)
    assert Move("low", "(not scored)", 1) in found.moves
    assert Move("(not scored)", "none", 1) in found.moves
    assert found.changed == 0


def test_without_a_last_run_there_is_nothing_to_compare(node, other):
    found = tried(node, other)
    assert (found.last, found.moves, found.run.households) == (None, (), 3)
    assert not node.config.store_path.exists()


def test_a_trial_is_of_the_day_of_the_last_run(node, other):
    day = TODAY.replace(day=5)
    node.score(reference_date=day)
    assert tried(node, other).run.reference_date == day
    assert tried(node, other, reference_date=TODAY).run.reference_date == TODAY


def test_a_trial_that_fails_leaves_nothing(node, other):
    node.score()
    other.write_text(HARSH.replace('"renting"', '"rentings"'))
    with pytest.raises(Problem):
        tried(node, other)
    node.tax.before_batch = lambda context: 1 / 0
    other.write_text(HARSH)
    with pytest.raises(Problem):
        tried(node, other)
    assert not list(node.config.store_path.parent.glob("trial-*"))


def test_what_a_killed_trial_left_goes_with_the_next_and_one_that_runs_stays(node, other):
    folder = node.config.store_path.parent
    left = folder / f"{FOLDER}left"
    (left / "quarantine").mkdir(parents=True)
    (left / "quarantine" / "tax.csv").write_text("rejected")
    with aside(node.config) as first:
        assert not left.exists()
        with aside(node.config) as second:
            both = {first.store_path.parent, second.store_path.parent}
            assert set(folder.glob(f"{FOLDER}*")) == both
    assert not list(folder.glob(f"{FOLDER}*"))


def test_a_trial_that_begins_is_no_leftover(node, monkeypatch):
    """A purge that looked between the making of its folder and its lock would delete it."""
    make, found = tempfile.mkdtemp, []
    folder = node.config.store_path.parent
    purge = threading.Thread(target=lambda: found.extend(left_by_trials(folder)))

    def watched(**words):
        made = make(**words)
        purge.start()
        purge.join(0.2)  # it waits for the lock
        return made

    monkeypatch.setattr(tempfile, "mkdtemp", watched)
    with aside(node.config) as own:
        purge.join()
        assert (found, own.store_path.parent.is_dir()) == ([], True)
    assert not own.store_path.parent.exists()


def test_a_trial_that_has_just_ended_is_no_leftover(tmp_path, monkeypatch):
    lock = file_lock.acquire_folder

    def ended(path):
        delete_private(path)
        return lock(path)

    monkeypatch.setattr(file_lock, "acquire_folder", ended)
    (tmp_path / f"{FOLDER}a").mkdir()
    assert list(left_by_trials(tmp_path)) == []
    assert list(left_by_trials(tmp_path / "nothing is scored here")) == []


def test_scores_by_another_policy_are_explained_with_that_policy(node, other):
    run = node.score()
    assert run.policy_path == str(node.config.risk_policy)
    from folkmoot_node.pipeline.local import score

    run = score(node.config, node.plugins, load_policy(other), today=TODAY)
    assert run.policy_sha256 == hashlib.sha256(other.read_bytes()).hexdigest()
    with pytest.raises(Problem, match=r"another policy \(Harsh\)") as raised:
        explain(node.config, node.plugins, node.policy, 1, today=TODAY)
    assert f"--policy ({other})" in raised.value.remedy
    assert explain(node.config, node.plugins, load_policy(other), 1, today=TODAY).band == "high"


@pytest.fixture
def command(node, monkeypatch):
    """The command with the plugins of the test."""
    monkeypatch.setattr(node_plugins, "load_plugins", lambda _: node.loaded)

    def run(*arguments):
        return CliRunner().invoke(app, ["score", *arguments, "--home", str(node.home)])

    return run


def test_the_command_warns_that_rounds_of_the_configured_policy_wait(node, other, command):
    done = command("--policy", str(other))
    assert done.exit_code == 0, "there is nothing to replace"
    assert "Rounds that expect the policy in node.toml wait" in done.stderr
    assert "Warning" not in command().stderr
    done = command("--policy", str(node.config.risk_policy))
    assert "Warning" not in done.stderr


def test_scores_of_another_policy_are_replaced_only_if_that_is_meant(node, other, command):
    command()
    done = command("--policy", str(other))
    assert isinstance(done.exception, Problem)
    assert done.exception.exit_code is ExitCode.USAGE
    assert "--replace" in done.exception.remedy
    with node.open() as store:
        assert store.run.policy_name == node.policy.name
    assert command("--policy", str(other), "--replace").exit_code == 0
    with node.open() as store:
        assert store.run.policy_name == "Harsh"
    assert command("--policy", str(other)).exit_code == 0, "they are by that policy already"
    assert command().exit_code == 0, "what node.toml names needs no question"


def test_after_the_end_of_the_configured_policy_another_one_is_tried_and_not_stored(
    node, other, command
):
    command()
    ended = node.config.risk_policy.read_text().replace(str(SUNSET), "2026-01-31")
    node.write_policy(ended)
    done = command("--policy", str(other), "--replace")
    assert isinstance(done.exception, Problem)
    assert "ended on 2026-01-31" in done.exception.problem
    done = command("--policy", str(other), "--try")
    assert "There are no scores that may be compared" in " ".join(done.stdout.split())


def test_the_command_prints_a_table_of_bands(node, other, command):
    command()
    done = command("--policy", str(other), "--try")
    text = " ".join(done.stdout.split())
    assert "1 of 3 households would change band (33.3%)" in text
    assert "The stored scores have not changed" in text
    assert "Warning" not in done.stderr
    done = json.loads(command("--policy", str(other), "--try", "--json").stdout)
    assert done["changed"] == 1
    assert {"before": "low", "now": "high", "households": 1} in done["moves"]


def test_a_policy_file_that_is_missing_is_named(node, command):
    done = command("--policy", str(node.home / "no.toml"))
    assert isinstance(done.exception, Problem)
    assert done.exception.exit_code is ExitCode.SETTINGS
    assert "no.toml" in done.exception.where
