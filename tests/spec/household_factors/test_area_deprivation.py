"""Area deprivation: how deprived the neighbourhood is among all of England's."""

import pytest

from folkmoot_plugin_household_factors import AreaDeprivation
from folkmoot_sdk import PluginError
from folkmoot_sdk.parameters import build


@pytest.fixture
def factor():
    """The most deprived tenth scores 1, the fourth and all after it 0."""
    return AreaDeprivation(AreaDeprivation.Parameters(decile_full=1, decile_none=4))


def test_the_decile_scores(factor, examples):
    examples.check(factor, """
    | imd_decile | score  | because                                            |
    |------------|--------|----------------------------------------------------|
    | 1          | 1      | decile 1; nothing certain of this household        |
    | 2          | 0.6667 | decile 2                                           |
    | 3          | 0.3333 | decile 3                                           |
    | 4          | 0      | decile 4; counts deciles below 4                   |
    | 10         | 0      | decile 10; counts deciles below 4                  |
    | ?          | ?      | not known how deprived the neighbourhood is        |
    """)  # fmt: skip


def test_a_rank_in_the_place_of_the_decile_is_not_a_low_deprivation(factor, examples):
    examples.check(factor, """
    | imd_decile | score | because                          |
    |------------|-------|----------------------------------|
    | 26525      | ?     | decile of deprivation, 26525, is not one |
    | 0          | ?     | 0, is not one                    |
    """)  # fmt: skip


def test_a_policy_may_count_a_fifth_of_england(examples):
    fifth = AreaDeprivation(AreaDeprivation.Parameters(decile_full=2, decile_none=3))
    examples.check(fifth, """
    | imd_decile | score |
    |------------|-------|
    | 1          | 1     |
    | 2          | 1     |
    | 3          | 0     |
    """)  # fmt: skip


def test_a_line_that_falls_the_wrong_way_is_refused():
    with pytest.raises(PluginError, match="decile_none"):
        build(AreaDeprivation.Parameters, {"decile_full": 4, "decile_none": 4}, "parameters")
