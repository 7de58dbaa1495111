"""Privacy loss under zero-concentrated differential privacy (zCDP).

Definition (Bun and Steinke 2016): a mechanism M is rho-zCDP if for all neighbouring
tables x, x' and all alpha > 1 the Renyi divergence of order alpha between M(x) and
M(x') is at most rho * alpha. Losses of several mechanisms add up. Here the privacy unit
is the household, and neighbouring tables differ by the presence of one household.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from folkmoot.errors import ContractError

_NANO = 10**9
_PICO = 10**12
_LARGEST = 2**63 - 1


@dataclass(frozen=True, order=True, slots=True)
class Rho:
    """A zCDP loss, held in units of 1e-9 so that sums and comparisons are exact.

    Attributes:
        nano: rho in units of 1e-9; 0 or more.
    """

    nano: int

    def __post_init__(self) -> None:
        if not 0 <= self.nano <= _LARGEST:
            raise ContractError("rho", f"{self.nano} nano-rho is out of range", "Give 0 or more")

    @classmethod
    def of(cls, value: str | int | float | Decimal, where: str = "rho") -> Rho:
        """Reads a loss written as a decimal number, with at most nine decimals."""
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        scaled = number * _NANO if number.is_finite() else number
        if not scaled.is_finite() or scaled < 0 or scaled != scaled.to_integral_value():
            raise ContractError(
                where,
                f"{str(value)[:40]!r} is not a privacy loss",
                "Give a decimal number from 0 with at most nine decimals, for example 0.25",
            )
        return cls(int(scaled))

    @property
    def value(self) -> float:
        """rho as a floating-point number, for formulas and display."""
        return self.nano / _NANO

    @classmethod
    def total(cls, losses: Iterable[Rho]) -> Rho:
        """The sum of losses, or the largest loss there is if it is beyond that."""
        return cls(min(_LARGEST, sum(loss.nano for loss in losses)))

    def __add__(self, other: Rho) -> Rho:
        return Rho(self.nano + other.nano)

    def for_person(self, households: int) -> Rho:
        """The loss of a person who may appear in `households` households.

        By group privacy of zCDP (Bun and Steinke 2016, proposition 27) it is
        `households ** 2 * rho`.
        """
        return Rho(self.nano * households * households)

    def __str__(self) -> str:
        return format(Decimal(self.nano) / _NANO, "f")


@dataclass(frozen=True, order=True, slots=True)
class Epsilon:
    """A pure differential privacy loss, held in units of 1e-9.

    Attributes:
        nano: epsilon in units of 1e-9; 0 or more.
    """

    nano: int

    def __post_init__(self) -> None:
        if not 0 <= self.nano <= _LARGEST:
            raise ContractError("epsilon", f"{self.nano} nano is out of range", "Give 0 or more")

    @classmethod
    def of(cls, value: str | int | float | Decimal, where: str = "epsilon") -> Epsilon:
        """Reads a loss written as a decimal number, with at most nine decimals."""
        return cls(Rho.of(value, where).nano)

    @property
    def value(self) -> float:
        """epsilon as a floating-point number, for formulas and display."""
        return self.nano / _NANO

    @property
    def rho(self) -> Rho:
        """The zCDP loss it implies, `epsilon^2 / 2` rounded up (Bun and Steinke 2016, prop. 4)."""
        return Rho(-(-self.nano * self.nano // (2 * _NANO)))

    def __str__(self) -> str:
        return format(Decimal(self.nano) / _NANO, "f")


NO_EPSILON = Epsilon(0)
"""Stands where a mechanism has no pure loss."""


@dataclass(frozen=True, order=True, slots=True)
class Delta:
    """The delta at which an epsilon is stated, in units of 1e-12; between 0 and 1."""

    pico: int

    def __post_init__(self) -> None:
        if not 0 < self.pico < _PICO:
            raise ContractError(
                "delta", f"{self.pico} pico is out of range", "Give more than 0, less than 1"
            )

    @classmethod
    def of(cls, value: str | float | Decimal, where: str = "delta") -> Delta:
        """Reads a delta written as a decimal number, for example `1e-6`."""
        try:
            scaled = Decimal(str(value)) * _PICO
            return cls(int(scaled))
        except (InvalidOperation, OverflowError, ValueError):
            raise ContractError(
                where,
                f"{str(value)[:40]!r} is not a delta",
                "Give a number from 1e-12 to below 1, for example 1e-6",
            ) from None

    @property
    def value(self) -> float:
        """delta as a floating-point number."""
        return self.pico / _PICO

    def __str__(self) -> str:
        return f"{self.value:g}"


def delta_of(rho: float, epsilon: float) -> float:
    """Smallest delta for which rho-zCDP is known to imply (epsilon, delta)-DP.

    Canonne, Kamath and Steinke 2020, proposition 12: the minimum over alpha > 1 of
    `exp((alpha - 1) * (alpha * rho - epsilon)) / (alpha - 1) * (1 - 1 / alpha) ** alpha`.
    """
    if rho == 0:
        return 0.0
    low, high = 1.01, (epsilon + 1) / (2 * rho) + 2
    for _ in range(200):  # bisection on the sign of the derivative of the logarithm
        alpha = (low + high) / 2
        slope = (2 * alpha - 1) * rho - epsilon + math.log1p(-1 / alpha)
        if slope < 0:
            low = alpha
        else:
            high = alpha
    alpha = (low + high) / 2
    exponent = (
        (alpha - 1) * (alpha * rho - epsilon) + alpha * math.log1p(-1 / alpha) - math.log(alpha - 1)
    )
    return math.exp(min(0.0, exponent))


def guess_rate(rho: Rho) -> float:
    """How often, at most, a guess whether one household was counted is right.

    The guesser knows all other households and starts from even odds. A guess is right with
    probability (1 + TV) / 2, TV being the total variation distance of the answers with and
    without the household. rho-zCDP bounds their Kullback-Leibler divergence by rho, and that
    bounds TV by sqrt(rho / 2) (Pinsker) and by sqrt(1 - exp(-rho)) (Bretagnolle and Huber
    1979).

    Returns:
        From 0.5, a coin toss, to 1.
    """
    distance = math.sqrt(min(rho.value / 2, -math.expm1(-rho.value)))
    return (1 + distance) / 2


def pure_guess_rate(epsilon: Epsilon) -> float:
    """The same under pure differential privacy: at most `exp(epsilon) / (1 + exp(epsilon))`."""
    return 1 / (1 + math.exp(-epsilon.value))


@lru_cache(maxsize=1024)
def epsilon_at(rho: Rho, delta: Delta) -> float:
    """epsilon for which rho-zCDP is known to imply (epsilon, delta)-DP.

    The same conversion as OpenDP's `make_zCDP_to_approxDP`; a test holds the two against
    each other. It lives here because the coordinator states epsilon without OpenDP.

    Returns:
        epsilon, 0 or more, rounded up at the last bits so that it never understates.
    """
    if rho.nano == 0:
        return 0.0
    low = 0.0
    high = rho.value + 2 * math.sqrt(rho.value * math.log(1 / delta.value))
    for _ in range(200):
        middle = (low + high) / 2
        if delta_of(rho.value, middle) > delta.value:
            low = middle
        else:
            high = middle
    return math.nextafter(high, math.inf)


def rho_at(epsilon: float, delta: Delta) -> Rho:
    """The largest loss in whole nano-rho that is known to imply (epsilon, delta)-DP.

    Args:
        epsilon: From 0.
        delta: At which it is stated.
    """
    low, high = 0, 1
    while high < _LARGEST and delta_of(high / _NANO, epsilon) <= delta.value:
        low, high = high, min(_LARGEST, 2 * high)
    while high - low > 1:
        middle = (low + high) // 2
        if delta_of(middle / _NANO, epsilon) <= delta.value:
            low = middle
        else:
            high = middle
    return Rho(low)
