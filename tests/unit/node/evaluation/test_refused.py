"""What a back-test refuses, and what it says of it: evaluation files that do not fit policy and
sources, and records that do not reach far enough.
"""

from __future__ import annotations

import pytest

from folkmoot_operator.problems import ExitCode, Problem
from tests.unit.node.conftest import TODAY
from tests.unit.node.evaluation.dated_council import HOMES, HOUSING, NODE, TAX


def refused(council, **changes):
    with pytest.raises(Problem) as caught:
        council.evaluate(**changes)
    return caught.value


def test_sources_that_do_not_say_when_are_refused_all_at_once(council):
    council.write(
        tax=TAX.replace('record_date = { column = "Date" }\n', "").replace("latest", "max")
    )
    found = refused(council, undated=[])
    assert (found.exit_code, found.where) == (ExitCode.SETTINGS, "evaluation file: undated")
    assert found.problem.endswith("known: homes, tax")
    assert 'undated = ["homes", "tax"]' in found.remedy


def test_a_source_that_is_accepted_must_be_there(council):
    found = refused(council, undated=["homes", "taxes"])
    assert found.problem == "no source is called 'taxes'"
    assert "tax" in found.remedy


def test_a_source_with_dates_is_not_accepted_as_one_without(council):
    found = refused(council, undated=["homes", "tax"])
    assert (found.exit_code, found.where) == (ExitCode.SETTINGS, "evaluation file: undated")
    assert found.problem == "these sources have record dates, and are read by them: tax"
    assert found.remedy.startswith('Write undated = ["homes"]; ')
    council.evaluate(undated=["homes"])  # the remedy is enough


def outcome(**changes):
    return {"outcomes": {"homelessness": {"events": ["homeless"], "months": 3} | changes}}


def test_only_what_a_source_declares_is_an_outcome(council):
    found = refused(council, **outcome(events=["homeles"]))
    assert found.problem == "no source provides the field 'homeles'"
    assert "homeless" in found.remedy
    found = refused(council, **outcome(events=["deprivation"]), baselines={})
    assert found.problem == "source homes does not declare 'deprivation' as an outcome"
    assert "outcome = true" in found.remedy
    found = refused(council, **outcome(events=["tenure"]))
    assert "'tenure' is read to score or count households" in found.problem
    assert "outcome = true" in found.remedy


def test_an_outcome_is_provided_by_one_source(council):
    council.write(
        node=NODE + '[[sources]]\nname = "again"\nkind = "extracts"\n'
        'options = { mapping = "housing.toml", folder = "extracts" }\n'
    )
    assert "by more than one source (housing, again)" in refused(council).problem


def test_an_outcome_of_rows_that_are_as_they_are_today_is_refused(council):
    undated = HOUSING.replace('record_date = { column = "Recorded" }\n', "")
    council.write(housing=undated)
    one = {"dates": ["2026-02-28"]}
    assert len(council.evaluate(**one)) == 1  # the days of its events say when
    row = '[fields.council_tax_arrears]\ncolumn = "Owes"\ntype = "number"\nunit = "GBP"\n'
    row += 'combine = "max"\ncategory = "finance"\n'
    council.write(
        housing=undated + row,
        housing_csv="UPRN,Recorded,Event,Left,Owes\n1,2026-07-01,2026-07-01,,5\n",
        tax=TAX.replace("council_tax_arrears", "arrears_of_tax"),
    )
    found = refused(council, undated=["homes", "housing"],
                    baselines={"deprivation": "deprivation"})  # fmt: skip
    assert "gives the outcome 'homeless' and the input 'council_tax_arrears'" in found.problem
    assert found.where == "evaluation file: outcomes"


def test_a_horizon_beyond_the_data_is_refused_with_the_last_date_that_can_be_judged(council):
    found = refused(council, dates=["2026-02-28", "2026-04-15"])
    assert found.exit_code is ExitCode.DATA
    assert found.problem == (
        "the horizon of 2026-04-15 ends on 2026-07-15, but source housing reaches to 2026-06-30"
    )
    assert "over 3 months is 2026-03-31" in found.remedy
    assert len(council.evaluate(dates=["2026-03-31"])) == 1


def test_a_source_of_who_has_left_reaches_as_far(council):
    """Or whoever left later would count as observed, and as without the event."""
    left = HOUSING.replace('name = "housing"', 'name = "left"').replace("housing.csv", "left.csv")
    council.write(
        node=NODE + '[[sources]]\nname = "left"\nkind = "extracts"\n'
        'options = { mapping = "left.toml", folder = "extracts" }\n',
        housing=HOUSING.replace("fields.moved_away", "fields.left_otherwise"),
        left=left.replace("fields.homeless", "fields.homeless_otherwise"),
        left_csv="UPRN,Recorded,Event,Left\n2,2026-04-16,,2026-04-15\n",
    )
    found = refused(council)
    assert found.exit_code is ExitCode.DATA
    assert "source left reaches to 2026-04-16" in found.problem


def test_an_outcome_that_nobody_recorded_is_refused(council):
    council.write(housing_csv="UPRN,Recorded,Event,Left\n1,,,\n")
    found = refused(council)
    assert found.exit_code is ExitCode.DATA
    assert "has no record of 'homeless' with a date" in found.problem


def test_dates_are_past(council):
    found = refused(council, dates=["2026-02-28", TODAY.isoformat()])
    assert (found.where, found.exit_code) == ("evaluation file: dates", ExitCode.SETTINGS)


def test_a_baseline_is_a_number(council):
    found = refused(council, baselines={"oldest_first": ["tenure"]})
    assert (found.where, found.exit_code) == ("evaluation file: baselines", ExitCode.SETTINGS)
    found = refused(council, baselines={"oldest_first": ["homeless"]})
    assert "is an outcome" in found.problem
    found = refused(council, baselines={"oldest_first": ["home"]})
    assert "tenure" in found.remedy
    assert "homeless" not in found.remedy


@pytest.mark.parametrize("outcome_is_in_frame", [False, True])
def test_a_date_before_all_records_of_the_frame_is_refused(council, outcome_is_in_frame):
    homes = HOMES.replace('uprn = "UPRN"', 'uprn = "UPRN"\nrecord_date = { column = "Opened" }')
    asked = {"undated": [], "dates": ["2020-01-01", "2026-03-31"]}
    if outcome_is_in_frame:  # whose later records are read for their events
        homes += '[fields.burnt]\ncolumn = "Burnt"\ntype = "date"\ncombine = "min"\n'
        homes += 'category = "housing"\noutcome = true\n'
        asked |= outcome(events=["burnt"])
    council.write(
        homes=homes,
        homes_csv="UPRN,Tenure,Rank,Opened,Burnt\n1,owned,5,2026-02-01,2026-07-01\n",
    )
    found = refused(council, **asked)
    assert (found.exit_code, found.where) == (ExitCode.DATA, "evaluation file: dates")
    assert found.problem == "no household was known on 2020-01-01"
    assert "homes" in found.remedy
