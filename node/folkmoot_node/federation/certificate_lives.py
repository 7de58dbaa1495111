"""When the certificates end on which this node's membership rests."""

from __future__ import annotations

from folkmoot_node.federation.identity import ENROL_AGAIN, KeyFiles, load_identity
from folkmoot_operator.certificate_lives import CertificateLife, life_of
from folkmoot_operator.key_files import certificate_in

NODE, AUTHORITY = "this node", "region's authority"
"""Names of the certificates."""
_RENEW = (
    "Any command that connects to the coordinator renews it in the last third of its time; "
    "`folkmoot-node renew` does so now"
)
_AUTHORITY_SOON = (
    "Ask the region to renew its authority (`folkmoot-coordinator authority renew`); this node "
    "learns of it at its next renewal"
)
_AUTHORITY_ENDED = "Ask the region for a new invitation and run `folkmoot-node enrol FILE`"


def certificates(keys: KeyFiles, now: float) -> list[CertificateLife]:
    """This node's certificate, and that of the region's authority; none if it is not enrolled.

    Args:
        keys: The files of keys.
        now: Seconds since 1970-01-01T00:00:00Z.

    Raises:
        Problem: If a file is damaged.
        UnusableFile: If a file cannot be used now.
    """
    if not keys.certificate.exists():
        return []
    identity = load_identity(keys)
    return [
        life_of(NODE, certificate_in(identity.certificate), now, soon=_RENEW, ended=ENROL_AGAIN),
        life_of(
            AUTHORITY,
            certificate_in(identity.authority),
            now,
            soon=_AUTHORITY_SOON,
            ended=_AUTHORITY_ENDED,
        ),
    ]
