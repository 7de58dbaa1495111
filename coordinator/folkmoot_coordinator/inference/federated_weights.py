"""Additive weights for an outcome, fitted from noisy tables of pairs.

The model: the log odds of the event are a constant plus one coefficient for each level of each
factor. Its likelihood equations say that for each level as many events are expected as happened.

What the tables identify, and what they do not:

- *Factor by outcome* holds everything of the outcomes that the additive model asks for: events by
  level are its sufficient statistics. No table of more factors by outcome would change the fit.
- *Factor by factor* is needed for what is expected. Without it, two factors that go together would
  both be credited with the same events. A least-squares fit would need no more than these pairs.
- *Left open* is how three and more factors go together. The distribution of largest entropy with
  these pairs is taken for it (`joint_distribution`). Only that part of what is expected moves with
  it which is no sum of terms of pairs, and `Coefficient.left_open` says how far. Tables of three
  factors are used where there are any.
- *Not seen at all* are interactions: whether two factors together mean more than the sum of both.
  The fit is then the additive model that comes nearest. A table of two factors by outcome shows it.
- Nor do tables of the whole region separate a factor from the council that it is common in.

Errors follow by linearisation. The weights move by the inverse information times the error of the
likelihood equations, which is a weighted sum of noisy cells; its covariance is asked of whoever
knows the noise. Chance adds the inverse information, as in every logistic regression.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folkmoot.interval import GAUSSIAN_QUANTILE
from folkmoot_coordinator.inference.joint_distribution import Joint, Place, most_even

Float64 = NDArray[np.float64]

EVENTS_EACH = 10
"""Fewest events for each coefficient (Peduzzi and others, "A simulation study of the number of
events per variable in logistic regression analysis", 1996)."""
DEPARTURE = 0.1
"""How far shares of combinations may be off, in root mean square of relative errors, for
`Coefficient.left_open`. Factors that are cut out of one normal distribution are off by 0.08."""
_CLEAR = 3.0
_FURTHEST = 12.0
_ITERATIONS = 100

CellWeights = Mapping[Place, Float64]
"""By table weights of its cells for several sums: float64, shape (sums, levels, ...). A table of
one factor has a last axis for the outcome."""


class TooFewEvents(ValueError):
    """There are too few events for the coefficients.

    Attributes:
        events: What can be counted on, beyond the noise.
        needed: What there must be.
    """

    def __init__(self, events: float, needed: int) -> None:
        super().__init__(
            f"there are too few events: {needed:,} are needed, {EVENTS_EACH} for each weight, and "
            f"noise leaves no more than {max(0.0, events):,.0f} beyond doubt"
        )
        self.events, self.needed = events, needed


@dataclass(frozen=True, slots=True)
class Factor:
    """A factor of the model.

    Attributes:
        name: What it is called.
        levels: Codes of its levels.
        reference: The level with coefficient 0, if it can be one.
    """

    name: str
    levels: tuple[str, ...]
    reference: str


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """What the weights are fitted from; factors are named by their places.

    Attributes:
        outcome: Households by level and outcome, by factor: float64, shape (levels, 2), without
            the event and with it.
        outcome_variance: Of their noise, in the same shapes.
        together: Households by the levels of two or more factors, by these in ascending order. No
            table is about factors that are all in another.
        together_variance: Of their noise, in the same shapes.
        covariance: Gives the covariance of the noise of weighted sums of cells, shape
            (sums, sums).
        quantile: How many standard errors a 95 % interval of the noise reaches.
    """

    outcome: Sequence[Float64]
    outcome_variance: Sequence[Float64]
    together: Mapping[Place, Float64]
    together_variance: Mapping[Place, Float64]
    covariance: Callable[[CellWeights], Float64]
    quantile: float = GAUSSIAN_QUANTILE


@dataclass(frozen=True, slots=True)
class Coefficient:
    """What one level adds to the log odds of the event.

    Attributes:
        factor: Name of the factor.
        level: The level.
        value: Against the reference level; 0 for it, None for a level with too few households to
            judge, which is taken with the reference.
        noise_error: Standard error by noise alone: against a fit of the exact tables.
        error: Standard error by noise and chance: against the weights behind them.
        left_open: How far it moves at most, to first order, if households are spread over
            combinations of three and more factors otherwise than assumed: by `DEPARTURE`.
    """

    factor: str
    level: str
    value: float | None
    noise_error: float
    error: float
    left_open: float


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """A fitted model.

    Attributes:
        coefficients: Of every level of every factor, in their order.
        intercept: Log odds of the event where every factor has its reference level.
        events: Estimate of the events.
        households: Estimate of the households.
        covariance: Of the estimated coefficients by noise and chance, float64, shape (n, n), the
            intercept first, then levels with an estimate other than the reference.
        quantile: How many standard errors a 95 % interval reaches.
        unpaired: Pairs of factors without a table: taken as independent given the others.
        joint: How households are taken to be spread over combinations of levels.
    """

    coefficients: tuple[Coefficient, ...]
    intercept: float
    events: float
    households: float
    covariance: Float64
    quantile: float
    unpaired: tuple[tuple[str, str], ...]
    joint: Joint | None = None

    def of(self, factor: str) -> tuple[Coefficient, ...]:
        """Coefficients of one factor."""
        return tuple(one for one in self.coefficients if one.factor == factor)


def fit_weights(factors: Sequence[Factor], tables: Tables) -> Weights:
    """Fits the additive model.

    Args:
        factors: The factors.
        tables: Their tables.

    Raises:
        TooFewEvents: If there are fewer than `EVENTS_EACH` for each coefficient, beyond the noise.
        ValueError: If there are too many combinations of levels, no factor has two levels to
            compare, or the tables contradict the model: more events than it can give.
    """
    usable = [
        _usable(table, tables.outcome_variance[at]) for at, table in enumerate(tables.outcome)
    ]
    columns = _columns(factors, usable)
    if len(columns) == 1:
        raise ValueError("no factor has two levels with enough households of both outcomes")
    joint = _joint(factors, tables)
    design = _design(joint, columns)
    counted = np.array([_events(tables, column) for column in columns])
    needed = EVENTS_EACH * max(1, len(columns) - 1)
    sure = counted[0] - tables.quantile * _error_of_events(tables)
    if sure < needed:
        raise TooFewEvents(sure, needed)
    solution = _solve(design, joint.households, counted)
    expected = design * _chance(design, solution)[:, None]
    of_cells = joint.regression(expected)
    inverse = np.linalg.inv(_information(design, joint.households, solution))
    weights = _equations(factors, tables, columns, of_cells)
    noise = inverse @ tables.covariance(weights) @ inverse
    rest = expected - joint.spread(of_cells)
    open_ = inverse @ ((rest * joint.households[:, None]).T @ rest) @ inverse
    # By Cauchy and Schwarz, with shares that are relative to those assumed.
    open_ *= float(joint.households.sum()) * DEPARTURE**2
    total = noise + inverse
    found = []
    for at, factor in enumerate(factors):
        for level, code in enumerate(factor.levels):
            if (at, level) in columns:
                place = columns.index((at, level))
                errors = [math.sqrt(max(0.0, one[place, place])) for one in (noise, total, open_)]
                value = float(solution[place])
                found.append(Coefficient(factor.name, code, value, *errors))
            else:
                known = 0.0 if usable[at][level] else None
                found.append(Coefficient(factor.name, code, known, 0.0, 0.0, 0.0))
    unpaired = [
        (factors[first].name, factors[second].name)
        for first in range(len(factors))
        for second in range(first + 1, len(factors))
        if not any({first, second} <= set(place) for place in tables.together)
    ]
    return Weights(
        tuple(found),
        float(solution[0]),
        float(counted[0]),
        float(joint.households.sum()),
        total,
        tables.quantile,
        tuple(unpaired),
        joint,
    )


_Column = tuple[int, int] | None
"""A factor and a level, by their places; None for the constant."""


def _usable(table: Float64, variance: Float64) -> NDArray[np.bool_]:
    """Levels with enough households of both outcomes, beyond the noise."""
    clear = np.maximum(EVENTS_EACH, _CLEAR * np.sqrt(variance))
    return np.asarray((table >= clear).all(axis=1))


def _columns(factors: Sequence[Factor], usable: Sequence[NDArray[np.bool_]]) -> list[_Column]:
    found: list[_Column] = [None]
    for at, factor in enumerate(factors):
        levels = np.flatnonzero(usable[at])
        reference = factor.levels.index(factor.reference)
        if len(levels) and reference not in levels:
            reference = int(levels[0])
        found += [(at, int(level)) for level in levels if level != reference]
    return found


def _joint(factors: Sequence[Factor], tables: Tables) -> Joint:
    sizes = tuple(len(one.levels) for one in factors)
    paired = {at for place in tables.together for at in place}
    alone = [at for at in range(len(factors)) if at not in paired]
    wanted = dict(tables.together) | {(at,): tables.outcome[at].sum(axis=1) for at in alone}
    # Of cells that share noise the sum of both is a guide, which is enough for a penalty.
    noise = dict(tables.together_variance) | {
        (at,): tables.outcome_variance[at].sum(axis=1) for at in alone
    }
    return most_even(sizes, wanted, noise)


def _design(joint: Joint, columns: Sequence[_Column]) -> Float64:
    return np.stack(
        [
            np.ones(len(joint.levels))
            if column is None
            else (joint.levels[:, column[0]] == column[1]).astype(np.float64)
            for column in columns
        ],
        axis=1,
    )


def _events(tables: Tables, column: _Column) -> float:
    if column is None:
        return float(tables.outcome[0][:, 1].sum())
    return float(tables.outcome[column[0]][column[1], 1])


def _error_of_events(tables: Tables) -> float:
    weights = np.zeros((1, *tables.outcome[0].shape))
    weights[0, :, 1] = 1.0
    return math.sqrt(max(0.0, float(tables.covariance({(0,): weights})[0, 0])))


def _chance(design: Float64, solution: Float64) -> Float64:
    return np.asarray(1 / (1 + np.exp(-(design @ solution))))


def _information(design: Float64, households: Float64, solution: Float64) -> Float64:
    chance = _chance(design, solution)
    return np.asarray(design.T @ (design * (households * chance * (1 - chance))[:, None]))


def _solve(design: Float64, households: Float64, counted: Float64) -> Float64:
    """Newton's method on the log likelihood, which is concave."""
    total = float(households.sum())
    rate = counted[0] / total
    if not 0 < rate < 1:
        raise ValueError("the tables hold more events than households")
    solution = np.zeros(design.shape[1])
    solution[0] = math.log(rate / (1 - rate))

    def loss(guess: Float64) -> float:
        return float(households @ np.logaddexp(0, design @ guess)) - float(counted @ guess)

    value = loss(solution)
    for _ in range(_ITERATIONS):
        gradient = counted - design.T @ (households * _chance(design, solution))
        if float(np.abs(gradient).max()) <= 1e-9 * total:
            return solution
        step = np.linalg.solve(_information(design, households, solution), gradient)
        length = 1.0
        while (reached := loss(solution + length * step)) > value and length > 1e-10:
            length /= 2
        solution, value = solution + length * step, reached
        if float(np.abs(solution).max()) > _FURTHEST or length <= 1e-10:
            break
    gradient = counted - design.T @ (households * _chance(design, solution))
    if float(np.abs(gradient).max()) > 1e-6 * total:
        raise ValueError(
            "no weights give the events that were counted: some level has nearly all or none"
        )
    return solution


def _equations(
    factors: Sequence[Factor], tables: Tables, columns: Sequence[_Column], of_cells: Float64
) -> CellWeights:
    """Weights of the noisy cells in the errors of the likelihood equations."""
    found: dict[Place, Float64] = {
        (at,): np.zeros((len(columns), len(factor.levels), 2)) for at, factor in enumerate(factors)
    }
    for row, column in enumerate(columns):
        if column is None:
            found[0,][row, :, 1] += 1.0
        else:
            found[column[0],][row, column[1], 1] += 1.0
    paired = {at for place in tables.together for at in place}
    first = 0
    for place, table in tables.together.items():
        rows = of_cells[first : first + table.size].T
        found[place] = -rows.reshape(len(columns), *table.shape)
        first += table.size
    for at, factor in enumerate(factors):
        if at not in paired:
            rows = of_cells[first : first + len(factor.levels)].T
            found[at,] -= rows[:, :, None]
            first += len(factor.levels)
    return found
