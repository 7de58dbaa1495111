"""Two years of a synthetic council: what happens, what is recorded, what a past day knows."""

from __future__ import annotations

import datetime
import subprocess
import sys
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.main import get_command

from folkmoot_node.evaluation.evaluation_file import EvaluationFile
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_operator.problems import ExitCode
from folkmoot_operator.settings import load
from folkmoot_rehearsal import policies
from folkmoot_rehearsal.cli import app
from folkmoot_rehearsal.councils import region
from folkmoot_rehearsal.layout import NODES_README_FILE, README_FILE
from folkmoot_rehearsal.outcomes import mechanism as rules
from folkmoot_rehearsal.outcomes.documents import HORIZON, evaluation_dates
from folkmoot_rehearsal.outcomes.events import month_edges
from folkmoot_rehearsal.outcomes.mechanism import Mechanism, Outcome, Plant
from folkmoot_rehearsal.outcomes.severities import severities
from folkmoot_rehearsal.synthesis import live, write
from folkmoot_sdk.loading import load as load_installed
from tests.unit.rehearsal.conftest import TODAY
from tests.unit.rehearsal.test_extracts import read

COMMAND = Path(sys.executable).with_name("folkmoot-rehearse")
COUNCILS = region(2)
FREQUENT = Mechanism((replace(rules.HOMELESSNESS, yearly=0.3),))
"""So many events that shares can be told from few households."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory, recipe):
    """Files of two councils, whose revenues systems differ, with a leak."""
    home = tmp_path_factory.mktemp("councils")
    rehearsed = replace(recipe, households=3000, outcomes=Mechanism.planted(Plant.LEAK))
    for council in COUNCILS:
        write(council, rehearsed, home / council.code, home / "truth" / council.code)
    return home


def lived(population, recipe, mechanism):
    return live(population, COUNCILS[0], replace(recipe, outcomes=mechanism))


@pytest.mark.parametrize("outcome", Mechanism().outcomes, ids=lambda outcome: outcome.name)
def test_as_many_events_happen_in_a_year_as_the_mechanism_says(population, recipe, outcome):
    events = lived(population, recipe, Mechanism((outcome,))).events
    expected = outcome.yearly * len(population.uprn) * 1.95  # homes that were there: most
    assert abs(len(events.day) - expected) < 4 * np.sqrt(expected) + 0.06 * expected


def test_a_circumstance_of_full_severity_multiplies_the_hazard_as_stated(population, recipe):
    alone = Outcome("alone", 0.3, {"private_renting": 1.5})
    hazard = lived(population, recipe, Mechanism((alone,))).hazard[0]
    renting = population.households.tenure == 3
    assert np.log(hazard[0, renting] / hazard[0, ~renting][0]) == pytest.approx(1.5)


def test_every_effect_names_a_severity_and_what_is_shown_is_a_factor_of_the_policy(tmp_path):
    path = tmp_path / "risk-policy.toml"
    path.write_text(policies.risk_policy(TODAY, Mechanism()), "utf-8")
    policy = load_policy(path).document
    assert {entry.factor for entry in policy.factors} == set(rules.SHOWN)
    for outcome in Mechanism().outcomes:
        assert set(outcome.effects) <= set(rules.SEVERITIES)
        assert set(outcome.effects) & set(rules.HIDDEN)
    assert [entry.field for entry in policy.equality] == ["ethnic_group"]


def test_severities_are_nothing_before_and_between_nothing_and_full_after(population, recipe):
    history = lived(population, recipe, Mechanism()).history
    unseen = np.zeros(len(population.uprn))
    early = severities(population, history, unseen, np.datetime64("1900-01-01"))
    late = severities(population, history, unseen, np.datetime64(TODAY))
    assert tuple(late) == rules.SEVERITIES
    for name in rules.SHOWN:
        assert (early[name] == 0).all()
        assert late[name].min() == 0
        assert 0 < late[name].max() <= 1


def test_no_circumstance_began_before_the_account_and_none_after_the_day(population, recipe):
    history = lived(population, recipe, Mechanism()).history
    assert history.opened.max() < np.datetime64(TODAY)
    for since in history.since.values():
        began = ~np.isnat(since)
        assert (since[began] >= history.opened[began]).all()
        assert (since[began] <= np.datetime64(TODAY)).all()
    assert np.array_equal(
        np.bincount(history.report_of, minlength=len(population.uprn)),
        population.circumstances.abuse_reports,
    )


def test_chance_is_the_share_that_then_has_a_recorded_event(population, recipe):
    years = lived(population, recipe, FREQUENT)
    date, events = evaluation_dates(TODAY)[3], years.events
    start = np.datetime64(date)
    end = (start.astype("datetime64[M]") + HORIZON).astype("datetime64[D]")
    there = (years.history.opened <= start) & ~(years.left <= end)
    heard = (events.day > start) & (events.day <= end) & ~np.isnat(events.noted)
    had = np.isin(np.arange(len(there)), events.household[heard])[there]
    chance = years.chance("homelessness_application", date, HORIZON)[there]
    tenths = np.array_split(np.argsort(chance), 10)
    for tenth in tenths:
        spread = np.sqrt((chance[tenth] * (1 - chance[tenth])).sum())
        assert abs(had[tenth].sum() - chance[tenth].sum()) < 4.5 * spread
    with pytest.raises(ValueError, match="after the last month"):
        years.chance("homelessness_application", date, 24)


def test_nothing_happens_to_those_who_are_not_there(population, recipe):
    years = lived(population, recipe, FREQUENT)
    who, day = years.events.household, years.events.day
    assert (day >= years.history.opened[who]).all()
    assert not (years.left[who] <= day).any()
    assert 0.08 < (~np.isnat(years.left)).mean() < 0.14


def test_a_planted_bias_takes_the_events_of_one_group_away_and_no_others(population, recipe):
    def shares(*plants):
        planted = Mechanism.planted(*plants)
        years = lived(population, recipe, replace(FREQUENT, recorded=planted.recorded))
        heard, group = ~np.isnat(years.events.noted), years.group[years.events.household]
        return {name: heard[group == at].mean() for at, name in enumerate(rules.GROUPS)}

    usual, biased = shares(), shares(Plant.BIAS)
    for name in rules.GROUPS:
        if name == rules.BIASED_GROUP:
            assert biased[name] == pytest.approx(rules.BIASED_SHARE, abs=0.06)
        else:
            assert biased[name] == usual[name]
        assert usual[name] == pytest.approx(rules.RECORDED[name], abs=0.08)


def test_the_same_seed_gives_the_same_years_and_they_leave_the_residents_alone(
    tmp_path, population, recipe
):
    one, other = (lived(population, recipe, Mechanism()) for _ in range(2))
    assert one.table(population).equals(other.table(population))
    small = replace(recipe, households=300)
    for name, mechanism in (("without", None), ("with", Mechanism())):
        write(COUNCILS[0], replace(small, outcomes=mechanism), tmp_path, tmp_path / name)
    for table in ("households", "people", "homes"):
        without, with_ = ((tmp_path / name / f"{table}.parquet") for name in ("without", "with"))
        assert without.read_bytes() == with_.read_bytes()


@pytest.mark.parametrize("code", [council.code for council in COUNCILS])
def test_all_rows_together_say_what_is_true_on_the_day(folder, code):
    """Changes add up: the sums and any of the mappings give what one day's extract would."""
    truth = pl.read_parquet(folder / "truth" / code / "households.parquet")
    mapping, rows = read(folder / code, "council_tax")
    columns = {name: field["column"] for name, field in mapping["fields"].items()}
    yes = {name: field.get("true") for name, field in mapping["fields"].items()}
    owed: dict[str, float] = {}
    supported = set()
    for row in rows:
        uprn = row[mapping["uprn"]]
        text = row[columns["council_tax_arrears"]]
        if text.replace(".", "", 1).isdigit():
            owed[uprn] = owed.get(uprn, 0.0) + float(text)
        if row[columns["council_tax_support"]] in yes["council_tax_support"]:
            supported.add(uprn)
    found = truth.select(
        pl.col("uprn").cast(pl.String), "council_tax_arrears", "council_tax_support"
    )
    same = [
        abs(owed.get(uprn, 0.0) - arrears) < 0.01 and (uprn in supported) == support
        for uprn, arrears, support in found.iter_rows()
    ]
    assert np.mean(same) > 0.985  # but for blanks, malformed rows and second accounts


