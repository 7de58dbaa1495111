"""Drafts: what people may decide about them, and what they decide about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from folkmoot_coordinator.config import RoundSettings
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.drafts import drafts as drafts_module
from folkmoot_coordinator.drafts.decisions import (
    Action,
    approval_of,
    approve,
    decisions_of,
    refuse,
    submit_draft,
    withdraw_draft,
)
from folkmoot_coordinator.drafts.drafts import (
    DraftState,
    find_draft,
    list_drafts,
    question_of,
    save_draft,
    waiting_for,
)
from folkmoot_coordinator.drafts.models import DRAFTS, Base, DraftRow
from folkmoot_coordinator.drafts.people import AccountKind, Person, needs_second, person_here
from folkmoot_coordinator.rounds.question import Question, deserialise, digest_of
from folkmoot_coordinator.rounds.round_making import make_round
from folkmoot_operator.accounts import Operator
from folkmoot_operator.problems import ExitCode, Problem
from tests.unit.coordinator.drafts.conftest import AREAS, ROUND, question_in

if TYPE_CHECKING:
    from tests.unit.coordinator.drafts.conftest import Desk

ANN, BEN = Person("ann", AccountKind.WEB), Person("ben", AccountKind.WEB)


def refused(problem: pytest.ExceptionInfo[Problem]) -> bool:
    return problem.value.exit_code is ExitCode.REFUSED


def test_migrations_make_exactly_the_tables_declared(desk: Desk) -> None:
    def ours(_: object, name: str | None, kind: str, *__: object) -> bool:
        return kind != "table" or name in (*Base.metadata.tables, DRAFTS.tables.version_table)

    with desk.drafts.connection(writes=False) as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "version_table": DRAFTS.tables.version_table,
                "include_object": ours,
            },
        )
        assert compare_metadata(context, Base.metadata) == []
    desk.drafts.bring_up_to_date()
    assert desk.drafts.version() == DRAFTS.tables.newest


def test_a_draft_is_all_that_the_round_is_made_from(desk: Desk, tmp_path: Path) -> None:
    draft = desk.save()
    for path in sorted((tmp_path / "question").rglob("*.*")):
        path.unlink()
    question = question_of(desk.drafts, draft)
    assert digest_of(question.serialise()) == draft.digest
    planned = make_round(question, (), desk.now)
    expected = make_round(desk.question, ["E08000001", "E08000002"], desk.now)  # type: ignore[list-item]
    assert replace(planned.round_, round_id="0" * 32) == replace(expected.round_, round_id="0" * 32)
    assert planned.planning == expected.planning
    assert planned.code_names == expected.code_names
    assert planned.policy == expected.policy


def test_all_stands_for_councils_that_are_named(desk: Desk) -> None:
    assert question_of(desk.drafts, desk.save()).file.councils == ("E08000001", "E08000002")


def test_the_same_question_has_the_same_digest(desk: Desk, tmp_path: Path) -> None:
    assert desk.save().digest == desk.save(BEN).digest
    for old, new in (("rho = 0.2", "rho = 0.3"), ('"high"]', '"high", "x"]')):
        folder = tmp_path / str(len(new))
        folder.mkdir()
        other = question_in(folder, ROUND.replace(old, new))
        assert replace(desk, question=other).save().digest != desk.save().digest
    files = {**desk.question.files, "areas/lsoa.csv": AREAS.replace("001A", "009Z").encode()}
    assert replace(desk, question=replace(desk.question, files=files)).save().digest != (
        desk.save().digest
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("rho = 0.2", "rho = 0", "rho"),
        ('"band", "lsoa"', '"band", "ward"', "not declared"),
        ("minimum_councils = 1", "minimum_councils = 9", "minimum"),
    ],
)
def test_what_no_round_can_be_made_of_is_not_stored(
    desk: Desk, tmp_path: Path, old: str, new: str, says: str
) -> None:
    other = replace(desk, question=question_in(tmp_path, ROUND.replace(old, new)))
    with pytest.raises(Problem, match=says) as caught:
        other.save()
    assert caught.value.exit_code is ExitCode.SETTINGS
    assert list_drafts(desk.drafts) == []


def test_from_draft_to_approval(desk: Desk) -> None:
    draft = desk.save()
    assert (draft.state, draft.title, draft.author) == (DraftState.DRAFT, "Winter", ANN)
    waiting = waiting_for(draft)
    assert waiting is not None
    assert (waiting.who, waiting.why) == ("ann (web account)", "has to submit the draft")
    draft = submit_draft(desk.drafts, draft.draft_id, ANN, desk.now, second_person=True)
    waiting = waiting_for(draft)
    assert waiting is not None
    assert waiting.who == "somebody other than ann"
    named = waiting_for(draft, ["Ann", "ben"])
    assert named is not None
    assert named.who == "one of ben"
    alone = waiting_for(draft, ["Ann"])
    assert alone is not None
    assert (alone.who, "rounds.approvers" in alone.why) == ("another approver", True)
    draft = approve(desk.drafts, draft.draft_id, BEN, draft.digest, desk.now)
    assert draft.state is DraftState.APPROVED
    assert [(one.action, one.person) for one in decisions_of(desk.drafts, draft.draft_id)] == [
        (Action.SUBMITTED, ANN),
        (Action.APPROVED, BEN),
    ]
    approval = approval_of(desk.drafts, draft)
    assert approval is not None
    assert (approval.person, approval.digest, approval.at) == (BEN, draft.digest, desk.now)
    assert find_draft(desk.drafts, draft.draft_id[:6]) == draft
    assert draft.facts()["state"] == "approved"


def test_where_no_second_person_is_needed_it_is_approved_at_once(desk: Desk) -> None:
    draft = desk.save()
    draft = submit_draft(desk.drafts, draft.draft_id, ANN, desk.now, second_person=False)
    assert draft.state is DraftState.APPROVED
    assert approval_of(desk.drafts, draft) is None


@pytest.mark.parametrize(
    "person",
    [ANN, Person("Ann", AccountKind.WEB), Person("ann", AccountKind.MACHINE)],
    ids=str,
)
def test_nobody_approves_or_refuses_their_own(desk: Desk, person: Person) -> None:
    draft = desk.waiting()
    with pytest.raises(Problem, match="somebody else must approve") as caught:
        approve(desk.drafts, draft.draft_id, person, draft.digest, desk.now)
    assert refused(caught)
    with pytest.raises(Problem, match="is your own") as caught:
        refuse(desk.drafts, draft.draft_id, person, "no", desk.now)
    assert refused(caught)
    assert find_draft(desk.drafts, draft.draft_id) == draft


def test_only_those_named_approve_where_some_are(desk: Desk) -> None:
    draft = desk.waiting()
    with pytest.raises(Problem, match="not among those who may approve") as caught:
        approve(desk.drafts, draft.draft_id, BEN, draft.digest, desk.now, approvers=["cy", "ann"])
    assert refused(caught)
    found = approve(desk.drafts, draft.draft_id, BEN, draft.digest, desk.now, approvers=["Ben"])
    assert found.state is DraftState.APPROVED
    program = Person("folkmoot-coordinator", AccountKind.PROGRAM)
    with pytest.raises(Problem, match="a program approves nothing"):
        approve(desk.drafts, desk.waiting().draft_id, program, draft.digest, desk.now)


def test_an_approval_is_for_what_was_seen(desk: Desk, tmp_path: Path) -> None:
    seen = desk.waiting()
    other = question_in(tmp_path, ROUND.replace("rho = 0.2", "rho = 5"))
    save_draft(
        desk.drafts, other, ANN, desk.now, enrolled=["E08000001"], draft_id=seen.draft_id  # type: ignore[list-item]
    )  # fmt: skip
    with pytest.raises(Problem, match="cannot be approved: it is draft"):
        approve(desk.drafts, seen.draft_id, BEN, seen.digest, desk.now)
    submit_draft(desk.drafts, seen.draft_id, ANN, desk.now, second_person=True)
    with pytest.raises(Problem, match="was changed since you saw it") as caught:
        approve(desk.drafts, seen.draft_id, BEN, seen.digest, desk.now)
    assert refused(caught)


def test_an_approval_ends_when_the_draft_is_submitted_again(desk: Desk) -> None:
    draft = desk.approved()
    assert approval_of(desk.drafts, draft) is not None
    with desk.drafts.writing() as session:
        session.execute(text("UPDATE drafts SET state = 'draft'"))
    again = submit_draft(desk.drafts, draft.draft_id, ANN, desk.now, second_person=True)
    assert again.digest == draft.digest
    assert approval_of(desk.drafts, again) is None


def test_a_refused_draft_is_changed_and_submitted_again(desk: Desk) -> None:
    draft = desk.waiting()
    draft = refuse(desk.drafts, draft.draft_id, BEN, "Ask for wards", desk.now)
    assert (draft.state, draft.note) == (DraftState.REFUSED, "Ask for wards")
    assert waiting_for(draft) is None
    with pytest.raises(Problem, match="cannot be submitted: it is refused"):
        submit_draft(desk.drafts, draft.draft_id, ANN, desk.now, second_person=True)
    again = save_draft(desk.drafts, question_of(desk.drafts, draft), ANN, desk.now,
                       draft_id=draft.draft_id)  # fmt: skip
    assert (again.state, again.note) == (DraftState.DRAFT, "")


def test_a_draft_is_its_authors(desk: Desk) -> None:
    draft = desk.save()
    for somebody in (BEN, Person("ann", AccountKind.MACHINE)):
        with pytest.raises(Problem, match="is ann's"):
            save_draft(desk.drafts, question_of(desk.drafts, draft), somebody, desk.now,
                       draft_id=draft.draft_id)  # fmt: skip
    with pytest.raises(Problem, match="is ann's"):
        submit_draft(desk.drafts, draft.draft_id, BEN, desk.now, second_person=True)


def test_a_withdrawn_draft_has_ended(desk: Desk) -> None:
    draft = desk.approved()
    draft = withdraw_draft(desk.drafts, draft.draft_id, BEN, desk.now, "Not this winter")
    assert (draft.state, draft.note) == (DraftState.WITHDRAWN, "Not this winter")
    for act in (
        lambda: submit_draft(desk.drafts, draft.draft_id, ANN, desk.now, second_person=True),
        lambda: approve(desk.drafts, draft.draft_id, BEN, draft.digest, desk.now),
        lambda: refuse(desk.drafts, draft.draft_id, BEN, "no", desk.now),
        lambda: withdraw_draft(desk.drafts, draft.draft_id, ANN, desk.now),
        lambda: save_draft(desk.drafts, question_of(desk.drafts, draft), ANN, desk.now,
                           draft_id=draft.draft_id),
    ):  # fmt: skip
        with pytest.raises(Problem, match="it is withdrawn") as caught:
            act()
        assert refused(caught)
    assert list_drafts(desk.drafts, [DraftState.APPROVED]) == []
    assert list_drafts(desk.drafts) == [draft]


def test_a_question_that_was_changed_in_the_database_is_not_read(desk: Desk) -> None:
    draft = desk.approved()
    with desk.drafts.writing() as session:
        row = session.scalars(select(DraftRow)).one()
        row.question = row.question.replace('"rho":0.2', '"rho":9.0')
    with pytest.raises(Problem, match="does not have the digest") as caught:
        question_of(desk.drafts, draft)
    assert refused(caught)


@pytest.mark.parametrize(
    "serialised",
    ["", "[]", "{}", '{"form":1,"round":{},"files":{}}', '{"form":2,"round":{},"files":{}}',
     '{"form":1,"round":{"secret":1},"files":[]}', "[" * 100_000],
)  # fmt: skip
def test_what_is_no_question_is_said_to_be_none(serialised: str) -> None:
    with pytest.raises(Problem) as caught:
        deserialise(serialised, "draft 1")
    assert caught.value.exit_code is ExitCode.SETTINGS


def test_a_file_that_is_not_part_of_a_question_is_not_read(tmp_path: Path) -> None:
    whole = question_in(tmp_path)
    alone = Question(whole.file, whole.path, {})
    with pytest.raises(Problem, match=r"areas/lsoa.csv is not part of it"):
        make_round(alone, ["E08000001"], 1_800_000_000)  # type: ignore[list-item]


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 201])
def test_a_person_has_a_name(name: str) -> None:
    with pytest.raises(Problem, match="a name is"):
        Person(name, AccountKind.WEB)


def test_a_person_at_the_machine_is_who_signed_in_there() -> None:
    assert person_here(Operator("folkmoot", 999, login="jo")).name == "jo"
    assert person_here(Operator("folkmoot", 999)).name == "folkmoot"
    assert person_here(Operator("folkmoot", 999, claimed="jo")).name == "folkmoot"
    assert person_here().kind is AccountKind.MACHINE


@pytest.mark.parametrize(
    ("second_person", "web", "machine"),
    [(None, True, False), (True, True, True), (False, False, False)],
)
def test_who_needs_a_second_person(second_person: bool | None, web: bool, machine: bool) -> None:
    settings = RoundSettings(second_person=second_person)
    assert needs_second(settings, ANN) is web
    assert needs_second(settings, Person("ann", AccountKind.MACHINE)) is machine


def test_a_reader_cannot_write(desk: Desk) -> None:
    draft = desk.save()
    url = desk.office.home.drafts_url(desk.settings)
    reader = Database(url, DRAFTS, read_only=True)
    reader.bring_up_to_date()
    assert list_drafts(reader) == [draft]
    with pytest.raises(PermissionError):
        desk_of = replace(desk, drafts=reader)
        desk_of.save()
    with (
        pytest.raises((Problem, DBAPIError), match=r"read-?only"),
        reader.connection(writes=False) as connection,
    ):
        connection.execute(text("DELETE FROM drafts"))
    assert list_drafts(desk.drafts) == [draft]
    reader.close()


def test_a_reader_makes_no_database(tmp_path: Path) -> None:
    path = tmp_path / "none.sqlite"
    reader = Database(f"sqlite:///{path}", DRAFTS, read_only=True)
    with pytest.raises(Problem, match="missing or empty"):
        reader.bring_up_to_date()
    assert not path.exists()


def test_a_question_that_is_too_large_is_not_read(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = desk.approved()
    monkeypatch.setattr(drafts_module, "MAX_QUESTION_BYTES", 100)
    with pytest.raises(Problem, match="too large") as caught:
        question_of(desk.drafts, draft)
    assert refused(caught)


def test_a_terminal_is_not_told_what_to_do(desk: Desk) -> None:
    draft = desk.waiting()
    with desk.drafts.writing() as session:
        row = session.scalars(select(DraftRow)).one()
        row.title, row.note = "a\x1b[2Jb", "c\x07d"
    found = find_draft(desk.drafts, draft.draft_id)
    assert (found.title, found.note) == ("a [2Jb", "c d")
