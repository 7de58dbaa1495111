"""Whole points within limits, and floors of recall."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from folkmoot_node.evaluation.fitting.known_dates import patterns
from folkmoot_node.evaluation.fitting.scorecard import (
    Limits,
    floors_of,
    make_scorecard,
    meet_floors,
)
from folkmoot_operator.problems import ExitCode, Problem
from tests.evaluation_snapshots import FACTORS, snapshots_of
from tests.fitted_policies import known_dates

ALL = np.ones(6, dtype=bool)


def limits(**changes) -> Limits:
    base = Limits(
        factors=np.arange(6),
        names=FACTORS[:6],
        keep=np.zeros(6, dtype=bool),
        most=np.full(6, 1000),
        total=100,
    )
    return dataclasses.replace(base, **changes)


@pytest.fixture(scope="module")
def dates():
    return known_dates(snapshots_of(2, 6000))


def test_points_are_whole_and_add_up_to_what_is_asked(dates):
    data = patterns(dates, np.arange(6))
    for total in (20, 100, 1000):
        card = make_scorecard(data, ALL, limits(total=total))
        assert card.points.dtype == np.int64
        assert abs(card.points.sum() - total) <= 3  # each is rounded by itself
        assert (card.points >= 0).all()


def test_no_factor_has_more_than_its_most_or_less_than_it_must_keep(dates):
    data = patterns(dates, np.arange(6))
    most = np.array([20, 15, 1000, 1000, 1000, 1000])
    keep = np.arange(6) == 5
    free = make_scorecard(data, ALL, limits())
    card = make_scorecard(data, np.arange(6) != 4, limits(most=most, keep=keep))
    assert free.points[0] > 20
    assert (card.points <= most).all()
    assert card.points[5] >= 1
    assert card.points[4] == 0
    assert card.points.sum() < 100


def test_without_a_factor_that_goes_with_the_event_nothing_is_proposed(dates):
    [one] = known_dates(snapshots_of(1, 500))
    upside_down = dataclasses.replace(one, levels=(1000 - one.levels).astype(np.uint16))
    one_factor = limits(
        factors=np.arange(1), names=FACTORS[:1], keep=np.zeros(1, bool), most=np.full(1, 1000)
    )
    with pytest.raises(Problem, match="no factor goes with the outcome"):
        make_scorecard(patterns([upside_down], np.arange(1)), ALL[:1], one_factor)


def apart(households=4000):
    """Events of the wrens come with `benefit_cap`, those of all others with `arrears`."""
    draw = np.random.default_rng(4)
    [one] = known_dates(snapshots_of(1, households))
    wren = draw.random(households) < 0.2
    levels = np.where(draw.random((households, 6)) < 0.3, 1000, 0).astype(np.uint16)
    chance = np.where(wren, 0.02 + 0.3 * (levels[:, 4] > 0), 0.05 + 0.4 * (levels[:, 0] > 0))
    groups = dataclasses.replace(one.groups[0], index=np.where(wren, 2, 0).astype(np.uint8))
    event = draw.random(households) < chance
    return dataclasses.replace(
        one,
        levels=levels,
        event=event,
        considered=np.ones(households, bool),
        judged=np.ones(households, bool),
        groups=(groups,),
    )


def recall(one, card, capacity, group):
    from folkmoot_node.evaluation.fitting.selection import inclusion

    member = one.event & (one.groups[0].index == group)
    chances = inclusion(card.scores(one, np.arange(6)), one.considered, capacity)
    return chances[member].mean()


def test_a_floor_of_recall_is_met_for_each_group():
    one = apart()
    plain = make_scorecard(patterns([one], np.arange(6)), ALL, limits())
    before = recall(one, plain, 1500, 2)
    least = 0.5
    floors, small = floors_of([one], [("ethnic_group", 1500, least)], 10)
    assert [floor.group for floor in floors] == ["heron", "wren"]
    assert small == ["ethnic_group kite"]
    card = meet_floors([one], ALL, limits(), floors, must=True, where="fit.toml")
    assert recall(one, card, 1500, 2) >= least > before
    assert recall(one, card, 1500, 0) >= least
    assert card.event_weights is not None


def test_a_floor_that_cannot_be_met_is_refused_with_groups_for_the_terminal_alone():
    one = apart()
    floors, _ = floors_of([one], [("ethnic_group", 100, 0.99)], 10)
    with pytest.raises(Problem) as refused:
        meet_floors([one], ALL, limits(), floors, must=True, where="fit.toml")
    assert refused.value.exit_code == ExitCode.REFUSED
    assert "wren" in " ".join(refused.value.for_operator)
    assert "wren" not in str(refused.value)
    meet_floors([one], ALL, limits(), floors, must=False, where="fit.toml")


def test_a_group_is_as_large_as_the_households_that_had_the_event_however_many_dates_see_them():
    one = apart()
    wrens = int((one.event & (one.groups[0].index == 2)).sum())
    _, small = floors_of([one, one], [("ethnic_group", 1500, 0.5)], wrens + 1)
    assert "ethnic_group wren" in small
    _, small = floors_of([one, one], [("ethnic_group", 1500, 0.5)], wrens)
    assert "ethnic_group wren" not in small
