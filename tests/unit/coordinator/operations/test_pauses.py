"""A coordinator that people have stopped, and its register of incidents."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.database import pauses as region_pauses
from folkmoot_coordinator.database.pauses import PauseWatch, pause, paused, resume
from folkmoot_coordinator.rounds.progress import summaries
from folkmoot_coordinator.rounds.round_store import open_round
from folkmoot_coordinator.schedule.jobs import due_jobs
from folkmoot_operator.problems import ExitCode, Problem
from tests.commands import run_inside
from tests.unit.coordinator.conftest import small_round

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office

WHY = 'we are looking into "May"'


def test_no_round_is_opened(office: Office) -> None:
    pause(office.database, office.clock, WHY)
    with pytest.raises(Problem) as caught:
        open_round(office.database, office.signing, small_round())
    assert caught.value.exit_code is ExitCode.REFUSED
    assert WHY in str(caught.value)
    assert "folkmoot-coordinator resume --reason" in caught.value.remedy
    assert summaries(office.database) == []
    resume(office.database, office.clock, "settled")
    open_round(office.database, office.signing, small_round())
    assert len(summaries(office.database)) == 1


def test_it_lasts_and_is_in_the_audit_log(office: Office) -> None:
    first = pause(office.database, office.clock, WHY)
    office.clock.now += 5
    assert pause(office.database, office.clock, "another") == first
    assert paused(office.database) == first
    [entry] = audit_log.entries(office.database, ("paused",))
    assert entry.body["reason"] == WHY
    resume(office.database, office.clock, "settled")
    with pytest.raises(Problem, match="is not paused"):
        resume(office.database, office.clock, "settled")
    audit_log.verify(office.database)


def test_a_reason_that_looks_like_an_entry_is_a_reason(office: Office) -> None:
    pause(office.database, office.clock, WHY)
    resume(office.database, office.clock, '"action":"paused"')
    assert paused(office.database) is None


def test_the_schedule_waits(office: Office) -> None:
    pause(office.database, office.clock, WHY)
    settings = office.home.settings()
    jobs = list(due_jobs(office.database, office.home, settings, office.clock()))
    assert [str(job) for job in jobs if not str(job).startswith("clean")] == []


def test_what_many_threads_ask_is_a_second_old_at_most(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = PauseWatch(office.database)
    assert watch.pause() is None
    pause(office.database, office.clock, WHY)
    assert watch.pause() is None
    now = region_pauses.time.monotonic() + region_pauses.LOOK_SECONDS
    monkeypatch.setattr(region_pauses.time, "monotonic", lambda: now)
    found = watch.pause()
    assert found is not None
    assert found.reason == WHY


def test_the_commands(office: Office) -> None:
    def said(*arguments: str) -> str:
        return run_inside("folkmoot-coordinator", *arguments, "--home", office.home.path).said()

    assert WHY in said("pause", "--reason", WHY)
    again = json.loads(said("pause", "--reason", "x", "--json"))
    assert (again["reason"], again["already"]) == (WHY, True)
    told = said("pause", "--reason", "x")
    assert f"the coordinator was already paused since {again['since']}: {WHY}" in told
    assert "goes on" in said("resume", "--reason", "settled")
    said("incident", "add", "--what", "a result was wrong", "--happened", "2020-01-01")
    said("incident", "told", "1", "--whom", "councils", "--by", "analyst")
    [one] = json.loads(said("incident", "list", "--json"))
    assert (one["number"], one["told"][0]["whom"]) == (1, "councils")
    assert "Incident 1 is closed" in said("incident", "close", "1", "--outcome", "withdrawn")
    assert said("incident", "list", "--open").strip() == "There is no such incident."
    out = office.home.path / "incidents.json"
    said("incident", "export", "--out", str(out))
    assert json.loads(out.read_text())["register"]["incidents"][0]["outcome"] == "withdrawn"
