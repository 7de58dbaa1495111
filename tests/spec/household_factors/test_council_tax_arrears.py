"""Council tax arrears: what is owed, and how far its recovery has gone."""

import pytest

from folkmoot_plugin_household_factors import CouncilTaxArrears
from folkmoot_sdk import PluginError
from folkmoot_sdk.parameters import build


@pytest.fixture
def factor():
    """Full at £2,000; reminder 0.1, summons 0.3, liability order 0.6, enforcement 0.8."""
    return CouncilTaxArrears(CouncilTaxArrears.Parameters())


def test_arrears_count_in_proportion(factor, examples):
    examples.check(factor, """
    | council_tax_arrears | council_tax_recovery | score | because                                    |
    |---------------------|----------------------|-------|--------------------------------------------|
    | 0                   | none                 | 0     | Owes no council tax; No recovery           |
    | 500                 | none                 | 0.25  | Owes £500 of council tax; full at £2,000   |
    | 2000                | none                 | 1     | £2,000                                     |
    | 9000                | none                 | 1     | £9,000                                     |
    | -300                | none                 | 0     | Owes no council tax                        |
    """)  # fmt: skip


def test_the_stage_of_recovery_counts_where_it_says_more(factor, examples):
    examples.check(factor, """
    | council_tax_arrears | council_tax_recovery | score | because                          |
    |---------------------|----------------------|-------|----------------------------------|
    | 100                 | reminder             | 0.1   | Owes £100; A reminder has been sent |
    | 100                 | summons              | 0.3   | A summons has been sent          |
    | 100                 | liability_order      | 0.6   | A court has made a liability order |
    | 100                 | enforcement          | 0.8   | with enforcement agents          |
    | 1800                | liability_order      | 0.9   | Owes £1,800                      |
    """)  # fmt: skip


def test_what_is_owed_is_unknown_until_something_speaks_for_a_debt(factor, examples):
    examples.check(factor, """
    | council_tax_arrears | council_tax_recovery | score | because                                        |
    |---------------------|----------------------|-------|------------------------------------------------|
    | ?                   | ?                    | ?     | Not known: council tax arrears and how far     |
    | ?                   | none                 | ?     | No recovery is under way; Not known: council tax arrears |
    | ?                   | summons              | 0.3   | Not known: council tax arrears                 |
    | 500                 | ?                    | 0.25  | Not known: how far their recovery has gone     |
    | 0                   | ?                    | 0     | Not known: how far their recovery has gone     |
    """)  # fmt: skip


def test_a_later_stage_never_scores_less():
    with pytest.raises(PluginError, match="do not ascend"):
        build(CouncilTaxArrears.Parameters, {"summons": 0.7}, "parameters")
