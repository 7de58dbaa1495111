"""`folkmoot-node evaluate` at a council with a past: plugins, extracts and commands are real."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from folkmoot_node.evaluation import back_test
from folkmoot_node.evaluation.evaluation_file import EvaluationFile
from folkmoot_node.evaluation.first_file import first_file
from folkmoot_node.evaluation.reporting import needed
from folkmoot_node.evaluation.snapshot import Snapshot
from folkmoot_node.home import open_home
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.problems import ExitCode
from folkmoot_operator.settings import load
from tests.commands import Done, run_inside
from tests.evaluated_council import GROUPS, HOUSEHOLDS, make_council


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_council(tmp_path_factory.mktemp("council"))


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """A home of the test's own, with the evaluation file of the documentation."""
    own = tmp_path / "home"
    shutil.copytree(made, own)
    (own / "evaluation.toml").write_text(first_file())
    return own


def evaluate(home: Path, *words: object) -> Done:
    return run_inside("folkmoot-node", "evaluate", home / "evaluation.toml", *words, "--home", home)


def one_date(home: Path) -> None:
    """Leaves one date in the file, for tests to which figures matter little."""
    change(home, "dates = [2025-10-01, 2025-11-01, 2025-12-01]", "dates = [2025-12-01]")


def change(home: Path, old: str, new: str) -> None:
    path = home / "evaluation.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def looks(home: Path) -> list[dict[str, Any]]:
    with open_home(home) as node:
        return [dict(entry.body) for entry in node.audit.entries()]


@pytest.fixture(scope="module")
def report(made: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, Path]:
    """What the command prints in 80 columns, its page, and the home where it has run."""
    own = tmp_path_factory.mktemp("reported") / "home"
    shutil.copytree(made, own)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "80")
        (own / "evaluation.toml").write_text(first_file())
        before = {path: path.read_bytes() for path in files(own)}
        text = evaluate(own, "--html", own / "report.html").said()
    after = set(files(own)) - {own / "report.html"}
    # No scores are left anywhere; which files of outcomes were read is noted for their retention.
    assert after - set(before) <= {*own.glob("state.sqlite*"), own / "store" / "outcomes-read.json"}
    return text, (own / "report.html").read_text(), own


def files(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file()]


def test_it_says_what_would_have_been_found(report: tuple[str, str, Path]) -> None:
    text, page, own = report
    lines, _, place = text.rpartition("The page is in ")
    assert place.strip() == str(own / "report.html")
    assert max(map(len, lines.splitlines())) <= 80
    assert len(lines.splitlines()) <= 100
    words = " ".join(text.split())
    for sentence in (
        "scored as the households were known on 3 dates from 1 October 2025 to 1 December 2025.",
        "homelessness, within 6 months Does the score find need?",
        "With 200 visits:",
        "council_tax_arrears alone",
        "--all prints them",
        "It is not differentially private.",
    ):
        assert sentence in words
    assert all(group in page for group in GROUPS[:2])
    assert "Records that were not read, since they are dated later" in page


def test_the_page_is_private(report: tuple[str, str, Path]) -> None:
    assert (report[2] / "report.html").stat().st_mode & 0o777 == 0o600


def test_the_audit_log_says_who_looked_at_what_and_no_figure(
    report: tuple[str, str, Path],
) -> None:
    home = report[2]
    [entry] = looks(home)
    assert entry["action"] == "policy evaluated"
    content = (home / "evaluation.toml").read_bytes()
    assert entry["evaluation_sha256"] == hashlib.sha256(content).hexdigest()
    with open_home(home) as node:
        assert entry["policy_sha256"] == node.risk_policy().digest.hex()
        node.audit.verify()
    digests = {"evaluation_sha256", "policy_sha256"}
    assert set(entry) == {"action", *digests, *current_operator().as_body()}


def test_the_policy_finds_what_the_records_hold(home: Path) -> None:
    """Arrears make the event more likely, in truth, so that the score does better than chance."""
    one_date(home)
    found = json.loads(evaluate(home, "--json").said())
    [outcome] = found["dates"][0]["outcomes"]
    assert outcome["households"] == HOUSEHOLDS
    assert outcome["figures"]["ranking"]["auc_interval"]["low"] > 0.55
    assert found["read"][0]["leaks"] == []
    assert found["dates"][0]["left_out"]["council_tax"] == HOUSEHOLDS  # the extract of 28 December


