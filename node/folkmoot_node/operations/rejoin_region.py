"""A new certificate in place of one that has ended, when a person of the region has approved it."""

from __future__ import annotations

from folkmoot_node.federation.enrolment import Asked, enrol_again
from folkmoot_node.federation.identity import Identity
from folkmoot_node.home import NodeHome
from folkmoot_operator.accounts import Operator

ENROLLED_AGAIN = "enrolled again"
"""The entry of the audit log that says that the node has a new certificate."""


def rejoin_region(node: NodeHome, *, by: Operator) -> Identity | Asked:
    """Asks the region, or fetches what it has approved; nothing but the certificate changes.

    Args:
        node: The node, whose certificate has ended.
        by: Who asks, for the audit log.

    Returns:
        The node's identity, or what waits for the region.

    Raises:
        Problem: If the coordinator cannot be reached or does not accept the request.
    """
    settings = node.coordinator()
    answer = enrol_again(
        node.identity(),
        settings.enrolment_address,
        node.egress,
        node.config.council,
        settings.proxy,
    )
    if isinstance(answer, Identity):
        until = f"{answer.not_after:%Y-%m-%dT%H:%M:%SZ}"
        body = {"action": ENROLLED_AGAIN, **by.as_body(), "certificate_until": until}
        with node.state.transaction() as connection:
            node.audit.append(connection, node.clock(), body)
    return answer
