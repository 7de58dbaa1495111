"""Residents answered by commands, and what casework purges by command and by itself."""

from __future__ import annotations

import json
import re
import stat
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from folkmoot_node.casework.opening.openings import REFUSED
from folkmoot_node.casework.rights.access_folder import DATA, PAGE
from folkmoot_node.casework.rights.retention import BY_RULE, PURGED
from folkmoot_node.casework.tidying import Tidying
from folkmoot_operator.problems import ExitCode
from tests.casework_council import CaseworkCouncil
from tests.casework_opening import restrict
from tests.casework_rights import flag, object_to
from tests.commands import Done, run_inside

SECRET = "Her sister Ann told us"
DAY = 86_400


@pytest.fixture
def council(council: CaseworkCouncil) -> CaseworkCouncil:
    """Commands have the machine's time."""
    council.clock.now = int(time.time())
    council.write_extracts()
    council.score()
    return council


def node(council: CaseworkCouncil, *words: object) -> Done:
    return run_inside("folkmoot-node", *words, "--home", council.home)


def entries(council: CaseworkCouncil, *actions: str) -> list[dict[str, object]]:
    return [dict(one.body) for one in council.desk().state.audit.entries(actions)]


def test_subject_access_in_one_command(council: CaseworkCouncil, tmp_path: Path) -> None:
    desk = council.desk()
    case_id = flag(council, desk, 8, why=SECRET)
    object_to(council, desk, case_id)
    desk.state.database.close()
    out = tmp_path / "answer"
    given = ("casework", "subject-access", council.uprn(8), "--reason", "A letter")
    done = node(council, *given, "--out", out)
    assert done.code == 0, done.stderr
    data = (out / DATA).read_text()
    assert str(council.uprn(8)) in data
    assert "Children's services" not in data, "a sensitive source waits for the review"
    assert SECRET not in data
    assert str(council.uprn(8)) not in done.stdout
    notes = tmp_path / "answer.review.json"
    assert stat.S_IMODE(notes.stat().st_mode) == 0o600
    review = json.loads(notes.read_text())
    assert any("Children's services" in one["text"] for one in review["texts"])
    for one in review["texts"]:
        one["show"] = one["text"] == SECRET
    notes.write_text(json.dumps(review))
    again = tmp_path / "again"
    done = node(council, *given, "--out", again, "--review", notes, "--json")
    assert done.code == 0, done.stderr
    assert SECRET in (again / PAGE).read_text()
    assert "We paid this in March" not in (again / PAGE).read_text()
    made = entries(council, "subject access folder made")
    assert [one["shown"] for one in made] == [0, 1]
    assert str(council.uprn(8)) not in str(made)
    assert node(council, *given, "--out", out).code == ExitCode.USAGE
    nothing = ("casework", "subject-access", 99_999_999_999, "--reason", "A letter")
    assert node(council, *nothing, "--out", tmp_path / "no").code == ExitCode.DATA


def test_a_notice_by_command(council: CaseworkCouncil) -> None:
    desk = council.desk()
    case_id = flag(council, desk, 0)
    desk.state.database.close()
    done = node(council, "casework", "notice", case_id, "--reason", "The tenant asked")
    assert done.code == 0, done.stderr
    assert "£2,600" in done.stdout
    assert "Do not hand it over" in done.stderr  # the node's account sees no sensitive source
    as_json = node(council, "casework", "notice", case_id, "--reason", "Asked again", "--json")
    assert json.loads(as_json.stdout)["complete"] is False
    missing = run_inside("folkmoot-node", "casework", "translations", "--json")
    assert set(json.loads(missing.stdout)["untranslated"]) == {"cy"}


def test_a_notice_of_a_case_that_is_not_there(council: CaseworkCouncil) -> None:
    done = node(council, "casework", "notice", "k3jx8m2n5p7q", "--reason", "A call")
    assert done.code == ExitCode.DATA
    assert "there is no such case, or you may not see it" in done.stderr


