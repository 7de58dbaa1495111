"""Laws of a synthetic population."""

import dataclasses
import datetime

import numpy as np
import polars as pl
import pytest

from folkmoot_rehearsal import shares
from folkmoot_rehearsal.codes import HOUSEHOLD_TYPE_OF, HOUSEHOLD_TYPES, Composition, Role
from folkmoot_rehearsal.councils import MAXIMUM_COUNCILS, region
from folkmoot_rehearsal.extracts import _care_home_residents
from folkmoot_rehearsal.population import ROUNDED, draw, without_rounded
from folkmoot_rehearsal.rounding import largest_remainder


def test_regions_have_distinct_councils_and_greater_manchester_comes_first():
    codes = [council.code for council in region(MAXIMUM_COUNCILS)]
    assert len(set(codes)) == MAXIMUM_COUNCILS
    assert codes[:10] == [f"E080000{n:02d}" for n in range(1, 11)]


@pytest.mark.parametrize("size", [0, 41])
def test_a_region_has_1_to_40_councils(size):
    with pytest.raises(ValueError, match="1 to 40"):
        region(size)


def test_margins_of_tenure_and_deprivation_hold_in_each_lsoa(population):
    margins, drawn = population.margins, population.households
    for values, target in (
        (drawn.tenure, margins.tenure),
        (drawn.deprivation, margins.deprivation),
    ):
        counts = np.zeros_like(target)
        np.add.at(counts, (drawn.area, values), 1)
        assert np.array_equal(counts, target)


def test_composition_holds_for_the_council(population):
    counts = np.bincount(population.households.composition, minlength=14)
    assert np.array_equal(counts, population.margins.composition.sum(axis=0))


def test_sizes_are_those_of_the_council_within_rounding(population):
    n = population.margins.households
    counts = np.bincount(population.households.size, minlength=9)[1:]
    assert np.abs(counts - np.array(shares.SIZE) / sum(shares.SIZE) * n).max() < 0.002 * n