@pytest.mark.parametrize("code", [council.code for council in COUNCILS])
def test_a_past_day_knows_less_and_nothing_of_what_came_later(folder, code):
    mapping, rows = read(folder / code, "council_tax")
    dated = mapping["record_date"]
    days = [datetime.datetime.strptime(r[dated["column"]], dated["format"]).date() for r in rows]
    assert max(days) <= TODAY
    past = [row for row, day in zip(rows, days, strict=True) if day <= evaluation_dates(TODAY)[0]]
    accounts = [{row[mapping["uprn"]] for row in some} for some in (rows, past)]
    assert 0.75 < len(accounts[1]) / len(accounts[0]) < 0.95
    field = mapping["fields"]["council_tax_support"]
    supported = [
        {row[mapping["uprn"]] for row in some if row[field["column"]] in field["true"]}
        for some in (rows, past)
    ]
    assert supported[1] < supported[0]
    assert 0.4 < len(supported[1]) / len(supported[0]) < 0.9


@pytest.mark.parametrize(
    "source",
    ["housing_benefit", "rents", "adult_social_care", "shielded_list", "childrens_services",
     "domestic_abuse", "deaths", "residents", "housing_options", "safeguarding", "departures"],
)  # fmt: skip
def test_every_mapping_has_a_record_date_that_stands_in_its_file(folder, source):
    mapping, rows = read(folder / COUNCILS[0].code, source)
    column = mapping["record_date"]["column"]
    assert all(column in row for row in rows)
    given = [row[column] for row in rows if row[column]]
    assert len(given) == len(rows)
    assert {mapping["uprn"], *(f["column"] for f in mapping["fields"].values())} <= set(rows[0])


