"""Who the people of the rehearsal are, and what sources make of them."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest

from folkmoot_rehearsal import identities, misspelling, sightings
from folkmoot_rehearsal.codes import Role
from folkmoot_rehearsal.identities import Identities
from folkmoot_rehearsal.population import Population
from tests.unit.rehearsal.conftest import TODAY

NOTHING = misspelling.Carelessness(
    **{field.name: 0.0 for field in dataclasses.fields(misspelling.Carelessness)}
)


@pytest.fixture(scope="module")
def people(population: Population) -> Identities:
    return population.identities


def test_the_same_seed_gives_the_same_people(population, people):
    first, again = (
        identities.draw(population.people, population.birth, np.random.default_rng(1))
        for _ in range(2)
    )
    for field in dataclasses.fields(Identities):
        assert np.array_equal(getattr(again, field.name), getattr(first, field.name))


def test_nhs_numbers_are_distinct_and_pass_the_check(people):
    assert len(np.unique(people.nhs_number)) == len(people.nhs_number)
    digits = np.array([[int(digit) for digit in number] for number in people.nhs_number])
    assert digits.shape[1] == 10
    assert (digits[:, :3] == 9).all()
    assert (digits @ np.arange(10, 0, -1) % 11 == 0).all()


def test_families_share_surnames(population, people):
    first = np.flatnonzero(population.people.position == 0)[population.people.household]
    child = population.people.role == Role.CHILD
    shared = (people.surname == people.surname[first])[child].mean()
    assert 0.80 < shared < 0.92


def test_children_of_one_age_in_a_household_are_twins(population):
    born = np.random.default_rng(6).integers(0, 365, size=len(population.birth))
    apart = population.birth - born % 2
    twins = identities.draw(population.people, apart, np.random.default_rng(1)).birth
    changed = twins != apart
    assert 0 < changed.mean() < 0.05
    age = population.people.age
    assert (age[changed] == age[np.flatnonzero(changed) - 1]).all()
    assert (population.people.role[changed] != Role.PARENT).all()


def test_twins_have_names_of_their_own(population, people):
    twin = np.flatnonzero(people.birth[1:] == people.birth[:-1]) + 1
    twin = twin[population.people.household[twin] == population.people.household[twin - 1]]
    child = twin[population.people.role[twin] == Role.CHILD]
    assert len(child) > 50
    assert (people.forename[child] != people.forename[child - 1]).all()


def true_people(people: Identities, size: int = 12_000) -> pl.DataFrame:
    rows = np.arange(size)
    return people.table(rows).with_columns(postcode=pl.format("BL1 {}AA", pl.int_range(size) % 10))


def test_without_carelessness_nothing_changes(people):
    true = true_people(people)
    written = misspelling.misspelt(
        true, people.maiden[: true.height], NOTHING, np.random.default_rng(2)
    )
    assert written.equals(true.select(written.columns))


@pytest.mark.parametrize(
    ("error", "column", "least"),
    [
        ("name_typed", "surname", 0.85),
        ("initial", "forename", 0.99),
        ("date_typed", "date_of_birth", 0.99),
        ("no_date", "date_of_birth", 0.99),
        ("no_forename", "forename", 0.99),
        ("no_postcode", "postcode", 0.99),
        ("no_nhs_number", "nhs_number", 0.99),
        ("wrong_nhs_number", "nhs_number", 0.99),
        ("first_of_january", "date_of_birth", 0.98),
        ("date_swapped", "date_of_birth", 0.30),
    ],
)
def test_each_error_is_as_frequent_as_stated(people, error, column, least):
    """Four standard errors either way; some errors change nothing: Lee with another e."""
    true = true_people(people)
    rate = 0.2
    rates = dataclasses.replace(NOTHING, **{error: rate})
    written = misspelling.misspelt(
        true, people.maiden[: true.height], rates, np.random.default_rng(3)
    )
    changed = (~written[column].eq_missing(true[column])).mean()
    margin = 4 * np.sqrt(rate * (1 - rate) / true.height)
    assert rate * least - margin < changed < rate + margin
    others = [name for name in true.columns if name not in (column, "forename", "surname")]
    if error != "name_typed":
        assert written.select(others).equals(true.select(others))


def test_some_people_have_two_homes_and_some_had_another(population):
    homes = sightings.draw(population.people, population.birth, TODAY, np.random.default_rng(4))
    n = len(population.people.age)
    now = np.bincount(homes.person[homes.current], minlength=n)
    assert set(np.unique(now)) == {1, 2}
    children = population.people.age < 18
    assert (now[~children] == 1).all()
    assert abs((now[children] == 2).mean() - sightings.TWO_HOUSEHOLDS) < 0.012
    earlier = homes.person[~homes.current]
    settled = (homes.since[:n] - population.birth).astype(int) > 3 * 365
    assert abs(len(earlier) / settled.sum() - sightings.MOVED_WITHIN) < 0.01
    since = homes.since[:n]
    assert (homes.since[~homes.current] < since[earlier]).all()
    assert (homes.since >= population.birth[homes.person]).all()
    assert (homes.household[~homes.current] != population.people.household[earlier]).all()
