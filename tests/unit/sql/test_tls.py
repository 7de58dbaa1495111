"""A server with a certificate: verified in full, or not read at all."""

from __future__ import annotations

import datetime
import ipaddress
import os
import pwd
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from folkmoot_sdk import PluginError
from tests.absent import may_skip
from tests.postgresql import ACCOUNT, missing, postgresql_server
from tests.unit.sql.conftest import Home, home_of

pytestmark = pytest.mark.skipif(may_skip(missing()), reason=missing() or "PostgreSQL is there")


def authority(name: str) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """A certificate authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return certificate(subject, key, subject, key, authority=True), key


def certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    signer: ec.EllipticCurvePrivateKey,
    *,
    authority: bool = False,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    return builder.sign(signer, hashes.SHA256())


def pem(made: x509.Certificate) -> bytes:
    return made.public_bytes(serialization.Encoding.PEM)


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory):
    """A server that speaks TLS alone, and the folder with certificates of two authorities."""
    folder = tmp_path_factory.mktemp("tls")
    root, signer = authority("Council Root")
    (folder / "ca.pem").write_bytes(pem(root))
    (folder / "other.pem").write_bytes(pem(authority("Somebody Else")[0]))
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "database")])
    with postgresql_server() as server:
        files = {
            "server.crt": pem(certificate(name, key, root.subject, signer)),
            "server.key": key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        }
        for file, content in files.items():
            path = server.folder / file
            path.write_bytes(content)
            path.chmod(0o600)
            if os.geteuid() == 0:
                account = pwd.getpwnam(ACCOUNT)
                os.chown(path, account.pw_uid, account.pw_gid)
        rules = (server.folder / "data" / "pg_hba.conf").read_text("utf-8")
        (server.folder / "data" / "pg_hba.conf").write_text(rules.replace("host ", "hostssl "))
        server.stop()
        server.start({
            "ssl": "on",
            "ssl_cert_file": str(server.folder / "server.crt"),
            "ssl_key_file": str(server.folder / "server.key"),
        })  # fmt: skip
        yield server, folder


def home_at(secure, tmp_path: Path, host: str = "127.0.0.1", **options: object) -> Home:
    server, folder = secure
    home = home_of(tmp_path, server, "postgres")
    home.options["url"] = str(home.options["url"]).replace("127.0.0.1", host)
    home.options |= {
        key: str(folder / str(value)) if key == "ca_file" else value
        for key, value in options.items()
    }
    home.mapping("""query = '''SELECT 1 AS "UPRN", ssl::text AS "Owed"
        FROM pg_stat_ssl WHERE pid = pg_backend_pid()'''""")
    return home


def used(home: Home) -> str:
    """What the server said of the connection, by way of a rejection."""
    home.read("owed")
    return home.rejected[0].value


def test_a_certificate_of_the_council_s_own_authority_is_accepted(secure, tmp_path):
    home = home_at(secure, tmp_path, sslmode="verify-full", ca_file="ca.pem")
    assert used(home) == "true"


@pytest.mark.parametrize("mode", ["verify-full", "verify-ca"])
def test_a_certificate_of_another_authority_is_refused(secure, tmp_path, mode):
    home = home_at(secure, tmp_path, sslmode=mode, ca_file="other.pem")
    with pytest.raises(PluginError, match="cannot be trusted") as caught:
        home.read("owed")
    assert not caught.value.transient
    assert "ca_file" in caught.value.remedy


def test_a_certificate_for_another_host_is_refused(secure, tmp_path):
    home = home_at(secure, tmp_path, "localhost", sslmode="verify-full", ca_file="ca.pem")
    with pytest.raises(PluginError, match="cannot be trusted") as caught:
        home.read("owed")
    assert "does not match host name" in caught.value.problem


def test_without_an_authority_nothing_is_verified_and_nothing_read(secure, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    home = home_at(secure, tmp_path, sslmode="verify-full")
    with pytest.raises(PluginError, match="cannot be trusted") as caught:
        home.read("owed")
    assert not caught.value.transient


def test_on_this_machine_what_the_server_wants_is_done(secure, tmp_path):
    assert used(home_at(secure, tmp_path)) == "true"
    with pytest.raises(PluginError) as caught:
        home_at(secure, tmp_path, sslmode="disable").read("owed")
    assert not caught.value.transient
