"""A council's answer that it will not release, with a reason code and a next step."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum

from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.rounds import check_digest, check_round_id

_DIGEST_DOMAIN = b"folkmoot.v1.Refusal\0"


class RefusalReason(IntEnum):
    """Why a council does not release; numbered as on the wire.

    Decided by policy and round alone, never by data.
    """

    LOSS_PER_ROUND = 1
    BUDGET_EXHAUSTED = 2
    PURPOSE = 3
    ATTRIBUTE = 4
    CODE = 5
    WORKLOAD_SIZE = 6
    POLICY_DIGEST = 7
    SUNSET = 8
    DECLINED = 9
    ROUND_INVALID = 10
    MECHANISM = 11
    DELTA = 12

    @property
    def meaning(self) -> str:
        """What the code says, for people."""
        return _MEANING[self][0]

    @property
    def next_step(self) -> str:
        """What the region can do about it."""
        return _MEANING[self][1]


_MEANING = {
    RefusalReason.LOSS_PER_ROUND: (
        "the round asks for more privacy loss than the council allows for one round",
        "Ask for less rho, or agree a higher limit with the council",
    ),
    RefusalReason.BUDGET_EXHAUSTED: (
        "the round asks for more privacy loss than is left of the council's budget",
        "Ask for less rho, or ask the council when its next accounting period begins",
    ),
    RefusalReason.PURPOSE: (
        "the purpose is not one the council permits",
        "Agree the purpose with the council before opening a round for it",
    ),
    RefusalReason.ATTRIBUTE: (
        "the round asks for an attribute the council does not release",
        "Leave the attribute out, or agree it with the council",
    ),
    RefusalReason.CODE: (
        "the round uses a code that is not in the council's published code list",
        "Use the code list of the risk stratification policy",
    ),
    RefusalReason.WORKLOAD_SIZE: (
        "the round asks for more cells or wider marginals than the council permits",
        "Ask for fewer attributes in one marginal, or fewer areas",
    ),
    RefusalReason.POLICY_DIGEST: (
        "the council scores under another risk stratification policy",
        "Agree one policy file; compare digests with `folkmoot-node policy show`",
    ),
    RefusalReason.SUNSET: (
        "the council's release policy is past its sunset date",
        "Ask the council whether it will renew the policy",
    ),
    RefusalReason.DECLINED: (
        "an operator of the council declined the round",
        "Speak to the council",
    ),
    RefusalReason.ROUND_INVALID: (
        "the round is not well formed, or differs from what was seen under the same id",
        "Open a new round; if it happens again, report a fault",
    ),
    RefusalReason.MECHANISM: (
        "the council does not permit the mechanism",
        "Use the mechanism the council permits",
    ),
    RefusalReason.DELTA: (
        "epsilon would be stated at a larger delta than the council allows",
        "Open the round with a smaller delta",
    ),
}


ABOUT_AN_ATTRIBUTE = frozenset({RefusalReason.ATTRIBUTE, RefusalReason.CODE})
"""Reasons with which a refusal may state which attribute of the round is meant."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A council's answer that it will not release.

    Attributes:
        round_id: Round answered.
        round_digest: SHA-256 of the serialised round, 32 bytes.
        council: Who refuses.
        reason: Why.
        attribute_number: Which attribute of the round's workload is meant, from 1; 0 where that
            is not stated. Only ATTRIBUTE and CODE are about an attribute.
    """

    round_id: str
    round_digest: bytes
    council: GssCode
    reason: RefusalReason
    attribute_number: int = 0

    def __post_init__(self) -> None:
        check_round_id(self.round_id, "refusal.round_id")
        check_digest(self.round_digest, "refusal.round_digest")
        if self.attribute_number and self.reason not in ABOUT_AN_ATTRIBUTE:
            raise ContractError(
                "refusal.attribute_number",
                f"is {self.attribute_number}, and {self.reason.name} is about no attribute",
                "Leave it out",
            )


def refusal_digest(refusal: Refusal) -> bytes:
    """SHA-256 over all that a refusal says, whatever its encoding: 32 bytes.

    The number of the attribute is among the fields only where it is stated.
    """
    digest, number = hashlib.sha256(_DIGEST_DOMAIN), refusal.attribute_number
    for part in (
        refusal.round_id.encode(),
        refusal.round_digest,
        refusal.council.encode(),
        int(refusal.reason).to_bytes(4, "big"),
        *((number.to_bytes(4, "big"),) if number else ()),
    ):
        digest.update(len(part).to_bytes(4, "big"))
        digest.update(part)
    return digest.digest()
