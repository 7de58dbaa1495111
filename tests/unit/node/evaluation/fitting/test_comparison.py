"""Bands cut again, who moves, and groups that are too small."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from folkmoot_node.evaluation.fitting.comparison import bands_by, group_changes, moves, recut
from folkmoot_node.evaluation.fitting.known_dates import patterns
from folkmoot_node.evaluation.fitting.scorecard import Limits, make_scorecard
from folkmoot_node.policies.risk_policy import parse_policy
from folkmoot_operator.problems import ExitCode, Problem
from tests.evaluation_snapshots import FACTORS, snapshot_of, snapshots_of
from tests.fitted_policies import known_dates, policy_of, policy_text


@pytest.fixture(scope="module")
def policy():
    return policy_of(snapshot_of(10)[0])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(20, 400), st.integers(5, 60))
def test_shares_stay_as_near_as_tenths_of_a_point_permit(seed, households, most):
    policy = policy_of(snapshot_of(10)[0])
    draw = np.random.default_rng(seed)
    score = draw.integers(0, most * 1000, households)
    band = draw.choice(3, households, p=[0.5, 0.3, 0.2]).astype(np.uint8)
    assume(score.max() > 500)  # else there are fewer starts than bands
    cuts = recut(policy, band, score)
    assert cuts[0].proposed_from == 0
    starts = [round(cut.proposed_from * 10) for cut in cuts]
    assert starts == sorted(set(starts))
    assert cuts[-1].proposed_from <= score.max() / 1000
    assert sum(cut.proposed_share for cut in cuts) == pytest.approx(1)
    found = bands_by(cuts, score)
    assert np.bincount(found, minlength=3) / households == pytest.approx(
        [cut.proposed_share for cut in cuts]
    )
    # No other start of the second band would have come nearer to its share.
    above = (band > 0).mean()
    best = min(
        abs((score >= start * 100).mean() - above) for start in range(1, int(score.max()) // 100)
    )
    assert abs((found > 0).mean() - above) == pytest.approx(best, abs=1e-9)


def test_whole_points_are_preferred_where_they_do_as_well(policy):
    score = np.repeat([0, 20_000, 40_000], 100)
    band = np.repeat([0, 1, 2], 100).astype(np.uint8)
    assert [cut.proposed_from for cut in recut(policy, band, score)] == [0, 1, 21]


def test_too_few_scores_for_the_bands_are_refused(policy):
    with pytest.raises(Problem, match="too few") as refused:
        recut(policy, np.zeros(5, dtype=np.uint8), np.array([0, 0, 0, 0, 100]))
    assert refused.value.exit_code == ExitCode.DATA


def test_moves_hold_every_household_once():
    present = np.array([0, 0, 1, 2, 2], dtype=np.uint8)
    found = moves(present, np.array([0, 1, 1, 0, 2]), 3)
    assert found.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 1]]


def test_the_score_that_is_cut_is_the_one_that_scoring_would_give(policy):
    """Bands of a policy with these starts, by the scoring's own rule."""
    from folkmoot_node.scoring.stratify import band_indexes

    draw = np.random.default_rng(3)
    score = draw.integers(0, 80_000, 500)
    cuts = recut(policy, draw.choice(3, 500).astype(np.uint8), score)
    text = policy_text(snapshot_of(10)[0])
    for cut in cuts:
        text = text.replace(f"from = {cut.present_from:g}\n", f"from = {cut.proposed_from:g}\n", 1)
    again = parse_policy(text.encode(), "risk-policy.toml")
    assert [band.minimum for band in again.bands] == [cut.proposed_from for cut in cuts]
    assert band_indexes(score.astype(np.int32), again).tolist() == bands_by(cuts, score).tolist()


def test_later_dates_with_the_same_events_are_no_more_evidence_of_a_group():
    [one] = known_dates(snapshots_of(1, 2000))
    every = np.arange(6)
    limits = Limits(every, FACTORS[:6], np.zeros(6, bool), np.full(6, 1000), 100)
    card = make_scorecard(patterns([one], every), np.ones(6, bool), limits)

    def found(dates, smallest):
        band = one.band.astype(np.int64)
        return group_changes(one, band, [(one, card)] * dates, every, 200, smallest)[0]

    for once, often in zip(found(1, 10), found(4, 10), strict=True):
        assert once.recall is not None
        assert (often.recall.interval.low, often.recall.interval.high) == pytest.approx(
            (once.recall.interval.low, once.recall.interval.high)
        )
    herons = int((one.event & (one.groups[0].index == 0)).sum())
    assert found(4, herons)[0].recall is not None
    assert found(4, herons + 1)[0].recall is None
