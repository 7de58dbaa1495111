"""The certificate authority and its files."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.verification import ClientVerifier, PolicyBuilder, Store

from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot_coordinator.clock import DAY
from folkmoot_coordinator.membership.certificate_authority import Authority, SigningRequest
from folkmoot_coordinator.signing import SigningKey
from folkmoot_operator.moments import to_datetime
from folkmoot_operator.problems import Problem

NOW = 1_800_000_000
TRAFFORD = GssCode("E08000009")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.create(tmp_path, "Greater Manchester", NOW)


def csr(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([]))
        .add_extension(x509.BasicConstraints(ca=True, path_length=5), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )


def issue(authority: Authority) -> x509.Certificate:
    request = SigningRequest.parse(csr(ec.generate_private_key(ec.SECP256R1())))
    issued = authority.issue_node_certificate(request, TRAFFORD, NOW, 30)
    assert issued.expires_at == NOW + 30 * DAY
    certificate = x509.load_der_x509_certificate(issued.certificate)
    assert format(certificate.serial_number, "x") == issued.serial
    return certificate


def verifier(authority: Authority, at: int) -> ClientVerifier:
    store = Store([x509.load_der_x509_certificate(authority.der)])
    return PolicyBuilder().store(store).time(to_datetime(at)).build_client_verifier()


def test_a_node_certificate_verifies_by_an_independent_strict_verifier(
    authority: Authority,
) -> None:
    certificate = issue(authority)
    verified = verifier(authority, NOW + DAY).verify(certificate, [])
    assert verified.subjects == [x509.UniformResourceIdentifier("urn:folkmoot:council:E08000009")]
    with pytest.raises(x509.verification.VerificationError):
        verifier(authority, NOW + 31 * DAY).verify(certificate, [])


def test_a_node_certificate_can_neither_sign_others_nor_serve(authority: Authority) -> None:
    """Whatever the request asked for: the one above asks to be an authority."""
    extensions = issue(authority).extensions
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    uses = list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    assert uses == [x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH]


def test_the_servers_certificate_names_hosts_and_addresses(authority: Authority) -> None:
    identity = authority.issue_server_identity(("folkmoot.example", "127.0.0.1", "::1"), NOW, 90)
    certificate = x509.load_pem_x509_certificate(identity.certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["folkmoot.example"]
    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]
    store = Store([x509.load_der_x509_certificate(authority.der)])
    policy = PolicyBuilder().store(store).time(to_datetime(NOW))
    assert policy.build_server_verifier(x509.DNSName("folkmoot.example")).verify(certificate, [])


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"\x30\x82"])
def test_a_request_that_is_none_is_a_contract_error(damage: bytes) -> None:
    with pytest.raises(ContractError):
        SigningRequest.parse(damage)


def test_a_request_with_another_kind_of_key_is_a_contract_error() -> None:
    with pytest.raises(ContractError, match="key of another kind"):
        SigningRequest.parse(csr(rsa.generate_private_key(65537, 2048)))


def test_keys_are_kept_for_the_owner_alone_and_read_back(
    authority: Authority, tmp_path: Path
) -> None:
    signing = SigningKey.create(tmp_path)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    assert len(list(tmp_path.iterdir())) == 3, "no temporary file is left"
    assert Authority.load(tmp_path).der == authority.der
    assert SigningKey.load(tmp_path).public == signing.public


@pytest.mark.parametrize("name", ["authority.key", "authority.pem", "signing.key"])
@pytest.mark.parametrize("damage", ["missing", "damaged", "another"])
def test_a_lost_key_is_a_problem_with_a_remedy(
    authority: Authority,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    damage: str,
) -> None:
    SigningKey.create(tmp_path)
    if damage == "missing":
        (tmp_path / name).unlink()
    elif damage == "damaged":
        (tmp_path / name).write_bytes(b"-----BEGIN NOTHING-----")
    else:
        other = tmp_path_factory.mktemp("other")
        Authority.create(other, "Elsewhere", NOW)
        source = "authority.key" if name == "signing.key" else name
        (tmp_path / name).write_bytes((other / source).read_bytes())
    with pytest.raises(Problem) as caught:
        if name == "signing.key":
            SigningKey.load(tmp_path)
        else:
            Authority.load(tmp_path)
    assert "backup" in caught.value.remedy


@pytest.mark.parametrize("off", [-DAY + 60, 0, DAY])
def test_a_node_whose_clock_is_a_day_off_accepts_the_servers_certificate(
    tmp_path: Path, off: int
) -> None:
    now = 1_790_000_000
    authority = Authority.create(tmp_path, "Test", now)
    shown = authority.issue_server_identity(("127.0.0.1",), now, 1)
    assert shown.expires_at == now + DAY
    for age in (0, 2 * DAY // 3):  # it is replaced then
        verifier = (
            PolicyBuilder()
            .store(Store([x509.load_pem_x509_certificate(authority.pem)]))
            .time(datetime.fromtimestamp(now + age + off, UTC))
            .build_server_verifier(x509.IPAddress(ip_address("127.0.0.1")))
        )
        assert verifier.verify(x509.load_pem_x509_certificate(shown.certificate), [])
