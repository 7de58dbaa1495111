"""Figures of a back-test against a rehearsed region's mechanism, which is known.

False alarms: each test draws once, with fixed seeds; limits are three standard errors away or more.
"""

from __future__ import annotations

import numpy as np
import pytest

from folkmoot_node.evaluation.measures.judge import judge
from folkmoot_rehearsal.councils import region
from folkmoot_rehearsal.outcomes import mechanism as rules
from folkmoot_rehearsal.outcomes.mechanism import Mechanism, Plant
from tests.rehearsed_outcomes import DATES, chances, evaluation_of, rehearse, snapshot_at, together

pytestmark = pytest.mark.slow

OUTCOMES = tuple(outcome.name for outcome in Mechanism().outcomes)
EQUAL = Mechanism(recorded=dict.fromkeys(rules.GROUPS, 0.9))
"""The usual mechanism, in which nobody's events are recorded less than others'."""
APART = (DATES[0], DATES[6])
"""Dates whose horizons do not overlap."""


@pytest.fixture(scope="module")
def councils():
    """Ten councils whose events are recorded alike."""
    return [rehearse(council, 4000, EQUAL) for council in region(10)]


def test_calibration_intervals_hold_the_true_chance_as_often_as_they_promise(councils):
    held = tried = 0
    for rehearsed in councils:
        for date in APART:
            snapshot = snapshot_at(rehearsed, date)
            judgement = judge(snapshot, evaluation_of([date], *OUTCOMES))
            for outcome in judgement.outcomes:
                assert outcome.figures is not None
                chance = chances(rehearsed, snapshot, outcome.name)
                happened = snapshot.happened[outcome.name]
                seen = np.isnat(happened.ended) | ~np.isnat(happened.first)
                for row in (*outcome.figures.bands, *outcome.figures.tenths):
                    member = (snapshot.score >= row.lowest) & (snapshot.score <= row.highest)
                    expected = chance[member & seen].mean()
                    tried += 1
                    held += row.events.interval.low <= expected <= row.events.interval.high
    assert tried > 250
    # Households of one band differ in their chances, which makes shares vary less than intervals
    # allow: they hold 95 % or more.
    assert 0.93 <= held / tried <= 0.995


def test_the_interval_of_the_share_with_the_event_holds_the_mean_chance(councils):
    date = APART[0]
    pooled = together([snapshot_at(rehearsed, date) for rehearsed in councils])
    for outcome in judge(pooled, evaluation_of([date], *OUTCOMES)).outcomes:
        chance = np.concatenate(
            [chances(one, snapshot_at(one, date), outcome.name) for one in councils]
        )
        assert outcome.events is not None
        assert outcome.events.interval.low <= chance.mean() <= outcome.events.interval.high


def test_events_that_are_recorded_less_for_a_group_show_in_its_ratio():
    """At the same score as others: the planted group, and no group where nothing is planted."""
    ratios = {}
    for name, mechanism in (("equal", EQUAL), ("biased", Mechanism.planted(Plant.BIAS))):
        rehearsed = [rehearse(council, 10_000, mechanism) for council in region(3)]
        date = APART[1]
        pooled = together([snapshot_at(one, date) for one in rehearsed])
        outcome, _ = judge(pooled, evaluation_of([date], *OUTCOMES)).outcomes
        [characteristic] = outcome.figures.groups
        ratios[name] = {group.group: group for group in characteristic.groups}
    for group in ratios["equal"].values():
        assert group.ratio_interval.low < 1.15
        assert group.ratio_interval.high > 0.87
    biased = ratios["biased"][rules.BIASED_GROUP]
    usual = sum(
        share * rules.RECORDED[name]
        for name, share in zip(rules.GROUPS, rules.GROUP_SHARES, strict=True)
        if name != rules.BIASED_GROUP
    ) / (1 - rules.GROUP_SHARES[rules.GROUPS.index(rules.BIASED_GROUP)])
    planted = rules.BIASED_SHARE / usual
    assert biased.ratio_interval.high < 0.8
    assert biased.ratio_interval.low <= planted <= biased.ratio_interval.high
    assert min(ratios["biased"], key=lambda name: ratios["biased"][name].ratio) == (
        rules.BIASED_GROUP
    )


def test_a_factor_that_the_mechanism_lacks_ranks_like_chance_and_those_it_has_do_better(councils):
    date = APART[0]
    pooled = together([snapshot_at(rehearsed, date) for rehearsed in councils])
    judgement = judge(pooled, evaluation_of([date], *OUTCOMES))
    for outcome, mechanism in zip(judgement.outcomes, EQUAL.outcomes, strict=True):
        alone = {one.name: one.auc for one in outcome.figures.baselines if one.kind == "factor"}
        shown = max(set(mechanism.effects) & set(rules.SHOWN), key=lambda name: alone[name])
        assert alone[shown] > 0.54
        assert alone[shown] == max(alone.values())
    homelessness, safeguarding = judgement.outcomes
    assert homelessness.name == "homelessness_application"
    alone = {one.name: one.auc for one in homelessness.figures.baselines if one.kind == "factor"}
    assert alone["social_care_need"] < 0.53
    alone = {one.name: one.auc for one in safeguarding.figures.baselines if one.kind == "factor"}
    assert alone["domestic_abuse"] < 0.53
