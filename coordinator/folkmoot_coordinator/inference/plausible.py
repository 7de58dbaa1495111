"""Sets of true figures that go with the estimates, drawn from the Fay-Herriot model.

The figures of a set belong together: an error of a district's mean moves all its areas, so that
sums over areas are as uncertain as they are. Drawn are first the variance of what is the areas' own
(prior: flat), then the coefficients of the regression, then each area's figure (hierarchical Bayes;
Rao and Molina, "Small area estimation", 2015, section 10.3). No noise is drawn again: estimates
and noise are what they are, and what is drawn is what they leave open.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from folkmoot_coordinator.inference.small_area import Shrunken

Float64 = NDArray[np.float64]

DRAWS = 1000
"""Sets that are drawn; a chance is then off by 3 points at most, 95 times of 100."""
_GRID = 200


def generator(seed: str) -> np.random.Generator:
    """Random numbers that are the same for the same text, for example a round's id."""
    digest = hashlib.sha256(seed.encode()).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


def plausible_figures(
    value: Float64, variance: Float64, model: Shrunken, seed: str, draws: int = DRAWS
) -> Float64:
    """Draws sets of true figures.

    Args:
        value: Estimates, households, float64, shape (areas,).
        variance: Of their noise, households squared, float64, shape (areas,).
        model: The model fitted to them.
        seed: What the draws depend on.
        draws: How many sets.

    Returns:
        float64, households, shape (draws, areas), none missing; some may be negative.
    """
    random = generator(seed)
    design = model.covariates
    scale = float(np.mean(variance) + np.var(value)) or 1.0
    noise = np.maximum(variance, 1e-12 * scale)
    variances, chances = _model_variances(value, noise, design, model.model_variance)
    picked = np.sort(random.choice(len(variances), draws, p=chances))
    drawn = random.standard_normal((draws, len(value)))
    moves = random.standard_normal((draws, design.shape[1]))
    for one in np.unique(picked):
        rows = picked == one
        own = variances[one]
        information = np.linalg.inv(design.T @ (design / (own + noise)[:, None]))
        coefficients = information @ (design.T @ (value / (own + noise)))
        means = (coefficients + moves[rows] @ np.linalg.cholesky(information).T) @ design.T
        weight = own / (own + noise)
        drawn[rows] = weight * value + (1 - weight) * means + np.sqrt(weight * noise) * drawn[rows]
    return drawn


def _model_variances(
    value: Float64, noise: Float64, design: Float64, estimate: float
) -> tuple[Float64, Float64]:
    """Values that the model variance may have, and how probable each is.

    With a flat prior it has no distribution unless there are three areas more than coefficients;
    the estimate then stands for it.
    """
    areas, covariates = design.shape
    if areas < covariates + 3:
        return np.array([estimate]), np.ones(1)
    part = (np.arange(_GRID) + 0.5) / _GRID
    middle = max(estimate, float(np.median(noise)) / 10)
    variances = middle * part / (1 - part)
    likelihood = np.array([_likelihood(own, value, noise, design) for own in variances])
    density = np.exp(likelihood - likelihood.max()) / (1 - part) ** 2
    return variances, density / density.sum()


def _likelihood(own: float, value: Float64, noise: Float64, design: Float64) -> float:
    """The restricted log likelihood of a model variance, but for a constant."""
    precision = 1 / (own + noise)
    weighted = design * precision[:, None]
    information = design.T @ weighted
    rest = value - design @ np.linalg.solve(information, weighted.T @ value)
    determinant = float(np.linalg.slogdet(information)[1])
    return 0.5 * (float(np.log(precision).sum()) - determinant - float(precision @ rest**2))
