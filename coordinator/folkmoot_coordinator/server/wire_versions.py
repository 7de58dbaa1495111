"""Which wire version a call speaks."""

from __future__ import annotations

from folkmoot.errors import ContractError
from folkmoot.rejection import Rejected, Rejection, RejectionReason
from folkmoot.rejection_codec import decode_versions
from folkmoot.v1 import version_pb2
from folkmoot.versions import SPOKEN, UpgradeSide, VersionRange, negotiate


def agree_version(message: version_pb2.VersionRange) -> int:
    """The newest wire version that both sides speak.

    Raises:
        Rejected: VERSION, naming the side to upgrade; MALFORMED if the range is none.
    """
    try:
        versions = decode_versions(message)
    except ContractError as error:
        raise Rejected(Rejection(RejectionReason.MALFORMED, str(error))) from error
    agreed = negotiate(SPOKEN, versions)
    if isinstance(agreed, UpgradeSide):
        raise _version_mismatch(versions, agreed)
    return agreed


def check_protocol(protocol: int) -> None:
    """Raises Rejected VERSION unless this wire version is spoken here."""
    if protocol < 1:
        raise Rejected(
            Rejection(RejectionReason.MALFORMED, "protocol: is missing. Negotiate a version first")
        )
    if protocol not in SPOKEN:
        side = UpgradeSide.NODE if protocol < SPOKEN.oldest else UpgradeSide.COORDINATOR
        raise _version_mismatch(VersionRange(protocol, protocol), side)


def _version_mismatch(versions: VersionRange, side: UpgradeSide) -> Rejected:
    who = "the council's node" if side is UpgradeSide.NODE else "the region's coordinator"
    return Rejected(
        Rejection(
            RejectionReason.VERSION,
            f"the node speaks wire versions {versions.oldest} to {versions.newest}, the "
            f"coordinator {SPOKEN.oldest} to {SPOKEN.newest}: upgrade {who}",
            upgrade=side,
        )
    )
