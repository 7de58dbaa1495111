"""Fitted points against the effects that a rehearsed region's mechanism has.

One draw with fixed seeds. The effects differ by 1 on the scale of log odds, and intervals of points
are narrower than that: an order that is wrong is not by chance.
"""

from __future__ import annotations

import numpy as np
import pytest

from folkmoot_node.evaluation.fitting.fit_file import FitFile
from folkmoot_node.evaluation.fitting.known_dates import known_date
from folkmoot_node.evaluation.fitting.proposal import Proposal, Question, propose
from folkmoot_node.pipeline.order import silent
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_rehearsal import policies
from folkmoot_rehearsal.councils import region
from folkmoot_rehearsal.outcomes import mechanism as rules
from folkmoot_rehearsal.outcomes.mechanism import SHOWN, Mechanism
from tests.rehearsed_outcomes import (
    DATES,
    TODAY,
    chances,
    evaluation_of,
    rehearse,
    snapshot_at,
    together,
)

pytestmark = pytest.mark.slow

COUNCILS = 6
HOUSEHOLDS = 6000


@pytest.fixture(scope="module")
def councils():
    """Councils that are fitted together: a mechanism's order needs some hundreds of events."""
    return [rehearse(council, HOUSEHOLDS, Mechanism()) for council in region(COUNCILS)]


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    """The rehearsal's policy."""
    path = tmp_path_factory.mktemp("policy") / "risk-policy.toml"
    path.write_text(policies.risk_policy(TODAY), "utf-8")
    return load_policy(path)


@pytest.fixture(scope="module", params=Mechanism().outcomes, ids=lambda outcome: outcome.name)
def fitted(request, councils, policy) -> tuple[rules.Outcome, Proposal]:
    """A policy fitted to each outcome of all councils' households."""
    outcome = request.param
    dates = DATES[::2]
    known = [
        known_date(
            together([snapshot_at(one, date) for one in councils]), outcome.name, repeated=True
        )
        for date in dates
    ]
    evaluation = evaluation_of(dates, outcome.name)
    fit = FitFile.model_validate(
        {"schema": 1, "evaluation": "evaluation.toml", "protected_inputs": True}
    )
    question = Question(
        fit=fit,
        fit_path="fit.toml",
        fit_digest="0" * 64,
        evaluation=evaluation,
        evaluation_path="evaluation.toml",
        evaluation_digest="0" * 64,
        outcome=outcome.name,
    )
    found = propose(known, policy, question, protected=(), undated=(), progress=silent)
    return outcome, found


def test_points_have_the_order_of_the_planted_effects(fitted):
    outcome, found = fitted
    points = {one.factor: one for one in found.factors}
    planted = [name for name in outcome.effects if name in SHOWN]
    assert sorted(planted, key=lambda name: -points[name].points) == planted
    least = points[planted[-1]].points
    assert least > 0
    for name in SHOWN:
        if name not in planted:
            assert points[name].points < least
    print({one.factor: (one.points, round(one.low), round(one.high)) for one in found.factors})


def test_odds_are_near_the_planted_effects_and_hidden_ones_shift_them(fitted):
    """What no factor sees goes with some that do, and odds are not hazards: near, not equal."""
    outcome, found = fitted
    for one in found.factors:
        if one.factor in outcome.effects:
            effect = outcome.effects[one.factor]
            print(one.factor, effect, round(float(np.log(one.odds)), 2))
            assert 0.5 * effect - 0.2 < np.log(one.odds) < 1.4 * effect + 0.5


def test_fitted_points_find_more_than_the_policy_and_less_than_the_mechanism(fitted, councils):
    outcome, found = fitted
    points = {one.factor: one.points for one in found.factors}
    date = DATES[-1]
    pooled = together([snapshot_at(one, date) for one in councils])
    chance = np.concatenate(
        [chances(one, snapshot_at(one, date), outcome.name) for one in councils]
    )
    weights = np.array([points[name] for name in pooled.factors]) / pooled.weights
    proposed = pooled.points @ weights

    def expected(order: np.ndarray, visits: int = 1000) -> float:
        """Events among those visited, expected; ties by a draw."""
        draw = np.random.default_rng(1).random(len(order))
        return float(chance[np.lexsort((draw, -order))[:visits]].sum())

    now, then, best = expected(pooled.score), expected(proposed), expected(chance)
    print(f"expected events among 1,000 visits: now {now:.0f}, fitted {then:.0f}, best {best:.0f}")
    assert now < then < best
