"""Why a coordinator did not accept a request; nothing was stored."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from folkmoot.versions import UpgradeSide


class RejectionReason(IntEnum):
    """Why a request was not accepted; numbered as on the wire."""

    VERSION = 1
    MALFORMED = 2
    TOKEN_INVALID = 3
    TOKEN_EXPIRED = 4
    TOKEN_USED = 5
    CERTIFICATE = 6
    COUNCIL = 7
    ROUND_UNKNOWN = 8
    ROUND_CLOSED = 9
    ROUND_DIGEST = 10
    ALREADY_ANSWERED = 11
    TRUNCATED = 12
    OVERSIZED = 13
    ALTERED = 14
    LOSS = 15


@dataclass(frozen=True, slots=True)
class Rejection:
    """The coordinator's answer to a request it did not accept.

    Attributes:
        reason: Why.
        detail: What was wrong, where, and how to fix it, for people.
        upgrade: Which side to upgrade, for RejectionReason.VERSION.
        transient: True if the same request may succeed later.
    """

    reason: RejectionReason
    detail: str = ""
    upgrade: UpgradeSide = UpgradeSide.NEITHER
    transient: bool = False


class Rejected(Exception):
    """Raised where a request is found unacceptable; carries what is sent to the peer."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(f"{rejection.reason.name}: {rejection.detail}")
        self.rejection = rejection
