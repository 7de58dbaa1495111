"""Benefit cap: benefits are reduced to the limit, and by how much."""

import pytest

from folkmoot_plugin_household_factors import BenefitCap


@pytest.fixture
def factor():
    """Capped scores 0.5, and 1 at a reduction of £400 a month."""
    return BenefitCap(BenefitCap.Parameters(capped_score=0.5, reduction_full=400))


def test_a_larger_reduction_weighs_more(factor, examples):
    examples.check(factor, """
    | benefit_capped | benefit_cap_reduction | score  | because                                |
    |----------------|-----------------------|--------|----------------------------------------|
    | no             | 0                     | 0      | does not reduce                        |
    | yes            | 40                    | 0.55   | by £40 a month; full at £400           |
    | yes            | 200                   | 0.75   | by £200 a month                        |
    | yes            | 400                   | 1      | by £400 a month                        |
    | yes            | 900                   | 1      | by £900 a month                        |
    """)  # fmt: skip


def test_what_is_not_known(factor, examples):
    """A known reduction says that there is a cap; a cap of unknown size counts as small."""
    examples.check(factor, """
    | benefit_capped | benefit_cap_reduction | score | because                               |
    |----------------|-----------------------|-------|---------------------------------------|
    | ?              | ?                     | ?     | not known whether the benefit cap     |
    | yes            | ?                     | 0.5   | reduces; Not known: by how much       |
    | no             | ?                     | 0     | does not reduce                       |
    | ?              | 200                   | 0.75  | by £200 a month                       |
    | ?              | 0                     | 0     | does not reduce                       |
    """)  # fmt: skip


def test_a_household_that_is_no_longer_capped_does_not_count(factor, examples):
    examples.check(factor, """
    | benefit_capped | benefit_cap_reduction | score | because         |
    |----------------|-----------------------|-------|-----------------|
    | no             | 200                   | 0     | does not reduce |
    """)  # fmt: skip