def test_it_is_the_same_for_a_seed(home: Path) -> None:
    one_date(home)
    once, again = evaluate(home, "--json").said(), evaluate(home, "--json").said()
    assert once == again
    other = json.loads(evaluate(home, "--json", "--seed", "2").said())
    assert other["seed"] == 2
    first = json.loads(once)
    ranking = first["dates"][0]["outcomes"][0]["figures"]["ranking"]
    changed = other["dates"][0]["outcomes"][0]["figures"]["ranking"]
    assert changed["auc"] == ranking["auc"]
    assert changed["average_precision_interval"] != ranking["average_precision_interval"]


def test_the_policy_of_the_file_is_beside_it(home: Path) -> None:
    one_date(home)
    (home / "other").mkdir()
    text = (home / "risk-policy.toml").read_text()
    (home / "other" / "next.toml").write_text(text.replace("2026", "2027"))
    change(home, '# policy = "risk-policy.toml" ', 'policy = "other/next.toml" ')
    assert json.loads(evaluate(home, "--json").said())["policy"] == "Winter support 2027"


def test_a_horizon_beyond_the_data_is_refused_and_still_in_the_log(home: Path) -> None:
    change(home, "2025-12-01]", "2026-03-01]")
    done = evaluate(home)
    assert done.code == ExitCode.DATA
    assert "The last date that can be judged over 6 months is 2025-12-3" in done.stderr
    assert [entry["action"] for entry in looks(home)] == ["policy evaluated"]


def test_while_the_node_is_paused_nothing_is_scored(home: Path) -> None:
    run_inside("folkmoot-node", "pause", "--reason", "an incident", "--home", home).said()
    done = evaluate(home)
    assert done.code == ExitCode.REFUSED
    assert "an incident" in done.stderr
    assert "policy evaluated" not in [entry["action"] for entry in looks(home)]


def test_a_pause_in_the_middle_ends_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = back_test.snapshots

    def snapshots(*words: Any, **more: Any) -> Iterator[Snapshot]:
        for at, one in enumerate(real(*words, **more)):
            if not at:
                run_inside(
                    "folkmoot-node", "pause", "--reason", "an incident", "--home", home
                ).said()
            yield one

    monkeypatch.setattr(back_test, "snapshots", snapshots)
    done = evaluate(home)
    assert done.code == ExitCode.REFUSED
    assert done.stdout == ""


def test_after_the_policy_has_ended_nothing_is_scored(home: Path) -> None:
    path = home / "risk-policy.toml"
    path.write_text(path.read_text().replace("sunset = 2099-03-31", "sunset = 2026-01-31"))
    assert evaluate(home).code == ExitCode.REFUSED


def test_an_unknown_key_is_named(home: Path) -> None:
    change(home, "capacity", "capasity")
    done = evaluate(home)
    assert done.code == ExitCode.SETTINGS
    assert "capacity" in done.stderr
    assert looks(home) == []


def test_an_event_that_ends_what_is_observed_is_refused(home: Path) -> None:
    change(home, "months = 6", 'months = 6\nmoved_away = "homelessness_application"')
    done = evaluate(home)
    assert done.code == ExitCode.SETTINGS
    assert "cannot be an event and the end" in done.stderr


def test_a_missing_file_is_said_with_the_way_to_one(home: Path) -> None:
    done = run_inside("folkmoot-node", "evaluate", home / "a b.toml", "--home", home)
    assert done.code == ExitCode.SETTINGS
    assert f"`folkmoot-node evaluate '{home / 'a b.toml'}' --init`" in done.stderr


