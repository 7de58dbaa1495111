"""Cohorts by commands and as files."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_node.casework.cohorts.cohorts import COUNTED
from folkmoot_node.casework.cohorts.deciding import LISTED
from folkmoot_node.casework.cohorts.definition import (
    Condition,
    Definition,
    definition_of,
    load_definition,
)
from folkmoot_operator.problems import Problem
from tests.casework_council import CaseworkCouncil
from tests.casework_opening import MANAGER_SEES, change_policy
from tests.commands import Done, run_inside
from tests.unit.node.casework.test_cohorts import definition

FILE = """\
title = "Council tax arrears, 65 or over, alone"
purpose = "Debt advice"
owner = "Head of Revenues"
lawful_basis = "UK GDPR article 6(1)(e)"
ends = 2099-03-31

[[conditions]]
field = "council_tax_arrears"
above = 1000

[[conditions]]
field = "oldest_age"
at_least = 65

[[conditions]]
field = "people"
at_most = 1
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "arrears.toml"
    path.write_text(FILE)
    return path


def cohort(council: CaseworkCouncil, *arguments: object) -> Done:
    return run_inside("folkmoot-node", "casework", "cohort", *arguments, "--home", council.home)


def test_a_file_is_counted_saved_run_and_listed(council: CaseworkCouncil, file: Path) -> None:
    counted = cohort(council, "count", file).said()
    assert counted.startswith("Fewer than 5 of 40 households; fewer than 5 more may belong.")
    assert (
        "not known of fewer than 5 of those: council tax arrears more than 1,000 pounds" in counted
    )
    assert "Households that are hidden from you are not in the count." in counted
    exact = json.loads(cohort(council, "count", file, "--json").said())
    assert (exact["members"], exact["undecided"], exact["fewer_than"]) == (None, None, 5)
    assert "No cohort is saved" in cohort(council, "list").said()
    cohort_id = cohort(council, "save", file).said().strip()
    assert "not run yet" in cohort(council, "members", cohort_id).said()
    ran = cohort(council, "run", cohort_id).said()
    assert "2 of 40 households" in ran
    assert "Since the run before" not in ran
    again = json.loads(cohort(council, "run", cohort_id, "--json").said())
    assert again["standing"] == {"new": 0, "unchanged": 2, "gone": 0}
    shown = cohort(council, "show", cohort_id).said()
    assert shown.count("Since the run before: 0 new, 2 unchanged, 0 gone.") == 1
    listed = json.loads(cohort(council, "list", "--json").said())
    assert listed[0]["last_run"]["counted"]["members"] == 2
    assert cohort_id in cohort(council, "list").said()
    members = json.loads(cohort(council, "members", cohort_id, "--json").said())
    assert [one["band"] for one in members] == [None, None]
    households = [one["household"] for one in members]
    assert households == sorted(households), "in no order that tells of scores"
    lines = cohort(council, "members", cohort_id).said().splitlines()
    assert lines == [f"{household}  unchanged" for household in households]
    change_policy(
        council,
        MANAGER_SEES,
        ("[command_line]\n", '[command_line]\nnode_account = ["manager"]\n'),
    )
    seen = json.loads(cohort(council, "members", cohort_id, "--json").said())
    assert [one["band"] for one in seen] == ["high", "high"]
    assert "No household." in cohort(council, "members", cohort_id, "--new").said()
    shown = cohort(council, "show", "Council tax arrears, 65 or over, alone").said()
    assert "above = 1000" in shown
    assert all(str(council.uprn(at)) not in str(members) for at in range(40))
    file.write_text(FILE.replace("above = 1000", "above = 500"))
    assert cohort(council, "save", file, "--changes", cohort_id).said().strip() == cohort_id
    assert "above = 500" in cohort(council, "show", cohort_id).said()
    actions = [one.body["action"] for one in council.desk().state.audit.entries((COUNTED, LISTED))]
    assert actions == [COUNTED, COUNTED, *[LISTED] * 4]


