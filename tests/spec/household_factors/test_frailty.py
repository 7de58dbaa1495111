"""Frailty: the electronic frailty index of the frailest person."""

import pytest

from folkmoot_plugin_household_factors import Frailty
from folkmoot_sdk import PluginError
from folkmoot_sdk.parameters import build


@pytest.fixture
def factor():
    """Mild 0.3, moderate 0.7, severe 1; index above 0.12, 0.24, 0.36."""
    return Frailty(Frailty.Parameters())


def test_the_recorded_category_scores(factor, examples):
    examples.check(factor, """
    | frailty_category | score | because                        |
    |------------------|-------|--------------------------------|
    | fit              | 0     | recorded as fit                |
    | mild             | 0.3   | recorded as mildly frail       |
    | moderate         | 0.7   | recorded as moderately frail   |
    | severe           | 1     | recorded as severely frail     |
    """)  # fmt: skip


def test_without_a_category_the_index_gives_it(factor, examples):
    """With 36 deficits counted, 0.14 is five of them and 0.39 is fourteen."""
    examples.check(factor, """
    | frailty_category | frailty_index | score | because                          |
    |------------------|---------------|-------|----------------------------------|
    | ?                | 0             | 0     | No frailty category is recorded; 0.00: fit |
    | ?                | 0.12          | 0     | 0.12: fit                        |
    | ?                | 0.14          | 0.3   | 0.14: mildly frail               |
    | ?                | 0.24          | 0.3   | 0.24: mildly frail               |
    | ?                | 0.25          | 0.7   | 0.25: moderately frail           |
    | ?                | 0.36          | 0.7   | 0.36: moderately frail           |
    | ?                | 0.39          | 1     | 0.39: severely frail             |
    """)  # fmt: skip


def test_the_category_goes_before_the_index(factor, examples):
    examples.check(factor, """
    | frailty_category | frailty_index | score | because            |
    |------------------|---------------|-------|--------------------|
    | mild             | 0.4           | 0.3   | mildly frail       |
    | fit              | 0.4           | 0     | fit                |
    """)  # fmt: skip


def test_a_percentage_in_the_place_of_the_index_is_not_severe(factor, examples):
    examples.check(factor, """
    | frailty_category | frailty_index | score | because                   |
    |------------------|---------------|-------|---------------------------|
    | ?                | 14            | ?     | frailty index, 14, is not one from 0 to 1 |
    | mild             | 14            | 0.3   | mildly frail              |
    """)  # fmt: skip


def test_unknown_is_not_fit(factor, examples):
    examples.check(factor, """
    | frailty_category | frailty_index | score | because                          |
    |------------------|---------------|-------|----------------------------------|
    | ?                | ?             | ?     | not known whether anybody here is frail |
    """)  # fmt: skip


@pytest.mark.parametrize("wrong", [{"mild": 0.9}, {"moderate_above": 0.1}])
def test_a_policy_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(PluginError, match="do not ascend"):
        build(Frailty.Parameters, wrong, "parameters")
