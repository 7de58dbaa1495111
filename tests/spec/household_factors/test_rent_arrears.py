"""Rent arrears: how many weeks of rent are owed."""

import pytest

from folkmoot_plugin_household_factors import RentArrears


@pytest.fixture
def factor():
    """Full at eight weeks, or £1,000 where the weekly rent is not known."""
    return RentArrears(RentArrears.Parameters(weeks_full=8, arrears_full=1000))


def test_the_same_amount_weighs_more_where_rent_is_low(factor, examples):
    examples.check(factor, """
    | rent_arrears | weekly_rent | score | because                                          |
    |--------------|-------------|-------|--------------------------------------------------|
    | 0            | 100         | 0     | Owes no rent                                     |
    | 400          | 100         | 0.5   | Owes £400 of rent, 4.0 weeks of it; full at 8    |
    | 400          | 200         | 0.25  | 2.0 weeks of it                                  |
    | 2000         | 100         | 1     | 20.0 weeks of it                                 |
    | -50          | 100         | 0     | Owes no rent                                     |
    """)  # fmt: skip


def test_without_the_rent_the_amount_itself_counts(factor, examples):
    examples.check(factor, """
    | rent_arrears | weekly_rent | score | because                                      |
    |--------------|-------------|-------|----------------------------------------------|
    | 400          | ?           | 0.4   | full at £1,000; Not known: the weekly rent   |
    | 400          | 0           | 0.4   | Not known: the weekly rent                   |
    | 0            | ?           | 0     | Owes no rent                                 |
    """)  # fmt: skip


def test_unknown_arrears_are_not_no_arrears(factor, examples):
    examples.check(factor, """
    | rent_arrears | weekly_rent | score | because                          |
    |--------------|-------------|-------|----------------------------------|
    | ?            | 100         | ?     | not known whether rent is owed   |
    | ?            | ?           | ?     | not known whether rent is owed   |
    """)  # fmt: skip
