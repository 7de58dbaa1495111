"""A round that asks what happened after a past date is counted from the households of that date.

The node is a real one with its ledger, policies and commands. Its scores of today say something
else than it knew then, so that a table that mixed them would show.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import ANY

import numpy as np
import pytest
from monthly import TOTAL, answer, in_series, learn, permit, read, score_with
from stage import COUNCIL, Stage, ask, ask_for_approval, set_up

from folkmoot.attributes import Attribute
from folkmoot.refusal import RefusalReason
from folkmoot.rounds import Round
from folkmoot.workload import Marginal, Workload
from folkmoot_node.answering.answer import answer_round
from folkmoot_node.answering.briefing import describe
from folkmoot_node.answering.catalogue import catalogue_here
from folkmoot_node.corrections.decisions import Decision
from folkmoot_node.corrections.sealed_file import open_corrections
from folkmoot_node.federation.identity import load_policy_key
from folkmoot_node.home import NodeHome, open_home
from folkmoot_node.operations.back_up import back_up
from folkmoot_node.operations.doctor import examine
from folkmoot_node.operations.leaving import doomed
from folkmoot_node.operations.past_households import past_households_check
from folkmoot_node.operations.retention import Kind, expired, purge
from folkmoot_node.operations.status import node_status
from folkmoot_node.policies.release_policy import sign
from folkmoot_node.release.steps import AnswerStage
from folkmoot_node.release.tabulate import tabulate
from folkmoot_node.store.encrypted_file import only_user
from folkmoot_node.store.use import end_of_keeping, open_snapshot
from folkmoot_operator.accounts import Operator
from folkmoot_operator.age_encryption import make_key
from folkmoot_operator.backup_file import read_backup
from folkmoot_operator.backup_settings import BackupSettings
from folkmoot_operator.checks import Finding, State
from folkmoot_operator.checks import examine as run_checks
from folkmoot_operator.problems import ExitCode, Problem
from tests.commands import help_of, run_inside
from tests.council_files import events_mapping, source_tables
from tests.tables import measured

DATE = "2026-05-31"
FIRST = 10_000_000
OWED_THEN, OWES_NOW = set(range(60)), set(range(100, 160))
APPLIED = {*range(40), 200}
"""Within three months of the date."""
BEFORE, LATER = set(range(70, 80)), set(range(80, 90))
DAY = 86_400
ATTRIBUTES = """
[attributes.homeless]
outcome = "homeless"
months = 3
[attributes.hardship]
factor = "financial_hardship"
breaks = [0.5]
levels = ["no", "yes"]
"""
EVALUATION = f"""
schema = 1
name = "Did it find homelessness?"
dates = [{DATE}]
capacity = [50]
undated = ["council_tax"]
[outcomes.homelessness]
events = ["homeless"]
months = 3
"""
BAND, HOMELESS = Attribute("band", ("none", "high")), Attribute("homeless", ("no", "yes"))
HARDSHIP = Attribute("hardship", ("no", "yes"))
THEN = np.array([[[239, 1], [0, 0]], [[0, 0], [20, 40]]])
"""Band by hardship by outcome."""


def question(home: Path, number: int = 1, **changes: object) -> Round:
    attributes = changes.pop("attributes", (BAND, HARDSHIP, HOMELESS))
    assert isinstance(attributes, tuple)
    names = tuple(one.name for one in attributes)
    values: dict[str, object] = {
        "loss": TOTAL,
        "policy_digest": hashlib.sha256((home / "risk-policy.toml").read_bytes()).digest(),
        "workload": Workload(attributes, (Marginal(names),)),
        "opened_at": int(time.time()) - 10,
        **changes,
    }
    return ask(number, **values)


def may_ask(home: Path) -> None:
    permit(home)
    policy = home / "release-policy.toml"
    text = re.sub(r"(?m)^attributes = \[", r'\g<0>"homeless", "hardship", ', policy.read_text())
    policy.write_text(text)
    sign(policy, load_policy_key(home / "keys" / "policy-signing.key"), "Tester", 1_790_000_002)


def keep(home: Path, *words: object) -> str:
    return run_inside(
        "folkmoot-node", "evaluate", home / "evaluation.toml", "--for-rounds", DATE,
        "--home", home, *words,
    ).said()  # fmt: skip


@pytest.fixture(scope="module")
def made(scored_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 households, 60 of them in the band high on the date, and other 60 today."""
    home = tmp_path_factory.mktemp("outcomes") / "home"
    shutil.copytree(scored_home, home)
    mapping = events_mapping("homeless", file="housing.csv", column="Applied", recorded="Recorded")
    (home / "mappings" / "housing.toml").write_text(mapping)
    with (home / "node.toml").open("a") as stream:
        stream.write(source_tables("housing"))
    with (home / "risk-policy.toml").open("a") as stream:
        stream.write(ATTRIBUTES)
    days = {**dict.fromkeys(APPLIED, "2026-07-01"), **dict.fromkeys(BEFORE, "2026-05-01")}
    days |= dict.fromkeys(LATER, "2026-09-30")
    events = [f"{FIRST + at},{day},{day}" for at, day in days.items()]
    (home / "extracts" / "housing.csv").write_text("\n".join(["UPRN,Recorded,Applied", *events]))
    (home / "evaluation.toml").write_text(EVALUATION)
    may_ask(home)
    score_with(home, OWED_THEN)
    with open_home(home):
        keep(home)
    score_with(home, OWES_NOW)
    return home


