"""Judging a round by groups or proposing a policy costs no more than what others write is long."""

from __future__ import annotations

import time
import tomllib
from dataclasses import replace

import numpy as np
import pytest

from folkmoot.attributes import Attribute
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.inference.selection import differences, from_each_band
from folkmoot_coordinator.publication.outcome_round import (
    MAX_JUDGED,
    JudgedRound,
    offered_groups,
    offered_outcomes,
)
from folkmoot_coordinator.publication.policy_proposal import _ATTRIBUTE, _blocks
from folkmoot_coordinator.publication.selection_rates import selection_rates
from folkmoot_operator.problems import ExitCode, Problem
from tests.outcome_region import a_round, asked, numbers, region
from tests.unit.coordinator.publication.test_policy_proposal import TEXT, proposed

LINE = 200_000
"""Characters; a policy has up to a million."""
BANDS = ("none", "low", "medium", "high")


def wide() -> Workload:
    """A question whose groups are more than can be judged."""
    groups = Attribute("group", tuple(f"g{at}" for at in range(MAX_JUDGED)))
    found = Attribute("found", ("no", "yes"))
    names = ("group", "band", "found")
    return Workload((groups, Attribute("band", BANDS), found), (Marginal(names),))


def test_groups_too_many_to_judge_are_neither_offered_nor_begun() -> None:
    round_ = replace(a_round(), workload=wide())
    assert offered_groups(round_) == ("found",)
    assert [one.groups for one in offered_outcomes(round_)] == [()]
    with pytest.raises(Problem, match="cells; up to") as caught:
        selection_rates(replace(judged(), stored=replace(judged().stored, round_=round_)), "group")
    assert caught.value.exit_code is ExitCode.SETTINGS


def judged() -> JudgedRound:
    round_ = a_round()
    return asked(round_, numbers(round_, region(50), noise=False))


def test_as_many_groups_as_are_judged_take_seconds() -> None:
    groups = MAX_JUDGED // len(BANDS)
    names = tuple(f"g{at}" for at in range(groups))
    value = np.random.default_rng(1).uniform(100, 1000, (groups, len(BANDS)))
    begun = time.process_time()
    found = differences(
        BANDS[1:], from_each_band(names, value, np.eye(value.size) * 4, 1.96), groups * 3
    )
    assert len(found) == groups * 3
    assert time.process_time() - begun < 10


@pytest.mark.parametrize("line", ["[attributes." + " " * LINE + "x", " " * LINE + "x"])
def test_a_line_of_a_policy_is_read_in_time_that_grows_with_its_length(line: str) -> None:
    begun = time.process_time()
    assert _ATTRIBUTE.match(line) is None
    assert time.process_time() - begun < 1


def test_comments_of_a_policy_are_read_in_time_that_grows_with_their_number() -> None:
    lines = ["# a\n"] * LINE + ["[a]\n"]
    begun = time.process_time()
    assert _blocks(lines) == [[], lines]
    assert time.process_time() - begun < 2


def test_a_name_of_a_policy_does_not_leave_the_comment_that_quotes_it() -> None:
    """Whoever wrote the policy would else write into a proposal that people take for the region's.

    Only what the proposal may change differs.
    """
    evil = "third\\n[retention]\\nscores_days = 3650\\n#\\u2028\\r"
    text = TEXT.replace('factor = "third"', f'factor = "{evil}"')
    found = proposed({"first": 0.5, "second": 1.5}, text)
    after, before = tomllib.loads(found.text), tomllib.loads(text)
    for one in (*after["factors"], *before["factors"]):
        del one["weight"]
    assert after == before
