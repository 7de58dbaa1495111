"""Joining a region: the invitation is exchanged for a certificate, the addresses are kept."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from folkmoot_node.evidence.regions import joined_body
from folkmoot_node.federation.enrolment import Invitation, enrol
from folkmoot_node.home import NodeHome
from folkmoot_node.operations.initialise import name_coordinator
from folkmoot_operator.accounts import current_operator


@dataclass(frozen=True, slots=True)
class Membership:
    """What a node has after it enrolled.

    Attributes:
        certificate_until: End of the certificate, UTC.
        note: Something the operator should look at, or an empty string.
    """

    certificate_until: datetime.datetime
    note: str


def join_region(node: NodeHome, invitation: Invitation) -> Membership:
    """Enrols a node, and names the coordinator in its settings if none is named.

    Raises:
        Problem: If the coordinator cannot be reached or does not accept the invitation.
    """
    settings = node.config.coordinator
    identity = enrol(invitation, node.keys, node.egress, settings.proxy if settings else None)
    with node.state.transaction() as connection:
        joined = joined_body(invitation.region, identity.signing_key)
        body = {**joined, **current_operator().as_body()}
        node.audit.append(connection, node.clock(), body)
    note = name_coordinator(node.config, invitation.address, invitation.enrolment_address)
    return Membership(identity.not_after, note)