@pytest.fixture
def stage_(made: Path, tmp_path: Path) -> Iterator[Stage]:
    with set_up(made, tmp_path) as stage:
        yield stage


def exact(node: NodeHome, round_: Round) -> np.ndarray:
    with node.open_store_for_round(round_) as store:
        (table,) = tabulate(store, round_, COUNCIL)._tables
    return table


def test_it_is_counted_as_known_then_and_paid_for_as_any_other(stage_: Stage) -> None:
    round_ = question(stage_.home)
    with open_home(stage_.home) as node:
        release = read(answer(stage_, node, round_))
        assert release.as_of == datetime.date.fromisoformat(DATE)
        values = np.array(release.counts.values)
        # At this loss noise is small beside one household.
        assert np.abs(values - measured(round_.plan(COUNCIL), THEN)).max() < 4
        assert node.ledger.debit_of(round_.round_id).rho == round_.loss
        assert node.verify_evidence()


def test_the_date_of_its_counts_is_the_past_one(stage_: Stage) -> None:
    round_ = question(stage_.home)
    with open_home(stage_.home) as node:
        learn(stage_, node, round_)
        with node.open_store_for_round(round_) as store:
            assert store.run.reference_date == datetime.date.fromisoformat(DATE)
        statement = describe(node, node.round_book().resolve(round_.round_id))
    assert "as they were known on 31 May 2026" in statement.as_text()
    assert statement.as_json()["known_on"] == DATE
    assert statement.objection is None


def test_a_round_without_an_outcome_is_counted_as_known_today(stage_: Stage) -> None:
    """Also by a factor's levels: of today they are."""
    round_ = question(stage_.home, attributes=(BAND, HARDSHIP))
    with open_home(stage_.home) as node:
        assert exact(node, round_).tolist() == [240, 0, 0, 60]
        with node.open_store_for_round(round_) as store:
            assert store.run.known_on is None
            owing = store.household(FIRST + min(OWES_NOW))
    assert owing["band"] == 1


def test_without_households_of_a_past_date_it_waits_and_is_not_refused(stage_: Stage) -> None:
    home = stage_.home
    with open_home(home) as node:
        round_ = question(home)
        learn(stage_, node, round_)
        known = node.round_book().resolve(round_.round_id)
        node.config.snapshot_path.unlink()
        with pytest.raises(Problem, match="what happened after a past date") as caught:
            answer_round(node, known)
        assert caught.value.exit_code is ExitCode.DATA
        assert "evaluate FILE --for-rounds DATE" in caught.value.remedy
        assert "what happened after a past date" in describe(node, known).obstacle
        assert node.outbox.find(round_.round_id) is None
        assert node.ledger.debit_of(round_.round_id) is None
        facts = json.loads(keep(home, "--json"))
        assert (facts["known_on"], facts["outcomes"]) == (DATE, {"homeless": "2026-08-31"})
        assert answer_round(node, known).reason is None


def test_what_is_deleted_while_it_is_counted_answers_nothing(stage_: Stage) -> None:
    """Else a record that stops the run which deletes it would choose what the round gets."""
    home = stage_.home
    round_ = question(home)

    def begin_another(step: AnswerStage) -> None:
        if step is AnswerStage.SAMPLED:
            (home / "store" / "snapshot-households.duckdb").unlink()

    with open_home(home, observe=begin_another) as node:
        learn(stage_, node, round_)
        known = node.round_book().resolve(round_.round_id)
        with pytest.raises(Problem, match="were deleted while the answer was made") as caught:
            answer_round(node, known)
        assert caught.value.exit_code is ExitCode.DATA
        assert node.outbox.find(round_.round_id) is None
    keep(home)
    with open_home(home) as node:
        assert answer_round(node, known).reason is None
        assert node.ledger.debit_of(round_.round_id).rho == round_.loss
        assert node.verify_evidence()


