"""A renewed certificate is for a new key, whenever the node is stopped meanwhile."""

from __future__ import annotations

import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from stage import COUNCIL, Stage

from folkmoot.versions import SPOKEN
from folkmoot_coordinator.membership.certificate_authority import SigningRequest
from folkmoot_node.federation import identity as identities
from folkmoot_node.federation.enrolment import renew
from folkmoot_node.federation.identity import (
    KeyFiles,
    create_renewal_request,
    keep_membership,
    load_identity,
)
from folkmoot_node.home import open_home
from folkmoot_operator.problems import ExitCode, Problem
from tests.wire.coordinator.conftest import Region, region, stopped_region

__all__ = ["region", "stopped_region"]


def key_fits(files: KeyFiles) -> bool:
    """Whether the node's key is that of its certificate."""
    identity = load_identity(files)
    key = serialization.load_pem_private_key(identity.private_key, None)
    return x509.load_pem_x509_certificate(identity.certificate).public_key() == key.public_key()


def grant(stage: Stage, csr: bytes) -> bytes:
    request = SigningRequest.parse(csr)
    now = int(time.time())
    return stage.authority.issue_node_certificate(request, COUNCIL, now, 30).certificate


def still_served(stage: Stage) -> bool:
    with open_home(stage.home) as home, home.connect() as client:
        return client.negotiate() in SPOKEN


def test_the_coordinator_gives_a_certificate_for_a_new_key(stage: Stage, region: Region) -> None:
    files = KeyFiles(stage.home / "keys")
    member = region.member(COUNCIL)
    pem = x509.load_der_x509_certificate(member.certificate or b"").public_bytes(
        serialization.Encoding.PEM
    )
    files.certificate.write_bytes(pem)
    files.authority.write_text(member.invitation.authority)
    files.tls_key.write_bytes(
        member.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    settings = stage.home / "node.toml"
    address = next(line for line in settings.read_text().splitlines() if "127.0.0.1:" in line)
    port = address.rpartition(":")[2].strip('"')
    collection = region.settings.collection.address.rpartition(":")[2]
    settings.write_text(settings.read_text().replace(f":{port}", f":{collection}"))
    before = load_identity(files)
    with open_home(stage.home) as home, home.connect() as client:
        client.negotiate()
        renew(before, client, files, COUNCIL)
    after = load_identity(files)
    assert after.private_key != before.private_key
    assert after.certificate != before.certificate
    assert key_fits(files)
    assert not files.next_tls_key.exists()
    assert still_served(stage)


def test_the_old_key_is_used_until_the_answer_has_come(stage: Stage) -> None:
    files = KeyFiles(stage.home / "keys")
    before = load_identity(files)
    first = create_renewal_request(files, COUNCIL)
    assert load_identity(files) == before
    assert still_served(stage)
    second = create_renewal_request(files, COUNCIL)  # the answer to the first was lost
    with pytest.raises(Problem, match="another key") as caught:
        keep_membership(files, grant(stage, first), stage.authority.der, before.signing_key)
    assert caught.value.exit_code is ExitCode.VERIFICATION
    keep_membership(files, grant(stage, second), stage.authority.der, before.signing_key)
    assert load_identity(files).private_key != before.private_key
    assert key_fits(files)
    assert still_served(stage)


def test_a_node_stopped_between_certificate_and_key_goes_on_with_both(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = KeyFiles(stage.home / "keys")
    before = load_identity(files)
    csr = create_renewal_request(files, COUNCIL)

    def stopped(_: KeyFiles) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(identities, "finish_renewal", stopped)
        keep_membership(files, grant(stage, csr), stage.authority.der, before.signing_key)
    assert files.tls_key.read_bytes() == before.private_key
    assert key_fits(files)
    assert load_identity(files).private_key != before.private_key
    assert still_served(stage)


def test_an_answer_without_a_certificate_is_a_problem(stage: Stage) -> None:
    files = KeyFiles(stage.home / "keys")
    before = load_identity(files)
    create_renewal_request(files, COUNCIL)
    with pytest.raises(Problem, match="no certificate"):
        keep_membership(files, b"none", stage.authority.der, before.signing_key)
    assert load_identity(files) == before
