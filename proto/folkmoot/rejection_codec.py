"""What is not accepted, and which versions are spoken, as wire messages and back."""

from __future__ import annotations

from folkmoot.rejection import Rejection, RejectionReason
from folkmoot.v1 import rejection_pb2, version_pb2
from folkmoot.versions import SPOKEN, UpgradeSide, VersionRange


def encode_rejection(rejection: Rejection) -> rejection_pb2.Rejection:
    """A rejection as it is sent."""
    return rejection_pb2.Rejection(
        reason=rejection_pb2.RejectionReason.ValueType(rejection.reason),
        detail=rejection.detail,
        upgrade=version_pb2.UpgradeSide.ValueType(rejection.upgrade),
        transient=rejection.transient,
    )


def decode_rejection(message: rejection_pb2.Rejection) -> Rejection:
    """Reads a rejection. A reason this program does not know counts as MALFORMED."""
    known = message.reason in RejectionReason._value2member_map_
    sided = message.upgrade in UpgradeSide._value2member_map_
    return Rejection(
        reason=RejectionReason(message.reason) if known else RejectionReason.MALFORMED,
        detail=message.detail,
        upgrade=UpgradeSide(message.upgrade) if sided else UpgradeSide.NEITHER,
        transient=message.transient,
    )


def encode_versions(versions: VersionRange = SPOKEN) -> version_pb2.VersionRange:
    """A range of wire versions as it is sent."""
    return version_pb2.VersionRange(oldest=versions.oldest, newest=versions.newest)


def decode_versions(message: version_pb2.VersionRange) -> VersionRange:
    """Reads a range of wire versions; raises ContractError if it is not one."""
    return VersionRange(message.oldest, message.newest)