def test_status_and_doctor_say_which_rounds_wait_and_how_that_ends(stage_: Stage) -> None:
    home = stage_.home
    round_ = question(home)
    with open_home(home) as node:
        learn(stage_, node, round_)
        path = node.config.snapshot_path

    def looked() -> tuple[dict[str, object], list[str], Finding]:
        found = json.loads(run_inside("folkmoot-node", "status", "--json", "--home", home).said())
        with open_home(home) as node:
            [check] = run_checks([past_households_check(node)])
        wanted = [one["what"] for one in found["needs"] if one["command"] == check.command]
        return found["for_rounds"], wanted, check

    kept, wanted, check = looked()
    assert (kept["known_on"], kept["policy_is_current"], kept["rounds_waiting"]) == (DATE, True, [])
    assert (wanted, check.state, check.command) == ([], State.OK, "")
    assert f"households as known on {DATE}, for rounds until {kept['usable_until']}" in check.what
    path.unlink()
    kept, wanted, check = looked()
    assert (kept["known_on"], kept["rounds_waiting"]) == (None, [round_.round_id])
    assert (len(wanted), check.state) == (1, State.WARN)
    assert round_.round_id[:12] in wanted[0]
    assert round_.round_id[:12] in check.what
    screen = run_inside("folkmoot-node", "status", "--home", home).said()
    assert re.search(
        r"^Past date +no households kept for rounds; rounds that wait: 1", screen, re.M
    )
    assert check.command == "folkmoot-node evaluate FILE --for-rounds DATE"
    assert check in list(examine(home, offline=True)), "doctor says it too"
    keep(home)
    assert looked()[1:] == ([], dataclasses.replace(check, state=State.OK, what=ANY, remedy=""))
    with (home / "risk-policy.toml").open("a") as stream:
        stream.write("\n# Amended.\n")
    kept, wanted, check = looked()
    assert (kept["policy_is_current"], check.state) == (False, State.WARN)
    assert "by another policy than the one in node.toml" in wanted[0]


def test_status_says_when_they_are_over_and_must_go(stage_: Stage) -> None:
    later = int(time.time()) + 91 * DAY
    found = node_status(stage_.home, lambda: later)
    assert "folkmoot-node purge" in {one.command for one in found.needs if DATE in one.what}


def test_it_waits_where_they_are_by_another_policy_or_kept_too_long(stage_: Stage) -> None:
    home = stage_.home
    later = int(time.time()) + 91 * DAY
    with open_home(home, clock=lambda: later) as node:
        round_ = question(home, deadline=later + DAY)
        learn(stage_, node, round_)
        with pytest.raises(Problem, match="kept for 90 days") as caught:
            answer_round(node, node.round_book().resolve(round_.round_id))
        assert "--for-rounds" in caught.value.remedy
    with (home / "risk-policy.toml").open("a") as stream:
        stream.write("\n# Amended.\n")
    with open_home(home) as node:
        round_ = question(home, 2)
        learn(stage_, node, round_)
        with pytest.raises(Problem, match="by another policy") as caught:
            answer_round(node, node.round_book().resolve(round_.round_id))
        assert "--for-rounds" in caught.value.remedy


@pytest.mark.parametrize(
    ("changes", "reason", "detail"),
    [
        (
            {"attributes": (BAND, Attribute("homeless", ("no", "yes", "maybe")))},
            RefusalReason.CODE, "published codes: no, yes, unknown",
        ),
        (
            {"attributes": (HOMELESS, Attribute("tenure", ("owned", "rented")))},
            RefusalReason.ATTRIBUTE, "'tenure'",
        ),
        ({"policy_digest": bytes(32)}, RefusalReason.POLICY_DIGEST, "expects risk policy"),
        ({"purpose": "something_else"}, RefusalReason.PURPOSE, "something_else"),
    ],
)  # fmt: skip
def test_what_policies_do_not_permit_is_refused_as_in_any_round(
    stage_: Stage, changes: dict[str, object], reason: RefusalReason, detail: str
) -> None:
    round_ = question(stage_.home, **changes)
    with open_home(stage_.home) as node:
        learn(stage_, node, round_)
        known = node.round_book().resolve(round_.round_id)
        assert detail in describe(node, known).objection
        assert answer_round(node, known).reason is reason
        assert node.ledger.debit_of(round_.round_id) is None


