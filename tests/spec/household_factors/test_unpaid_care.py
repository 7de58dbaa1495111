"""Unpaid care: somebody cares for another, for many hours, or is young."""

import pytest

from folkmoot_plugin_household_factors import UnpaidCare


@pytest.fixture
def factor():
    """A carer scores 0.3, and 1 at 50 hours a week; a young carer at least 0.8."""
    return UnpaidCare(UnpaidCare.Parameters(carer_score=0.3, hours_full=50, young_carer_score=0.8))


def test_more_hours_weigh_more(factor, examples):
    examples.check(factor, """
    | unpaid_carer | unpaid_care_hours | young_carer | score | because                                   |
    |--------------|-------------------|-------------|-------|-------------------------------------------|
    | no           | 0                 | no          | 0     | Nobody here is recorded as an unpaid carer |
    | yes          | 10                | no          | 0.44  | gives unpaid care; It is 10 hours a week  |
    | yes          | 25                | no          | 0.65  | 25 hours a week; full at 50               |
    | yes          | 50                | no          | 1     | 50 hours a week                           |
    | yes          | 100               | no          | 1     | 100 hours a week                          |
    """)  # fmt: skip


def test_a_young_carer_weighs_more(factor, examples):
    examples.check(factor, """
    | unpaid_carer | unpaid_care_hours | young_carer | score | because                              |
    |--------------|-------------------|-------------|-------|--------------------------------------|
    | yes          | 10                | yes         | 0.8   | A young person here gives unpaid care |
    | yes          | 50                | yes         | 1     | A young person here gives unpaid care |
    | ?            | ?                 | yes         | 0.8   | A young person; Not known: for how many hours |
    """)  # fmt: skip


def test_unknown_is_not_no_carer(factor, examples):
    """Most carers are on no council's list: let absence from one be unknown."""
    examples.check(factor, """
    | unpaid_carer | unpaid_care_hours | young_carer | score | because                               |
    |--------------|-------------------|-------------|-------|---------------------------------------|
    | ?            | ?                 | ?           | ?     | not known whether anybody here gives  |
    | ?            | ?                 | no          | ?     | not known whether anybody here gives  |
    | yes          | ?                 | ?           | 0.3   | whether there is a young carer and for how many hours |
    | ?            | 25                | no          | 0.65  | Somebody here gives; 25 hours a week  |
    | ?            | 0                 | no          | 0     | Nobody here                           |
    | no           | ?                 | ?           | 0     | Not known: whether there is a young carer |
    """)  # fmt: skip
