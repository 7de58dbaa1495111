"""Benefit dependency: means-tested support, and how little is earned beside it."""

import pytest

from folkmoot_plugin_household_factors import BenefitDependency


@pytest.fixture
def factor():
    """Support scores 0.5, and more below earnings of £1,000 a month."""
    return BenefitDependency(BenefitDependency.Parameters(support_score=0.5, earnings_enough=1000))


def test_support_weighs_more_the_less_is_earned(factor, examples):
    examples.check(factor, """
    | council_tax_support | household_earnings | score | because                          |
    |---------------------|--------------------|-------|----------------------------------|
    | yes                 | 0                  | 1     | No earnings are recorded         |
    | yes                 | 250                | 0.875 | Earns £250 a month               |
    | yes                 | 1000               | 0.5   | Earns £1,000 a month             |
    | yes                 | 3000               | 0.5   | Receives council tax support     |
    """)  # fmt: skip


def test_any_one_support_counts_the_same(factor, examples):
    examples.check(factor, """
    | council_tax_support | housing_benefit | universal_credit | household_earnings | score | because                         |
    |---------------------|-----------------|------------------|--------------------|-------|---------------------------------|
    | yes                 | no              | no               | 1000               | 0.5   | Receives council tax support    |
    | yes                 | yes             | yes              | 1000               | 0.5   | housing benefit and Universal Credit |
    | no                  | no              | yes              | 1000               | 0.5   | Receives Universal Credit       |
    | no                  | no              | no               | 0                  | 0     | Receives no means-tested support |
    """)  # fmt: skip


def test_earnings_not_known_are_not_no_earnings(factor, examples):
    examples.check(factor, """
    | council_tax_support | household_earnings | score | because                                  |
    |---------------------|--------------------|-------|------------------------------------------|
    | yes                 | ?                  | 0.5   | Not known; what the household earns      |
    """)  # fmt: skip


def test_support_not_known_is_not_no_support(factor, examples):
    """Council tax support is required; another settles it only by being received."""
    examples.check(factor, """
    | council_tax_support | housing_benefit | universal_credit | household_earnings | score | because                          |
    |---------------------|-----------------|------------------|--------------------|-------|----------------------------------|
    | ?                   | ?               | ?                | 0                  | ?     | Not known: council tax support   |
    | ?                   | no              | no               | 0                  | ?     | Not known: council tax support   |
    | ?                   | yes             | ?                | 0                  | 1     | Receives housing benefit         |
    | no                  | ?               | ?                | 0                  | 0     | Not known: housing benefit       |
    """)  # fmt: skip