def test_what_is_wrong_is_named(council: CaseworkCouncil, file: Path) -> None:
    file.write_text(FILE.replace("above =", "over ="))
    assert "over is an unknown key" in cohort(council, "count", file).said(3)
    file.write_text(FILE.replace("council_tax_arrears", "council_tax_arreas"))
    assert "Did you mean 'council_tax_arrears'?" in cohort(council, "count", file).said(4)
    asked = '"council_tax_arrears"\nabove = 1000'
    file.write_text(FILE.replace(asked, '"children_services"\nis = true'))
    assert "a sensitive source that you may not use" in cohort(council, "count", file).said(5)
    assert "no saved cohort has" in cohort(council, "run", "nothing").said(2)


def test_the_policy_says_who_may_count_by_commands(council: CaseworkCouncil, file: Path) -> None:
    policy = council.home / "casework-policy.toml"
    text = policy.read_text()
    policy.write_text(text.replace("[command_line]\n", "[command_line]\nnode_account = []\n"))
    council.sign()
    refused = cohort(council, "count", file).said(5)
    assert "does not permit" in refused
    assert "count, save and run cohorts" in refused


_TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=60).filter(
    lambda text: text.strip()
)
_NUMBER = st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9, allow_nan=False)
_NAME = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    about = draw(st.sampled_from(["field", "attribute", "factor"]))
    compared = draw(
        st.sampled_from(["above", "at_least", "under", "at_most"]).flatmap(
            lambda key: (_NUMBER | st.dates()).map(lambda value: {key: value})
        )
        | (st.booleans() | _NUMBER | _TEXT | st.dates()).map(lambda value: {"is": value})
        | st.lists(_TEXT, min_size=1, max_size=3).map(lambda value: {"in": value})
        | st.booleans().map(lambda value: {"is_known": value})
    )
    return Condition.model_validate({about: draw(_NAME), **compared})


@given(st.lists(conditions(), min_size=1, max_size=4), _TEXT, st.dates(datetime.date(2020, 1, 1)))
def test_a_definition_comes_back_from_its_file_and_from_the_database(
    tmp_path_factory: pytest.TempPathFactory,
    given_conditions: list[Condition],
    title: str,
    ends: datetime.date,
) -> None:
    values = dict(definition()) | {"title": title, "ends": ends, "conditions": given_conditions}
    written = Definition.model_validate(values)
    path = tmp_path_factory.getbasetemp() / "made.toml"
    path.write_text(written.as_toml(), encoding="utf-8")
    assert load_definition(path).digest == written.digest
    kept = definition_of(written.model_dump_json(by_alias=True, exclude_none=True))
    assert kept.digest == written.digest
    assert kept.as_toml().replace('"', "") == written.as_toml().replace('"', "")


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ({"field": "a"}, "give a range"),
        ({"above": 1}, "give one of field, attribute, factor and result"),
        ({"field": "a", "factor": "b", "above": 1}, "give one of field"),
        ({"field": "a", "above": 1, "at_least": 2}, "above or at_least"),
        ({"field": "a", "above": 3, "at_most": 3}, "no household can meet it"),
        ({"field": "a", "above": 1, "is": 2}, "one of is, in and is_known"),
        ({"field": "a", "above": float("inf")}, "not infinite"),
        ({"field": "a", "above": True}, "a number or a date"),
        ({"field": "a", "above": 1, "under": datetime.date(2026, 1, 1)}, "both ends"),
        ({"result": "rank", "above": 1}, "score"),
    ],
)
def test_a_condition_says_one_thing(condition: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Condition.model_validate(condition)


def test_a_file_with_several_faults_names_each(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(FILE.replace("ends = 2099-03-31", "ends = 3").replace("above", "is_above"))
    with pytest.raises(Problem) as wrong:
        load_definition(path)
    assert "ends" in wrong.value.problem
    assert "conditions[0].is_above is an unknown key" in wrong.value.problem
