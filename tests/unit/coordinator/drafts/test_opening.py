"""The coordinator opens approved drafts, each once, after checking everything again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, text

from folkmoot.rounds import ROUND_SIGNATURE_DOMAIN, RoundState
from folkmoot_coordinator.config import RoundSettings
from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.database.pauses import pause, resume
from folkmoot_coordinator.drafts import opening
from folkmoot_coordinator.drafts.decisions import decisions_of, submit_draft
from folkmoot_coordinator.drafts.drafts import DraftState, find_draft, waiting_for
from folkmoot_coordinator.drafts.models import DraftRow
from folkmoot_coordinator.drafts.opening import DraftOpener
from folkmoot_coordinator.rounds.policies import policy_of
from folkmoot_coordinator.rounds.progress import summaries
from folkmoot_coordinator.rounds.question import digest_of
from folkmoot_coordinator.rounds.round_store import find_round
from folkmoot_operator.problems import ExitCode, Problem
from tests.unit.coordinator.drafts.conftest import ROUND, question_in

if TYPE_CHECKING:
    from folkmoot_coordinator.drafts.drafts import Draft
    from tests.unit.coordinator.drafts.conftest import Desk


def state_of(desk: Desk, draft: Draft) -> tuple[DraftState, str]:
    found = find_draft(desk.drafts, draft.draft_id)
    return found.state, found.note


def test_an_approved_draft_becomes_a_signed_round(desk: Desk) -> None:
    draft = desk.approved()
    opener = desk.opener()
    assert [one.draft_id for one in opener.look()] == [draft.draft_id]
    found = find_draft(desk.drafts, draft.draft_id)
    stored = find_round(desk.office.database, "latest")
    assert (found.state, found.round_id) == (DraftState.OPENED, stored.round_.round_id)
    assert stored.state is RoundState.OPEN
    assert stored.round_.deadline == desk.now + 24 * 3600
    assert stored.round_.councils == ("E08000001", "E08000002")
    assert stored.code_names.of("lsoa")["E01000003"] == "Bury 001A"
    public = desk.office.signing._key.public_key()
    public.verify(stored.signature, ROUND_SIGNATURE_DOMAIN + stored.serialised)
    shown = policy_of(desk.office.database, stored.round_.policy_digest)
    assert shown is not None
    assert shown.name == "Winter support (rehearsal)"
    [entry] = audit_log.entries(desk.office.database, ("round opened",))
    assert entry.body["origin"] == f"draft {draft.draft_id}"
    assert entry.body["asked_by"] == "ann (web account)"
    assert entry.body["approved_by"] == "ben (web account)"
    assert entry.body["question"] == draft.digest.hex()
    assert opener.look() == []
    assert len(summaries(desk.office.database)) == 1


@pytest.mark.parametrize("end", ["draft", "waiting"])
def test_what_is_not_approved_is_not_opened(desk: Desk, end: str) -> None:
    desk.save() if end == "draft" else desk.waiting()
    assert desk.opener().look() == []
    assert summaries(desk.office.database) == []


def test_a_crash_before_writing_back_opens_no_second_round(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = desk.approved()

    class Crash(BaseException):
        pass

    def crash(*_: Any, **__: Any) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(opening, "end_opening", crash)
        with pytest.raises(Crash):
            desk.opener().look()
    assert state_of(desk, draft)[0] is DraftState.APPROVED
    [opened] = summaries(desk.office.database)
    desk.opener().look()
    found = find_draft(desk.drafts, draft.draft_id)
    assert (found.state, found.round_id) == (DraftState.OPENED, opened.round_id)
    assert len(summaries(desk.office.database)) == 1


@pytest.mark.parametrize("writes_back", [True, False])
def test_two_processes_open_one_round(
    writes_back: bool, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other opens it after this one has looked whether there is a round: none has failed."""
    draft = desk.approved()
    with monkeypatch.context() as patch:
        looked: list[str] = []
        original = opening.round_of_origin

        def look(database: Any, origin: str) -> str | None:
            found = original(database, origin)
            if not looked:
                looked.append(origin)
                with monkeypatch.context() as inner:
                    if not writes_back:
                        inner.setattr(opening, "end_opening", lambda *_, **__: None)
                    desk.opener().look()
            return found

        patch.setattr(opening, "round_of_origin", look)
        desk.opener().look()
    [opened] = summaries(desk.office.database)
    found = find_draft(desk.drafts, draft.draft_id)
    assert (found.state, found.round_id) == (DraftState.OPENED, opened.round_id)
    actions = [one.action.value for one in decisions_of(desk.drafts, draft.draft_id)]
    assert actions == ["submitted", "approved", "opened"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("UPDATE draft_decisions SET person = 'ann' WHERE action = 'approved'", "somebody else"),
        ("UPDATE draft_decisions SET digest = drafts_other WHERE action = 'approved'", "approved"),
        ("DELETE FROM draft_decisions WHERE action = 'approved'", "nobody has approved"),
        ("question", "does not have the digest"),
        ("both", "nobody has approved the question as it is now"),
    ],
)
def test_a_viewer_in_strange_hands_opens_nothing(desk: Desk, change: str, says: str) -> None:
    draft = desk.approved()
    with desk.drafts.writing() as session:
        if change in ("question", "both"):
            row = session.scalars(select(DraftRow)).one()
            row.question = row.question.replace('"rho":0.2', '"rho":9.0')
            if change == "both":
                row.digest = digest_of(row.question)
        else:
            other = "'x'" if session.get_bind().dialect.name == "sqlite" else "'\\x78'"
            session.execute(text(change.replace("drafts_other", other)))
    desk.opener().look()
    state, note = state_of(desk, draft)
    assert state is DraftState.REFUSED
    assert says in note
    assert summaries(desk.office.database) == []


