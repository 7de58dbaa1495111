"""Rounds that open by themselves: each time once, and what goes wrong is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.drafts.decisions import approve
from folkmoot_coordinator.drafts.drafts import DraftState, find_draft, list_drafts, question_of
from folkmoot_coordinator.drafts.opening import DraftOpener, open_drafts
from folkmoot_coordinator.drafts.people import AccountKind, Person
from folkmoot_coordinator.operations.doctor import examine
from folkmoot_coordinator.rounds.closing import close_round
from folkmoot_coordinator.rounds.progress import summaries
from folkmoot_coordinator.rounds.round_store import find_round
from folkmoot_coordinator.schedule import recurring
from folkmoot_coordinator.schedule.jobs import Kind
from folkmoot_coordinator.schedule.recurring import DueState, last_outcome, open_due
from folkmoot_coordinator.schedule.reminders import ReminderKind, reminders
from folkmoot_operator.checks import State
from folkmoot_operator.problems import ExitCode, Problem
from tests.unit.coordinator.schedule.conftest import DAILY, ROUND, SERIES

if TYPE_CHECKING:
    from tests.unit.coordinator.schedule.conftest import Planned


def opened(planned: Planned) -> int:
    return len(summaries(planned.database))


def state_of(planned: Planned) -> DueState:
    found = last_outcome(planned.database, "winter")
    assert found is not None
    return found.state


def two_people(planned: Planned) -> None:
    url = planned.settings.viewer.database
    planned.office_text = planned.office_text.replace("# second_person", "second_person")
    planned.set(DAILY, url)


def close_all(planned: Planned) -> None:
    for one in summaries(planned.database):
        close_round(planned.database, one.round_id, planned.clock())


def test_it_opens_at_its_times_and_once_each(planned: Planned) -> None:
    planned.work()  # the first look: what was due before the entry was written is not opened
    assert (opened(planned), state_of(planned)) == (0, DueState.BEGUN)
    for day in range(1, 4):
        planned.tomorrow()
        done = planned.work()["open winter"]
        assert "is open" in done.text
        assert not done.is_problem
        assert opened(planned) == day
        assert not [one for one in planned.due() if one.kind is Kind.OPEN]
    entries = list(audit_log.entries(planned.database, ("round opened",)))
    assert len({entry.body["origin"] for entry in entries}) == 3
    assert {entry.body["by"] for entry in entries} == {"schedule winter"}


def test_what_was_missed_is_made_up_for_once(planned: Planned) -> None:
    planned.work()
    planned.tomorrow(24 * 10)
    planned.work()
    assert opened(planned) == 1
    planned.work()
    assert opened(planned) == 1


def test_a_crash_before_it_is_written_down_opens_no_second_round(
    planned: Planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned.work()
    planned.tomorrow()

    class Crash(BaseException):
        pass

    def crash(*_: Any) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(recurring, "_note", crash)
        with pytest.raises(Crash):
            planned.work()
    assert opened(planned) == 1
    assert "is open" in planned.work()["open winter"].text
    assert opened(planned) == 1


def test_a_fault_of_its_file_stops_it_until_that_is_corrected(planned: Planned) -> None:
    planned.work()
    planned.tomorrow()
    planned.question.write_text(ROUND.replace("rho = 0.2", "rho = 0"))
    done = planned.work()["open winter"]
    assert done.is_problem
    assert "has stopped" in done.text
    for _ in range(3):
        planned.tomorrow()
        assert "open winter" not in planned.work()
    [told] = [one for one in reminders(planned.database, planned.settings, planned.clock())
              if one.kind is ReminderKind.STOPPED]  # fmt: skip
    assert "winter has stopped" in told.text
    planned.question.write_text(ROUND)
    assert "is open" in planned.work()["open winter"].text
    assert opened(planned) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [("E08000002", "E99999999"), ("deadline_hours = 1", "deadline = 2020-01-01T00:00:00Z")],
)
def test_the_rules_of_round_open_hold(planned: Planned, old: str, new: str) -> None:
    planned.work()
    planned.tomorrow()
    planned.question.write_text(ROUND.replace(old, new))
    assert planned.work()["open winter"].is_problem
    assert (opened(planned), state_of(planned)) == (0, DueState.FAILED)


def test_doctor_shows_what_has_stopped(planned: Planned) -> None:
    if planned.settings.viewer.database:
        return  # `examine` reads the settings of the home, whose region is in SQLite

    def findings() -> list[tuple[State, str]]:
        return [
            (one.state, one.what)
            for one in examine(planned.home, planned.clock)
            if one.name == "schedule"
        ]

    [(state, text)] = findings()
    assert state is State.OK
    assert "winter opens next at" in text
    planned.work()
    planned.tomorrow()
    planned.question.unlink()
    [(state, text)] = findings()
    assert state is State.FAIL, "before it is due"
    planned.work()
    [(state, text)] = findings()
    assert state is State.FAIL
    assert "winter has stopped" in text
    planned.question.write_text(ROUND)
    assert findings()[0][0] is State.OK


def test_what_may_pass_is_tried_again(planned: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
    planned.work()
    planned.tomorrow()

    def unreachable(*_: Any, **__: Any) -> None:
        raise Problem("the disk is full", remedy="Make room", exit_code=ExitCode.UNREACHABLE)

    with monkeypatch.context() as patch:
        patch.setattr(recurring, "open_planned", unreachable)
        assert "is tried again" in planned.work()["open winter"].text
    assert state_of(planned) is DueState.RETRY
    assert "open winter" not in planned.work()
    planned.clock.now += recurring.RETRY_SECONDS
    assert "is open" in planned.work()["open winter"].text
    assert opened(planned) == 1


def test_councils_of_the_entry_are_asked(planned: Planned) -> None:
    url = planned.settings.viewer.database
    planned.set(DAILY + 'councils = ["E08000002"]\n', url)
    planned.work()
    planned.tomorrow()
    planned.work()
    assert find_round(planned.database, "latest").round_.councils == ("E08000002",)
    planned.set(DAILY + 'councils = "all"\n', url)
    planned.tomorrow()
    done = planned.work()["open winter"]
    assert "no council has enrolled" in done.text


def test_a_series_goes_on_by_itself(planned: Planned) -> None:
    planned.question.write_text(ROUND + SERIES)
    planned.work()
    positions = []
    for _ in range(3):
        planned.tomorrow()
        planned.work()
        series = find_round(planned.database, "latest").round_.series
        assert series is not None
        positions.append((series.position, series.series_id))
        close_all(planned)
    assert [position for position, _ in positions] == [1, 2, 3]
    assert len({series_id for _, series_id in positions}) == 1
    planned.tomorrow()
    done = planned.work()["open winter"]
    assert "has ended" in done.text
    assert state_of(planned) is DueState.FAILED
    outcome = last_outcome(planned.database, "winter")
    assert outcome is not None
    assert "write one with another name" in outcome.detail
    again = DAILY.replace('"winter"', '"next-winter"')
    planned.set(again, planned.settings.viewer.database)
    planned.work()
    planned.tomorrow()
    planned.work()
    series = find_round(planned.database, "latest").round_.series
    assert series is not None
    assert (series.position, series.series_id != positions[0][1]) == (1, True)


def test_the_next_round_of_a_series_waits_for_the_one_before(planned: Planned) -> None:
    planned.question.write_text(ROUND + SERIES)
    planned.work()
    planned.tomorrow()
    planned.work()
    planned.tomorrow()
    assert "is open until" in planned.work()["open winter"].text
    assert (opened(planned), state_of(planned)) == (1, DueState.RETRY)
    close_all(planned)
    planned.clock.now += recurring.RETRY_SECONDS
    planned.work()
    assert opened(planned) == 2


def test_where_two_people_ask_it_writes_a_draft(planned: Planned) -> None:
    two_people(planned)
    planned.question.write_text(ROUND + SERIES)
    planned.work()
    planned.tomorrow()
    assert "waits for a second person" in planned.work()["open winter"].text
    drafts = open_drafts(planned.home, planned.settings)
    [draft] = list_drafts(drafts)
    assert (draft.state, draft.author.name) == (DraftState.WAITING, "schedule winter")
    assert question_of(drafts, draft).file.title == "Winter"
    assert opened(planned) == 0
    planned.tomorrow()
    assert "waits for a second person" in planned.work()["open winter"].text
    assert len(list_drafts(drafts)) == 1, "the series has one beginning"
    told = reminders(planned.database, planned.settings, planned.clock(), drafts)
    assert [one.key for one in told if one.kind is ReminderKind.DRAFT] == [draft.draft_id]
    ben = Person("ben", AccountKind.WEB)
    approve(drafts, draft.draft_id, ben, draft.digest, planned.clock())
    opener = DraftOpener(planned.home, planned.database, planned.office.signing, planned.clock)
    opener.look()
    opener.close()
    assert find_draft(drafts, draft.draft_id).state is DraftState.OPENED
    close_all(planned)
    planned.clock.now += recurring.RETRY_SECONDS
    planned.work()
    series = find_round(planned.database, "latest").round_.series
    assert series is not None
    assert series.position == 2, "whoever approved the first has approved them all"
    drafts.close()


def test_a_draft_is_written_once_for_each_time(planned: Planned) -> None:
    two_people(planned)
    planned.work()
    planned.tomorrow()
    [job] = [one for one in planned.due() if one.kind is Kind.OPEN]
    [entry] = planned.settings.schedule.rounds
    first, second = (
        open_due(
            planned.database, planned.home, planned.settings, entry, job.due_at, planned.clock()
        )
        for _ in range(2)
    )
    assert first.detail == second.detail
    drafts = open_drafts(planned.home, planned.settings)
    assert len(list_drafts(drafts)) == 1
    drafts.close()


def test_an_entry_that_was_taken_away_is_not_opened(planned: Planned) -> None:
    planned.work()
    planned.tomorrow()
    planned.set("", planned.settings.viewer.database)
    assert [one for one in planned.due() if one.kind is Kind.OPEN] == []


def test_deadlines_and_openings_are_told_ahead(planned: Planned) -> None:
    planned.work()
    planned.tomorrow()
    planned.work()
    told = reminders(planned.database, planned.settings, planned.clock())
    assert [one.kind for one in told] == [ReminderKind.DEADLINE, ReminderKind.OPENING]
    deadline, opening = told
    assert deadline.at == planned.clock() + 3600
    assert deadline.waits_for == ("E08000001", "E08000002")
    assert opening.at is not None
    assert deadline.at < opening.at <= planned.clock() + 86_400
    stored = find_round(planned.database, "latest")
    planned.office.release(stored, stored.round_.councils[0])
    [deadline] = reminders(planned.database, planned.settings, planned.clock(), days=0) or [
        reminders(planned.database, planned.settings, planned.clock())[0]
    ]
    assert deadline.waits_for == ("E08000002",)
    assert "1 of 2 councils have not answered" in deadline.text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (DAILY.replace("0 6 * * *", "0 6 * *"), "5 fields"),
        (DAILY.replace('"UTC"', '"Mars/North"'), "not a time zone"),
        (DAILY.replace('"winter"', '"Winter 1"'), "form"),
        (DAILY + DAILY[DAILY.index("[[") :], "two rounds are named"),
        (DAILY + 'councils = ["Bolton"]\n', "councils"),
        ('[prefect]\nurl = "http://prefect.example"\n', "https://"),
    ],
)
def test_settings_that_are_wrong(planned: Planned, text: str, says: str) -> None:
    with pytest.raises(Problem, match=says) as caught:
        planned.set(text, planned.settings.viewer.database)
    assert caught.value.exit_code is ExitCode.SETTINGS


def test_the_name_of_what_tidies_is_no_entry(planned: Planned) -> None:
    from folkmoot_coordinator.schedule.tidying import CLEAN_UP

    with pytest.raises(Problem):
        planned.set(DAILY.replace('"winter"', f'"{CLEAN_UP}"'), planned.settings.viewer.database)
