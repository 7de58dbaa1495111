"""Invitations: one-time tokens, bound to a council, that expire."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import update

from folkmoot.geography import GssCode
from folkmoot_coordinator.clock import HOUR
from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import InvitationRow
from folkmoot_operator.moments import to_text
from folkmoot_operator.output_places import require_no_link
from folkmoot_operator.private_files import write_private
from folkmoot_operator.settings import toml_text

TOKEN_BYTES = 32
"""Length of a token."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """All that a node needs to enrol; one file, to be handed over privately.

    Attributes:
        region: Name of the region.
        council: Who is invited.
        address: Collection port as nodes dial it, `host:port`.
        enrolment_address: Enrolment port as nodes dial it, `host:port`.
        token: One-time token, 32 bytes. The coordinator keeps its SHA-256 only.
        expires_at: Seconds since 1970-01-01T00:00:00Z.
        signing_key: Ed25519 public key of rounds and receipts, 32 bytes.
        authority: Certificate of the region's authority, PEM.
    """

    region: str
    council: GssCode
    address: str
    enrolment_address: str
    token: bytes
    expires_at: int
    signing_key: bytes
    authority: str

    @property
    def file_name(self) -> str:
        """Name of the file: `invitation-E08000009.toml`."""
        return f"invitation-{self.council}.toml"

    def to_toml(self) -> str:
        """The file's text."""
        return f"""\
# Invitation to a Folkmoot region. It holds a secret that works once: hand it over
# privately, and delete it after `folkmoot-node enrol`.
schema = 1
region = {toml_text(self.region)}
council = "{self.council}"
address = "{self.address}"
enrolment_address = "{self.enrolment_address}"
token = "{self.token.hex()}"
expires = {to_text(self.expires_at)}
signing_key = "{self.signing_key.hex()}"
authority = \"\"\"
{self.authority.strip()}
\"\"\"
"""

    def write(self, folder: Path) -> Path:
        """Writes the file, readable by its owner only, and returns its path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self.file_name
        require_no_link(path)
        write_private(path, self.to_toml().encode(), replace=True)
        return path


def token_digest(token: bytes) -> bytes:
    """What the coordinator keeps of a token: SHA-256, 32 bytes."""
    return hashlib.sha256(token).digest()


def invite(
    database: Database,
    settings: CoordinatorSettings,
    council: GssCode,
    *,
    authority: str,
    signing_key: bytes,
    now: int,
) -> Invitation:
    """Makes and stores an invitation.

    Earlier invitations of the council that were not used end now: one secret at a time.

    Args:
        database: Where it is stored.
        settings: Addresses and lifetime.
        council: Who is invited.
        authority: Certificate of the region's authority, PEM.
        signing_key: Public signing key, 32 bytes.
        now: Seconds since 1970-01-01T00:00:00Z.
    """
    token = secrets.token_bytes(TOKEN_BYTES)
    expires_at = now + settings.certificates.invitation_hours * HOUR
    with database.writing() as session:
        session.execute(
            update(InvitationRow)
            .where(
                InvitationRow.council == council,
                InvitationRow.used_at.is_(None),
                InvitationRow.expires_at > now,
            )
            .values(expires_at=now)
        )
        session.add(
            InvitationRow(
                token_digest=token_digest(token),
                council=council,
                created_at=now,
                expires_at=expires_at,
            )
        )
    return Invitation(
        region=settings.region,
        council=council,
        address=settings.collection.address,
        enrolment_address=settings.enrolment.address,
        token=token,
        expires_at=expires_at,
        signing_key=signing_key,
        authority=authority,
    )
