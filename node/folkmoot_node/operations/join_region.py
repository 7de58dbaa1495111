"""Joining a region: the invitation is exchanged for a certificate, the addresses are kept."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from folkmoot_node.evidence.regions import joined_body
from folkmoot_node.federation.enrolment import Invitation, enrol, region_left
from folkmoot_node.federation.identity import load_coordinator_key
from folkmoot_node.home import NodeHome
from folkmoot_node.operations.initialise import name_coordinator
from folkmoot_node.operations.replaced_addresses import settings_naming
from folkmoot_node.settings.node_toml import FILE_NAME
from folkmoot_operator.accounts import Operator
from folkmoot_operator.private_files import write_private
from folkmoot_operator.problems import ExitCode, Problem

REPLACED = "region replaced"
"""The entry of the audit log that says which region the node left for another."""


@dataclass(frozen=True, slots=True)
class Membership:
    """What a node has after it enrolled.

    Attributes:
        certificate_until: End of the certificate, UTC.
        notes: What the operator should look at.
    """

    certificate_until: datetime.datetime
    notes: tuple[str, ...]


def join_region(
    node: NodeHome, invitation: Invitation, *, by: Operator, replace: bool = False
) -> Membership:
    """Enrols a node, and names the coordinator in its settings if none is named.

    Args:
        node: The node.
        invitation: From the region that it joins.
        by: Who decides, for the audit log.
        replace: Whether the node leaves the region to which it belongs, if that is another,
            and its settings name the invitation's addresses from now on.

    Raises:
        Problem: If the coordinator cannot be reached or does not accept the invitation; or if
            it is another region's, unless `replace` says so. Nothing is changed then.
    """
    left = region_left(node.keys, invitation)
    if left is not None and not replace:
        raise Problem(
            f"this node belongs to the region {left.name!r}; the invitation is another region's, "
            f"{invitation.region!r}. It was not used",
            where=str(node.config.home),
            remedy="To leave the one for the other, run `folkmoot-node enrol FILE --replace`. "
            f"{_CONSEQUENCE}",
            exit_code=ExitCode.REFUSED,
        )
    addresses = invitation.address, invitation.enrolment_address
    # Whether the settings can be changed is found out before the invitation is used up.
    text = settings_naming(node.config, *addresses) if replace else None
    settings = node.config.coordinator
    before = load_coordinator_key(node.keys)
    proxy = settings.proxy if settings else None
    policy_key = node.trusted_signer().key
    identity = enrol(invitation, node.keys, node.egress, proxy, policy_key)
    with node.state.transaction() as connection:
        joined = joined_body(invitation.region, identity.signing_key, before)
        node.audit.append(connection, node.clock(), {**joined, **by.as_body()})
    notes = []
    if text is not None:
        write_private(node.config.home / FILE_NAME, text.encode(), replace=True)
    elif note := name_coordinator(node.config, *addresses):
        notes.append(note)
    if left is not None:
        body = {"action": REPLACED, **by.as_body(), "left": left.name, "joined": invitation.region}
        with node.state.transaction() as connection:
            node.audit.append(connection, node.clock(), body)
        notes.append(
            f"The node has left {left.name!r}. {_CONSEQUENCE} Ask that region to revoke this "
            "council's certificate."
        )
    return Membership(identity.not_after, tuple(notes))


_CONSEQUENCE = (
    "The ledger goes on: what was spent counts against the same limits in the other region. Rounds "
    "of the region that is left are not answered or delivered any more."
)
