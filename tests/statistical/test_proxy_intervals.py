"""Intervals of the proxy check, with stated false-alarm rates."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from folkmoot_node.equality.proxy import check, mean_auc

FALSE_ALARM = 1e-3


def few_enough(misses: int, trials: int, rate: float = 0.05) -> bool:
    """Whether so many intervals may miss; a sound one fails with probability `FALSE_ALARM`."""
    return misses <= binom.ppf(1 - FALSE_ALARM, trials, rate)


def folds_of(random, shift: float, trials: int):
    """Scores of 5 folds of 200 households, a fifth of them members, who score higher."""
    for _ in range(trials):
        folds = []
        for _ in range(5):
            member = np.arange(200) < 40
            folds.append((random.normal(0, 1, 200) + shift * member, member))
        yield folds


@pytest.mark.parametrize("shift,truth", [(0.0, 0.5), (0.7420, 0.70), (1.8124, 0.90)])
def test_the_interval_of_an_auc_holds_the_truth(shift, truth):
    random = np.random.default_rng(11)
    trials = 400
    misses = narrow = 0
    for folds in folds_of(random, shift, trials):
        mean, interval = mean_auc(folds)
        misses += not interval.low <= truth <= interval.high
        half = (interval.high - interval.low) / 4  # a wrong interval, half as wide
        narrow += not mean - half <= truth <= mean + half
    assert few_enough(misses, trials)
    assert not few_enough(narrow, trials)


@pytest.mark.slow
def test_inputs_that_are_independent_are_not_accused():
    """Each interval holds 0.5, but for one in twenty; and so few are called a proxy.

    The seed is fixed, so that the test does not fail by chance.
    """
    random = np.random.default_rng(12)
    trials, misses, accused = 16, 0, 0
    for _ in range(trials):
        inputs = {f"input_{at}": random.normal(size=1500) for at in range(4)}
        inputs["flag"] = (random.random(1500) < 0.2).astype(float)
        group = (random.random(1500) < 0.15).astype(int)
        found = check("field", ("rest", "group"), inputs, group, (), lambda *_: None)
        interval = found.groups[1].interval
        misses += not interval.low <= 0.5 <= interval.high
        accused += found.evident > 0.55
    assert few_enough(misses, trials)
    assert accused == 0


@pytest.mark.slow
def test_a_weak_proxy_is_seen():
    random = np.random.default_rng(13)
    seen = 0
    for _ in range(10):
        group = (random.random(3000) < 0.2).astype(int)
        inputs = {"weak": random.normal(size=3000) + 0.6 * group, "noise": random.normal(size=3000)}
        found = check("field", ("rest", "group"), inputs, group, (), lambda *_: None)
        seen += found.evident > 0.55 and found.carriers[0].field == "weak"
    assert seen == 10
