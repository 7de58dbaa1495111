"""The council's release policy: what may leave, for which purpose, at what loss.

A TOML file that the council signs. There is no default for any limit: a loss that nobody
chose is not a decision.
"""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from folkmoot.attributes import check_identifier
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.privacy import Delta, Rho
from folkmoot_node.policies.signed_document import SignedKind, check_signature, sign_document
from folkmoot_operator import moments
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import Settings, parse, read


def _rho(value: object) -> Rho:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("give a decimal number, for example 0.25")
    rho = Rho.of(value, "loss")
    if rho.nano == 0:
        raise ValueError("zero would refuse every round; give more than 0")
    return rho


def _delta(value: object) -> Delta:
    if isinstance(value, bool) or not isinstance(value, float | str):
        raise ValueError("give a number from 1e-12 to below 1, for example 1e-6")
    return Delta.of(value)


def _slug(value: str) -> str:
    try:
        return check_identifier(value, "value")
    except ContractError as error:
        raise ValueError(f"{error.problem}. {error.remedy}") from None


def _gss(value: str) -> GssCode:
    return GssCode(value)


LossLimit = Annotated[Rho, BeforeValidator(_rho)]
DeltaLimit = Annotated[Delta, BeforeValidator(_delta)]
Slug = Annotated[str, AfterValidator(_slug)]
Council = Annotated[str, AfterValidator(_gss)]


class MechanismName(StrEnum):
    """A mechanism as a policy names it; the names are those of `folkmoot.rounds.Mechanism`."""

    DISCRETE_GAUSSIAN = "discrete_gaussian"
    DISCRETE_LAPLACE = "discrete_laplace"


class LossPolicy(Settings):
    """How much privacy loss (zCDP rho) a household may suffer.

    Attributes:
        per_round: Most rho for one round.
        per_period: Most rho for all rounds of an accounting period.
        per_series: Most rho for all rounds of a series together; without it no round of a
            series is answered. Each round of a series counts in the period like any other.
        lifetime: Most rho for all rounds that the node ever answers.
        period_start: First day of the first accounting period (UTC).
        period_months: Length of an accounting period.
        households_per_person: In how many households a person may appear (m); the
            person-level loss stated with each release is m squared times rho.
    """

    per_round: LossLimit
    per_period: LossLimit
    lifetime: LossLimit
    per_series: LossLimit | None = None
    period_start: datetime.date
    period_months: Annotated[int, Field(ge=1, le=120)]
    households_per_person: Annotated[int, Field(ge=1, le=20)]

    @model_validator(mode="after")
    def _ordered(self) -> LossPolicy:
        if self.per_period < self.per_round:
            raise ValueError("per_period is smaller than per_round; no round could use it up")
        if self.per_series is not None and self.per_period < self.per_series:
            raise ValueError("per_period is smaller than per_series; no series could use it up")
        if self.lifetime < self.per_period:
            raise ValueError("lifetime is smaller than per_period; no period could use it up")
        return self

    def period_of(self, moment: int) -> tuple[int, int]:
        """The accounting period that contains a moment.

        Args:
            moment: Seconds since 1970-01-01T00:00:00Z.

        Returns:
            First second of the period, and first second of the next.

        Raises:
            Problem: If the moment is before the first period.
        """
        day = moments.day(moment)
        if day < self.period_start:
            raise Problem(
                f"the first accounting period begins on {self.period_start}",
                where="release policy: loss.period_start",
                remedy="Wait, or have the council sign a policy that begins earlier",
                exit_code=ExitCode.REFUSED,
            )
        months = (day.year - self.period_start.year) * 12 + day.month - self.period_start.month
        number = months // self.period_months
        if moments.months_later(self.period_start, number * self.period_months) > day:
            number -= 1
        return (
            _midnight(moments.months_later(self.period_start, number * self.period_months)),
            _midnight(moments.months_later(self.period_start, (number + 1) * self.period_months)),
        )


