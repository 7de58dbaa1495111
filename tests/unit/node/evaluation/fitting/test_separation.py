"""Data to which no weight is large enough are refused; others are not."""

from __future__ import annotations

import numpy as np
import pytest

from folkmoot_node.evaluation.fitting.additive_model import fit
from folkmoot_node.evaluation.fitting.known_dates import Patterns
from folkmoot_node.evaluation.fitting.separation import check_single, check_together
from folkmoot_operator.problems import ExitCode, Problem

NAMES = ("first", "second")


def data(*rows: tuple[int, int, int, int]) -> Patterns:
    """Rows of first level, second level, households, events."""
    found = np.array(rows, dtype=float)
    return Patterns(found[:, :2].astype(np.uint16), found[:, 2], found[:, 3])


COMPLETE = data((0, 0, 50, 0), (0, 500, 30, 0), (1000, 0, 20, 20), (1000, 500, 5, 5))
QUASI = data((0, 0, 50, 5), (0, 500, 30, 9), (1000, 0, 20, 20))
TOGETHER = data(
    (0, 0, 50, 0), (0, 1000, 50, 0), (1000, 0, 9, 0), (500, 1000, 20, 20), (1000, 500, 9, 9)
)  # fmt: skip
FINE = data((0, 0, 50, 5), (0, 500, 30, 9), (1000, 0, 20, 15), (1000, 500, 9, 9))


@pytest.mark.parametrize("found", [COMPLETE, QUASI])
def test_a_factor_that_separates_is_refused_and_named_on_the_terminal_alone(found):
    with pytest.raises(Problem) as refused:
        check_single(found, NAMES)
    assert refused.value.exit_code == ExitCode.DATA
    assert refused.value.for_operator == ("They are: first.",)
    assert "first" not in refused.value.problem + refused.value.remedy + refused.value.where


def test_factors_that_separate_only_together_are_refused():
    check_single(TOGETHER, NAMES)
    model = fit(TOGETHER, np.zeros(2), np.full(2, np.inf))
    with pytest.raises(Problem, match="perfect separation"):
        check_together(TOGETHER, NAMES, model)


def test_others_are_fitted():
    check_single(FINE, NAMES)
    model = fit(FINE, np.zeros(2), np.full(2, np.inf))
    check_together(FINE, NAMES, model)


def test_a_factor_that_is_the_same_for_all_separates_nothing():
    check_single(data((0, 0, 50, 5), (0, 500, 30, 9)), NAMES)
