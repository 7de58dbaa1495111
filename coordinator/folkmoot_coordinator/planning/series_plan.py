"""What a series will cost and how far its counts will be off, before anything is asked.

Errors are compared with those of other ways to release the same counts at the same total
loss. All are in units of the variance that a single round at that loss would have.

- *One by one*: each round releases the cumulative counts with noise of its own. A household
  is in all of them, so each may cost a part of the loss.
- *Summed*: each round releases what is new, and the region adds up. A household is new once,
  so each round may cost the whole loss; but the noise of all rounds adds up, too.
- *Binary tree* (Chan, Shi and Song, ICALP 2010; Dwork, Naor, Pitassi and Rothblum, STOC
  2010): counts over runs of 1, 2, 4, ... rounds; a cumulative count is the sum of few.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from folkmoot.privacy import Rho
from folkmoot.rounds import Round
from folkmoot.series import (
    SeriesRow,
    charges,
    cumulative_weights,
    variance_factor,
)
from folkmoot.workload import Marginal


@dataclass(frozen=True, slots=True)
class SeriesForecast:
    """One round of a series whose rounds are all answered.

    Variances are in units of that of a single round at the total loss.

    Attributes:
        position: Number of the round.
        charge: Loss that the ledger debits for it.
        spent: Loss of the series up to it.
        cumulative: Variance of the cumulative counts.
        new: Variance of what is new since the round before.
        one_by_one: Variance of the cumulative counts, each released with noise of its own.
        summed: Variance of the cumulative counts, as sums of released new counts.
        binary_tree: Variance of the cumulative counts from the binary tree.
    """

    position: int
    charge: Rho
    spent: Rho
    cumulative: float
    new: float
    one_by_one: float
    summed: float
    binary_tree: float


def planned_rounds(total: Rho, length: int) -> tuple[SeriesForecast, ...]:
    """Loss and errors of each round of a series.

    Args:
        total: Loss of the whole series.
        length: Number of rounds planned.
    """
    rows = [SeriesRow(step, step) for step in range(1, length + 1)]
    found, spent = [], 0
    before: tuple[float, ...] = ()
    weights = cumulative_weights(rows, length)
    for position, (charge, now) in enumerate(zip(charges(total, length), weights, strict=True), 1):
        spent += charge.nano
        new = [one - then for one, then in zip(now, (*before, 0.0), strict=True)]
        found.append(
            SeriesForecast(
                position=position,
                charge=charge,
                spent=Rho(spent),
                cumulative=variance_factor(now, length),
                new=variance_factor(new, length),
                one_by_one=float(length),
                summed=float(position),
                binary_tree=float(position.bit_count() * length.bit_length()),
            )
        )
        before = now
    return tuple(found)


def single_round_error(round_: Round, marginal: Marginal) -> float:
    """Standard error of a cell if the whole loss were spent on one round, households.

    That of the council with the most cells, as the root of the mean variance of its cells.
    """
    largest = max(round_.councils, key=lambda council: round_.workload.size(marginal, council))
    return math.sqrt(round_.plan(largest).mean_variance(marginal.attributes))
