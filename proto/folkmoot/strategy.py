"""How the privacy loss of a round is divided among what is measured.

Both sides compute the plan from the round alone, so that no noise scale has to be
believed: the coordinator knows the variance that the node must have used.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from folkmoot.errors import ContractError
from folkmoot.privacy import Rho
from folkmoot.workload import Marginal, Workload


@dataclass(frozen=True, slots=True)
class Measurement:
    """One marginal, and the loss spent on it.

    Attributes:
        marginal: What is measured. One household changes one cell by one, so the L2
            sensitivity is 1.
        rho: Loss of this measurement.
    """

    marginal: Marginal
    rho: Rho

    @property
    def sigma(self) -> float:
        """Scale of the discrete Gaussian: `sqrt(1 / (2 rho))` at L2 sensitivity 1.

        Source: Canonne, Kamath and Steinke 2020, theorem 4.
        """
        return math.sqrt(1 / (2 * self.rho.value))


def plan(workload: Workload, loss: Rho) -> tuple[Measurement, ...]:
    """Divides `loss` over the marginals in proportion to their weights.

    The shares are whole nano-rho, rounded down, so that they never sum to more than
    `loss`.

    Raises:
        ContractError: If the loss is too small to give each marginal one nano-rho.
    """
    total = sum(marginal.weight for marginal in workload.marginals)
    measurements = tuple(
        Measurement(marginal, Rho(loss.nano * marginal.weight // total))
        for marginal in workload.marginals
    )
    if any(measurement.rho.nano == 0 for measurement in measurements):
        raise ContractError(
            "round.loss",
            f"rho {loss} is too small for {len(measurements)} marginals",
            "Ask for more privacy loss or fewer marginals",
        )
    return measurements
