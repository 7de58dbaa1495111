"""Isolation: somebody of 65 or over who lives alone."""

import pytest

from folkmoot_plugin_household_factors import Isolation
from folkmoot_sdk import PluginError
from folkmoot_sdk.parameters import build


@pytest.fixture
def factor():
    """Counts from 65 with 0.6, full at 85."""
    return Isolation(Isolation.Parameters(age_from=65, age_full=85, score_from=0.6))


def test_65_or_over_and_alone(factor, examples):
    examples.check(factor, """
    | oldest_age | people | score | because                             |
    |------------|--------|-------|-------------------------------------|
    | 64         | 1      | 0     | oldest person is 64; from 65        |
    | 65         | 1      | 0.6   | oldest person is 65; One person     |
    | 75         | 1      | 0.8   | One person is recorded here         |
    | 85         | 1      | 1     | 85                                  |
    | 101        | 1      | 1     | 101                                 |
    | 80         | 2      | 0     | 2 people are recorded here          |
    """)  # fmt: skip


def test_the_number_of_people_goes_before_the_household_type_and_that_before_the_discount(
    factor, examples
):
    examples.check(factor, """
    | oldest_age | people | household_type     | single_person_discount | score | because                            |
    |------------|--------|--------------------|------------------------|-------|------------------------------------|
    | 75         | 2      | one_person_66_over | yes                    | 0     | 2 people                           |
    | 75         | 1      | couple_no_children | no                     | 0.8   | One person                         |
    | 75         | ?      | one_person_66_over | no                     | 0.8   | household type is one person alone |
    | 75         | ?      | one_person_other   | no                     | 0.8   | household type is one person alone |
    | 75         | ?      | couple_no_children | yes                    | 0     | not one person alone               |
    | 75         | ?      | ?                  | yes                    | 0.8   | single person discount is paid     |
    """)  # fmt: skip


def test_no_discount_does_not_prove_that_somebody_has_company(factor, examples):
    """Not everybody who may have it asks for it."""
    examples.check(factor, """
    | oldest_age | single_person_discount | score | because                                  |
    |------------|------------------------|-------|------------------------------------------|
    | 75         | no                     | ?     | not known whether somebody lives here alone |
    """)  # fmt: skip


def test_what_is_known_to_rule_it_out_decides_whatever_else_is_unknown(factor, examples):
    examples.check(factor, """
    | oldest_age | people | score | because                                     |
    |------------|--------|-------|---------------------------------------------|
    | 40         | ?      | 0     | counts from 65                              |
    | ?          | 3      | 0     | age of the oldest person is not known; 3 people |
    | ?          | 1      | ?     | age of the oldest person is not known       |
    | 75         | ?      | ?     | not known whether somebody lives here alone |
    | ?          | ?      | ?     | not known                                   |
    """)  # fmt: skip


def test_a_step_instead_of_a_slope(examples):
    step = Isolation(Isolation.Parameters(age_from=70, age_full=70, score_from=0.5))
    examples.check(step, """
    | oldest_age | people | score |
    |------------|--------|-------|
    | 69         | 1      | 0     |
    | 70         | 1      | 1     |
    | ?          | 1      | ?     |
    """)  # fmt: skip


def test_full_age_below_first_age_is_refused():
    with pytest.raises(PluginError, match="age_full"):
        build(Isolation.Parameters, {"age_from": 75, "age_full": 65}, "parameters")
