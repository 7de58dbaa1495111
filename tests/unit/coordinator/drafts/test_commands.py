"""`round open` by two people, on the command line."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.drafts import people
from folkmoot_operator import accounts
from folkmoot_operator.accounts import Operator
from tests.commands import Done, run_inside

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


@pytest.fixture
def home(tmp_path: Path) -> Path:
    place = tmp_path / "region"
    run_inside(
        "folkmoot-coordinator", "init", "--home", place, "--name", "North", "--host", "127.0.0.1"
    ).said()
    return place


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "winter.toml"
    path.write_text(ROUND)
    return path


def signed_in(monkeypatch: pytest.MonkeyPatch, login: str) -> None:
    """Who the operating system says has signed in before `sudo`."""
    operator = Operator("folkmoot", 999, login=login)
    monkeypatch.setattr(people, "current_operator", lambda: operator)
    monkeypatch.setattr(audit_log, "current_operator", lambda: operator)
    assert accounts.current_operator is not None


def set_second_person(home: Path, more: str = "") -> None:
    settings = home / "coordinator.toml"
    text = settings.read_text().replace("# second_person = true", "second_person = true")
    settings.write_text(text.replace("# approvers = ", f"{more}# approvers = "))


def run(home: Path, *arguments: object, expect: int = 0) -> str:
    done: Done = run_inside("folkmoot-coordinator", *arguments, "--home", home)
    return done.said(expect)


def read(home: Path, *arguments: object) -> Any:
    return json.loads(run(home, *arguments, "--json"))


def test_without_the_setting_a_command_opens_at_once(home: Path, file: Path) -> None:
    assert read(home, "round", "open", file)["round_id"]
    assert not (home / "viewer.sqlite").exists()


def test_a_round_is_opened_by_two_people(
    home: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_second_person(home)
    signed_in(monkeypatch, "ann")
    said = run(home, "round", "open", file)
    assert "no council is asked yet" in said
    assert "somebody other than ann has to approve the draft" in said
    assert read(home, "round", "list") == []
    [draft] = read(home, "round", "drafts")
    assert draft["waiting_for"]["who"] == "somebody other than ann"
    assert f"round approve {draft['draft_id'][:12]}" in said
    assert "waiting for a second" in " ".join(run(home, "round", "drafts").split())
    shown = read(home, "round", "draft", "show", draft["draft_id"])
    assert shown["question"]["rho"] == 0.2
    assert shown["question"]["councils"] == ["E08000009"]
    text = run(home, "round", "draft", "show", draft["draft_id"][:5])
    assert "rho: 0.2" in text
    assert draft["digest"] in text
    own = run(home, "round", "approve", draft["draft_id"], expect=5)
    assert "somebody else must approve it" in own
    signed_in(monkeypatch, "ben")
    other = run(home, "round", "approve", draft["draft_id"], "--digest", "zz", expect=5)
    assert "was changed" in other
    done = read(home, "round", "approve", draft["draft_id"][:8], "--digest", draft["digest"][:10])
    [opened] = read(home, "round", "list")
    assert done["round_id"] == opened["round_id"]
    assert done["state"] == "opened"
    assert read(home, "round", "drafts") == []
    assert [one["draft_id"] for one in read(home, "round", "drafts", "--all")] == [
        draft["draft_id"]
    ]
    [entry] = read(home, "audit", "show", "--action", "round opened")
    assert entry["asked_by"] == "ann (machine account)"
    assert entry["approved_by"] == "ben (machine account)"
    assert "is opened" in run(home, "round", "approve", draft["draft_id"], expect=5)


def test_a_draft_is_refused_or_withdrawn(
    home: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_second_person(home)
    signed_in(monkeypatch, "ann")
    first, second = (read(home, "round", "open", file)["draft_id"] for _ in range(2))
    signed_in(monkeypatch, "ben")
    done = read(home, "round", "draft", "refuse", first, "--reason", "Ask for wards")
    assert (done["state"], done["note"]) == ("refused", "Ask for wards")
    assert "is withdrawn" in run(home, "round", "draft", "withdraw", second)
    assert "There is no draft" in run(home, "round", "drafts")
    states = {one["draft_id"]: one["state"] for one in read(home, "round", "drafts", "--all")}
    assert states == {first: "refused", second: "withdrawn"}
    assert read(home, "round", "list") == []


def test_only_some_may_approve(home: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_second_person(home, 'approvers = ["cy"]\n')
    signed_in(monkeypatch, "ann")
    draft = read(home, "round", "open", file)
    assert draft["waiting_for"]["who"] == "one of cy"
    signed_in(monkeypatch, "ben")
    assert "not among those" in run(home, "round", "approve", draft["draft_id"], expect=5)
    signed_in(monkeypatch, "cy")
    assert "is open" in run(home, "round", "approve", draft["draft_id"])


def test_what_is_not_open_yet_is_not_waited_for(home: Path, file: Path) -> None:
    set_second_person(home)
    assert "no round to wait for" in run(home, "round", "open", file, "--wait", expect=2)
    assert read(home, "round", "drafts", "--all") == []
    assert "no such draft" in run(home, "round", "approve", "ff", expect=2)


def test_a_series_is_opened_by_two_people(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_second_person(home)
    signed_in(monkeypatch, "ann")
    file = tmp_path / "months.toml"
    until = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=99)
    file.write_text(
        ROUND.replace("attributes = []", 'attributes = ["band"]')
        + '[[attributes]]\nname = "band"\ncodes = ["low", "high"]\n'
        + f"[series]\nrounds = 3\nuntil = {until}\n"
        + 'event = { attribute = "band", codes = ["high"] }\n'
    )
    draft = read(home, "series", "open", file)
    signed_in(monkeypatch, "ben")
    run(home, "round", "approve", draft["draft_id"])
    run(home, "round", "close", "latest")
    # Whoever approved the first has approved the same question for all.
    assert read(home, "series", "next")["series"]["position"] == 2
