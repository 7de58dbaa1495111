"""Renewing the node's certificate: by whatever connects, in time, on a connection of its own."""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot.geography import GssCode
from folkmoot_node.evidence.egress_log import EgressLog
from folkmoot_node.federation.client import CoordinatorClient, Renewal
from folkmoot_node.federation.enrolment import renew
from folkmoot_node.federation.identity import Identity, load_identity
from folkmoot_node.settings.region import CoordinatorSettings
from folkmoot_operator.problems import Problem


@dataclass(frozen=True, slots=True)
class Membership:
    """A node in its region, as far as a renewal needs it.

    Attributes:
        council: GSS code.
        settings: Where the coordinator is.
        egress: Where messages are recorded.
    """

    council: GssCode
    settings: CoordinatorSettings
    egress: EgressLog

    def connect(self, identity: Identity) -> CoordinatorClient:
        """A connection to the coordinator with mutual TLS."""
        return CoordinatorClient.for_member(
            self.settings.address, identity, self.egress, self.settings.proxy
        )

    def renew(self, identity: Identity) -> Identity:
        """Exchanges the certificate for a new one, due or not.

        The connection is closed afterwards: what comes next shows the new certificate.

        Raises:
            Problem: If the coordinator cannot be reached or does not renew it.
        """
        with self.connect(identity) as client:
            client.negotiate()
            renew(identity, client, identity.files, self.council)
        return load_identity(identity.files)

    def renew_when_due(self, identity: Identity, now: int) -> tuple[Identity, Renewal | None]:
        """The identity to connect with: renewed, if less than a third of its time is left.

        A renewal that fails does not keep the node from its work, since the old certificate is
        still valid.

        Raises:
            Problem: If the coordinator cannot be reached, or does not speak with this node.
        """
        if not identity.is_due_for_renewal(now):
            return identity, None
        with self.connect(identity) as client:
            client.negotiate()  # its faults are also those of the work that follows
            try:
                renew(identity, client, identity.files, self.council)
            except Problem as problem:
                return load_identity(identity.files), Renewal(
                    f"the certificate, which ends on {_day(identity)}, was not renewed: {problem}. "
                    f"{problem.remedy}",
                    is_problem=True,
                )
        renewed = load_identity(identity.files)
        return renewed, Renewal(f"certificate renewed until {_day(renewed)}", is_problem=False)


def _day(identity: Identity) -> str:
    return f"{identity.not_after:%Y-%m-%d}"
