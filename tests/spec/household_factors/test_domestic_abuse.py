"""Domestic abuse: how recent the last report is, and how many there are."""

import pytest

from folkmoot_plugin_household_factors import DomesticAbuse
from folkmoot_sdk import PluginError
from folkmoot_sdk.parameters import build


@pytest.fixture
def factor():
    """In full for 90 days, nothing after 730; one report 0.6, four or more 1."""
    return DomesticAbuse(
        DomesticAbuse.Parameters(full_days=90, none_days=730, single_score=0.6, reports_full=4)
    )


def test_more_reports_weigh_more(factor, examples):
    examples.check(factor, """
    | domestic_abuse_reports | domestic_abuse_last_report | score  | because                     |
    |------------------------|----------------------------|--------|-----------------------------|
    | 1                      | 10 days ago                | 0.6    | One report; 10 days ago     |
    | 2                      | 10 days ago                | 0.7333 | 2 reports; 22 March 2026    |
    | 4                      | 10 days ago                | 1      | 4 reports                   |
    | 30                     | 10 days ago                | 1      | 30 reports                  |
    """)  # fmt: skip


def test_what_is_long_ago_weighs_less(factor, examples):
    examples.check(factor, """
    | domestic_abuse_reports | domestic_abuse_last_report | score | because                      |
    |------------------------|----------------------------|-------|------------------------------|
    | 4                      | 0 days ago                 | 1     | today                        |
    | 4                      | 90 days ago                | 1     | 3 months ago                 |
    | 4                      | 410 days ago               | 0.5   | 13 months ago                |
    | 4                      | 730 days ago               | 0     | counts reports of the last 730 days |
    | 4                      | 5000 days ago              | 0     | counts reports of the last 730 days |
    | 1                      | 410 days ago               | 0.3   | One report                   |
    """)  # fmt: skip


def test_a_date_after_the_run_counts_as_today(factor, examples):
    examples.check(factor, """
    | domestic_abuse_reports | domestic_abuse_last_report | score | because                 |
    |------------------------|----------------------------|-------|-------------------------|
    | 1                      | -3 days ago                | 0.6   | after the date of the run |
    """)  # fmt: skip


def test_no_report_is_known_to_be_nothing(factor, examples):
    examples.check(factor, """
    | domestic_abuse_reports | domestic_abuse_last_report | score | because      |
    |------------------------|----------------------------|-------|--------------|
    | 0                      | ?                          | 0     | No report    |
    """)  # fmt: skip


def test_unknown_is_not_nothing(factor, examples):
    """A dated report counts as one at least; a report of unknown date cannot be weighed."""
    examples.check(factor, """
    | domestic_abuse_reports | domestic_abuse_last_report | score | because                                   |
    |------------------------|----------------------------|-------|-------------------------------------------|
    | ?                      | ?                          | ?     | not known whether there are reports       |
    | 2                      | ?                          | ?     | 2 reports; date of the last one is not known |
    | ?                      | 10 days ago                | 0.6   | number of reports of domestic abuse is not known |
    | ?                      | 5000 days ago              | 0     | not known                                 |
    """)  # fmt: skip


def test_a_window_that_closes_before_it_opens_is_refused():
    with pytest.raises(PluginError, match="none_days"):
        build(DomesticAbuse.Parameters, {"full_days": 90, "none_days": 90}, "parameters")
