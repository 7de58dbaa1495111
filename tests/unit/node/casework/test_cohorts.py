"""Cohorts: who belongs to them, who is new and gone, and that a person decides."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest

from folkmoot_node.casework.authority.households import uprn_of
from folkmoot_node.casework.authority.retention import RetentionPolicy
from folkmoot_node.casework.cases.cases import CaseState
from folkmoot_node.casework.cohorts.assessments import assessments
from folkmoot_node.casework.cohorts.cohorts import COUNTED, RAN
from folkmoot_node.casework.cohorts.deciding import (
    DECIDED,
    LOOK_SECONDS,
    SHOWN,
    Decided,
    decide,
    decisions_about,
    look_at,
    note_list,
)
from folkmoot_node.casework.cohorts.definition import Definition, Kind, Mark
from folkmoot_node.casework.cohorts.held import CohortRecords
from folkmoot_node.casework.cohorts.models import MemberRow
from folkmoot_node.casework.cohorts.runs import (
    Run,
    Standing,
    get_run,
    members,
    run_cohort,
    runs_of,
)
from folkmoot_node.casework.cohorts.subjects import subjects_of
from folkmoot_node.casework.desk import Desk
from folkmoot_node.casework.rights.erasure import households_held
from folkmoot_node.casework.rights.models import HoldRow
from folkmoot_node.corrections.decisions import Decision
from folkmoot_node.corrections.sealed_file import open_corrections
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_web.errors import WebProblem
from tests.casework_council import SENSITIVE, SUNSET, CaseworkCouncil, Household

PURPOSE = "Debt advice"
ALL_THREE = [
    {"field": "council_tax_arrears", "above": 1000},
    {"field": "oldest_age", "at_least": 65},
    {"field": "people", "at_most": 1},
]


def definition(
    conditions: Sequence[dict[str, object]] = ALL_THREE, **changes: object
) -> Definition:
    values = {
        "title": "In arrears, 65 or over, alone",
        "purpose": PURPOSE,
        "owner": "Head of Revenues",
        "lawful_basis": "UK GDPR article 6(1)(e)",
        "ends": datetime.date(2028, 3, 31),
        "conditions": list(conditions),
    }
    return Definition.model_validate(values | changes)


@pytest.fixture
def desk(council: CaseworkCouncil) -> Desk:
    return council.desk()


def run_of(desk: Desk, run_id: str) -> Run:
    with desk.state.database.reading() as session:
        return get_run(session, run_id)


def of_run(desk: Desk, run_id: str, *standing: Standing) -> list[MemberRow]:
    with desk.state.database.reading() as session:
        wanted = standing or (Standing.NEW, Standing.UNCHANGED)
        return members(session, run_id, standing=wanted, first=0, size=1000)[1]


def places(council: CaseworkCouncil, desk: Desk, run_id: str, *standing: Standing) -> list[int]:
    """The places of a run's households in the list of those that were made."""
    with desk.state.database.reading() as session:
        found = [uprn_of(session, row.household_id) for row in of_run(desk, run_id, *standing)]
    return [uprn - council.uprn(0) for uprn in found if uprn is not None]


def ran(council: CaseworkCouncil, desk: Desk, wanted: Definition) -> tuple[str, str]:
    manager = council.visitor(desk, "manager")
    cohort_id = desk.cohorts.save(wanted, manager)
    return cohort_id, run_cohort(desk.cohorts, cohort_id, manager)


def decided(
    council: CaseworkCouncil, desk: Desk, run_id: str, households: Sequence[str], *,
    opens_case: bool = True, in_bulk: bool = False, why: str = "Telephone first",
) -> Decided:  # fmt: skip
    return decide(
        desk.cohorts, desk.cases, run_id, households, opens_case=opens_case, why=why,
        by=council.visitor(desk, "manager"), in_bulk=in_bulk,
        assess=lambda uprns: assessments(desk.config, desk.plugins, desk.today(), uprns),
    )  # fmt: skip


def test_all_three_conditions_find_the_two_and_say_who_is_not_known(
    council: CaseworkCouncil, desk: Desk
) -> None:
    manager = council.visitor(desk, "manager")
    counted = desk.cohorts.count(definition(), manager, PURPOSE)
    assert (counted.households, counted.members, counted.undecided) == (40, 2, 1)
    assert counted.not_known == {"council tax arrears more than 1,000 pounds": 1}
    assert counted.bands == {}, "a factor uses a source that managers may not see"
    _, run_id = ran(council, desk, definition())
    assert places(council, desk, run_id) == [0, 1]
    [entry] = desk.state.audit.entries((COUNTED,))
    assert entry.body["by"] == "manager@example.gov.uk"
    assert entry.body["conditions"][0] == "field council_tax_arrears"
    assert "members" not in str(entry.body)


