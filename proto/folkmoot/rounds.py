"""Collection rounds: one question to named councils, answered once by each."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import IntEnum

from folkmoot.attributes import check_identifier
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.privacy import (
    NO_EPSILON,
    Delta,
    Epsilon,
    Rho,
    epsilon_at,
    guess_rate,
    pure_guess_rate,
)
from folkmoot.pure import plan_pure
from folkmoot.series import MAX_SECONDS, Series, charges
from folkmoot.strategy import Plan, plan
from folkmoot.workload import MAXIMUM_CELLS, MAXIMUM_CODES, Workload

ROUND_SIGNATURE_DOMAIN = b"folkmoot.v1.Round\0"
"""Prefix of the bytes that a coordinator signs for a round."""
MAXIMUM_TITLE = 200
"""Characters."""

MAXIMUM_COUNCILS = 1_000
"""More than the local authorities of the United Kingdom."""
MAXIMUM_SUMS = 100_000
"""Most sums over areas for all councils together; bounds the time to check a round."""
MAXIMUM_ROUND = 4 * 2**20 - 1024
"""Bytes of a serialised round: with its signature it goes into one message as gRPC has it."""
MAX_LOSS = Rho.of(1_000_000)
"""Far above any loss that protects anybody; keeps formulas within floating point."""
LAST_DEADLINE = 253_402_300_799
"""The end of the year 9999, in seconds since 1970-01-01T00:00:00Z."""

_ROUND_ID = re.compile(r"[0-9a-f]{32}")


class Mechanism(IntEnum):
    """Noise-adding mechanism of a release; numbered as on the wire."""

    DISCRETE_GAUSSIAN = 1
    DISCRETE_LAPLACE = 2


class RoundState(IntEnum):
    """Where a round stands; numbered as on the wire."""

    OPEN = 1
    COMPLETE = 2
    PARTIAL = 3
    VOID = 4


def check_round_id(value: str, where: str = "round_id") -> str:
    """Returns `value` if it is a round identifier, else raises ContractError."""
    if not _ROUND_ID.fullmatch(value):
        raise ContractError(
            where, f"{value[:40]!r} is not a round id", "Give 32 lower-case hexadecimal digits"
        )
    return value


def check_digest(value: bytes, where: str) -> bytes:
    """Returns `value` if it is a SHA-256 digest, else raises ContractError."""
    if len(value) != hashlib.sha256().digest_size:
        raise ContractError(where, f"has {len(value)} bytes", "A SHA-256 digest has 32")
    return value


def check_number_of_councils(councils: int) -> None:
    """Raises ContractError if a round names more councils than there can be."""
    if councils > MAXIMUM_COUNCILS:
        raise ContractError(
            "round.councils", f"names {councils} councils", f"Name at most {MAXIMUM_COUNCILS}"
        )


@dataclass(frozen=True, slots=True)
class Round:
    """One question to named councils.

    Attributes:
        round_id: 32 hexadecimal digits.
        title: For people; at most 200 characters.
        purpose: Identifier that nodes compare with those their policies permit.
        councils: Councils invited, ascending.
        minimum_councils: Fewest releases for which the round is published; from 1.
        policy_digest: SHA-256 of the risk stratification policy file, 32 bytes; of a series
            with a `counting_digest`, the file with which it began.
        workload: What is asked.
        loss: zCDP loss for the whole workload, for each council; of a round in a series, the
            loss of the whole series.
        mechanism: Noise-adding mechanism.
        delta: At which epsilon is stated.
        opened_at: Seconds since 1970-01-01T00:00:00Z.
        deadline: Seconds since 1970-01-01T00:00:00Z; after `opened_at`.
        epsilon: Pure loss for the whole workload under the discrete Laplace mechanism, whose
            zCDP loss is then `loss`; zero under the discrete Gaussian, which has none.
        series: Its place in a series, or None.
    """

    round_id: str
    title: str
    purpose: str
    councils: tuple[GssCode, ...]
    minimum_councils: int
    policy_digest: bytes
    workload: Workload
    loss: Rho
    mechanism: Mechanism
    delta: Delta
    opened_at: int
    deadline: int
    epsilon: Epsilon = NO_EPSILON
    series: Series | None = None

    def __post_init__(self) -> None:
        check_round_id(self.round_id, "round.round_id")
        check_identifier(self.purpose, "round.purpose")
        check_digest(self.policy_digest, "round.policy_digest")
        if len(self.title) > MAXIMUM_TITLE or not self.title.isprintable():
            raise ContractError(
                "round.title",
                "is too long or not printable",
                f"Give at most {MAXIMUM_TITLE} printable characters",
            )
        check_number_of_councils(len(self.councils))
        if not self.councils or list(self.councils) != sorted(set(self.councils)):
            raise ContractError(
                "round.councils",
                "is empty, repeated or out of order",
                "Name each council once, in ascending order of GSS code",
            )
        if not 1 <= self.minimum_councils <= len(self.councils):
            raise ContractError(
                "round.minimum_councils",
                f"{self.minimum_councils} is out of range",
                f"Give 1 to {len(self.councils)}, the number of councils invited",
            )
        if self.opened_at <= 0 or self.deadline <= self.opened_at:
            raise ContractError(
                "round.deadline", "is not after the opening", "Give a later deadline"
            )
        if self.deadline > LAST_DEADLINE:
            raise ContractError("round.deadline", "is after the year 9999", "Give an earlier one")
        if self.loss > MAX_LOSS:
            raise ContractError("round.loss", "is too large", f"Give at most {MAX_LOSS}")
        if self.loss.nano < self.workload.parts:
            raise ContractError(
                "round.loss",
                f"rho {self.loss} is too small for {self.workload.parts} measurements",
                "Ask for more privacy loss or fewer marginals",
            )
        self._check_mechanism()
        self._check_series()
        invited = set(self.councils)
        for attribute in self.workload.attributes:
            for council in attribute.by_council:
                if council not in invited:
                    raise ContractError(
                        f"attribute {attribute.name}",
                        f"has codes of {council}, which is not invited",
                        "Give codes of invited councils only",
                    )
        codes = sum(
            len(one.codes) * len(self.councils) + sum(map(len, one.by_council.values()))
            for one in self.workload.attributes
        )
        if codes > MAXIMUM_CODES:
            raise ContractError(
                "round.workload",
                f"its councils have {codes} codes together",
                f"Ask for at most {MAXIMUM_CODES}: shorten the code lists, or invite fewer",
            )
        sums = self.workload.sums_of_areas * len(self.councils)
        if sums > MAXIMUM_SUMS:
            raise ContractError(
                "round.workload",
                f"combines areas in {self.workload.sums_of_areas} ways for {len(self.councils)} "
                "councils",
                f"Ask for at most {MAXIMUM_SUMS} of both multiplied: combine fewer kinds of area",
            )
        for council in self.councils:
            asked = max(self.workload.cells(council), self.workload.rows_at_most(council))
            if asked > MAXIMUM_CELLS:
                raise ContractError(
                    "round.workload",
                    f"{council} would release {asked} cells",
                    f"A council releases at most {MAXIMUM_CELLS} cells; check its areas",
                )
            for attribute in self.workload.attributes:
                if not attribute.codes_of(council):
                    raise ContractError(
                        f"attribute {attribute.name}",
                        f"has no code of {council}, which is invited",
                        "Give each invited council its codes, or do not invite it",
                    )

    def _check_mechanism(self) -> None:
        pure = self.mechanism is Mechanism.DISCRETE_LAPLACE
        if (self.epsilon.nano > 0) != pure:
            raise ContractError(
                "round.epsilon",
                "is missing" if pure else "is given for a mechanism that has none",
                "Give epsilon with the discrete Laplace mechanism, rho with the discrete Gaussian",
            )
        if not pure:
            return
        if self.epsilon.rho != self.loss:
            raise ContractError(
                "round.loss",
                f"rho {self.loss} is not that of epsilon {self.epsilon}",
                f"epsilon implies rho {self.epsilon.rho}",
            )
        nested = [one.name for one in self.workload.attributes if one.within]
        if nested:
            raise ContractError(
                f"attribute {nested[0]}: within",
                "cannot be measured with discrete Laplace noise",
                "Use the discrete Gaussian, or ask for each level in a round of its own",
            )

    def _check_series(self) -> None:
        if self.series is None:
            return
        if self.mechanism is not Mechanism.DISCRETE_GAUSSIAN:
            raise ContractError(
                "round.mechanism",
                "is not that of a series",
                "Use the discrete Gaussian in a series",
            )
        if self.deadline > self.series.ends_at:
            raise ContractError(
                "round.deadline", "is after the end of the series", "Give an earlier deadline"
            )
        if self.series.ends_at > self.opened_at + MAX_SECONDS:
            raise ContractError(
                "round.series.ends_at",
                "is more than six years after the opening",
                "Give an earlier end: nodes remember whom they counted until then",
            )
        if min(self.charges).nano == 0:
            raise ContractError(
                "round.loss",
                f"rho {self.loss} is too small for {self.series.length} releases",
                "Ask for more privacy loss or plan fewer rounds",
            )

    @property
    def charges(self) -> tuple[Rho, ...]:
        """What a release may cost: `loss`, or in a series one of the series' charges."""
        if self.series is None:
            return (self.loss,)
        return charges(self.loss, self.series.length)

    @property
    def names_counted(self) -> frozenset[str]:
        """The attributes that a household must have, and that of the series' event."""
        event = [self.series.event.attribute] if self.series else []
        return frozenset([*(attribute.name for attribute in self.workload.counted_by), *event])

    def plan(self, council: GssCode) -> Plan:
        """What an invited council measures, with the loss spent on each part.

        In a series that is the loss of all its rounds together.
        """
        if self.mechanism is Mechanism.DISCRETE_LAPLACE:
            return plan_pure(self.workload, council, self.epsilon)
        return plan(self.workload, council, self.loss)

    def guess_rate(self) -> float:
        """How often, at most, a guess whether one household was counted is right; from 0.5."""
        if self.mechanism is Mechanism.DISCRETE_LAPLACE:
            return min(guess_rate(self.loss), pure_guess_rate(self.epsilon))
        return guess_rate(self.loss)

    def epsilon_for(self, households: int = 1) -> float:
        """epsilon that a release costs at the round's delta.

        Under the discrete Laplace mechanism it holds at every delta, even zero.

        Args:
            households: In how many households the person or group appears that loses it.
        """
        if self.mechanism is Mechanism.DISCRETE_LAPLACE:
            return households * self.epsilon.value
        return epsilon_at(self.loss.for_person(households), self.delta)


def round_digest(serialised: bytes) -> bytes:
    """SHA-256 of the serialised round, as signed and sent: 32 bytes."""
    return hashlib.sha256(serialised).digest()
