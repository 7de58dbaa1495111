"""Who has died, and who belongs to the cohort of the worked example, in truth."""

import csv
import datetime

import numpy as np
import polars as pl
import pytest

from folkmoot_rehearsal import rates
from folkmoot_rehearsal.councils import region
from folkmoot_rehearsal.people import People
from folkmoot_rehearsal.synthesis import Recipe, draw, write
from folkmoot_rehearsal.worked_example import belongs

TODAY = datetime.date(2026, 11, 23)


def people_of(*households: tuple[int, ...]) -> People:
    """Households by the ages of their people."""
    age = np.array([one for ages in households for one in ages])
    household = np.repeat(np.arange(len(households)), [len(ages) for ages in households])
    zeros = np.zeros_like(age)
    return People(household, zeros, zeros, age, zeros.astype(bool))


@pytest.mark.parametrize(
    ("owed", "ages", "dead", "expected"),
    [
        (1000.01, (65,), (), True),
        (1000.0, (65,), (), False),
        (5000.0, (64,), (), False),
        (5000.0, (80, 70), (), False),
        (5000.0, (80, 70), (0,), True),
        (5000.0, (80, 60), (0,), False),
        (5000.0, (80,), (0,), False),
        (0.0, (80,), (), False),
    ],
)
def test_a_household_belongs_if_one_living_person_of_65_owes_over_1000(owed, ages, dead, expected):
    people = people_of((30,), ages)
    died = np.full(1 + len(ages), np.datetime64("NaT"), dtype="datetime64[D]")
    died[[1 + one for one in dead]] = np.datetime64("2026-11-01")
    assert belongs(np.array([0.0, owed]), people, died).tolist() == [False, expected]


@pytest.fixture(scope="module")
def large():
    """A council with enough deaths to count."""
    return draw(region(1)[0], Recipe(households=30_000, seed=5, today=TODAY))


def test_the_truth_of_the_cohort_follows_from_the_truth_of_people(large):
    living = large.people_table().filter(pl.col("died").is_null())
    alone = (
        living.group_by("uprn")
        .agg(pl.len().alias("n"), pl.col("age").max().alias("oldest"))
        .filter((pl.col("n") == 1) & (pl.col("oldest") >= 65))
    )
    table = large.household_table()
    owing = table.filter(pl.col("council_tax_arrears") > 1000).join(alone, on="uprn", how="semi")
    found = table.filter("debt_older_alone")
    assert found.height > 100
    assert set(found["uprn"]) == set(owing["uprn"])


def test_deaths_of_people_and_households_agree(large):
    died = large.people_table().drop_nulls("died")
    counted = died.group_by("uprn").len("n")
    table = large.household_table().filter(pl.col("deaths") > 0)
    assert dict(table.select("uprn", pl.col("deaths").cast(pl.UInt32)).iter_rows()) == dict(
        counted.iter_rows()
    )
    assert died["died"].max() < TODAY
    assert died["died"].min() >= TODAY - datetime.timedelta(days=rates.DEATHS_DAYS)


def test_people_die_at_the_rates_of_their_ages(large):
    table = large.people_table()
    for at, (first, rate) in enumerate(rates.DEATHS_BY_AGE):
        last = [*(step[0] for step in rates.DEATHS_BY_AGE), 200][at + 1]
        group = table.filter(pl.col("age").is_between(first, last - 1))
        expected = group.height * rate * rates.DEATHS_DAYS / 365
        # Poisson; five standard deviations for each of five groups.
        assert abs(group["died"].is_not_null().sum() - expected) < 5 * expected**0.5 + 1


def test_notices_name_those_who_died_and_a_few_who_did_not(tmp_path):
    write(region(1)[0], Recipe(30_000, 5, TODAY), tmp_path / "home", tmp_path / "truth")
    with (tmp_path / "home" / "extracts" / "deaths.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    truth = pl.read_parquet(tmp_path / "truth" / "households.parquet")
    confirmed = {int(row["UPRN"]) for row in rows if row["Status"] == "CONFIRMED"}
    assert confirmed == set(truth.filter(pl.col("deaths") > 0)["uprn"])
    withdrawn = [row for row in rows if row["Status"] == "WITHDRAWN"]
    assert 0 < len(withdrawn) < 0.1 * len(rows)
    for row in rows:
        datetime.datetime.strptime(row["DateOfDeath"], "%d/%m/%Y")


def test_a_council_without_deaths_still_has_a_file_with_a_row(tmp_path):
    write(region(1)[0], Recipe(50, 1, TODAY), tmp_path / "home", tmp_path / "truth")
    with (tmp_path / "home" / "extracts" / "deaths.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) >= 1