def test_reports_of_abuse_are_one_row_each(folder):
    _, rows = read(folder / COUNCILS[0].code, "domestic_abuse")
    truth = pl.read_parquet(folder / "truth" / COUNCILS[0].code / "households.parquet")
    uprns = [row["UPRN"] for row in rows if row["UPRN"]]
    reported = truth.filter(pl.col("domestic_abuse_reports") > 1).height
    assert len(set(uprns)) < len(uprns)
    assert reported > 0
    assert sum(row["Reports"] == "1" for row in rows) >= 0.95 * len(rows)
    assert len({tuple(row.values()) for row in rows}) == len(rows)  # a node counts the same once


def test_what_is_wrong_with_real_outcomes_is_in_the_files(folder):
    """Two codes for one event, days that are missing, and events of whoever lived there before."""
    mapping, rows = read(folder / COUNCILS[0].code, "housing_options")
    day = mapping["fields"]["homelessness_application"]["column"]
    twice: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        twice.setdefault((row["UPRN"], row[day]), set()).add(row["Duty"])
    assert any(len(duties) == 2 for duties in twice.values())
    _, tax = read(folder / COUNCILS[0].code, "council_tax")
    opened: dict[str, datetime.date] = {}
    for row in tax:
        on = datetime.datetime.strptime(row["ExtractedOn"], "%d/%m/%Y").date()
        opened[row["UPRN"]] = min(on, opened.get(row["UPRN"], on))
    before = 0
    for row in rows:
        if row["UPRN"] in opened and row["RecordedOn"] == row[day]:
            applied = datetime.datetime.strptime(row[day], "%d/%m/%Y").date()
            before += applied < opened[row["UPRN"]]
    assert before > 0


def test_a_leak_holds_those_who_have_lately_applied_and_nobody_else(folder, tmp_path, recipe):
    mapping, rows = read(folder / COUNCILS[0].code, "temporary_accommodation")
    assert "record_date" not in mapping
    events = pl.read_parquet(folder / "truth" / COUNCILS[0].code / "outcomes.parquet")
    applied = events.filter(
        pl.col("noted").is_not_null()
        & (pl.col("noted") <= TODAY)
        & (pl.col("day") >= TODAY - datetime.timedelta(rules.DUTY_DAYS))
        & (pl.col("outcome") == "homelessness_application")
    )
    assert {row["UPRN"] for row in rows} == set(applied["uprn"].cast(pl.String))
    small = replace(recipe, households=300, outcomes=Mechanism())
    write(COUNCILS[0], small, tmp_path, tmp_path / "truth")
    assert not list(tmp_path.rglob("temporary_accommodation*"))
    path = tmp_path / "risk-policy.toml"
    path.write_text(policies.risk_policy(TODAY, Mechanism.planted(Plant.LEAK)), "utf-8")
    factors = {entry.factor for entry in load_policy(path).document.factors}
    assert factors - set(rules.SHOWN) == {"housing_insecurity"}
    assert factors <= set(load_installed().factors)


def test_the_evaluation_file_is_one_that_the_node_reads(folder):
    evaluation = load(EvaluationFile, folder / COUNCILS[0].code / "evaluation.toml")
    assert len(evaluation.dates) == 12
    last = np.datetime64(evaluation.dates[-1], "M") + HORIZON
    assert last.astype("datetime64[D]") + rules.DELAY < np.datetime64(TODAY)
    assert "temporary_accommodation" not in evaluation.undated
    events = {name for entry in evaluation.outcomes.values() for name in entry.events}
    assert events == {outcome.name for outcome in Mechanism().outcomes}


@pytest.mark.parametrize("name", [README_FILE, NODES_README_FILE])
def test_the_folder_and_the_help_say_which_files_outcomes_add(folder, name):
    code = COUNCILS[0].code
    added = [*(folder / code).glob("*.toml"), folder / "truth" / code / "outcomes.parquet"]
    assert len(added) == 3
    said = (resources.files("folkmoot_rehearsal") / "documents" / name).read_text("utf-8")
    assert [path for path in added if path.name not in said] == []
    [option] = [one for one in get_command(app).params if one.name == "outcomes"]
    assert {"judge", "fit"} <= set(option.help.split())


@pytest.mark.parametrize("day", [datetime.date(2026, 12, 1), datetime.date(2028, 2, 29), TODAY])
def test_months_begin_on_first_days_and_cover_every_horizon(day):
    edges = month_edges(day)
    assert edges[-1] == np.datetime64(day)
    assert (np.diff(edges).astype(int) > 0).all()
    dates = evaluation_dates(day)
    assert np.isin(np.array(dates, dtype="datetime64[D]"), edges).all()
    after = np.datetime64(dates[-1], "M") + HORIZON
    assert after.astype("datetime64[D]") in edges


def test_there_is_nothing_to_plant_without_outcomes(tmp_path):
    done = subprocess.run(
        [COMMAND, "--plant", "leak", "--out", tmp_path / "out"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ExitCode.USAGE
    assert "--outcomes" in done.stderr
    assert not (tmp_path / "out").exists()