def test_members_hold_what_a_decision_needs_and_no_identifier(
    council: CaseworkCouncil, desk: Desk
) -> None:
    _, run_id = ran(council, desk, definition())
    rows = of_run(desk, run_id)
    assert json.loads(rows[0].information) == ["2,600 pounds", "78 years", "1"]
    kept = " ".join(str(vars(row)) for row in rows)
    assert str(council.uprn(0)) not in kept
    [entry] = desk.state.audit.entries((RAN,))
    assert str(council.uprn(0)) not in str(entry.body)


def test_a_run_says_who_is_new_and_who_is_gone_and_why(
    council: CaseworkCouncil, desk: Desk
) -> None:
    cohort_id, first = ran(council, desk, definition())
    assert run_of(desk, first).standing == {"new": 2, "unchanged": 0, "gone": 0}
    changed = list(council.households)
    changed[1] = replace(changed[1], arrears=100.0)  # pays
    changed[2] = replace(changed[2], arrears=1_001.0)  # owes more
    council.households = changed
    council.clock.now += 40 * 86_400
    council.write_extracts()
    council.score()
    manager = council.visitor(desk, "manager")
    second = run_cohort(desk.cohorts, cohort_id, manager)
    assert run_of(desk, second).standing == {"new": 1, "unchanged": 1, "gone": 1}
    assert places(council, desk, second, Standing.NEW) == [2]
    assert places(council, desk, second, Standing.UNCHANGED) == [0]
    [gone] = of_run(desk, second, Standing.GONE)
    assert (gone.why_gone, gone.information) == ("not_met", "[]")
    changed[0] = replace(changed[0], arrears=None)
    council.households = [*changed[:2], *changed[3:]]
    council.households = changed[:2]
    council.clock.now += 86_400
    council.write_extracts()
    council.score()
    third = run_cohort(desk.cohorts, cohort_id, manager)
    why = {row.why_gone for row in of_run(desk, third, Standing.GONE)}
    assert why == {"not_known", "left_frame"}
    with desk.state.database.reading() as session:
        assert [one.run_id for one in runs_of(session, cohort_id)] == [third, second, first]


def test_a_case_takes_a_household_out_of_the_cohort_and_the_mark_says_so(
    council: CaseworkCouncil, desk: Desk
) -> None:
    manager = council.visitor(desk, "manager")
    cohort_id, first = ran(council, desk, definition())
    household = of_run(desk, first)[0].household_id
    look_at(desk.cohorts, run_of(desk, first), household, manager)
    case_id = decided(council, desk, first, [household]).cases[household]
    counted = desk.cohorts.count(definition(), manager, PURPOSE, cohort_id)
    assert (counted.members, counted.left_out) == (1, {"in_case": 1})
    other = desk.cohorts.count(definition(), manager, "Another purpose")
    assert other.members == 2
    kept = desk.cohorts.count(definition(leave_out=[]), manager, PURPOSE)
    assert (kept.members, kept.marked) == (2, {"in_case": 1})
    council.clock.now += 1
    second = run_cohort(desk.cohorts, cohort_id, manager)
    assert [row.why_gone for row in of_run(desk, second, Standing.GONE)] == ["in_case"]
    with desk.state.database.writing() as session:
        now = council.clock()
        values = {"state": CaseState.CLOSED, "outcome": "supported", "closed_at": now}
        desk.cases.change(session, case_id, 1, "case closed", manager, values)
    assert desk.cohorts.count(definition(), manager, PURPOSE).left_out == {"supported": 1}
    council.clock.now += 86_400
    later = definition(supported_within_days=1)
    council.clock.now += 1
    assert desk.cohorts.count(later, manager, PURPOSE).members == 2


