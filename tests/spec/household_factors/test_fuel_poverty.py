"""Fuel poverty: a low income in a home that is hard to heat, and energy debt."""

import pytest

from folkmoot_plugin_household_factors import FuelPoverty
from folkmoot_sdk import PluginError
from folkmoot_sdk.parameters import build


@pytest.fixture
def factor():
    """Bands D 0.4, E 0.7, F 0.9, G 1; energy arrears full at £1,000."""
    return FuelPoverty(FuelPoverty.Parameters())


def test_a_low_income_counts_in_homes_of_band_d_to_g(factor, examples):
    """Means-tested support stands for a low income."""
    examples.check(factor, """
    | epc_band | council_tax_support | score | because                                       |
    |----------|---------------------|-------|-----------------------------------------------|
    | A        | yes                 | 0     | energy rating is A; The factor counts D to G  |
    | C        | yes                 | 0     | energy rating is C; The factor counts D to G  |
    | D        | yes                 | 0.4   | energy rating is D; Receives council tax support |
    | E        | yes                 | 0.7   | energy rating is E                            |
    | F        | yes                 | 0.9   | energy rating is F                            |
    | G        | yes                 | 1     | energy rating is G                            |
    | G        | no                  | 0     | energy rating is G                            |
    """)  # fmt: skip


def test_universal_credit_and_housing_benefit_stand_for_a_low_income_too(factor, examples):
    examples.check(factor, """
    | epc_band | council_tax_support | housing_benefit | universal_credit | score | because                        |
    |----------|---------------------|-----------------|------------------|-------|--------------------------------|
    | E        | no                  | no              | yes              | 0.7   | Receives Universal Credit      |
    | E        | no                  | yes             | no               | 0.7   | Receives housing benefit       |
    | E        | no                  | no              | no               | 0     | Receives no means-tested support |
    """)  # fmt: skip


def test_energy_arrears_count_in_any_home(factor, examples):
    examples.check(factor, """
    | epc_band | council_tax_support | energy_arrears | score | because                       |
    |----------|---------------------|----------------|-------|-------------------------------|
    | B        | no                  | 500            | 0.5   | Owes £500 for energy; £1,000  |
    | E        | yes                 | 500            | 0.7   | Owes £500 for energy          |
    | E        | yes                 | 900            | 0.9   | Owes £900 for energy          |
    | B        | no                  | 0              | 0     | Owes nothing for energy       |
    """)  # fmt: skip


def test_either_of_band_and_income_settles_it_by_ruling_it_out(factor, examples):
    examples.check(factor, """
    | epc_band | council_tax_support | energy_arrears | score | because                                 |
    |----------|---------------------|----------------|-------|-----------------------------------------|
    | ?        | yes                 | ?              | ?     | Not known: the home's energy rating     |
    | E        | ?                   | ?              | ?     | Not known: council tax support          |
    | ?        | ?                   | 0              | ?     | Owes nothing for energy                 |
    | ?        | no                  | ?              | 0     | Not known: the home's energy rating     |
    | B        | ?                   | ?              | 0     | The factor counts D to G                |
    | ?        | ?                   | 500            | 0.5   | Owes £500; Not known: the home's energy |
    """)  # fmt: skip


def test_a_worse_band_never_scores_less():
    with pytest.raises(PluginError, match="do not ascend"):
        build(FuelPoverty.Parameters, {"band_e": 0.3}, "parameters")
