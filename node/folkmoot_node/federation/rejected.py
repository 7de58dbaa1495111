"""What the coordinator did not accept, and what can be done about it."""

from __future__ import annotations

from folkmoot.errors import plain
from folkmoot.rejection import Rejection, RejectionReason
from folkmoot.versions import UpgradeSide
from folkmoot_operator.problems import ExitCode, Problem


class RejectedByCoordinator(Problem):
    """The coordinator did not accept a request; carries its typed reason."""

    def __init__(self, rejection: Rejection) -> None:
        remedy = {
            UpgradeSide.NODE: "Upgrade folkmoot-node",
            UpgradeSide.COORDINATOR: "Ask the region to upgrade folkmoot-coordinator",
            UpgradeSide.NEITHER: "Try again later; `folkmoot-node serve` does so by itself"
            if rejection.transient
            else _REMEDIES.get(rejection.reason, "Speak to the region"),
        }[rejection.upgrade]
        super().__init__(
            f"{rejection.reason.name.lower().replace('_', ' ')}: {plain(rejection.detail)}",
            where="coordinator",
            remedy=remedy,
            exit_code=ExitCode.UNREACHABLE if rejection.transient else ExitCode.REFUSED,
        )
        self.rejection = rejection


_REMEDIES = {
    RejectionReason.TOKEN_INVALID: "Ask the region for a new invitation",
    RejectionReason.TOKEN_EXPIRED: "Ask the region for a new invitation",
    RejectionReason.TOKEN_USED: "Ask the region for a new invitation, and who used this one",
    RejectionReason.CERTIFICATE: "If it has ended, run `folkmoot-node enrol --again`; else ask the "
    "region why, and for a new invitation, and run `folkmoot-node enrol FILE`",
    RejectionReason.ROUND_CLOSED: "The round is over; nothing needs to be done",
}
