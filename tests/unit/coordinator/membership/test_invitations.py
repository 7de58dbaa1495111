"""Invitations as files, and what the coordinator keeps of them."""

from __future__ import annotations

import stat
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509

from folkmoot.geography import GssCode
from folkmoot_coordinator.clock import HOUR
from folkmoot_coordinator.membership.certificate_authority import Authority
from folkmoot_coordinator.membership.invitations import Invitation, invite

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office

TRAFFORD = GssCode("E08000009")


def make(office: Office) -> Invitation:
    return invite(
        office.database,
        office.settings,
        TRAFFORD,
        authority=Authority.load(office.home.keys).pem.decode(),
        signing_key=office.signing.public,
        now=office.clock(),
    )


def test_the_file_holds_all_a_node_needs_and_is_private(office: Office, tmp_path: Path) -> None:
    invitation = make(office)
    path = invitation.write(tmp_path / "out")
    assert path.name == "invitation-E08000009.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    values = tomllib.loads(path.read_text())
    authority = values.pop("authority")
    assert values == {
        "schema": 1,
        "region": "Greater Manchester",
        "council": "E08000009",
        "address": "127.0.0.1:7443",
        "enrolment_address": "127.0.0.1:7444",
        "token": invitation.token.hex(),
        "expires": datetime.fromtimestamp(office.clock() + 72 * HOUR, UTC),
        "signing_key": office.signing.public.hex(),
    }
    assert len(invitation.token) == 32
    assert x509.load_pem_x509_certificate(authority.encode())


def test_the_token_is_not_kept(office: Office) -> None:
    invitation = make(office)
    office.database.close()
    kept = b"".join(path.read_bytes() for path in office.home.path.glob("coordinator.sqlite*"))
    assert TRAFFORD.encode() in kept
    assert invitation.token not in kept
    assert invitation.token.hex().encode() not in kept


def test_tokens_differ(office: Office) -> None:
    assert make(office).token != make(office).token