def test_a_case_keeps_the_assessment_and_whence_it_came(
    council: CaseworkCouncil, desk: Desk
) -> None:
    cohort_id, run_id = ran(council, desk, definition())
    household = of_run(desk, run_id)[0].household_id
    run = run_of(desk, run_id)
    look_at(desk.cohorts, run, household, council.visitor(desk, "manager"))
    case = desk.cases.get(decided(council, desk, run_id, [household]).cases[household])
    assert (case.cohort_id, case.flagged_at, case.band) == (cohort_id, run.scored_at, "high")
    assert (case.purpose, case.why) == (PURPOSE, "Telephone first")


def test_nobody_decides_without_having_looked_and_the_record_says_how_long(
    council: CaseworkCouncil, desk: Desk
) -> None:
    cohort_id, run_id = ran(council, desk, definition())
    household = of_run(desk, run_id)[0].household_id
    with pytest.raises(WebProblem, match="Look again"):
        decided(council, desk, run_id, [household])
    shown = look_at(desk.cohorts, run_of(desk, run_id), household, council.visitor(desk, "manager"))
    assert shown.information[0] == (
        "council tax arrears more than 1,000 pounds", "2,600 pounds",
    )  # fmt: skip
    council.clock.now += 90
    result = decided(council, desk, run_id, [household], opens_case=False, why="Already pays")
    assert result.against == (household,)
    assert not result.cases
    with desk.state.database.reading() as session:
        [record] = decisions_about(session, cohort_id, household)
        assert record.seconds_looked == 90
        assert not record.opens_case
        assert record.in_bulk is None
        assert json.loads(record.information)[1] == ["oldest age 65 years or more", "78 years"]
    council.clock.now += LOOK_SECONDS
    with pytest.raises(WebProblem, match="Look again"):
        decided(council, desk, run_id, [household])
    actions = [one.body["action"] for one in desk.state.audit.entries((SHOWN, DECIDED))]
    assert actions == [SHOWN, DECIDED]
    assert "Already pays" not in str([one.body for one in desk.state.audit.entries()])
    counted = desk.cohorts.count(
        definition(leave_out=["decided_against"]), council.visitor(desk, "manager"), PURPOSE,
        cohort_id,
    )  # fmt: skip
    assert counted.left_out == {"decided_against": 1}


def test_a_decision_in_bulk_is_recorded_as_such(council: CaseworkCouncil, desk: Desk) -> None:
    cohort_id, run_id = ran(council, desk, definition())
    run, manager = run_of(desk, run_id), council.visitor(desk, "manager")
    households = [row.household_id for row in of_run(desk, run_id)]
    note_list(desk.cohorts, run, manager, 1)
    council.clock.now += 20
    result = decided(council, desk, run_id, households, in_bulk=True)
    assert set(result.cases) == set(households)
    with desk.state.database.reading() as session:
        records = [decisions_about(session, cohort_id, one)[0] for one in households]
        assert {one.in_bulk for one in records} not in ({None}, set())
        assert len({one.in_bulk for one in records}) == 1
        assert [(one.seconds_looked, one.information) for one in records] == [(20, "[]")] * 2
    again = decided(council, desk, run_id, households, in_bulk=True)
    assert set(again.left.values()) == {"it is in a case already"}


def test_only_the_newest_run_is_decided_on(council: CaseworkCouncil, desk: Desk) -> None:
    cohort_id, run_id = ran(council, desk, definition())
    manager = council.visitor(desk, "manager")
    household = of_run(desk, run_id)[0].household_id
    look_at(desk.cohorts, run_of(desk, run_id), household, manager)
    council.clock.now += 1
    run_cohort(desk.cohorts, cohort_id, manager)
    with pytest.raises(WebProblem, match="newer run"):
        decided(council, desk, run_id, [household])


def test_a_cohort_past_its_end_is_read_and_nothing_else(
    council: CaseworkCouncil, desk: Desk
) -> None:
    cohort_id, run_id = ran(council, desk, definition(ends=desk.today()))
    household = of_run(desk, run_id)[0].household_id
    look_at(desk.cohorts, run_of(desk, run_id), household, council.visitor(desk, "manager"))
    council.clock.now += 86_400
    with pytest.raises(Problem, match="the cohort ended on") as refused:
        run_cohort(desk.cohorts, cohort_id, council.visitor(desk, "manager"))
    assert refused.value.exit_code is ExitCode.REFUSED
    with pytest.raises(Problem, match="the cohort ended on"):
        decided(council, desk, run_id, [household])
    assert len(of_run(desk, run_id)) == 2
    with pytest.raises(Problem, match="already"):
        desk.cohorts.save(definition(ends=desk.today() - datetime.timedelta(1)), desk_manager(desk))


