"""Axes of nested attributes, against the linear algebra that they stand for."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.hierarchy import Axis, AxisLevel, squared_sensitivity


@st.composite
def axes(draw: st.DrawFn) -> Axis:
    """One to three levels, in which each cell above has one cell below at least."""
    levels: list[AxisLevel] = []
    above = 1
    for depth in range(draw(st.integers(1, 3))):
        children = draw(st.lists(st.integers(1, 4), min_size=above, max_size=above))
        parents = [parent for parent, count in enumerate(children) for _ in range(count)]
        parents = draw(st.permutations(parents))
        codes = tuple(f"{depth}.{at}" for at in range(len(parents)))
        levels.append(AxisLevel(f"level{depth}", codes, tuple(parents)))
        above = len(parents)
    return Axis(tuple(levels))


def contrast_matrix(level: AxisLevel) -> np.ndarray:
    """Row by row, as the module's text defines it."""
    rows = []
    for cell in level.row_cells:
        group = [at for at, parent in enumerate(level.parents) if parent == level.parents[cell]]
        row = np.zeros(len(level.codes))
        if len(group) == 2:
            first, second = group
            row[first], row[second] = 1, -1
        else:
            row[group] = -1
            row[cell] = len(group) - 1
        rows.append(row)
    return np.array(rows).reshape(len(rows), len(level.codes))


def summing(axis: Axis, above: int, below: int) -> np.ndarray:
    matrix = np.zeros((axis.size(above), axis.size(below)))
    matrix[list(axis.ancestors(above, below)), range(axis.size(below))] = 1
    return matrix


@settings(deadline=None)
@given(axes())
def test_a_household_changes_a_contrast_by_its_sensitivity(axis: Axis) -> None:
    for level in axis.levels:
        matrix = contrast_matrix(level)
        changed = (matrix**2).sum(axis=0)
        assert changed.tolist() == [squared_sensitivity(size) for size in level.group_sizes]
        for row, squared in zip(matrix, level.row_sensitivities, strict=True):
            assert {changed[cell] for cell in np.flatnonzero(row)} == {squared}


@settings(deadline=None)
@given(axes())
def test_the_contrasts_of_all_depths_give_every_cell(axis: Axis) -> None:
    """The marginal is the sum of what the whole and each level's contrast say of it."""
    finest = len(axis.levels)
    counts = np.arange(1.0, axis.size(finest) + 1) ** 2
    for below in range(finest + 1):
        total = np.zeros(axis.size(below))
        for above in range(below + 1):
            table = summing(axis, above, finest) @ counts
            if above:
                matrix = contrast_matrix(axis.levels[above - 1])
                table = np.linalg.pinv(matrix) @ matrix @ table
            shares = np.array(axis.shares(above, below))
            total += table[list(axis.ancestors(above, below))] * shares
        assert total == pytest.approx(summing(axis, below, finest) @ counts)


@settings(deadline=None)
@given(axes())
def test_variance_factors_are_those_of_the_pseudo_inverse(axis: Axis) -> None:
    for above, level in enumerate(axis.levels, start=1):
        matrix = contrast_matrix(level)
        scales = np.array(level.row_sensitivities, dtype=float)
        inverse = np.linalg.pinv(matrix)
        covariance = inverse @ np.diag(scales) @ inverse.T
        for below in range(above, len(axis.levels) + 1):
            spread = np.zeros((axis.size(below), axis.size(above)))
            spread[range(axis.size(below)), list(axis.ancestors(above, below))] = axis.shares(
                above, below
            )
            expected = np.diag(spread @ covariance @ spread.T)
            assert axis.variance_factors(above, below) == pytest.approx(expected, abs=1e-9)
            assert axis.variance_factor_sum(above, below) == pytest.approx(
                math.fsum(expected), abs=1e-9
            )
            coefficients = np.abs(spread @ inverse).max(axis=1, initial=0)
            assert (np.array(axis.steps(above, below)) >= coefficients - 1e-12).all()
