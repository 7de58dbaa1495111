"""The worked example at census size: Barking and Dagenham, and its cohort against the truth."""

import datetime
import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from folkmoot_rehearsal.alone import make_nodes
from folkmoot_rehearsal.census import Census
from folkmoot_rehearsal.councils import named
from folkmoot_rehearsal.layout import Layout
from folkmoot_rehearsal.processes import children
from folkmoot_rehearsal.synthesis import Recipe
from tests.borough import BOROUGH, cohort_of, scored_of, truth_of
from tests.orderly import keep_records_in_order

pytestmark = [pytest.mark.realdata, pytest.mark.slow]

TODAY = datetime.date(2026, 11, 23)
HOUSEHOLDS = 73_911
"""Of the tenure table, TS054; tables differ by a few, as ONS perturbs them."""
RESIDENTS = 218_876


@pytest.fixture(scope="module")
def tables(public_data) -> Path:
    return public_data / "greater_manchester"


@pytest.fixture(scope="module")
def borough(tables, tmp_path_factory) -> Path:
    """The borough as the documentation rehearses it."""
    out = tmp_path_factory.mktemp("borough") / "out"
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("folkmoot-rehearse")), "--councils", BOROUGH,
            "--marginals", str(tables), "--census-size", "--seed", "7",
            "--date", TODAY.isoformat(), "--node-alone", "--json", "--out", str(out),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "composition, sizes and ages are approximate" in done.stderr
    result = json.loads(done.stdout)
    assert result["households"] > 0.998 * HOUSEHOLDS
    assert abs(result["people"] - RESIDENTS) < 0.002 * RESIDENTS
    return out


def test_the_borough_has_its_areas_and_as_many_households_as_the_census_counted(borough, tables):
    truth = truth_of(borough)
    assert truth.height == HOUSEHOLDS
    lookup = pl.read_csv(tables / "lookup_lsoa21_ward24_ltla24.csv.gz")
    areas = lookup.filter(pl.col("ltla24_code") == BOROUGH)
    found = truth.select("lsoa", "ward").unique().sort("lsoa")
    assert found.equals(areas.select(lsoa="lsoa21_code", ward="ward24_code").sort("lsoa"))
    tenure = pl.read_csv(tables / "household_tenure21_lsoa21.csv.gz")
    owned = tenure.filter(
        pl.col("lsoa21_code").is_in(areas["lsoa21_code"].to_list()),
        pl.col("tenure") == "Owned: Owns outright",
    )["n"].sum()
    assert truth.filter(pl.col("tenure") == "owned_outright").height == owned


def test_the_borough_is_as_young_as_it_says(borough):
    """Within a percentage point and a half: parts in households leave less room for ages."""
    people = pl.read_parquet(borough / "truth" / BOROUGH / "people.parquet")
    assert (people["age"] < 16).mean() == pytest.approx(0.261, abs=0.015)
    assert (people["age"] >= 65).mean() == pytest.approx(0.087, abs=0.005)


def test_the_cohort_agrees_with_the_truth_as_far_as_records_do(borough):
    """Records without UPRN or age, debts of former occupiers and movers make the difference."""
    found = set(cohort_of(borough)["uprn"])
    true = set(truth_of(borough).filter("debt_older_alone")["uprn"])
    both = len(found & true)
    assert len(true) > 150
    assert both / len(found) > 0.85, "precision"
    assert both / len(true) > 0.85, "recall"
    assert found != true


def test_those_found_wrongly_owe_for_somebody_else_or_have_others_with_them(borough):
    """Nobody is in the cohort without a record that says so."""
    truth = truth_of(borough)
    wrong = cohort_of(borough).join(truth.filter("debt_older_alone"), on="uprn", how="anti")
    told = wrong.join(truth, on="uprn", how="left")
    assert told.height
    assert told.filter(
        (pl.col("field_council_tax_arrears") == pl.col("council_tax_arrears"))
        & (pl.col("people") == 1)
        & (pl.col("oldest_age") >= 65)
        & (pl.col("deaths") == 0)
    ).is_empty()


def test_leaving_out_reported_deaths_leaves_out_nobody_who_lives_alone(borough):
    reported = scored_of(borough).filter(pl.col("death_reported") == "yes")
    truth = truth_of(borough)
    left_out = cohort_of(borough).join(reported, on="uprn", how="semi")
    assert left_out.join(truth.filter("debt_older_alone"), on="uprn", how="semi").is_empty()


def test_the_cohort_is_the_truth_where_records_are_right(tables, tmp_path, monkeypatch):
    keep_records_in_order(monkeypatch)
    layout = Layout(tmp_path / "borough")
    layout.prepare(replace=False)
    recipe = Recipe(households=None, seed=7, today=TODAY, census=Census(tables))
    with children(layout.logs) as kept:
        make_nodes(named(BOROUGH), recipe, layout, kept, lambda *_: None)
    no_death = truth_of(layout.root).filter(pl.col("deaths") == 0)
    true = set(no_death.filter("debt_older_alone")["uprn"])
    found = set(cohort_of(layout.root)["uprn"]) & set(no_death["uprn"])
    assert len(true) > 150
    assert found == true
