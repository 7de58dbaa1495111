"""Child need: what children's services do for a child of the household."""

import pytest

from folkmoot_plugin_household_factors import ChildNeed
from folkmoot_sdk import PluginError
from folkmoot_sdk.parameters import build


@pytest.fixture
def factor():
    """Early help 0.3, in need 0.6, protection plan 1, looked after 1; kind not known 0.6."""
    return ChildNeed(ChildNeed.Parameters())


def test_the_greatest_need_of_a_child_scores(factor, examples):
    examples.check(factor, """
    | child_status     | score | because                               |
    |------------------|-------|---------------------------------------|
    | none             | 0     | No child here is known                |
    | early_help       | 0.3   | receives early help                   |
    | child_in_need    | 0.6   | has a child in need plan              |
    | child_protection | 1     | has a child protection plan           |
    | looked_after     | 1     | is looked after by the council        |
    """)  # fmt: skip


def test_the_kind_goes_before_whether_services_are_involved(factor, examples):
    examples.check(factor, """
    | children_services | child_status     | score | because               |
    |-------------------|------------------|-------|-----------------------|
    | yes               | child_protection | 1     | child protection plan |
    | no                | early_help       | 0.3   | early help            |
    """)  # fmt: skip


def test_without_the_kind_it_counts_that_services_are_involved(factor, examples):
    examples.check(factor, """
    | children_services | child_status | score | because                                         |
    |-------------------|--------------|-------|-------------------------------------------------|
    | yes               | ?            | 0.6   | are involved here; Not known: with which kind   |
    | no                | ?            | 0     | are not involved here                           |
    | ?                 | ?            | ?     | not known whether children's services           |
    """)  # fmt: skip


def test_a_greater_need_never_scores_less():
    with pytest.raises(PluginError, match="do not ascend"):
        build(ChildNeed.Parameters, {"looked_after": 0.5}, "parameters")
