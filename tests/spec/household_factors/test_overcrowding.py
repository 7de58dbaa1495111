"""Overcrowding: fewer bedrooms than the bedroom standard asks for."""

import pytest

from folkmoot_plugin_household_factors import Overcrowding
from folkmoot_sdk import PluginError
from folkmoot_sdk.parameters import build


@pytest.fixture
def factor():
    """One bedroom too few scores 0.6, two or more 1."""
    return Overcrowding(Overcrowding.Parameters(one_short=0.6, two_short=1))


def test_the_occupancy_rating_counts(factor, examples):
    examples.check(factor, """
    | occupancy_rating | score | because                              |
    |------------------|-------|--------------------------------------|
    | 2                | 0     | has the bedrooms                     |
    | 0                | 0     | has the bedrooms                     |
    | -1               | 0.6   | has 1 bedroom fewer than             |
    | -2               | 1     | has 2 bedrooms fewer than            |
    | -4               | 1     | has 4 bedrooms fewer than            |
    """)  # fmt: skip


def test_the_rating_goes_before_the_numbers(factor, examples):
    """Six people in three bedrooms may be two couples with two small children, or not."""
    examples.check(factor, """
    | occupancy_rating | people | bedrooms | score | because               |
    |------------------|--------|----------|-------|-----------------------|
    | -2               | 6      | 3        | 1     | 2 bedrooms fewer      |
    | 0                | 6      | 3        | 0     | has the bedrooms      |
    """)  # fmt: skip


def test_numbers_settle_what_no_composition_could_change(factor, examples):
    examples.check(factor, """
    | occupancy_rating | people | bedrooms | score | because                                        |
    |------------------|--------|----------|-------|------------------------------------------------|
    | ?                | 5      | 2        | 0.6   | 5 people have 2 bedrooms, more than two to a   |
    | ?                | 7      | 2        | 1     | 7 people have 2 bedrooms                       |
    | ?                | 3      | 0        | 0.6   | 3 people have 1 bedroom                        |
    | ?                | 3      | 3        | 0     | enough for one each                            |
    | ?                | 1      | 1        | 0     | 1 person has 1 bedroom, enough                 |
    | ?                | 4      | 2        | ?     | depends on who they are                        |
    | ?                | 2      | 1        | ?     | depends on who they are                        |
    """)  # fmt: skip


def test_unknown_is_not_enough_room(factor, examples):
    examples.check(factor, """
    | occupancy_rating | people | bedrooms | score | because                                       |
    |------------------|--------|----------|-------|-----------------------------------------------|
    | ?                | ?      | ?        | ?     | not known; number of people or of bedrooms    |
    | ?                | 5      | ?        | ?     | number of people or of bedrooms               |
    | ?                | ?      | 2        | ?     | number of people or of bedrooms               |
    """)  # fmt: skip


def test_more_bedrooms_missing_never_score_less():
    with pytest.raises(PluginError, match="do not ascend"):
        build(Overcrowding.Parameters, {"one_short": 0.9, "two_short": 0.8}, "parameters")