class PluginInProcess(Settings):
    """One `[[plugins_in_process]]` table: a plugin of others that may run in the node's own
    process, where it could do whatever the node can. `node.toml` has to ask for it too.

    Attributes:
        distribution: Name of the distribution.
        version: The version that was decided on.
        content: SHA-256 over the files in its wheel, as `folkmoot-plugin pin` prints it.
        reason: Why it cannot run apart, for whoever reads the policy.
    """

    distribution: Annotated[str, Field(min_length=1, max_length=100)]
    version: Annotated[str, Field(min_length=1, max_length=100)]
    content: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
    reason: Annotated[str, Field(min_length=1, max_length=500)]

    def __str__(self) -> str:
        return f"{self.distribution} {self.version} ({self.reason})"


class ReleasePolicy(Settings):
    """What a council lets out.

    Attributes:
        schema_version: Version of this file's layout; `schema` in the file.
        council: GSS code of the council.
        sunset: Last day on which anything is released.
        purposes: Purposes of rounds that may be answered.
        attributes: Attributes of households that may be tabulated.
        maximum_ways: Most attributes in one marginal.
        maximum_cells: Most cells in one round.
        mechanisms: Noise-adding mechanisms that rounds may ask for.
        operator_approval: True if a person must approve each round.
        maximum_delta: Largest delta at which epsilon may be stated.
        loss: How much privacy loss a household may suffer.
        plugins_in_process: Plugins of others that may run in the node's own process.
    """

    schema_version: Annotated[Literal[1], Field(alias="schema")]
    council: Council
    sunset: datetime.date
    purposes: Annotated[tuple[Slug, ...], Field(min_length=1)]
    attributes: Annotated[tuple[Slug, ...], Field(min_length=1)]
    maximum_ways: Annotated[int, Field(ge=1, le=10)]
    maximum_cells: Annotated[int, Field(ge=1)]
    mechanisms: Annotated[tuple[MechanismName, ...], Field(min_length=1)] = (
        MechanismName.DISCRETE_GAUSSIAN,
    )
    operator_approval: bool
    maximum_delta: DeltaLimit
    loss: LossPolicy
    plugins_in_process: tuple[PluginInProcess, ...] = ()


@dataclass(frozen=True, slots=True)
class SignedReleasePolicy:
    """A release policy whose signature was checked.

    Attributes:
        policy: The policy.
        digest: SHA-256 of the file, 32 bytes.
        signer: Who signed, as they wrote it.
        signed_at: When, as they wrote it.
        key: Ed25519 public key of the signature, 32 bytes; empty if nobody looked at it.
    """

    policy: ReleasePolicy
    digest: bytes
    signer: str
    signed_at: str
    key: bytes = b""


RELEASE_POLICY = SignedKind("release policy", 'folkmoot-node policy sign --signer "NAME, ROLE"')
"""What is signed, and how."""


def load_unsigned(path: Path) -> tuple[ReleasePolicy, bytes]:
    """Reads a policy file without looking at its signature: for showing and signing.

    Returns:
        The policy and the SHA-256 of the file, 32 bytes.
    """
    content = read(path)
    return parse(ReleasePolicy, content, str(path)), hashlib.sha256(content).digest()


def load_signed(path: Path, trusted_key: bytes, trusted: str = "") -> SignedReleasePolicy:
    """Reads a policy file and checks its signature.

    Args:
        path: The policy file; the signature lies beside it.
        trusted_key: Ed25519 public key that the node trusts, 32 bytes.
        trusted: That key and where it is named, for the message; the key itself if empty.

    Raises:
        Problem: If the file or its signature is missing, wrong or by another key.
    """
    policy, digest = load_unsigned(path)
    checked = check_signature(RELEASE_POLICY, path, digest, trusted_key, trusted)
    return SignedReleasePolicy(policy, digest, checked.signer, checked.signed_at, checked.key)


def sign(path: Path, private_key: bytes, signer: str, moment: int) -> Path:
    """Signs a policy file that is valid, and writes the signature beside it.

    Args:
        path: The policy file.
        private_key: Ed25519 private key, 32 bytes.
        signer: Name and role of who decides.
        moment: Seconds since 1970-01-01T00:00:00Z.
    """
    _, digest = load_unsigned(path)
    return sign_document(RELEASE_POLICY, path, digest, private_key, signer, moment)


def _midnight(day: datetime.date) -> int:
    return int(datetime.datetime.combine(day, datetime.time(), datetime.UTC).timestamp())
