"""Objections: in time, by somebody else, with an effect at the node, and undone without traces."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from folkmoot_node.casework.authority.retention import RightsPolicy
from folkmoot_node.casework.desk import Desk
from folkmoot_node.casework.outcomes.facts import case_facts
from folkmoot_node.casework.rights.comparison import compare, disputable
from folkmoot_node.casework.rights.kinds import Effect, ObjectionState
from folkmoot_node.casework.rights.notice import make_notice
from folkmoot_node.casework.rights.numbers import contested, overturned
from folkmoot_node.casework.rights.objections import RECORDED, UPHELD, Objections, Upholding
from folkmoot_node.casework.rights.requests import Requests
from folkmoot_node.corrections.decisions import Stated
from folkmoot_node.corrections.sealed_file import decisions_of
from folkmoot_node.scoring.known_inputs import Standing
from folkmoot_operator.problems import Problem
from folkmoot_web.errors import WebProblem
from tests.casework_council import CaseworkCouncil
from tests.casework_rights import OFFICER, flag, object_to, opened


def upholding(effect: Effect, value: Stated | None = None, withholds: bool = True) -> Upholding:
    return Upholding(effect, withholds, "You are right", value, {})


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ((2026, 1, 31), (2026, 2, 28)),
        ((2028, 1, 31), (2028, 2, 29)),
        ((2026, 11, 29), (2026, 12, 29)),
        ((2026, 12, 31), (2027, 1, 31)),
        ((2026, 3, 31), (2026, 4, 30)),
    ],
)
def test_an_answer_is_due_within_a_calendar_month(
    received: tuple[int, int, int], due: tuple[int, int, int]
) -> None:
    assert RightsPolicy().due(datetime.date(*received)) == datetime.date(*due)
    within = RightsPolicy(answer_days=10).due(datetime.date(*received))
    assert within - datetime.date(*received) == datetime.timedelta(days=10)


def test_an_objection_is_overdue_after_its_last_day(council: CaseworkCouncil, desk: Desk) -> None:
    made = object_to(council, desk, flag(council, desk, 0))
    objection = Objections(desk).get(made)
    assert not objection.is_overdue(objection.due_on)
    assert objection.is_overdue(objection.due_on + datetime.timedelta(days=1))


def test_an_upheld_objection_suppresses_the_input_and_leaves_the_household_out(
    council: CaseworkCouncil, desk: Desk
) -> None:
    case_id = flag(council, desk, 0)
    made = object_to(council, desk, case_id)
    shown = opened(council, desk, case_id)
    before = desk.explanation(shown)
    compared = compare(desk, shown, without=("council_tax_arrears",))
    assert compared.stored.score == before.score
    assert compared.other.score < before.score
    objections = Objections(desk)
    officer = council.visitor(desk, OFFICER)
    what = Upholding(Effect.SUPPRESS, True, "You paid", None, compared.as_seen())
    objections.uphold(shown, made, 1, what, officer, disputable(desk))
    assert council.uprn(0) in decisions_of(council.config).in_force(desk.today()).withheld
    council.score()
    after = desk.explanation(shown)
    assert after.score == pytest.approx(compared.other.score)
    standing = {one.field: one.standing for one in after.inputs}
    assert standing["council_tax_arrears"] is Standing.SUPPRESSED
    said = objections.said(shown, made)
    assert said.seen["with"]["score"] == pytest.approx(before.score, abs=0.001)
    assert said.seen["without"]["score"] == pytest.approx(after.score, abs=0.001)
    notice = list(make_notice(desk, shown).texts)
    assert any("agreed not to use it" in text for text in notice)
    assert any("leave your home out" in text for text in notice)


def test_an_input_is_corrected_until_the_source_is_right(
    council: CaseworkCouncil, desk: Desk
) -> None:
    case_id = flag(council, desk, 0)
    made = object_to(council, desk, case_id)
    shown, officer = opened(council, desk, case_id), council.visitor(desk, OFFICER)
    objections = Objections(desk)
    what = upholding(Effect.CORRECT, 100.0, withholds=False)
    objections.uphold(shown, made, 1, what, officer, disputable(desk))
    assert council.uprn(0) not in decisions_of(council.config).in_force(desk.today()).withheld
    council.score()
    values = {one.field: one.value for one in desk.explanation(shown).inputs}
    assert values["council_tax_arrears"] == 100.0
    objections.end(made, 2, "Revenues corrected it today", officer)
    assert decisions_of(council.config).households == {}
    council.score()
    values = {one.field: one.value for one in desk.explanation(shown).inputs}
    assert values["council_tax_arrears"] == 2_600.0
    with desk.state.database.reading() as session:
        assert len(overturned(session)) == 1


def test_whoever_decided_about_the_household_does_not_answer(
    council: CaseworkCouncil, desk: Desk
) -> None:
    officer = council.visitor(desk, OFFICER)
    with desk.state.database.writing() as session:
        case_id = desk.cases.open(
            session, council.uprn(1), purpose="winter_support", why="Decided so", by=officer
        )
    made = object_to(council, desk, case_id)
    shown = opened(council, desk, case_id)
    objections = Objections(desk)
    assert "decided about a case" in objections.why_not(officer, objections.get(made))
    with pytest.raises(WebProblem) as refused:
        what = upholding(Effect.SUPPRESS)
        objections.uphold(shown, made, 1, what, officer, disputable(desk))
    assert refused.value.status == 403
    caseworker = council.visitor(desk, "caseworker")
    assert objections.why_not(caseworker, objections.get(made)) != ""
    assert objections.get(made).state is ObjectionState.OPEN
    assert decisions_of(council.config).households == {}


@pytest.mark.parametrize("does", ["answers", "withdraws"])
def test_whoever_gives_a_case_away_has_worked_on_it_all_the_same(
    council: CaseworkCouncil, desk: Desk, does: str
) -> None:
    officer = council.visitor(desk, OFFICER)
    case_id = flag(council, desk, 1)
    with desk.state.database.writing() as session:
        for version, worker in ((1, officer.name), (2, "somebody@example.gov.uk")):
            desk.cases.change(session, case_id, version, "assigned", officer, {"worker": worker})
    made = object_to(council, desk, case_id)
    shown, objections = opened(council, desk, case_id), Objections(desk)
    with pytest.raises(WebProblem, match="may not answer"):
        if does == "answers":
            objections.refuse(shown, made, 1, "We were right", officer, {})
        else:
            objections.withdraw(made, 1, "They do not mind any more", officer)
    assert objections.get(made).state is ObjectionState.OPEN


def test_an_answer_is_undone_with_its_effect(council: CaseworkCouncil, desk: Desk) -> None:
    case_id = flag(council, desk, 2)
    made = object_to(council, desk, case_id, field=None)
    shown, officer = opened(council, desk, case_id), council.visitor(desk, OFFICER)
    objections = Objections(desk)
    objections.uphold(shown, made, 1, upholding(Effect.LEAVE_OUT), officer, disputable(desk))
    objections.reopen(made, 2, "Answered for the wrong home", officer)
    assert decisions_of(council.config).households == {}
    assert objections.get(made).state is ObjectionState.OPEN
    objections.refuse(shown, made, 3, "The arrears are as stated", officer, {})
    with desk.state.database.reading() as session:
        assert (len(contested(session)), len(overturned(session))) == (1, 0)
    objections.reopen(made, 4, "New evidence", officer)
    objections.withdraw(made, 5, "The tenant said so", officer)
    with desk.state.database.reading() as session:
        assert contested(session) == frozenset()


def test_what_an_answer_rested_on_is_for_those_who_may_see_its_sources(
    council: CaseworkCouncil, desk: Desk
) -> None:
    case_id = flag(council, desk, 8)
    made = object_to(council, desk, case_id)
    shown, objections = opened(council, desk, case_id), Objections(desk)
    seen = compare(desk, shown, without=("council_tax_arrears",)).as_seen()
    objections.refuse(shown, made, 1, "We were right", council.visitor(desk, OFFICER), seen)
    assert objections.said(shown, made).seen == seen
    other = replace(shown, sources=frozenset())
    assert objections.said(other, made).seen == {}
    assert objections.said(other, made).answer == "We were right"


def test_two_people_do_not_answer_the_same_objection(council: CaseworkCouncil, desk: Desk) -> None:
    case_id = flag(council, desk, 3)
    made = object_to(council, desk, case_id)
    shown, officer = opened(council, desk, case_id), council.visitor(desk, OFFICER)
    objections = Objections(desk)
    objections.refuse(shown, made, 1, "No", officer, {})
    with pytest.raises(WebProblem) as refused:
        what = upholding(Effect.SUPPRESS)
        objections.uphold(shown, made, 1, what, officer, disputable(desk))
    assert refused.value.status == 409


def test_a_correction_that_cannot_be_changes_nothing(council: CaseworkCouncil, desk: Desk) -> None:
    case_id = flag(council, desk, 4)
    made = object_to(council, desk, case_id)
    shown, officer = opened(council, desk, case_id), council.visitor(desk, OFFICER)
    objections = Objections(desk)
    with pytest.raises(Problem):
        what = upholding(Effect.CORRECT, -1.0)
        objections.uphold(shown, made, 1, what, officer, disputable(desk))
    assert objections.get(made).state is ObjectionState.OPEN
    assert decisions_of(council.config).households == {}


def test_a_crash_after_the_correction_is_answered_again(
    council: CaseworkCouncil, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = flag(council, desk, 0)
    made = object_to(council, desk, case_id)
    shown, officer = opened(council, desk, case_id), council.visitor(desk, OFFICER)
    objections = Objections(desk)
    import folkmoot_node.corrections.sealed_file as sealed

    add = sealed.Corrections.add

    def crash(*given: object) -> None:
        add(*given)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(sealed.Corrections, "add", crash)
        with pytest.raises(KeyboardInterrupt):
            what = upholding(Effect.SUPPRESS)
            objections.uphold(shown, made, 1, what, officer, disputable(desk))
    assert objections.get(made).state is ObjectionState.OPEN
    assert council.uprn(0) in decisions_of(council.config).households
    objections.uphold(shown, made, 1, upholding(Effect.SUPPRESS), officer, disputable(desk))
    assert len(decisions_of(council.config).households[council.uprn(0)]) == 1


def test_the_log_names_nobody(council: CaseworkCouncil, desk: Desk) -> None:
    case_id = flag(council, desk, 0)
    made = object_to(council, desk, case_id)
    shown, officer = opened(council, desk, case_id), council.visitor(desk, OFFICER)
    Objections(desk).uphold(shown, made, 1, upholding(Effect.SUPPRESS), officer, disputable(desk))
    entries = list(desk.state.audit.entries((RECORDED, UPHELD)))
    assert len(entries) == 2
    text = str([one.body for one in entries])
    for secret in (str(council.uprn(0)), "March", "telephone", "right"):
        assert secret not in text


def test_answering_a_resident_does_not_count_as_work_on_a_need(
    council: CaseworkCouncil, desk: Desk
) -> None:
    flag(council, desk, 0)
    case_for = Requests(desk).case_for
    answering = case_for(council.uprn(1), "A resident's access", council.visitor(desk, OFFICER))
    assert answering is not None
    with desk.state.database.reading() as session:
        counted = [one.household for one in case_facts(session)]
    assert len(counted) == 1
    assert desk.cases.get(answering).household not in counted
