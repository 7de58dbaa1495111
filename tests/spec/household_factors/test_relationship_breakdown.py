"""Relationship breakdown: a household that has recently lost an adult."""

import pytest

from folkmoot_plugin_household_factors import RelationshipBreakdown
from folkmoot_sdk import PluginError
from folkmoot_sdk.parameters import build


@pytest.fixture
def factor():
    """In full for 180 days, nothing after 730; 0.7 without children's services."""
    return RelationshipBreakdown(
        RelationshipBreakdown.Parameters(full_days=180, none_days=730, change_score=0.7)
    )


def test_a_discount_that_began_lately(factor, examples):
    examples.check(factor, """
    | single_person_discount | single_person_discount_from | score | because                                |
    |------------------------|-----------------------------|-------|----------------------------------------|
    | no                     | ?                           | 0     | No single person discount is paid      |
    | yes                    | 30 days ago                 | 0.7   | paid since 2 March 2026 (30 days ago)  |
    | yes                    | 455 days ago                | 0.35  | 15 months ago                          |
    | yes                    | 3000 days ago               | 0     | counts changes of the last 730 days    |
    """)  # fmt: skip


def test_a_discount_that_has_ended_does_not_count(factor, examples):
    examples.check(factor, """
    | single_person_discount | single_person_discount_from | score | because                           |
    |------------------------|-----------------------------|-------|-----------------------------------|
    | no                     | 30 days ago                 | 0     | No single person discount is paid |
    """)  # fmt: skip


def test_a_joint_tenancy_that_became_a_sole_one(factor, examples):
    """The more recent change counts."""
    examples.check(factor, """
    | single_person_discount | single_person_discount_from | tenancy_change_date | score | because                     |
    |------------------------|-----------------------------|---------------------|-------|-----------------------------|
    | no                     | ?                           | 30 days ago         | 0.7   | became a sole one on 2 March |
    | yes                    | 455 days ago                | 30 days ago         | 0.7   | 30 days ago                 |
    | yes                    | 30 days ago                 | 455 days ago        | 0.7   | 15 months ago               |
    """)  # fmt: skip


def test_children_s_services_weigh_only_with_a_change(factor, examples):
    examples.check(factor, """
    | single_person_discount | single_person_discount_from | children_services | score | because                            |
    |------------------------|-----------------------------|-------------------|-------|------------------------------------|
    | yes                    | 30 days ago                 | yes               | 1     | Children's services are involved   |
    | yes                    | 30 days ago                 | no                | 0.7   |                                    |
    | no                     | ?                           | yes               | 0     | Children's services are involved   |
    """)  # fmt: skip


def test_unknown_is_not_no_change(factor, examples):
    examples.check(factor, """
    | single_person_discount | single_person_discount_from | tenancy_change_date | score | because                         |
    |------------------------|-----------------------------|---------------------|-------|---------------------------------|
    | ?                      | ?                           | ?                   | ?     | not known whether a single person discount |
    | yes                    | ?                           | ?                   | ?     | since when is not known         |
    | yes                    | ?                           | 3000 days ago       | ?     | since when is not known         |
    | yes                    | ?                           | 30 days ago         | 0.7   | since when is not known         |
    | no                     | ?                           | ?                   | 0     | Not known: a change from a joint to a sole tenancy |
    """)  # fmt: skip


def test_a_window_that_closes_before_it_opens_is_refused():
    with pytest.raises(PluginError, match="none_days"):
        build(RelationshipBreakdown.Parameters, {"none_days": 100}, "parameters")