def test_after_the_risk_policys_last_day_a_cohort_is_read_and_nothing_else(
    council: CaseworkCouncil, desk: Desk
) -> None:
    cohort_id, run_id = ran(council, desk, definition())
    household = of_run(desk, run_id)[0].household_id
    look_at(desk.cohorts, run_of(desk, run_id), household, desk_manager(desk))
    policy = council.home / "risk-policy.toml"
    over = desk.today() - datetime.timedelta(1)
    policy.write_text(policy.read_text().replace(f"sunset = {SUNSET}", f"sunset = {over}"))
    for act in (
        lambda: desk.cohorts.count(definition(), desk_manager(desk), PURPOSE),
        lambda: run_cohort(desk.cohorts, cohort_id, desk_manager(desk)),
        lambda: decided(council, desk, run_id, [household]),
    ):
        with pytest.raises(Problem, match="the policy ended on") as refused:
            act()
        assert refused.value.exit_code is ExitCode.REFUSED
    assert len(of_run(desk, run_id)) == 2


def desk_manager(desk: Desk):
    from folkmoot_web.visitors import Visitor

    return Visitor(1, "manager@example.gov.uk", "Manager", ("manager",), by_browser=True)


def test_what_the_run_no_longer_has_is_named(council: CaseworkCouncil, desk: Desk) -> None:
    cohort_id, run_id = ran(council, desk, definition([{"attribute": "lsoa", "is": "E01005061"}]))
    policy = council.home / "risk-policy.toml"
    policy.write_text(policy.read_text().replace('[attributes.lsoa]\nfield = "lsoa"\n', ""))
    council.clock.now += 60
    council.score()
    with pytest.raises(Problem, match="no attribute 'lsoa'") as named:
        run_cohort(desk.cohorts, cohort_id, desk_manager(desk))
    assert named.value.where == "condition on lsoa"
    assert "change or remove the condition" in named.value.remedy
    assert of_run(desk, run_id)


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ({"field": "arrears", "above": 1}, "no field 'arrears'"),
        ({"factor": "isolatoin", "above": 1}, "no factor 'isolatoin'"),
        ({"result": "band", "is": "higher"}, "has no code 'higher'"),
        ({"result": "band", "above": 3}, "neither a number nor a date"),
        ({"field": "people", "is": True}, "must be compared with a number"),
        ({"field": "people", "above": datetime.date(2026, 1, 1)}, "compared with a number"),
        ({"field": "people", "in": ["one"]}, "has no codes"),
        ({"field": "people", "is": "one"}, "must be compared with a number"),
    ],
)
def test_a_condition_that_cannot_be_asked_is_named(
    condition: dict[str, object], says: str, desk: Desk
) -> None:
    with pytest.raises(Problem, match=says) as named:
        desk.cohorts.count(definition([condition]), desk_manager(desk), PURPOSE)
    assert named.value.where == f"condition on {next(iter(condition.values()))}"


@pytest.mark.parametrize(
    "condition",
    [
        {"field": "children_services", "is": True},
        {"factor": "child_need", "above": 0},
        # Less the points of the factors that anybody may see, it is those of the other one.
        {"result": "score", "above": 45},
        # Nor would the other factors reach it, if its band is high.
        {"result": "band", "is": "high"},
    ],
)
def test_a_sensitive_source_needs_a_role_that_names_it(
    condition: dict[str, object], council: CaseworkCouncil
) -> None:
    policy = council.home / "casework-policy.toml"
    wanted = definition([condition])
    desk = council.desk()
    with pytest.raises(Problem, match=f"{SENSITIVE}, a sensitive source") as refused:
        desk.cohorts.count(wanted, council.visitor(desk, "manager"), PURPOSE)
    assert refused.value.exit_code is ExitCode.REFUSED
    name = next(iter(condition.values()))
    assert name not in {one.name for one in desk.cohorts.subjects(council.visitor(desk, "manager"))}
    policy.write_text(
        policy.read_text().replace(
            "[roles.manager]\n", f'[roles.manager]\nsources = ["{SENSITIVE}"]\n'
        )
    )
    council.sign()
    allowed = council.desk()
    manager = council.visitor(allowed, "manager")
    assert allowed.cohorts.count(wanted, manager, PURPOSE).members >= 2
    _, run_id = ran(council, allowed, wanted)
    household = of_run(allowed, run_id)[0].household_id
    run = run_of(allowed, run_id)
    assert look_at(allowed.cohorts, run, household, manager).information
    officer = council.visitor(allowed, "protection_officer")
    for looks in (
        lambda: look_at(allowed.cohorts, run, household, officer),
        lambda: note_list(allowed.cohorts, run, officer, 1),
    ):
        with pytest.raises(WebProblem, match="may not see who is in this cohort"):
            looks()


