"""One privacy loss in the terms of each peer.

The unit is the household and neighbouring tables differ by the presence of one, so one
cell of the histogram changes by one: sensitivity 1 in L1 and in L2. The loss is fixed as
rho, of zero-concentrated differential privacy (zCDP), and handed on as

- rho, where a peer accounts in zCDP;
- (epsilon, delta) of the conversion from zCDP to approximate DP (Canonne, Kamath and
  Steinke 2020, proposition 12; the one OpenDP has), where a peer adds Gaussian noise and
  accounts in approximate DP;
- epsilon = sqrt(2 rho), where a peer adds Laplace or geometric noise and knows pure DP
  alone: epsilon-DP implies epsilon^2 / 2-zCDP (Bun and Steinke 2016, proposition 1.4), so
  this is the largest epsilon that costs a ledger of rho no more.

The last is a choice: as an (epsilon, delta) statement, the larger epsilon of the second
line would be equal too, and its noise smaller. But such releases add up faster: in zCDP
each costs `rho_of_pure(epsilon)`. The report prints both.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from folkmoot.privacy import Delta, Rho, epsilon_at


@dataclass(frozen=True, slots=True)
class Losses:
    """The same loss thrice.

    Attributes:
        rho: zCDP.
        delta: At which epsilon is stated.
        epsilon: Of (epsilon, delta)-DP.
        pure_epsilon: Of pure DP.
    """

    rho: float
    delta: float
    epsilon: float
    pure_epsilon: float

    @classmethod
    def of(cls, rho: Rho, delta: Delta) -> Losses:
        """States rho in every way."""
        return cls(
            rho=rho.value,
            delta=delta.value,
            epsilon=epsilon_at(rho, delta),
            pure_epsilon=math.sqrt(2 * rho.value),
        )

    def as_json(self) -> dict[str, Any]:
        """For the results."""
        return asdict(self)


def rho_of_pure(epsilon: float) -> float:
    """zCDP loss that epsilon-DP implies: epsilon^2 / 2."""
    return epsilon * epsilon / 2


def gaussian_error(rho: float) -> float:
    """Mean absolute error of the discrete Gaussian of that loss, `sigma^2 = 1 / (2 rho)`.

    Summed over the support to 40 sigma. It is below `sigma * sqrt(2 / pi)`, that of the
    continuous one, by a share of about `1 / (12 sigma^2)`.
    """
    sigma = math.sqrt(1 / (2 * rho))
    weights = [math.exp(-((k / sigma) ** 2) / 2) for k in range(1, math.ceil(40 * sigma))]
    return (
        2 * math.fsum(k * weight for k, weight in enumerate(weights, 1))
        / (1 + 2 * math.fsum(weights))
    )  # fmt: skip


def laplace_error(epsilon: float) -> float:
    """Mean absolute error of the discrete Laplace (two-sided geometric): 1 / sinh(epsilon)."""
    return 1 / math.sinh(epsilon)