def test_approvers_are_those_of_the_coordinators_settings(desk: Desk) -> None:
    draft = desk.approved()
    rounds = RoundSettings(approvers=("cy",))
    strict = replace(desk, settings=desk.settings.model_copy(update={"rounds": rounds}))
    strict.opener().look()
    state, note = state_of(desk, draft)
    assert state is DraftState.REFUSED
    assert "ben is not among those who may approve" in note


def test_the_settings_say_whether_a_second_person_is_needed(desk: Desk) -> None:
    alone = desk.save()
    submit_draft(desk.drafts, alone.draft_id, alone.author, desk.now, second_person=False)
    desk.opener().look()
    assert state_of(desk, alone)[0] is DraftState.REFUSED, "the viewer said that none is needed"
    alone = desk.save()
    submit_draft(desk.drafts, alone.draft_id, alone.author, desk.now, second_person=False)
    rounds = RoundSettings(second_person=False)
    lax = replace(desk, settings=desk.settings.model_copy(update={"rounds": rounds}))
    lax.opener().look()
    assert state_of(desk, alone)[0] is DraftState.OPENED


def test_the_rules_of_round_open_hold_at_the_opening(desk: Desk, tmp_path: Path) -> None:
    text_ = ROUND.replace("deadline_hours = 24", "deadline = 2027-01-16T00:00:00Z")
    late = replace(desk, question=question_in(tmp_path, text_)).approved()
    desk.office.clock.now += 30 * 86_400
    desk.opener().look()
    state, note = state_of(desk, late)
    assert state is DraftState.REFUSED
    assert "deadline" in note


def test_what_may_pass_is_tried_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = desk.approved()
    opener = desk.opener()

    def unreachable(*_: Any, **__: Any) -> None:
        raise Problem("the disk is full", remedy="Make room", exit_code=ExitCode.UNREACHABLE)

    with monkeypatch.context() as patch:
        patch.setattr(opening, "open_planned", unreachable)
        opener.look()
    state, note = state_of(desk, draft)
    assert (state, note) == (DraftState.APPROVED, "the disk is full")
    waiting = waiting_for(find_draft(desk.drafts, draft.draft_id))
    assert waiting is not None
    assert "the disk is full" in waiting.why
    assert opener.look() == [], "not before its time"
    desk.office.clock.now += 5
    opener.look()
    assert state_of(desk, draft) == (DraftState.OPENED, "")


def test_a_fault_ends_one_draft_and_not_the_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = desk.approved(), desk.approved()
    original = opening.open_planned
    seen: list[str] = []

    def once(*arguments: Any, **options: Any) -> Any:
        seen.append(options["origin"])
        if len(seen) == 1:
            raise RuntimeError("a secret")
        return original(*arguments, **options)

    monkeypatch.setattr(opening, "open_planned", once)
    desk.opener().look()
    found = {one.draft_id: state_of(desk, one) for one in (first, second)}
    states = sorted(state.value for state, _ in found.values())
    assert states == ["opened", "refused"]
    assert not any("secret" in note for _, note in found.values())


def test_a_series_is_opened_too(desk: Desk, tmp_path: Path) -> None:
    series = (
        "\n[series]\nrounds = 3\nuntil = 2027-06-30\n"
        'event = { attribute = "band", codes = ["high"] }\n'
    )
    asked = replace(desk, question=question_in(tmp_path, ROUND + series))
    asked.approved()
    desk.opener().look()
    stored = find_round(desk.office.database, "latest")
    assert stored.round_.series is not None
    assert stored.round_.series.length == 3
    assert stored.round_.series.counting_digest


def test_nobody_has_written_a_draft(desk: Desk) -> None:
    office = desk.office
    desk.drafts.close()
    for path in office.home.path.glob("viewer.sqlite*"):
        path.unlink()
    opener = DraftOpener(office.home, office.database, office.signing, office.clock)
    assert opener.look() == []
    assert not office.home.viewer_file.exists()
    opener.close()


def test_the_decision_of_the_coordinator_is_written_down(desk: Desk) -> None:
    draft = desk.approved()
    desk.opener().look()
    last = decisions_of(desk.drafts, draft.draft_id)[-1]
    assert (last.action.value, last.person.name) == ("opened", "folkmoot-coordinator")


def test_while_the_coordinator_is_paused_an_approved_draft_waits(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("folkmoot_coordinator.database.pauses.LOOK_SECONDS", 0)
    draft, opener = desk.approved(), desk.opener()
    pause(desk.office.database, desk.office.clock, "we look into it")
    assert opener.look() == []
    assert state_of(desk, draft)[0] is DraftState.APPROVED
    resume(desk.office.database, desk.office.clock, "settled")
    assert [one.draft_id for one in opener.look()] == [draft.draft_id]
    assert state_of(desk, draft)[0] is DraftState.OPENED