def test_ages_are_those_of_the_council_within_rounding(population):
    age = population.people.age
    counts = np.bincount(np.minimum(age // 5, 17), minlength=18)
    wanted = largest_remainder(shares.AGE, len(age))
    assert np.abs(counts - wanted).max() <= 0.003 * len(age)


def test_size_fits_composition(population):
    size, composition = population.households.size, population.households.composition
    low = {
        Composition.ONE_66_OVER: (1, 1),
        Composition.ONE_OTHER: (1, 1),
        Composition.FAMILY_66_OVER: (2, 3),
        Composition.MARRIED_NO_CHILDREN: (2, 2),
        Composition.COHABITING_NO_CHILDREN: (2, 2),
        Composition.MARRIED_DEPENDENT: (3, 8),
        Composition.COHABITING_DEPENDENT: (3, 8),
        Composition.LONE_DEPENDENT: (2, 8),
        Composition.OTHER: (2, 8),
    }
    for kind, (smallest, largest) in low.items():
        sizes = size[composition == kind]
        assert sizes.size
        assert smallest <= sizes.min()
        assert sizes.max() <= largest


@pytest.mark.parametrize(
    ("kinds", "law"),
    [
        (("one_66_over", "family_66_over"), pl.col("youngest_age") >= 66),
        (("one_other",), pl.col("oldest_age").is_between(18, 65)),
        (
            ("married_dependent", "cohabiting_dependent", "lone_dependent"),
            (pl.col("youngest_age") <= 18) & (pl.col("oldest_age") >= 18),
        ),
        (("married_grown", "lone_grown"), pl.col("youngest_age") >= 18),
        (
            ("married_no_children", "cohabiting_no_children"),
            (pl.col("youngest_age") >= 18) & (pl.col("youngest_age") < 66),
        ),
    ],
)
def test_ages_fit_composition(population, kinds, law):
    table = population.household_table().filter(pl.col("composition").is_in(kinds))
    assert table.height
    assert table.filter(~law).is_empty()


def test_few_children_are_too_old_for_their_parents(population):
    people, drawn = population.people, population.households
    start = np.cumsum(drawn.size) - drawn.size
    family = ~np.isin(
        drawn.composition[people.household], (Composition.OTHER, Composition.OTHER_DEPENDENT)
    )
    child = family & np.isin(people.role, (Role.CHILD, Role.GROWN_CHILD))
    gap = people.age[start[people.household]] - people.age
    assert (gap[child] < 16).mean() < 0.02
    assert 25 < np.median(gap[child]) < 36


def test_households_and_people_agree(population):
    table, people = population.household_table(), population.people_table()
    counted = people.group_by("uprn").agg(
        pl.len().alias("members"),
        pl.col("age").max().alias("oldest"),
        pl.col("shielded").any().alias("shielded_member"),
    )
    joined = table.join(counted, on="uprn", how="left")
    assert joined.filter(
        (pl.col("people") != pl.col("members"))
        | (pl.col("oldest_age") != pl.col("oldest"))
        | (pl.col("shielded") != pl.col("shielded_member"))
    ).is_empty()
    assert table["uprn"].is_unique().all()
    assert people["person"].is_unique().all()
    assert table["uprn"].cast(pl.String).str.len_chars().max() <= 12


@pytest.mark.parametrize(
    "today", [datetime.date(2026, 11, 23), datetime.date(2028, 2, 29), datetime.date(2027, 3, 1)]
)
def test_dates_of_birth_give_the_ages(population, today):
    again = draw(population.council, population.margins, today, np.random.default_rng(3))
    table = again.people_table()
    ages = [
        today.year - born.year - ((today.month, today.day) < (born.month, born.day))
        for born in table["birth"]
    ]
    assert ages == table["age"].to_list()


def test_every_composition_has_a_household_type(population):
    table = population.household_table()
    assert len(HOUSEHOLD_TYPE_OF) == len(Composition)
    assert set(table["household_type"]) == set(HOUSEHOLD_TYPES)


@pytest.mark.parametrize(
    "circumstance",
    [
        pl.col("council_tax_arrears") > 0,
        pl.col("council_tax_support"),
        pl.col("universal_credit"),
        pl.col("shielded"),
    ],
)
def test_circumstances_rise_with_deprivation(population, circumstance):
    by_level = (
        population.household_table()
        .group_by(pl.col("deprivation_dimensions").clip(0, 3).alias("level"))
        .agg(circumstance.mean().alias("rate"))
        .sort("level")["rate"]
        .to_list()
    )
    assert by_level[0] < by_level[1] < by_level[2]


def test_tenure_and_deprivation_are_associated(population):
    table = population.household_table()
    deprived = table.group_by("tenure").agg(
        (pl.col("deprivation_dimensions") >= 2).mean().alias("share")
    )
    share = dict(deprived.iter_rows())
    assert share["owned_mortgage"] < share["private_rented"] < share["social_rented"]


def test_older_people_alone_are_seldom_private_tenants(population):
    table = population.household_table()
    share = (
        table.filter(pl.col("tenure") == "private_rented")["household_type"] == "one_person_66_over"
    ).mean()
    overall = (table["household_type"] == "one_person_66_over").mean()
    assert share < overall / 2


def test_debts_and_dates_stand_where_the_thing_happened(population):
    table = population.household_table()
    assert table["council_tax_arrears"].min() == 0
    assert table.filter((pl.col("rent_arrears") > 0) & ~pl.col("council_tenant")).is_empty()
    assert table.filter(
        (pl.col("domestic_abuse_reports") > 0) != pl.col("domestic_abuse_last_report").is_not_null()
    ).is_empty()
    for name in (
        "domestic_abuse_last_report",
        "single_person_discount_from",
        "tenancy_change_date",
    ):
        assert table[name].max() <= population.today


def test_no_uprn_looks_rounded():
    """A node would stop at it: whether it does must not depend on the seed and the day."""
    numbers = np.random.default_rng(1).permutation(3 * ROUNDED + 1)
    kept = without_rounded(numbers)
    assert len(np.unique(kept)) == len(numbers)
    assert not np.any(kept % ROUNDED == 0)
    assert np.array_equal(kept[numbers % ROUNDED != 0], numbers[numbers % ROUNDED != 0])


def test_no_care_home_has_a_uprn_that_looks_rounded(population):
    last = np.append(population.uprn[:-1], 700_000_000_000 + ROUNDED - 1)
    full = dataclasses.replace(population, uprn=last)
    for seed in range(20):
        homes = _care_home_residents(full, 12_000, np.random.default_rng(seed))["UPRN"]
        assert (homes > last.max()).all()
        assert not (homes % ROUNDED == 0).any()