def test_a_series_has_no_outcomes(stage_: Stage) -> None:
    """It counts month by month from the scores of each, which know nothing of them."""
    of_series = in_series(1)
    series = dataclasses.replace(of_series.series, counting_digest=None)
    round_ = question(stage_.home, series=series, deadline=of_series.deadline)
    with open_home(stage_.home) as node:
        learn(stage_, node, round_)
        known = node.round_book().resolve(round_.round_id)
        assert "a series counts from the scores of each month" in describe(node, known).objection
        assert answer_round(node, known).reason is RefusalReason.ATTRIBUTE


def test_a_person_approves_it_where_the_policy_says_so(stage_: Stage) -> None:
    ask_for_approval(stage_)
    round_ = question(stage_.home)
    with open_home(stage_.home) as node:
        learn(stage_, node, round_)
        known = node.round_book().resolve(round_.round_id)
        assert answer_round(node, known) is None
        run_inside("folkmoot-node", "approve", round_.round_id, "--home", stage_.home).said()
        assert answer_round(node, known).reason is None


def test_who_is_withheld_since_is_not_counted(stage_: Stage) -> None:
    decision = Decision(objection="o1", decided_on=datetime.date(2026, 6, 1), withhold=True)
    with open_home(stage_.home) as node:
        open_corrections(node.config).add(FIRST, decision, {})
        expected = THEN.copy()
        expected[1, 1, 1] -= 1
        assert exact(node, question(stage_.home)).tolist() == expected.ravel().tolist()


def test_a_resident_who_asks_is_told_what_is_kept_as_long_as_it_is(stage_: Stage) -> None:
    home = stage_.home
    words = "explain", FIRST, "--home", home, "--subject-access"
    decision = Decision(objection="o1", decided_on=datetime.date(2026, 6, 1), withhold=True)
    with open_home(home) as node:
        open_corrections(node.config).add(FIRST, decision, {})
        config = node.config

    def looks() -> int:
        with open_home(home) as node:
            return len(list(node.audit.entries(("subject access request answered",))))

    said = run_inside("folkmoot-node", *words).said()
    assert "council_tax_arrears: 0" in said, "of today"
    for line in (
        f"As known on {DATE}, worked out on ",
        "Band: high",
        "Homeless, within 3 months after that date: yes",
        "Hardship, level of financial hardship: yes",
        "it is in no count",
    ):
        assert line in said
    assert "Kept for" not in run_inside("folkmoot-node", *words[:-1]).said(), "staff's own look"
    assert looks() == 1
    config.store_path.unlink()
    assert "Homeless, within 3 months" in run_inside("folkmoot-node", *words).said()
    found = json.loads(run_inside("folkmoot-node", *words, "--json").said())
    codes = {one["name"]: one["code"] for one in found["kept_for_rounds"]["attributes"]}
    assert codes == {**codes, "band": "high", "homeless": "yes", "hardship": "yes"}
    assert found["kept_for_rounds"]["known_on"] == DATE
    assert "no household has been scored yet" in found["no_score"]
    assert "kept for rounds about a past date, also where there is no score" in help_of(
        "folkmoot-node", "explain"
    )
    assert looks() == 3
    config.snapshot_path.unlink()
    run_inside("folkmoot-node", *words).said(ExitCode.DATA)
    assert looks() == 3


def test_the_catalogue_offers_it_with_its_codes(stage_: Stage) -> None:
    with open_home(stage_.home) as node:
        offered = catalogue_here(node).attributes
    assert offered["homeless"] == ("no", "yes", "unknown")
    assert offered["hardship"] == ("no", "yes", "unknown")


def test_they_are_kept_as_long_as_scores_and_leave_with_the_node(stage_: Stage) -> None:
    home = stage_.home
    with open_home(home, clock=lambda: int(time.time()) + 91 * DAY) as node:
        path, key = node.config.snapshot_path, node.config.key_file.read_bytes()
        journal = path.with_name(path.name + ".wal")
        journal.touch()
        doomed_paths = {one.path for one in doomed(node.config)}
        assert {f"store/{one.name}" for one in (path, journal)} <= doomed_paths
        found = [one for one in expired(node) if one.kind is Kind.SNAPSHOT]
        assert [one.path for one in found] == [path]
        assert "kept for 90 days" in found[0].why
        purged = purge(node, expired(node), "a test")
        assert not path.exists()
        assert not journal.exists()
        assert purged.key_replaced
        assert node.config.key_file.read_bytes() != key


