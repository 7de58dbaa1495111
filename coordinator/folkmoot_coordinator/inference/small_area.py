"""Shrunken estimates of small areas: the Fay-Herriot model with known noise.

Estimate = true figure + noise, and true figure = regression on what is known of the area + what is
the area's own. The noise has a known variance for each area; the variance of what is the area's
own is estimated by restricted maximum likelihood. The best prediction then lies between estimate
and regression, nearer to the regression the noisier the area is (Fay and Herriot, "Estimates of
income for small places", 1979). Its mean squared error allows for the estimated parameters (Datta
and Lahiri, "A unified measure of uncertainty of estimated best linear unbiased predictors in small
area estimation problems", 2000).

Noise is taken to be independent between areas, and the areas' own parts to be normal.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

_BISECTIONS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Shrunken:
    """Shrunken estimates.

    Attributes:
        value: Empirical best linear unbiased predictions, households, float64, shape (areas,).
        mean_squared_error: Of these, households squared, float64, shape (areas,).
        weight: Of the area's own estimate; the rest is the regression's; 0 to 1, float64,
            shape (areas,).
        regression: What the regression alone predicts, households, float64, shape (areas,).
        coefficients: Of the regression, float64, shape (covariates,).
        model_variance: Of what is the area's own, households squared, 0 or more.
        covariates: What the regression is on, float64, shape (areas, covariates).
    """

    value: Float64
    mean_squared_error: Float64
    weight: Float64
    regression: Float64
    coefficients: Float64
    model_variance: float
    covariates: Float64

    @property
    def standard_error(self) -> Float64:
        """Root of the mean squared error: float64 of shape (areas,), households, never missing."""
        return np.sqrt(self.mean_squared_error)


def intercepts(group: Int64) -> Float64:
    """Covariates that give each group of areas a mean of its own.

    Args:
        group: Group of each area, for example its district, from 0, int64, shape (areas,).

    Returns:
        float64, shape (areas, groups with areas): 1 where an area is in the group, else 0; none is
        missing.
    """
    _, numbers = np.unique(group, return_inverse=True)
    return np.eye(int(numbers.max(initial=-1)) + 1)[numbers]


def fay_herriot(value: Float64, variance: Float64, covariates: Float64 | None = None) -> Shrunken:
    """Fits the model and predicts each area.

    Args:
        value: Estimates, households, float64, shape (areas,).
        variance: Of their noise, households squared, float64, shape (areas,).
        covariates: What is known of the areas, float64, shape (areas, covariates), with a column
            of ones if there is to be an intercept; None for an intercept alone.

    Returns:
        The predictions: float64 arrays of shape (areas,), none missing.

    Raises:
        ValueError: If there are no more areas than covariates, covariates depend on each other,
            or a number is missing.
    """
    design = np.ones((len(value), 1)) if covariates is None else covariates
    _check(value, variance, design)
    scale = float(np.mean(variance) + np.var(value)) or 1.0
    # Exact figures keep their value: a variance that is small beside all others stands for none.
    smallest = float(variance.min(initial=np.inf, where=variance > 0))
    noise = np.maximum(variance, 1e-12 * min(smallest, float(np.var(value)) or scale))
    own = _root(lambda guess: _score(guess, value, noise, design), scale)
    total = own + noise
    information = np.linalg.inv(design.T @ (design / total[:, None]))
    coefficients = information @ (design.T @ (value / total))
    regression = design @ coefficients
    weight = own / total
    shrunk = 1 - weight
    of_coefficients = np.einsum("ij,jk,ik->i", design, information, design)
    error = (
        own * shrunk
        + shrunk**2 * of_coefficients
        + 2 * noise**2 / total**3 * (2 / float(np.sum(total**-2.0)))
    )
    return Shrunken(
        value=weight * value + shrunk * regression,
        mean_squared_error=np.maximum(error, 0.0),
        weight=weight,
        regression=regression,
        coefficients=coefficients,
        model_variance=own,
        covariates=design,
    )


def _check(value: Float64, variance: Float64, design: Float64) -> None:
    areas, covariates = design.shape
    if len(value) != areas or len(variance) != areas:
        raise ValueError("estimates, variances and covariates are about the same areas")
    if areas <= covariates:
        raise ValueError("the model needs more areas than covariates")
    if not (np.isfinite(value).all() and np.isfinite(design).all()):
        raise ValueError("estimates and covariates are not missing")
    if not (np.isfinite(variance).all() and (variance >= 0).all()):
        raise ValueError("variances are numbers that are not negative")
    if np.linalg.matrix_rank(design) < covariates:
        raise ValueError("covariates depend on each other")


def _score(guess: float, value: Float64, noise: Float64, design: Float64) -> float:
    """Derivative of the restricted log likelihood by the model variance, twice."""
    precision = 1 / (guess + noise)
    weighted = design * precision[:, None]
    information = np.linalg.inv(design.T @ weighted)
    rest = precision * (value - design @ (information @ (weighted.T @ value)))
    trace = float(precision.sum() - np.trace(information @ (weighted.T @ weighted)))
    return float(rest @ rest) - trace


def _root(score: Callable[[float], float], scale: float) -> float:
    """The model variance at which the score falls through 0; 0 if it is negative throughout."""
    if score(0.0) <= 0:
        return 0.0
    upper = scale
    while score(upper) > 0:
        upper *= 2
    lower = 0.0
    for _ in range(_BISECTIONS):
        middle = (lower + upper) / 2
        if math.isclose(lower, upper, rel_tol=1e-13) or middle in (lower, upper):
            break
        if score(middle) > 0:
            lower = middle
        else:
            upper = middle
    return (lower + upper) / 2