def test_completeness_and_a_factor_that_nobody_explains_may_rest_on_every_source(
    council: CaseworkCouncil,
) -> None:
    desk = council.desk()
    manager = council.visitor(desk, "manager")
    with pytest.raises(Problem, match=f"{SENSITIVE}, a sensitive source"):
        desk.cohorts.count(definition([{"result": "completeness", "under": 0.9}]), manager, PURPOSE)
    scores = desk.cohorts.table.scores()
    unexplained = subjects_of(scores.run, scores.policy, {})
    for kind, name in ((Kind.FACTOR, "isolation"), (Kind.RESULT, "score")):
        assert SENSITIVE in unexplained[kind, name].sources, name


def test_objections_always_count() -> None:
    assert definition(leave_out=[]).leave_out == (Mark.OBJECTED,)


def test_an_upheld_objection_counts_at_once_and_after_the_next_scores(
    council: CaseworkCouncil, desk: Desk
) -> None:
    manager = council.visitor(desk, "manager")
    cohort_id, run_id = ran(council, desk, definition())
    households = [row.household_id for row in of_run(desk, run_id)]
    note_list(desk.cohorts, run_of(desk, run_id), manager, 1)
    upheld = Decision(objection="a1", decided_on=desk.today(), withhold=True)
    open_corrections(council.config).add(council.uprn(0), upheld, {})
    counted = desk.cohorts.count(definition(leave_out=[]), manager, PURPOSE)
    assert (counted.members, counted.left_out) == (1, {"objected": 1})
    result = decided(council, desk, run_id, households, in_bulk=True)
    assert result.left == {households[0]: "an objection was upheld"}
    assert set(result.cases) == {households[1]}
    council.clock.now += 60
    council.score()
    after = desk.cohorts.count(definition(leave_out=[]), manager, PURPOSE)
    assert (after.members, after.left_out) == (1, {"objected": 1})
    second = run_cohort(desk.cohorts, cohort_id, manager)
    gone = {row.household_id: row.why_gone for row in of_run(desk, second, Standing.GONE)}
    assert gone[households[0]] == "objected"


def test_a_reported_death_is_marked_or_left_out_by_rule(council: CaseworkCouncil) -> None:
    (council.home / "mappings" / "deaths.toml").write_text(_DEATHS)
    died = f"UPRN,Died,As at\n{council.uprn(0)},Y,2026-11-01\n"
    (council.home / "extracts" / "deaths.csv").write_text(died)
    node = council.home / "node.toml"
    node.write_text(node.read_text().replace("[casework]", _DEATHS_SOURCE + "[casework]"))
    policy = council.home / "risk-policy.toml"
    policy.write_text(
        policy.read_text() + '\n[attributes.death_reported]\nfield = "death_reported"\n'
    )
    council.clock.now += 60
    council.score()
    desk = council.desk()
    manager = council.visitor(desk, "manager")
    counted = desk.cohorts.count(definition(), manager, PURPOSE)
    assert (counted.members, counted.marked) == (2, {"death_reported": 1})
    without = definition(leave_out=["death_reported"])
    counted = desk.cohorts.count(without, manager, PURPOSE)
    assert (counted.members, counted.left_out) == (1, {"death_reported": 1})


_DEATHS = """\
schema = 1
name = "deaths"
level = "household"
supplier = "Registrar"
files = ["deaths.csv"]
uprn = "UPRN"
record_date = { column = "As at", format = "%Y-%m-%d" }

[fields.death_reported]
column = "Died"
type = "boolean"
true = ["Y"]
false = ["N"]
combine = "any"
category = "demography"
absent = false
"""
_DEATHS_SOURCE = """\
[[sources]]
name = "deaths"
kind = "extracts"
[sources.options]
mapping = "mappings/deaths.toml"
folder = "extracts"
"""