def test_rectify_and_erase_by_command(council: CaseworkCouncil) -> None:
    desk = council.desk()
    flag(council, desk, 0, why=SECRET)
    desk.state.database.close()
    base = ("casework", "rectify", council.uprn(0), "--reason", "A letter")
    rows = json.loads(node(council, *base, "--json").stdout)
    (row,) = (one for one in rows if one["text"] == SECRET)
    right = council.home.parent / "right.txt"
    right.write_text("The tenant rang\n")
    done = node(council, *base, "--reference", row["reference"], "--text", right)
    assert done.code == 0, done.stderr
    texts = [one["text"] for one in json.loads(node(council, *base, "--json").stdout)]
    assert "The tenant rang" in texts
    assert SECRET not in texts
    erase = ("casework", "erase", council.uprn(0), "--reason", "A letter")
    assert node(council, *erase, "--ground", "because", "--yes").code == ExitCode.USAGE
    done = node(council, *erase, "--ground", "no longer needed", "--yes", "--json")
    assert done.code == 0, done.stderr
    assert json.loads(done.stdout)["erased"]["cases"] >= 1
    assert any("next scoring run" in one for one in json.loads(done.stdout)["stays"])
    with council.desk().state.database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM casework_households")) == 0


def test_what_stands_in_the_way_is_named(council: CaseworkCouncil) -> None:
    desk = council.desk()
    object_to(council, desk, flag(council, desk, 0))
    desk.state.database.close()
    given = ("casework", "erase", council.uprn(0), "--reason", "A letter", "--ground", "objected")
    done = node(council, *given, "--yes")
    assert done.code == ExitCode.REFUSED
    assert "objection of the household is not answered" in done.stderr


def close_long_ago(council: CaseworkCouncil) -> None:
    desk = council.desk()
    case_id = flag(council, desk, 0)
    old = council.clock.now - desk.known.policy.retention.closed_cases_days * DAY - 10
    with desk.state.database.writing() as session:
        session.execute(
            text("UPDATE casework_cases SET state = 'closed', closed_at = :at WHERE case_id = :id"),
            {"at": old, "id": case_id},
        )
    desk.state.database.close()


def test_purge_reaches_casework(council: CaseworkCouncil) -> None:
    close_long_ago(council)
    would = json.loads(node(council, "purge", "--dry-run", "--json").stdout)
    assert would["casework"] == {"closed cases": 1}
    assert node(council, "purge", "--dry-run").stdout.strip().endswith("Nothing was.")
    assert entries(council, PURGED) == []
    done = node(council, "purge", "--yes", "--json")
    assert json.loads(done.stdout)["casework"] == {"closed cases": 1}
    (entry,) = entries(council, PURGED)
    assert str(entry["by"]).startswith("command of")
    assert node(council, "purge", "--yes").stdout.strip() == "Nothing is past its retention."


def test_the_site_purges_by_itself(council: CaseworkCouncil) -> None:
    close_long_ago(council)
    desk = council.desk()
    tidying = Tidying(desk, every=0.01)
    tidying.start()
    deadline = time.monotonic() + 30
    while not entries(council, PURGED) and time.monotonic() < deadline:
        time.sleep(0.05)
    tidying.stop()
    assert [one["by"] for one in entries(council, PURGED)] == [BY_RULE]
    assert not desk.cases.listed()


@pytest.mark.parametrize(
    "command",
    [
        ("subject-access", 0, "--out", "answer"),
        ("rectify", 0),
        ("erase", 0, "--ground", "objected", "--yes"),
    ],
)
def test_a_restricted_household_is_answered_by_who_may_see_it(
    council: CaseworkCouncil, tmp_path: Path, command: tuple[object, ...]
) -> None:
    desk = council.desk()
    restrict(council, desk, 0)
    desk.state.database.close()
    words = [council.uprn(0) if word == 0 else word for word in command]
    words = [tmp_path / "answer" if word == "answer" else word for word in words]
    done = node(council, "casework", *words, "--reason", "A letter")
    assert done.code == ExitCode.REFUSED, done.stderr
    assert "you may not see this household" in done.stderr
    assert "ask the person who restricts households" in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "answer").exists()
    assert [one["by"] for one in entries(council, REFUSED)]


def test_a_reason_that_names_somebody_is_refused(council: CaseworkCouncil, tmp_path: Path) -> None:
    case_id = flag(council, council.desk(), 0)
    for command in (
        ("subject-access", council.uprn(0), "--out", tmp_path / "answer"),
        ("rectify", council.uprn(0)),
        ("erase", council.uprn(0), "--ground", "objected", "--yes"),
        ("notice", case_id),
    ):
        done = node(council, "casework", *command, "--reason", "Call 0161 496 0000 first")
        assert done.code == ExitCode.USAGE
        assert "Leave out addresses" in done.stderr
    assert not (tmp_path / "answer").exists()
    log = re.sub(r"[0-9a-f]{64}", "", str(entries(council)))  # a key may hold any digits
    assert "0161" not in log
