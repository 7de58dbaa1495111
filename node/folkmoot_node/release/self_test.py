"""Whether a sampler draws the noise that it claims, found out before anything is released with it.

It finds a fault: a library that was built or patched wrongly, a scale that was computed wrongly, a
source of randomness that repeats itself. Code that recognises the test and behaves is not found;
against that, see `folkmoot_node.installation`.

Two comparisons with the exact distribution, which hold for every number of draws:

- no share of draws at or below a number differs from its probability by more than
  sqrt(ln(2 / a) / (2 n)), but in a of all cases (Dvoretzky, Kiefer and Wolfowitz; the constant is
  Massart's, 1990, corollary 1);
- the mean of the absolute values is not further from its expectation than Chernoff's bound (1952)
  allows. It finds nearly every scale that is wrong by a tenth.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from folkmoot_operator.problems import ExitCode, Problem

FALSE_ALARM = 1e-9
"""How often a sampler that is right is taken for one that is not."""
DRAWS = 8_000
"""Numbers drawn for a test; OpenDP draws 30 to 80 in a millisecond."""
_COMPARISONS = 3
"""Shares; a mean that is too large; one that is too small. Two equal halves are less likely."""
_TILTS = np.linspace(-3.0, 0.9, 79)

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """Noise around zero that the same numbers of both signs can have.

    Attributes:
        scale: Standard deviation or scale, as the noise's density has it.
        probabilities: Of 0, 1, 2 and so on, and of -1, -2 and so on: shape (numbers,), float64,
            no nulls. What lies further out is less likely than 1e-24.
    """

    scale: float
    probabilities: Float64


def discrete_gaussian(sigma: float) -> Distribution:
    """Canonne, Kamath and Steinke 2020, definition 1."""
    numbers = np.arange(math.ceil(12 * sigma) + 2, dtype=np.float64)
    weights = np.exp(-(numbers**2) / (2 * sigma**2))
    return Distribution(sigma, weights / (2 * weights.sum() - weights[0]))


def discrete_laplace(scale: float) -> Distribution:
    """Ghosh, Roughgarden and Sundararajan 2012."""
    numbers = np.arange(math.ceil(60 * scale) + 2, dtype=np.float64)
    weights = np.exp(-numbers / scale)
    return Distribution(scale, weights / (2 * weights.sum() - weights[0]))


def require_sound(draw: Callable[[Int64], Int64], expected: Distribution, name: str) -> None:
    """Draws noise and compares it with what is claimed.

    Args:
        draw: Adds noise to exact numbers: shape (rows,), int64, and the same back.
        expected: The noise that it claims.
        name: The mechanism, for the message.

    Raises:
        Problem: Exit code VERIFICATION, if it draws something else; a sampler that is right is
            refused in `FALSE_ALARM` of all cases. No resident's record is looked at.
    """
    exact = np.arange(DRAWS, dtype=np.int64) % 1000
    noise = draw(exact) - exact
    fault = find_fault(noise, expected)
    if fault:
        raise Problem(
            f"the sampler of the {name} does not draw the noise that it should: {fault}. Nothing "
            "is released",
            remedy="Compare the installed files with `folkmoot-node install verify`, and install "
            "them again. It is a false alarm in one of 1e9 cases",
            exit_code=ExitCode.VERIFICATION,
        )


def find_fault(noise: Int64, expected: Distribution) -> str:
    """What is wrong with noise; empty if nothing was found.

    Args:
        noise: Shape (draws,), int64, no nulls.
        expected: The distribution that it should have.
    """
    half = noise.size // 2
    if np.array_equal(noise[:half], noise[half : 2 * half]):
        return "it repeats itself"
    limit = math.log(_COMPARISONS / FALSE_ALARM)
    if noise.size * _unlikelihood(np.abs(noise), expected) > limit:
        return "its scale is another"
    allowed = math.sqrt((limit + math.log(2)) / (2 * noise.size))
    if _largest_difference(noise, expected) > allowed:
        return "its shape is another"
    return ""


def _unlikelihood(sizes: Int64, expected: Distribution) -> float:
    """How unlikely a mean of absolute values is, on the side of its expectation on which it lies.

    It is the largest r of those tried for which Chernoff's bound gives that such a mean, or one
    further off, has a probability of exp(-draws * r) at most.
    """
    numbers = np.arange(expected.probabilities.size, dtype=np.float64)
    chances = expected.probabilities * np.where(numbers > 0, 2.0, 1.0)
    tilts = _TILTS[_TILTS != 0] / expected.scale
    mean = float(sizes.mean())
    tilts = tilts[(tilts > 0) == (mean > float(numbers @ chances))]
    return float(max(t * mean - math.log(float(np.exp(t * numbers) @ chances)) for t in tilts))


def _largest_difference(noise: Int64, expected: Distribution) -> float:
    """Largest difference between a share of draws at or below a number and its probability."""
    reach = expected.probabilities.size - 1
    chances = np.concatenate((expected.probabilities[:0:-1], expected.probabilities))
    counted = np.bincount(np.clip(noise, -reach, reach) + reach, minlength=chances.size)
    return float(np.abs(np.cumsum(counted) / noise.size - np.cumsum(chances)).max())
