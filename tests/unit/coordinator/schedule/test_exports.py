"""Closed rounds are exported by themselves, and again when a result is withdrawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from folkmoot.geography import GssCode
from folkmoot_coordinator.clock import DAY
from folkmoot_coordinator.drafts.decisions import submit_once, withdraw_draft
from folkmoot_coordinator.drafts.drafts import DraftState, list_drafts, save_once
from folkmoot_coordinator.drafts.opening import PROGRAM, open_drafts
from folkmoot_coordinator.rounds.question import read_question
from folkmoot_coordinator.rounds.retention import delete_old_counts
from folkmoot_coordinator.rounds.withdrawal import withdraw
from folkmoot_coordinator.schedule import exports
from folkmoot_coordinator.schedule.exports import failed_exports
from folkmoot_coordinator.schedule.reminders import ReminderKind, reminders
from tests.unit.coordinator.aggregation.test_cumulative import whole
from tests.unit.coordinator.schedule.conftest import DAILY

if TYPE_CHECKING:
    from folkmoot_coordinator.rounds.round_store import StoredRound
    from tests.unit.coordinator.schedule.conftest import Planned

BOLTON, BURY = GssCode("E08000001"), GssCode("E08000002")
EXPORT = '[schedule]\nexport = "published"\n'


def closed(planned: Planned) -> StoredRound:
    stored = planned.office.open()
    planned.office.release(stored, BOLTON)
    planned.office.release(stored, BURY)
    return planned.office.again(stored)


def set_export(planned: Planned, folder: str = "published") -> Path:
    planned.set(EXPORT.replace("published", folder), planned.settings.viewer.database)
    return planned.home.path / folder


def metadata(folder: Path, stored: StoredRound) -> dict[str, object]:
    file = folder / f"round-{stored.round_.round_id[:12]}.json"
    return json.loads(file.read_text())  # type: ignore[no-any-return]


def test_a_closed_round_is_exported_once(planned: Planned) -> None:
    folder = set_export(planned)
    planned.office.open()
    stored = closed(planned)
    done = planned.work()
    assert [name for name in done if name.startswith("export")] == [
        f"export {stored.round_.round_id}"
    ]
    assert metadata(folder, stored)["region"] == "Greater Manchester"
    assert (folder / f"round-{stored.round_.round_id[:12]}.csv").exists()
    assert planned.due() == []


def test_without_the_setting_nothing_is_written(planned: Planned) -> None:
    closed(planned)
    assert not any(name.startswith("export") for name in planned.work())


def test_a_withdrawn_result_is_exported_again_and_says_so(planned: Planned) -> None:
    folder = set_export(planned)
    stored = closed(planned)
    planned.work()
    assert metadata(folder, stored)["withdrawn"] is None
    withdraw(planned.database, stored.round_.round_id, "an old extract", planned.clock())
    planned.work()
    assert metadata(folder, stored)["withdrawn"] is not None
    assert planned.due() == []


def test_later_months_of_a_series_are_exported_again(planned: Planned) -> None:
    folder = set_export(planned)
    rounds = whole(planned.office)
    planned.work()
    assert len(list(folder.glob("series-*.json"))) == len(rounds)
    withdraw(planned.database, rounds[1].round_.round_id, "an old extract", planned.clock())
    done = planned.work()
    again = {name.removeprefix("export ") for name in done if name.startswith("export")}
    assert again == {one.round_.round_id for one in rounds[1:]}
    said = {
        json.loads(path.read_text())["withdrawn"] is not None
        for path in folder.glob("series-*-01.json")
    }
    assert said == {False}


def test_an_export_that_fails_is_told_and_tried_again(planned: Planned) -> None:
    folder = set_export(planned)
    folder.write_text("a file in the place of the folder")
    stored = closed(planned)
    done = planned.work()[f"export {stored.round_.round_id}"]
    assert done.is_problem
    assert list(failed_exports(planned.database)) == [stored.round_.round_id]
    told = reminders(planned.database, planned.settings, planned.clock())
    assert [one.key for one in told if one.kind is ReminderKind.EXPORT] == [stored.round_.round_id]
    assert planned.due() == []
    folder.unlink()
    planned.clock.now += exports.RETRY_SECONDS
    assert not planned.work()[f"export {stored.round_.round_id}"].is_problem
    assert failed_exports(planned.database) == {}


def test_counts_that_are_gone_are_not_missed(planned: Planned) -> None:
    stored = closed(planned)
    planned.tomorrow()
    delete_old_counts(planned.database, 1, planned.clock())
    set_export(planned)
    assert not any(name.startswith("export") for name in planned.work())
    assert stored.closed_at is not None


def test_files_that_can_no_longer_say_so_are_a_failure(planned: Planned) -> None:
    set_export(planned)
    stored = closed(planned)
    planned.work()
    planned.tomorrow()
    delete_old_counts(planned.database, 1, planned.clock())
    withdraw(planned.database, stored.round_.round_id, "an old extract", planned.clock())
    planned.work()
    [why] = failed_exports(planned.database).values()
    assert "no longer kept" in why
    assert "delete them" in why
    planned.clock.now += exports.RETRY_SECONDS
    assert planned.due() == [], "no attempt can succeed"


def test_files_that_are_in_another_folder_now_are_not_missed_without_counts(
    planned: Planned,
) -> None:
    set_export(planned)
    closed(planned)
    planned.work()
    planned.tomorrow()
    delete_old_counts(planned.database, 1, planned.clock())
    set_export(planned, "elsewhere")
    assert not any(name.startswith("export") for name in planned.work())
    assert failed_exports(planned.database) == {}


def test_another_folder_gets_the_files_too(planned: Planned) -> None:
    set_export(planned)
    stored = closed(planned)
    planned.work()
    folder = set_export(planned, "elsewhere")
    planned.work()
    assert metadata(folder, stored)


def test_what_is_kept_no_longer_goes_once_a_day(planned: Planned) -> None:
    url = planned.settings.viewer.database
    planned.office_text = planned.office_text.replace("[retention]", "[retention]\ndrafts_days = 5")
    planned.set(DAILY, url)
    closed(planned)
    drafts = open_drafts(planned.home, planned.settings)
    question = read_question(planned.question)
    for origin in ("one", "two"):
        draft = save_once(drafts, question, PROGRAM, planned.clock(), origin)
        submit_once(drafts, draft, PROGRAM, planned.clock())
    withdraw_draft(drafts, draft.draft_id, PROGRAM, planned.clock())
    assert planned.work()["clean-up"].text == "deleted drafts: 0"
    assert "clean-up" not in planned.work()
    planned.clock.now += 6 * DAY
    assert planned.work()["clean-up"].text == "deleted drafts: 1"
    assert [one.state for one in list_drafts(drafts)] == [DraftState.WAITING]
    drafts.close()
