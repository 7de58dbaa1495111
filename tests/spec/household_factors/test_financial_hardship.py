"""Financial hardship: what is owed to the council, and means-tested support."""

import pytest

from folkmoot_plugin_household_factors import FinancialHardship
from folkmoot_sdk import PluginError
from folkmoot_sdk.parameters import build


@pytest.fixture
def factor():
    """Full at £2,000 of arrears; support adds 0.2."""
    return FinancialHardship(FinancialHardship.Parameters(arrears_full=2000, support_score=0.2))


def test_arrears_of_council_tax_and_rent_count_together(factor, examples):
    examples.check(factor, """
    | council_tax_arrears | rent_arrears | score | because                                  |
    |---------------------|--------------|-------|------------------------------------------|
    | 0                   | 0            | 0     | Owes neither council tax nor rent        |
    | 500                 | 0            | 0.25  | Owes £500 of council tax                 |
    | 500                 | 1000         | 0.75  | £500 of council tax and £1,000 of rent   |
    | 1500                | 900          | 1     | full at £2,000                           |
    | 9.5                 | 0            | 0.005 | £9.50 of council tax                     |
    """)  # fmt: skip


def test_an_account_in_credit_owes_nothing_and_pays_for_no_other(factor, examples):
    examples.check(factor, """
    | council_tax_arrears | rent_arrears | score | because              |
    |---------------------|--------------|-------|----------------------|
    | -300                | 0            | 0     | Owes neither         |
    | -300                | 1000         | 0.5   | Owes £1,000 of rent  |
    """)  # fmt: skip


def test_any_one_means_tested_support_adds_the_same(factor, examples):
    examples.check(factor, """
    | council_tax_arrears | council_tax_support | housing_benefit | universal_credit | score | because                   |
    |---------------------|---------------------|-----------------|------------------|-------|---------------------------|
    | 0                   | no                  | no              | no               | 0     | no means-tested support   |
    | 0                   | yes                 | no              | no               | 0.2   | council tax support       |
    | 0                   | yes                 | yes             | no               | 0.2   | and housing benefit       |
    | 1000                | no                  | no              | yes              | 0.7   | Receives Universal Credit |
    | 1900                | yes                 | no              | no               | 1     | £1,900                    |
    """)  # fmt: skip


def test_council_tax_arrears_not_known_is_not_zero(factor, examples):
    """Unknown, unless something known speaks for hardship."""
    examples.check(factor, """
    | council_tax_arrears | rent_arrears | council_tax_support | score | because                                         |
    |---------------------|--------------|---------------------|-------|-------------------------------------------------|
    | ?                   | ?            | ?                   | ?     | Not known: council tax arrears, rent arrears    |
    | ?                   | 0            | no                  | ?     | Owes no rent; Not known: council tax arrears    |
    | ?                   | 1000         | no                  | 0.5   | £1,000 of rent; Not known: council tax arrears  |
    | ?                   | 0            | yes                 | 0.2   | Not known: council tax arrears                  |
    """)  # fmt: skip


def test_what_is_optional_and_not_known_is_said_but_does_not_lower_the_score(factor, examples):
    examples.check(factor, """
    | council_tax_arrears | score | because                                        |
    |---------------------|-------|------------------------------------------------|
    | 0                   | 0     | Owes no council tax; Not known: rent arrears   |
    | 1000                | 0.5   | Not known: rent arrears, council tax support   |
    """)  # fmt: skip


def test_a_policy_may_set_the_scale(examples):
    strict = FinancialHardship(build(FinancialHardship.Parameters, {"arrears_full": 500}, "p"))
    examples.check(strict, """
    | council_tax_arrears | score |
    |---------------------|-------|
    | 250                 | 0.5   |
    """)  # fmt: skip


@pytest.mark.parametrize("wrong", [{"arrears_full": 0}, {"support_score": 1.5}, {"arrears": 10}])
def test_a_policy_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(PluginError):
        build(FinancialHardship.Parameters, wrong, "factors[0].parameters")
