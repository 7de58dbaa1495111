"""A council that requires an approved dossier scores and releases only what was approved."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from region import SOURCES, TRAFFORD
from stage import Stage, ask
from typer.testing import CliRunner

from folkmoot import round_codec
from folkmoot.geography import GssCode
from folkmoot_coordinator.scrutiny.public_facts import read_public_facts
from folkmoot_node.answering.event import Event
from folkmoot_node.answering.visit import poll
from folkmoot_node.cli import app
from folkmoot_node.evidence.scoring_runs import BEGUN
from folkmoot_node.home import open_home
from folkmoot_node.scrutiny.approval import approve as enter
from folkmoot_node.scrutiny.gate import require_approved_release
from folkmoot_node.scrutiny.gather.configuration import gather_configuration
from folkmoot_node.scrutiny.permission import permit_release, permit_run
from folkmoot_node.settings.node_toml import load_config
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.problems import ExitCode, Problem
from tests.commands import Done, help_of, run_inside
from tests.dossier_schemas import path_of

Change = Callable[[Path], None]
BY = ("--by", "A. Singh, director", "--reason", "read by the board")


def node(stage: Stage, *arguments: object) -> Done:
    return run_inside("folkmoot-node", *arguments, "--home", stage.home)


def approve(stage: Stage) -> None:
    """As the command does, without starting plugins: the gate compares nothing of theirs."""
    with open_home(stage.home) as home:
        base = gather_configuration(home)
        enter(home, base, base, BY[1], BY[3], current_operator())


def visit(home: Path) -> list[Event]:
    with open_home(home, permit=permit_release) as opened, opened.connect() as client:
        return list(poll(opened, client))


def require(home: Path, *lines: str) -> None:
    with (home / "node.toml").open("a") as file:
        file.write("\n".join(["", "[scrutiny]", "require_approved = true", *lines, ""]))


def replaced(name: str, before: str, after: str) -> Change:
    def change(home: Path) -> None:
        path = home / name
        text = path.read_text()
        assert before in text
        path.write_text(text.replace(before, after, 1))

    return change


def add_source(home: Path) -> None:
    with (home / "node.toml").open("a") as file:
        file.write(SOURCES.replace('"council_tax"', '"rents"'))


def one_line(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def asked(stage: Stage) -> Stage:
    require(stage.home)
    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    return stage


CHANGES: dict[str, tuple[Change, str]] = {
    "new_source": (add_source, "The source rents was added"),
    "new_factor": (
        replaced(
            "risk-policy.toml",
            "[[bands]]",
            '[[factors]]\nfactor = "lives_alone"\nweight = 5\n\n[[bands]]',
        ),
        "The factor lives_alone was added",
    ),
    "weight_changed": (
        replaced("risk-policy.toml", "weight = 100", "weight = 120"),
        "was 100, and is 120 (20% more)",
    ),
    "sunset_moved": (
        replaced("risk-policy.toml", "2099-12-31", "2099-12-01"),
        "was 31 December 2099, and is 1 December 2099 (30 days earlier)",
    ),
}


@pytest.mark.slow  # plugins are started, and households scored
def test_without_an_approval_nothing_goes_on(asked: Stage) -> None:
    assert "nobody has approved" in node(asked, "score").said(ExitCode.REFUSED)
    assert "requires an approved dossier, also while there is none" in help_of(
        "folkmoot-node", "score"
    )
    (told,) = [one for one in visit(asked.home) if one.is_problem]
    assert "nobody has approved" in told.text
    assert "dossier approve" in told.text
    assert asked.coordinator.submissions == asked.coordinator.refusals == []
    assert "nobody has approved" in node(asked, "dossier", "diff").said(ExitCode.DATA)
    assert "nobody has approved" in node(
        asked, "dossier", "public", "--out", asked.home / "p"
    ).said(ExitCode.DATA)
    node(asked, "score", "--try").said()  # a trial keeps nothing
    words = ["dossier", "approve", *BY, "--home", str(asked.home)]
    question = CliRunner().invoke(app, words, input="n\n")
    assert "Nothing was approved before." in question.stderr
    assert "nobody has approved" in node(asked, "dossier", "diff").said(ExitCode.DATA)
    node(asked, "dossier", "approve", *BY, "--yes").said()
    node(asked, "score").said()
    visit(asked.home)
    assert len(asked.coordinator.submissions) == 1


@pytest.mark.parametrize("stop", CHANGES)
def test_a_change_stops_both_until_it_is_approved_or_undone(asked: Stage, stop: str) -> None:
    approve(asked)
    change, words = CHANGES[stop]
    files = {name: (asked.home / name).read_text() for name in ("node.toml", "risk-policy.toml")}
    change(asked.home)
    said = one_line(node(asked, "score").said(ExitCode.REFUSED))
    for expected in (words, f"({stop})", "A. Singh, director approved", "nothing is scored"):
        assert expected in said
    assert "folkmoot-node dossier diff" in said
    (told,) = [one for one in visit(asked.home) if one.is_problem]
    assert words in told.text
    assert f"({stop})" in told.text
    assert asked.coordinator.submissions == asked.coordinator.refusals == []
    with open_home(asked.home) as home:
        assert home.audit.last((BEGUN,)) is None  # rounds do not wait for a run that never began
    for name, text in files.items():  # undone
        (asked.home / name).write_text(text)
    permit_run(load_config(asked.home))
    change(asked.home)
    approve(asked)
    permit_run(load_config(asked.home))


def test_once_a_change_is_approved_rounds_are_answered(asked: Stage) -> None:
    approve(asked)
    add_source(asked.home)
    assert any("rents" in one.text for one in visit(asked.home))
    assert asked.coordinator.submissions == []
    shown = json.loads(node(asked, "dossier", "diff", "--json").said())
    stops = {one["key"]: one["stop"] for one in shown["changes"]}
    assert stops["sources.rents"] == "new_source"
    approve(asked)
    visit(asked.home)
    assert len(asked.coordinator.submissions) == 1


def test_what_is_not_listed_does_not_stop_and_is_told(asked: Stage) -> None:
    approve(asked)
    policy = asked.home / "risk-policy.toml"
    policy.write_text(policy.read_text() + "\n[retention]\nscores_days = 30\n")
    said = one_line(node(asked, "dossier", "diff", "--check").said(ExitCode.REFUSED))
    assert "was 90, and is 30 (67% less)." in said
    assert "STOPS" not in said
    permit_run(load_config(asked.home))
    toml = asked.home / "node.toml"
    toml.write_text(toml.read_text() + 'stops = ["any_change"]\n')
    with pytest.raises(Problem, match="was 90, and is 30"):
        permit_run(load_config(asked.home))


def test_another_policy_on_the_command_line_is_compared(asked: Stage, tmp_path: Path) -> None:
    approve(asked)
    other = tmp_path / "other.toml"
    other.write_text((asked.home / "risk-policy.toml").read_text().replace("2099", "2098", 1))
    said = node(asked, "score", "--policy", other, "--replace").said(ExitCode.REFUSED)
    assert "sunset_moved" in said


def test_scores_by_a_policy_that_was_never_approved_are_not_released(asked: Stage) -> None:
    approve(asked)
    with (
        open_home(asked.home, permit=permit_release) as home,
        pytest.raises(Problem, match="in no approved dossier"),
    ):
        require_approved_release(home, bytes(32))


def test_while_the_answers_are_not_signed_as_they_stand_nothing_goes_on(asked: Stage) -> None:
    approve(asked)
    answers = asked.home / "scrutiny.toml"
    text = f'schema = 1\ncouncil = "{TRAFFORD}"\nversion = 1\n'
    for written, words in (
        (text, "is not signed"),
        (text + '\n[owner]\nname = "J. Okafor"\n', "was changed after it was signed"),
    ):
        answers.write_text(written)
        assert words in one_line(node(asked, "score").said(ExitCode.SETTINGS))
        (told,) = [one for one in visit(asked.home) if one.is_problem]
        assert words in told.text
        assert asked.coordinator.submissions == asked.coordinator.refusals == []
        answers.write_text(text)
        node(asked, "scrutiny", "sign", "--signer", BY[1]).said()
    with open_home(asked.home) as home:
        assert home.audit.last((BEGUN,)) is None
    visit(asked.home)
    assert len(asked.coordinator.submissions) == 1
    policy = asked.home / "release-policy.toml"
    policy.write_text(policy.read_text() + "\n# Winter.\n")
    assert "was changed after it was signed" in node(asked, "score").said(ExitCode.SETTINGS)


def test_a_program_that_does_not_compare_answers_nothing(asked: Stage) -> None:
    approve(asked)
    with open_home(asked.home) as home, home.connect() as client:
        (told,) = [one for one in poll(home, client) if one.is_problem]
    assert "does not compare" in told.text
    assert asked.coordinator.submissions == []


def test_a_serve_that_began_before_sees_what_changes_meanwhile(asked: Stage) -> None:
    approve(asked)
    with open_home(asked.home, permit=permit_release) as home, home.connect() as client:
        add_source(asked.home)
        (told,) = [one for one in poll(home, client) if one.is_problem]
    assert "The source rents was added" in told.text
    assert asked.coordinator.submissions == []


def test_what_was_approved_is_in_the_log_and_believed_only_as_it_was(asked: Stage) -> None:
    folder = asked.home.parent / "documents"
    folder.mkdir()
    (folder / "atrs.json").write_text("{}")
    made = json.loads(
        node(asked, "dossier", "approve", *BY, "--yes", "--documents", folder, "--json").said()
    )
    with open_home(asked.home) as home:
        (entry,) = home.audit.entries(("dossier approved",))
    assert entry.body["facts_sha256"] == made["facts_sha256"]
    assert entry.body["decided_by"] == "A. Singh, director"
    assert list(entry.body["documents"]) == ["atrs.json"]
    for path in (asked.home / "scrutiny" / "approved").iterdir():
        path.write_bytes(path.read_bytes().replace(b"E08000009", b"E08000001"))
    assert "not what was approved" in node(asked, "score").said(ExitCode.VERIFICATION)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [(("--by", " ", "--reason", "x"), "--by"), (("--by", "A", "--reason", ""), "--reason")],
)
def test_an_approval_without_a_name_or_reason_is_refused(
    stage: Stage, wrong: tuple[str, ...], said: str
) -> None:
    assert said in node(stage, "dossier", "approve", *wrong, "--yes").said(ExitCode.USAGE)
    with open_home(stage.home) as home:
        assert home.audit.last(("dossier approved",)) is None


@pytest.mark.slow  # plugins are started, and households scored
def test_the_public_page_of_a_real_council(asked: Stage) -> None:
    node(asked, "dossier", "approve", *BY, "--yes").said()
    visit(asked.home)
    assert len(asked.coordinator.submissions) == 1
    out = asked.home.parent / "public"
    node(asked, "dossier", "public", "--out", out, "--address", "https://example.gov.uk/s").said()
    page, body = (out / "index.html").read_text(), json.loads((out / "facts.json").read_text())
    (release,) = body["releases"]
    assert release["sha256"] in page
    assert "The system has changed" not in page
    assert body["versions"][0]["reason"] == "read by the board"
    assert b"https://example.gov.uk/s/feed.atom" in (out / "feed.atom").read_bytes()
    add_source(asked.home)
    assert "not as it was approved" in node(asked, "dossier", "public", "--out", out).stderr
    assert "The source rents was added" in (out / "index.html").read_text()
    node(asked, "dossier", "approve", *BY, "--yes").said()
    node(asked, "dossier", "public", "--out", out).said()
    body = json.loads((out / "facts.json").read_text())
    assert body["changes_since_approval"] == []
    schema = json.loads(path_of("public-facts").read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(body)
    council = GssCode(body["council"])
    assert read_public_facts((out / "facts.json").read_bytes(), council, "facts.json")
    assert "The source rents was added" in body["versions"][1]["changes"][0]["words"]


def test_the_gate_reads_no_score_and_starts_no_plugin(
    asked: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    approve(asked)
    config = load_config(asked.home)

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError

    monkeypatch.setattr("folkmoot_node.home.NodeHome.open_store", never)
    monkeypatch.setattr("folkmoot_kit.hosting.ConfinedSource.__init__", never)
    config.store_path.unlink()
    permit_run(config)