def test_what_is_held_can_be_given_rectified_and_erased(
    council: CaseworkCouncil, desk: Desk
) -> None:
    _, run_id = ran(council, desk, definition())
    household, other = (row.household_id for row in of_run(desk, run_id))
    look_at(desk.cohorts, run_of(desk, run_id), household, council.visitor(desk, "manager"))
    decided(council, desk, run_id, [household], opens_case=False)
    records = CohortRecords()
    with desk.state.database.writing() as session:
        membership, decision, look = records.held_on(session, household)
        shown = {one.value: one.sources for one in membership.facts}
        assert shown["Oldest age 65 years or more: 78 years"] == ("council_tax",)
        assert PURPOSE in shown
        [why] = [one for one in decision.facts if one.field]
        assert (why.value, why.may_name_others) == ("Telephone first", True)
        assert look.facts[0].value == "manager@example.gov.uk"
        assert not records.rectify(session, other, decision.key, "why", "Other words")
        assert records.rectify(session, household, decision.key, "why", "Other words")
        assert decisions_about(session, run_of(desk, run_id).cohort_id, household)[0].why == (
            "Other words"
        )
        assert records.erase(session, household) == 3
        assert list(records.held_on(session, household)) == []
        assert list(records.held_on(session, other))


def test_runs_are_kept_as_long_as_the_policies_say(council: CaseworkCouncil, desk: Desk) -> None:
    council.score(council.clock)
    cohort_id, run_id = ran(council, desk, definition())
    household = of_run(desk, run_id)[0].household_id
    look_at(desk.cohorts, run_of(desk, run_id), household, council.visitor(desk, "manager"))
    decided(council, desk, run_id, [household], opens_case=False)
    records, now, rule = CohortRecords(), council.clock(), RetentionPolicy()
    past = partial(records.past_retention, held=households_held(desk.today()))
    scored = run_of(desk, run_id).scored_at
    with desk.state.database.writing() as session:
        in_time = scored + 90 * 86_400
        assert past(session, rule, in_time, delete=True) == 0
        short = RetentionPolicy(cohort_runs_days=1)
        assert past(session, short, now + 2 * 86_400, delete=False) == 2
        assert past(session, rule, in_time + 86_400, delete=True) == 1
        assert runs_of(session, cohort_id) == []
        assert [one.title.split()[0] for one in records.held_on(session, household)] == ["Decision"]
        assert past(session, rule, now + 366 * 86_400, delete=True) == 1
        assert list(records.held_on(session, household)) == []


def test_a_household_under_a_hold_stays_on_its_list_and_the_others_go(
    council: CaseworkCouncil, desk: Desk
) -> None:
    _, run_id = ran(council, desk, definition())
    held, other = [one.household_id for one in of_run(desk, run_id)][:2]
    for household in (held, other):
        look_at(desk.cohorts, run_of(desk, run_id), household, council.visitor(desk, "manager"))
        decided(council, desk, run_id, [household], opens_case=False)
    records, rule, later = CohortRecords(), RetentionPolicy(), council.clock() + 366 * 86_400
    past = partial(records.past_retention, held=households_held(desk.today()))
    with desk.state.database.writing() as session:
        session.add(
            HoldRow(
                hold_id="hold00000001",
                household_id=held,
                why="A claim is before the court",
                until="2999-12-31",
                placed_at=council.clock(),
                placed_by="somebody",
            )
        )
        session.flush()
        before = list(records.held_on(session, held))
        assert len(before) == 3
        assert past(session, rule, later, delete=True) == 2
        assert list(records.held_on(session, held)) == before
        assert list(records.held_on(session, other)) == []
        assert past(session, rule, later, delete=True) == 0


def test_the_table_follows_new_scores_and_forgets_when_there_are_none(
    council: CaseworkCouncil, desk: Desk
) -> None:
    manager = council.visitor(desk, "manager")
    assert desk.cohorts.count(definition(), manager, PURPOSE).members == 2
    council.households = [Household(5_000, 90, 1), *council.households[1:4], *([Household()] * 36)]
    council.clock.now += 60
    council.write_extracts()
    council.score()
    assert desk.cohorts.count(definition(), manager, PURPOSE).scored_at >= council.clock() - 10**9
    assert desk.cohorts.count(definition(), manager, PURPOSE).undecided == 0
    council.config.store_path.unlink()
    with pytest.raises(Problem):
        desk.cohorts.count(definition(), manager, PURPOSE)