def test_init_writes_a_file_for_the_nodes_sources_that_runs_as_it_stands(home: Path) -> None:
    path = home / "evaluation.toml"
    path.unlink()
    said = evaluate(home, "--init").said()
    assert "how many households can the council visit?" in said
    text = path.read_text()
    assert path.stat().st_mode & 0o077 == 0
    found = load(EvaluationFile, path)
    assert "QUESTION" in text
    assert found.capacity == (HOUSEHOLDS // 100,)
    assert [*found.outcomes] == ["homelessness_application"]
    assert found.undated == ()
    # Housing reaches to 30 June, and council tax begins on 28 August.
    assert list(map(str, found.dates)) == ["2025-09-30", "2025-12-31"]
    assert "homelessness_application, within 6 months\n" in evaluate(home).said()


def test_init_accepts_undated_sources_by_name_and_leaves_out_what_cannot_be_judged(
    home: Path,
) -> None:
    for source in ("council_tax", "housing"):
        path = home / "mappings" / f"{source}.toml"
        lines = path.read_text().splitlines()
        kept = [line for line in lines if not line.startswith("record_date")]
        path.write_text("\n".join(kept).replace('"latest"', '"first"') + "\n")
    housing = home / "mappings" / "housing.toml"
    event = housing.read_text().partition("[fields.")[2].partition("]")[2]
    for name, column in (("moved_out", "Applied"), ("evicted", "Never")):
        with housing.open("a") as file:
            file.write(f"[fields.{name}]{event.replace('Applied', column)}")
    extract = home / "extracts" / "housing.csv"
    rows = extract.read_text().splitlines()
    extract.write_text("\n".join([f"{rows[0]},Never", *(f"{row}," for row in rows[1:])]) + "\n")
    (home / "evaluation.toml").unlink()
    evaluate(home, "--init").said()
    found = load(EvaluationFile, home / "evaluation.toml")
    assert found.undated == ("council_tax",)
    assert {one.moved_away for one in found.outcomes.values()} == {"moved_out"}
    assert "homelessness_application, within 6 months\n" in evaluate(home).said()


def test_init_says_where_there_are_no_outcomes_and_where_there_is_no_node(
    home: Path, tmp_path: Path
) -> None:
    path = home / "mappings" / "housing.toml"
    path.write_text(path.read_text().replace("outcome = true", ""))
    (home / "evaluation.toml").unlink()
    said = evaluate(home, "--init").said()
    assert "no source of this node declares an outcome" in said
    assert (home / "evaluation.toml").read_text() == first_file()
    (tmp_path / "elsewhere").mkdir()
    assert "is no node" in evaluate(tmp_path / "elsewhere", "--init").said()


def test_init_says_that_no_date_can_be_judged(home: Path) -> None:
    extract = home / "extracts" / "housing.csv"
    rows = [row for row in extract.read_text().splitlines() if row[-10:] < "2025-10-01"]
    extract.write_text("\n".join(["UPRN,Recorded,Applied", *rows]) + "\n")
    (home / "evaluation.toml").unlink()
    done = evaluate(home, "--init")
    assert done.code == ExitCode.DATA
    assert "no date can be judged over 6 months" in done.stderr
    assert not (home / "evaluation.toml").exists()


def test_the_file_of_the_documentation_is_valid_and_init_replaces_none(home: Path) -> None:
    path = home / "evaluation.toml"
    assert load(EvaluationFile, path).outcomes["homelessness"].months == 6
    path.write_text("mine")
    done = evaluate(home, "--init")
    assert done.code == ExitCode.USAGE
    assert path.read_text() == "mine"


@pytest.mark.parametrize("name", ["nowhere/report.html", "extracts"])
def test_a_place_where_no_page_can_be_is_said_before_work_begins(home: Path, name: str) -> None:
    assert evaluate(home, "--html", home / name).code == ExitCode.SETTINGS
    assert looks(home) == []


def test_a_page_is_not_written_through_a_link(home: Path, tmp_path: Path) -> None:
    (tmp_path / "other.html").write_text("theirs")
    (home / "report.html").symlink_to(tmp_path / "other.html")
    assert evaluate(home, "--html", home / "report.html").code == ExitCode.USAGE
    assert (tmp_path / "other.html").read_text() == "theirs"


def test_missing_libraries_are_named_before_work_begins(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(needed, "find_spec", lambda name: None)
    done = evaluate(home, "--html", home / "report.html")
    assert done.code == ExitCode.USAGE
    assert "Altair, vl-convert, Jinja" in done.stderr
    assert looks(home) == []


def test_without_a_page_no_library_of_an_extra_is_needed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = ("altair", "jinja2", "scipy", "sklearn", "threadpoolctl", "vl_convert")
    for name in [name for name in sys.modules if name.partition(".")[0] in extra]:
        monkeypatch.delitem(sys.modules, name)
    for name in extra:
        monkeypatch.setitem(sys.modules, name, None)
    one_date(home)
    assert "homelessness, within 6 months\n" in evaluate(home).said()