def test_they_are_backed_up_and_their_key_no_longer_than_they_may_be_kept(
    stage_: Stage, tmp_path: Path
) -> None:
    own = tmp_path / "own.key"
    settings = BackupSettings(recipients=(make_key(own),), folder=tmp_path / "backups", keep=2)
    who = Operator("tester", 1000)
    settings.folder.mkdir()
    with open_home(stage_.home) as node:
        node.config.store_path.unlink()
        made = back_up(node, settings, who, store_key=True)
        with open_snapshot(node.config) as snapshot:
            kept_until = end_of_keeping(snapshot.run, node.risk_policy()).last_day
        assert made.about.expires == kept_until
    names: list[str] = []
    read_backup(made.written.path, own, take=lambda name, content: names.append(name))
    assert "store/snapshot-households.duckdb" in names
    with open_home(stage_.home, clock=lambda: int(time.time()) + 91 * DAY) as node:
        with pytest.raises(Problem, match="past their retention") as caught:
            back_up(node, settings, who, store_key=True)
        assert "purge" in caught.value.remedy


def test_the_key_stays_while_they_are_there(stage_: Stage) -> None:
    with open_home(stage_.home, clock=lambda: int(time.time()) + 91 * DAY) as node:
        scores = tuple(one for one in expired(node) if one.kind is Kind.SCORES)
        assert scores
        assert not purge(node, scores, "a test").key_replaced


def test_the_key_stays_while_others_are_being_made(stage_: Stage) -> None:
    """Nothing of them may be in a file yet, but the key was read."""
    with open_home(stage_.home, clock=lambda: int(time.time()) + 91 * DAY) as node:
        with only_user(node.config.snapshot_path, "in use", ""):
            purged = purge(node, expired(node), "a test")
        assert {one.kind for one in purged.deleted} >= {Kind.SCORES, Kind.SNAPSHOT}
        assert not purged.key_replaced


def test_the_command_says_what_is_kept_and_the_audit_log_who_kept_it(stage_: Stage) -> None:
    home = stage_.home
    said = " ".join(keep(home).split())
    assert "300 households are kept as they were known on 2026-05-31." in said
    assert "Outcomes: homeless (until 2026-08-31)." in said
    assert "as known then: band, lsoa, hardship." in said
    assert "read as they are today: council_tax." in said
    with open_home(home) as node:
        actions = ("snapshot for rounds begun", "snapshot for rounds kept")
        entries = [dict(one.body) for one in node.audit.entries(actions)]
    assert [one["action"] for one in entries[-2:]] == [*actions]
    assert {one["known_on"] for one in entries} == {DATE}
    assert not any(str(300) in str(one) for one in entries)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--for-rounds", "2026-06-01"), ExitCode.USAGE, "is no date of"),
        (("--for-rounds", "yesterday"), ExitCode.USAGE, "yesterday"),
        (("--for-rounds", DATE, "--html", "page.html"), ExitCode.USAGE, "no page"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    stage_: Stage, words: tuple[str, ...], code: ExitCode, says: str
) -> None:
    home = stage_.home
    file = home / "evaluation.toml"
    done = run_inside("folkmoot-node", "evaluate", file, *words, "--home", home)
    assert done.code == code
    assert says in done.stderr


def test_it_is_by_the_policy_by_which_rounds_are_counted(stage_: Stage) -> None:
    home = stage_.home
    (home / "next.toml").write_text((home / "risk-policy.toml").read_text() + "\n# Next.\n")
    file = home / "evaluation.toml"
    file.write_text('policy = "next.toml"\n' + file.read_text())
    words = ("evaluate", file, "--for-rounds", DATE, "--home", home)
    done = run_inside("folkmoot-node", *words)
    assert done.code == ExitCode.SETTINGS
    assert "by that of node.toml" in done.stderr
    run_inside("folkmoot-node", "pause", "--reason", "an incident", "--home", home).said()
    assert run_inside("folkmoot-node", *words).code == ExitCode.REFUSED


def test_where_an_approved_dossier_is_required_nothing_is_kept_without_one(stage_: Stage) -> None:
    """Rounds are counted from it: it is a scoring run, and stops as one."""
    home = stage_.home
    with (home / "node.toml").open("a") as file:
        file.write("\n[scrutiny]\nrequire_approved = true\n")
    before = home / "store" / "snapshot-households.duckdb"
    kept = before.read_bytes()
    words = ("evaluate", home / "evaluation.toml", "--for-rounds", DATE, "--home", home)
    assert "nobody has approved a dossier" in run_inside("folkmoot-node", *words).said(
        ExitCode.REFUSED
    )
    assert before.read_bytes() == kept
    assert "requires an approved dossier, exit code 5 while there is none" in help_of(
        "folkmoot-node", "evaluate"
    )
    with open_home(home) as node:
        begun = list(node.audit.entries(("snapshot for rounds begun",)))
    assert len(begun) == 1  # of the one before
