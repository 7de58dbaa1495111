"""How the node becomes a member of a region, and stays one."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cryptography.hazmat.primitives import serialization
from pydantic import Field

from folkmoot.enrolment import ENROL_AGAIN_SIGNATURE_DOMAIN, request_fingerprint
from folkmoot.geography import GssCode
from folkmoot.v1 import enrolment_pb2
from folkmoot_node.evidence.egress_log import EgressLog
from folkmoot_node.federation.client import CoordinatorClient
from folkmoot_node.federation.identity import (
    Identity,
    KeyFiles,
    TrustedRegion,
    create_renewal_request,
    create_request,
    create_request_again,
    keep_membership,
    load_identity,
    sign_as_node,
    trusted_region,
)
from folkmoot_node.federation.trusted_authority import asked_key, is_trusted, is_vouched
from folkmoot_operator.key_files import certificate_in
from folkmoot_operator.network_addresses import DialledAddress
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import Settings, load


class Invitation(Settings):
    """The file with which a region invites a council.

    Attributes:
        schema_version: Version of this file's layout; `schema` in the file.
        region: Name of the region.
        council: GSS code of the council invited.
        token: One-time token, hexadecimal.
        expires: When the token ends.
        address: Host and port for rounds (mutual TLS).
        enrolment_address: Host and port for enrolment.
        authority: The region's certificate authority, PEM.
        signing_key: Ed25519 public key of the coordinator, hexadecimal.
    """

    schema_version: Annotated[Literal[1], Field(alias="schema")]
    region: str
    council: str
    token: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    expires: datetime.datetime
    address: DialledAddress
    enrolment_address: DialledAddress
    authority: str
    signing_key: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]

    @property
    def inviting(self) -> TrustedRegion:
        """The region that invites.

        Raises:
            Problem: If the authority is not a certificate.
        """
        try:
            return trusted_region(self.authority.encode(), bytes.fromhex(self.signing_key))
        except ValueError:
            raise Problem(
                "the authority in it is not a certificate (PEM)",
                where="the invitation",
                remedy="Ask the region for a new invitation",
                exit_code=ExitCode.SETTINGS,
            ) from None


def read_invitation(path: Path, council: GssCode) -> Invitation:
    """Reads an invitation.

    Raises:
        Problem: If the file is wrong, or invites another council.
    """
    invitation = load(Invitation, path)
    if invitation.council != council:
        raise Problem(
            f"the invitation is for {invitation.council[:9]}; this node is {council}",
            where=str(path),
            remedy="Ask the region for an invitation for this council",
            exit_code=ExitCode.REFUSED,
        )
    return invitation


def region_left(files: KeyFiles, invitation: Invitation) -> TrustedRegion | None:
    """The region that a node leaves when it accepts an invitation; None if it leaves none.

    Files that cannot be read name no region: enrolling again replaces them.

    Raises:
        Problem: If the invitation's authority is not a certificate.
    """
    inviting = invitation.inviting
    try:
        trusted = files.authority.read_bytes()
        before = trusted_region(trusted, bytes.fromhex(files.coordinator_key.read_text().strip()))
    except (OSError, ValueError):
        return None
    if before.is_same(inviting):
        return None
    vouched = is_vouched(invitation.authority.encode(), trusted)
    return None if vouched and before.signing_key == inviting.signing_key else before


def enrol(
    invitation: Invitation,
    files: KeyFiles,
    egress: EgressLog,
    proxy: str | None = None,
    policy_key: bytes = b"",
) -> Identity:
    """Exchanges an invitation for a certificate.

    The private key is made on this machine and stays here. Repeating an enrolment whose
    answer was lost gives the same certificate.

    Args:
        invitation: From the region.
        files: Where keys and certificates are kept.
        egress: Where it is recorded what was sent.
        proxy: Through which the coordinator is reached.
        policy_key: Ed25519 public key whose signature of the release policy counts at this
            node, 32 bytes. The region keeps it, and shows a change.

    Raises:
        Problem: If the coordinator cannot be reached or does not accept the invitation.
    """
    request = create_request(files, GssCode(invitation.council))
    with CoordinatorClient.for_newcomer(
        invitation.enrolment_address, invitation.authority.encode(), egress, proxy
    ) as client:
        membership = client.enrol(
            bytes.fromhex(invitation.token), invitation.council, request, policy_key
        )
    if membership.signing_key.hex() != invitation.signing_key:
        raise Problem(
            "the coordinator answered with another signing key than the invitation names",
            where=invitation.enrolment_address,
            remedy="Do not go on; ask the region by telephone what happened",
            exit_code=ExitCode.VERIFICATION,
        )
    _keep(files, membership, invitation.authority.encode(), membership.signing_key)
    return load_identity(files)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a certificate in place of one that has ended, about which nobody has decided.

    Attributes:
        fingerprint: Of the new key; the region compares it with what the council reads out.
        until: How long the region keeps the request, seconds since 1970-01-01T00:00:00Z.
    """

    fingerprint: str
    until: int


def enrol_again(
    identity: Identity,
    address: str,
    egress: EgressLog,
    council: GssCode,
    proxy: str | None = None,
) -> Identity | Asked:
    """Asks for a certificate in place of one that has ended; see `EnrolAgain` of the wire.

    Args:
        identity: With the certificate that has ended, and its key.
        address: Of the enrolment port.
        egress: Where it is recorded what was sent.
        council: This council.
        proxy: Through which the coordinator is reached.

    Raises:
        Problem: If the coordinator cannot be reached or does not accept the request.
    """
    request = create_request_again(identity.files, council)
    signature = sign_as_node(identity, ENROL_AGAIN_SIGNATURE_DOMAIN, request)
    certificate = certificate_in(identity.certificate).public_bytes(serialization.Encoding.DER)
    with CoordinatorClient.for_newcomer(address, identity.authority, egress, proxy) as client:
        answer = client.enrol_again(certificate, request, signature)
    if isinstance(answer, enrolment_pb2.WaitsForRegion):
        return Asked(request_fingerprint(asked_key(request)), answer.until)
    if answer.signing_key != identity.signing_key:
        raise _not_this_region("answered with another signing key than this node knows")
    _keep(identity.files, answer, identity.authority, identity.signing_key)
    return load_identity(identity.files)


def renew(identity: Identity, client: CoordinatorClient, files: KeyFiles, council: GssCode) -> None:
    """Exchanges the node's certificate for a new one with a new key, while it is valid.

    Raises:
        Problem: If the coordinator cannot be reached or does not renew it.
    """
    membership = client.renew(create_renewal_request(files, council))
    _keep(files, membership, identity.authority, identity.signing_key)


def _keep(
    files: KeyFiles, membership: enrolment_pb2.Membership, trusted: bytes, signing_key: bytes
) -> None:
    """Writes what the coordinator granted, if its authority is the one that is trusted.

    So is one for which the trusted one has vouched. From now on the node trusts that alone.

    Args:
        files: Where to write.
        membership: What was granted.
        trusted: Certificate of the authority that is trusted, PEM; the first of several.
        signing_key: The coordinator's Ed25519 public key, 32 bytes.

    Raises:
        Problem: If the authority is another, or the certificate is not by it.
    """
    if not is_trusted(membership.authority, membership.voucher, trusted):
        raise _not_this_region("names another authority, for which the one before has not vouched")
    keep_membership(files, membership.certificate, membership.authority, signing_key)


def _not_this_region(what: str) -> Problem:
    return Problem(
        f"the coordinator {what}",
        where="enrolment",
        remedy="Do not go on; ask the region by telephone what happened",
        exit_code=ExitCode.VERIFICATION,
    )
