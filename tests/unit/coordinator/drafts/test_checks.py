"""What `doctor` says about drafts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from folkmoot_coordinator.drafts.checks import SOON_SECONDS, drafts
from folkmoot_coordinator.drafts.decisions import note_trouble
from folkmoot_operator.checks import Finding, State, examine

if TYPE_CHECKING:
    from tests.unit.coordinator.drafts.conftest import Desk


def look(desk: Desk, later: int = 0) -> list[Finding]:
    return list(examine([drafts(desk.office.home, desk.settings, desk.now + later)]))


def test_drafts_that_wait_for_people_are_counted(desk: Desk) -> None:
    desk.save()
    desk.waiting()
    [found] = look(desk)
    assert (found.state, found.what) == (State.OK, "1 waiting for a second person")


def test_an_approved_draft_that_nobody_opens_is_a_warning(desk: Desk) -> None:
    draft = desk.approved()
    assert [one.state for one in look(desk, SOON_SECONDS)] == [State.OK]
    warned, _ = look(desk, SOON_SECONDS + 1)
    assert warned.state is State.WARN
    assert "serve" in warned.remedy
    note_trouble(desk.drafts, draft.draft_id, "the disk is full")
    warned, _ = look(desk)
    assert "the disk is full" in warned.what


def test_a_database_of_a_later_version_is_a_fault(desk: Desk) -> None:
    from sqlalchemy import text

    with desk.drafts.writing() as session:
        session.execute(text("UPDATE drafts_version SET version_num = '9999'"))
    [found] = look(desk)
    assert found.state is State.FAIL
    assert "later version" in found.remedy


def test_nobody_has_written_a_draft(desk: Desk) -> None:
    if desk.settings.viewer.database:
        return  # there is no file
    desk.drafts.close()
    for path in desk.office.home.path.glob("viewer.sqlite*"):
        path.unlink()
    [found] = look(desk)
    assert (found.state, found.what) == (State.OK, "none was written yet")
    assert not desk.office.home.viewer_file.exists()
