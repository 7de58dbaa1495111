"""Housing insecurity: homelessness duties, temporary accommodation, notice, possession."""

import pytest

from folkmoot_plugin_household_factors import HousingInsecurity
from folkmoot_sdk import PluginError
from folkmoot_sdk.parameters import build


@pytest.fixture
def factor():
    """Notice 0.6 and claim 0.8 in full for 56 days, nothing after 365."""
    return HousingInsecurity(HousingInsecurity.Parameters())


def test_the_duty_that_the_council_owes(factor, examples):
    examples.check(factor, """
    | homelessness_duty | score | because                              |
    |-------------------|-------|--------------------------------------|
    | none              | 0     | No homelessness application is open  |
    | application       | 0.4   | application is open and not decided  |
    | prevention        | 0.6   | prevention duty: homelessness is threatened |
    | relief            | 0.9   | relief duty: the household is homeless |
    | main              | 0.9   | main housing duty                    |
    """)  # fmt: skip


def test_temporary_accommodation_counts_in_full(factor, examples):
    examples.check(factor, """
    | homelessness_duty | temporary_accommodation | score | because                           |
    |-------------------|-------------------------|-------|-----------------------------------|
    | main              | yes                     | 1     | Lives in temporary accommodation  |
    | main              | no                      | 0.9   | Does not live in temporary        |
    """)  # fmt: skip


def test_a_notice_or_a_claim_weighs_less_as_time_goes_by(factor, examples):
    """Half of the window has gone by at 210.5 days."""
    examples.check(factor, """
    | homelessness_duty | eviction_notice_date | possession_claim_date | score  | because                           |
    |-------------------|----------------------|-----------------------|--------|-----------------------------------|
    | none              | 30 days ago          | ?                     | 0.6    | Notice to leave was served on 2 March 2026 |
    | none              | 56 days ago          | ?                     | 0.6    | 56 days ago                       |
    | none              | 210 days ago         | ?                     | 0.3010 | 7 months ago                      |
    | none              | 365 days ago         | ?                     | 0      | counts those of the last 365 days |
    | none              | 90 days ago          | 20 days ago           | 0.8    | A possession claim was made on 12 March 2026 |
    | none              | 10 days ago          | 300 days ago          | 0.6    | 10 months ago                     |
    """)  # fmt: skip


def test_the_strongest_counts_and_they_do_not_add_up(factor, examples):
    examples.check(factor, """
    | homelessness_duty | eviction_notice_date | score |
    |-------------------|----------------------|-------|
    | prevention        | 10 days ago          | 0.6   |
    | relief            | 10 days ago          | 0.9   |
    """)  # fmt: skip


def test_unknown_is_not_secure(factor, examples):
    examples.check(factor, """
    | homelessness_duty | temporary_accommodation | eviction_notice_date | score | because                                  |
    |-------------------|-------------------------|----------------------|-------|------------------------------------------|
    | ?                 | ?                       | ?                    | ?     | Not known: whether a homelessness duty   |
    | ?                 | no                      | ?                    | ?     | Not known: whether a homelessness duty   |
    | ?                 | ?                       | 900 days ago         | ?     | Not known: whether a homelessness duty   |
    | ?                 | yes                     | ?                    | 1     | Lives in temporary accommodation         |
    | ?                 | ?                       | 10 days ago          | 0.6   | Notice to leave                          |
    | none              | ?                       | ?                    | 0     | a notice to leave and a possession claim |
    """)  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "message"), [({"none_days": 50}, "none_days"), ({"relief": 0.1}, "do not ascend")]
)
def test_a_policy_that_makes_no_sense_is_refused(wrong, message):
    with pytest.raises(PluginError, match=message):
        build(HousingInsecurity.Parameters, wrong, "parameters")
