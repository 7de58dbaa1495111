"""The least error that any Gaussian mechanism can have on a small workload.

It is computed from the workload's matrix alone, by nothing of Folkmoot's, so that plans can
be held against it.

A mechanism that answers queries A x with independent unit noise, and the workload W x by least
squares, has total variance `tr(W X^-1 W^T)` with `X = A^T A`; one household changes one entry
of x by one, so its sensitivity is `max X_jj`. For `rho` the least total variance is

    1 / (2 rho) * min { tr(W X^-1 W^T) : X positive, X_jj <= 1 }

and by convex duality the minimum is the maximum of `|| W diag(u)^(1/2) ||_*^2` over weights u
of sum 1, the norm being the sum of singular values. Every u gives a lower bound; equal weights
give the bound of Li and Miklau ("Optimal error of query sets under the differentially-private
matrix mechanism", ICDT 2013). The best u is found by the fixed point of Denisov et al.
("Improved differential privacy for SGD via optimal private linear operators on adaptive
streams", NeurIPS 2022).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Bounds:
    """Between what the least total variance lies, households squared.

    Attributes:
        svd: Lower bound with equal weights.
        lower: Lower bound with the best weights found.
        upper: Total variance of a mechanism that exists.
    """

    svd: float
    lower: float
    upper: float


def least_total_variance(workload: Float64, rho: float, steps: int = 300) -> Bounds:
    """Bounds of the least total variance at a zCDP loss.

    Args:
        workload: Shape (queries, cells).
        rho: zCDP loss.
        steps: Of the fixed point. The bounds hold whether it has converged or not.
    """
    gram = workload.T @ workload
    weights = np.full(len(gram), 1 / len(gram))
    svd = _root(gram, weights).trace() ** 2
    for _ in range(steps):
        weights = _root(gram, weights).diagonal().copy()
        weights /= weights.sum()
    root = _root(gram, weights)
    lower = root.trace() ** 2
    scale = 1 / np.sqrt(weights)
    strategy = scale[:, None] * root * scale[None, :]
    strategy /= strategy.diagonal().max()
    upper = np.trace(np.linalg.pinv(strategy, rcond=1e-11, hermitian=True) @ gram)
    return Bounds(*(float(value) / (2 * rho) for value in (svd, lower, upper)))


def _root(gram: Float64, weights: Float64) -> Float64:
    """Square root of `diag(u)^(1/2) W^T W diag(u)^(1/2)`."""
    sides = np.sqrt(weights)
    values, vectors = np.linalg.eigh(sides[:, None] * gram * sides[None, :])
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
