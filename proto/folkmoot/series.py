"""A series of rounds: cumulative counts month after month, at a loss fixed in advance.

A series counts each household once: in the first round in which it satisfies the series'
*event* (`band` is `high`, say). Its rounds release the cumulative counts so far. Releasing
`T` cumulative counts one by one would split the loss in `T`. A matrix mechanism does better:
the lower triangular matrix of ones is `A = L R`, with `L = R` the square root, a Toeplitz
matrix of coefficients `c_j = binom(2j, j) / 4^j` (Fichtenberger, Henzinger and Upadhyay,
"Constant matters", ICML 2023; Henzinger, Upadhyay and Upadhyay, SODA 2023). A node measures
the rows of `R` with independent noise, the coordinator applies `L`.

Here `R` has whole coefficients, `r_j = 2^10 c_j` rounded, so that it can be measured with
discrete noise and its sensitivity is exact: a household counted at step `k` changes the row
of step `t` by `r_(t-k)` times what it would change a round that is not in a series. The loss
up to a step is at most the sum of the first `r_j^2`, whenever the household is counted, and
even if that depends on earlier releases (Denisov, McMahan, Rush, Smith and Thakurta, NeurIPS
2022; `docs/continual-release.md`).

A council may miss rounds, so *steps* count the rounds that it has measured itself. What it
measured may fail to arrive. Households counted then, and those counted at the next step, are
one *cohort*, with the same coefficients; the estimates stay unbiased, with more noise.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from folkmoot.attributes import check_codes, check_identifier
from folkmoot.errors import ContractError
from folkmoot.privacy import Rho

COEFFICIENT_BITS = 10
"""Whole coefficients are those of the square root times two to this power."""
MIN_ROUNDS = 2
MAX_ROUNDS = 60
"""Five years of months."""
MAX_SECONDS = 6 * 366 * 86_400
"""A series ends within six years of each of its rounds: nodes remember households until then."""
MAX_COHORTS = 2**26
"""Most households that all cohorts of a council may hold. Times the largest coefficient that
is 2**36, the bound of an exact count, so that contrasts stay within 64 bits."""

_SERIES_ID = re.compile(r"[0-9a-f]{32}")
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class SeriesEvent:
    """What a household must satisfy to be counted.

    Attributes:
        attribute: A published attribute of the household, not an area.
        codes: Codes of it, any of which is the event; in ascending order.
    """

    attribute: str
    codes: tuple[str, ...]

    def __post_init__(self) -> None:
        check_identifier(self.attribute, "series.event.attribute")
        check_codes(self.codes, "series.event.codes")
        if not self.codes or list(self.codes) != sorted(self.codes):
            raise ContractError(
                "series.event.codes",
                "are empty or out of order",
                "Name the codes that make a household count, in ascending order",
            )

    def __str__(self) -> str:
        return f"{self.attribute} is {' or '.join(self.codes)}"


@dataclass(frozen=True, slots=True)
class Series:
    """The place of a round in a series.

    Attributes:
        series_id: 32 hexadecimal digits.
        position: Number of the round, from 1.
        length: Number of rounds planned.
        event: What a household must satisfy to be counted.
        ends_at: No round of the series has a later deadline; seconds since
            1970-01-01T00:00:00Z.
        counting_digest: `counting_rules.counting_digest` of the policy, 32 bytes: a council
            whose policy file is another one takes part if it counts by the same rules. None
            where the file itself must be the same.
    """

    series_id: str
    position: int
    length: int
    event: SeriesEvent
    ends_at: int
    counting_digest: bytes | None = None

    def __post_init__(self) -> None:
        check_series_id(self.series_id)
        if self.counting_digest is not None and len(self.counting_digest) != _DIGEST_BYTES:
            raise ContractError(
                "series.counting_digest",
                f"has {len(self.counting_digest)} bytes",
                f"A SHA-256 digest has {_DIGEST_BYTES}",
            )
        if not MIN_ROUNDS <= self.length <= MAX_ROUNDS:
            raise ContractError(
                "series.length",
                f"{self.length} is out of range",
                f"Plan {MIN_ROUNDS} to {MAX_ROUNDS} rounds",
            )
        if not 1 <= self.position <= self.length:
            raise ContractError(
                "series.position",
                f"{self.position} is out of range",
                f"The series has rounds 1 to {self.length}",
            )


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """What a release of a series measures.

    Attributes:
        step: Number of this round among those that the council has measured, from 1.
        cohort: Step whose coefficients the households have that are counted now: the first
            after the last step that arrived, as the node knows. Equal to `step` unless
            releases were lost.
    """

    step: int
    cohort: int

    def __post_init__(self) -> None:
        if not 1 <= self.cohort <= self.step <= MAX_ROUNDS:
            raise ContractError(
                "release.series",
                f"step {self.step} and cohort {self.cohort} are out of range",
                f"A cohort is from 1 to its step, a step at most {MAX_ROUNDS}",
            )

    def coefficient(self, cohort: int, length: int) -> int:
        """How often this row counts the households of a cohort up to its own."""
        return coefficients(length)[self.step - cohort]


def check_series_id(value: str, where: str = "series.series_id") -> str:
    """Returns `value` if it is a series identifier, else raises ContractError."""
    if not _SERIES_ID.fullmatch(value):
        raise ContractError(
            where, f"{value[:40]!r} is not a series id", "Give 32 lower-case hexadecimal digits"
        )
    return value


@lru_cache(maxsize=256)
def coefficients(length: int) -> tuple[int, ...]:
    """The first column of the whole-number matrix, `2^10 binom(2j, j) / 4^j` rounded."""
    return tuple(
        ((math.comb(2 * j, j) << (COEFFICIENT_BITS + 1)) + 4**j) // (2 * 4**j)
        for j in range(length)
    )


def squared_norm(length: int) -> int:
    """Squared L2 norm of the first column: the squared sensitivity of a whole series."""
    return sum(coefficient**2 for coefficient in coefficients(length))


@lru_cache(maxsize=256)
def charges(total: Rho, length: int) -> tuple[Rho, ...]:
    """What the first, second, ... release of a series costs, so that the sum is `total`.

    The first `m` charges sum to at least the loss of any `m` releases of the series: a
    household changes each by another of the coefficients, and the first `m` are the largest.

    Args:
        total: Loss of the whole series.
        length: Number of rounds planned.
    """
    norm = squared_norm(length)
    spent = reached = 0
    found = []
    for coefficient in coefficients(length):
        reached += coefficient**2
        due = -(-total.nano * reached // norm)  # rounded up
        found.append(Rho(due - spent))
        spent = due
    return tuple(found)


def cumulative_weights(rows: Sequence[SeriesRow], length: int) -> tuple[tuple[float, ...], ...]:
    """How the rows that arrived are summed to give the cumulative counts.

    Entry `i` gives the weights of rows `0..i` in the best linear unbiased estimate of all
    households counted up to row `i`: there is one cohort for each row, so nothing is left
    to choose.

    Args:
        rows: The rows that arrived, in order; the cohort of each follows the step of the
            one before (see `arrived_in_order`).
        length: Number of rounds planned.
    """
    found = []
    for last in range(len(rows)):
        weights = [0.0] * (last + 1)
        for at in range(last, -1, -1):
            covered = math.fsum(
                weights[later] * rows[later].coefficient(rows[at].cohort, length)
                for later in range(at + 1, last + 1)
            )
            weights[at] = (1 - covered) / rows[at].coefficient(rows[at].cohort, length)
        found.append(tuple(weights))
    return tuple(found)


def arrived_in_order(rows: Sequence[SeriesRow]) -> bool:
    """True if every row's cohort follows the step of the row before."""
    before = [0, *(row.step for row in rows)]
    return all(row.cohort == step + 1 for row, step in zip(rows, before, strict=False))


def variance_factor(weights: Sequence[float], length: int) -> float:
    """Variance of a weighted sum of rows, in units of that of a round at the total loss."""
    return squared_norm(length) * math.fsum(weight**2 for weight in weights)
