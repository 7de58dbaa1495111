"""Options and mappings: what is refused, where passwords may stand, when TLS is checked."""

from __future__ import annotations

import tomllib

import pytest

from folkmoot_plugin_extracts.mapping import make
from folkmoot_plugin_sql.options import SqlOptions
from folkmoot_plugin_sql.table_mapping import TableMapping
from folkmoot_sdk import PluginError
from folkmoot_sdk.parameters import build
from tests.unit.sql.conftest import MAPPING

SECRET = "correct-horse"


def options(**given):
    values = {"mapping": "m.toml", "url": "postgresql://reader@db.example.gov.uk/revenues"}
    return build(SqlOptions, {**values, **given}, "options")


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://reader:{SECRET}@db.example.gov.uk/revenues",
        f"postgresql://db.example.gov.uk/revenues?user=reader&password={SECRET}",
        f"mssql+pyodbc://db.example.gov.uk/revenues?PWD={SECRET}",
        f"mssql+pyodbc:///?odbc_connect=Server%3Dx%3BPWD%3D{SECRET}",
    ],
)
def test_a_password_in_the_url_is_refused_and_not_shown(url):
    with pytest.raises(PluginError, match="holds a password") as caught:
        options(url=url)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"url": "db.example.gov.uk"}, "not one, such as postgresql://"),
        ({"url": "postgresql://db.example.gov.uk:70000/revenues"}, "a port is from 1 to 65535"),
        ({"sslmode": "verify_full"}, "Did you mean 'verify-full'"),
        ({"sslmode": "prefer"}, "Valid: disable, require, verify-ca, verify-full"),
        ({"password_file": "a", "password_variable": "B"}, "either"),
        ({"url": "sqlite:///x", "ca_file": "ca.pem"}, "for PostgreSQL"),
        ({"statement_seconds": 0}, "out of range"),
        ({"timeout": 5}, "unknown key"),
    ],
)
def test_what_contradicts_itself_is_refused(given, problem):
    with pytest.raises(PluginError, match=problem):
        options(**given)


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgresql://reader@db.example.gov.uk/revenues", "verify-full"),
        ("postgresql://reader@10.1.2.3/revenues", "verify-full"),
        ("postgresql://reader@localhost.example.gov.uk/revenues", "verify-full"),
        ("postgresql:///revenues?host=/run/postgresql&host=db.example.gov.uk", "verify-full"),
        ("postgresql:///revenues?host=localhost,db.example.gov.uk", "verify-full"),
        ("postgresql://localhost/revenues?hostaddr=10.1.2.3", "verify-full"),
        ("postgresql:///revenues", "prefer"),
        ("postgresql:///revenues?host=/run/postgresql", "prefer"),
        ("postgresql://reader@localhost/revenues", "prefer"),
        ("postgresql://reader@127.0.0.1:5433/revenues", "prefer"),
        ("postgresql://reader@[::1]/revenues", "prefer"),
    ],
)
def test_certificates_are_verified_unless_the_connection_stays_on_this_machine(
    url, mode, monkeypatch
):
    assert options(url=url).tls == {"sslmode": mode}
    monkeypatch.setenv("PGHOST", "db.example.gov.uk")
    assert options(url=url).tls == {"sslmode": "verify-full"}


def test_another_mode_and_authority_may_be_chosen(tmp_path):
    chosen = options(sslmode="require", ca_file="ca.pem", base=str(tmp_path))
    assert chosen.tls == {"sslmode": "require", "sslrootcert": str(tmp_path / "ca.pem")}


def test_the_place_is_shown_without_the_user():
    assert options().where == "postgresql://db.example.gov.uk/revenues"


def test_a_password_file_that_others_can_read_is_refused(tmp_path):
    file = tmp_path / "password"
    file.write_text(SECRET + "\n", "utf-8")
    given = options(password_file="password", base=str(tmp_path))
    for mode in (0o640, 0o604, 0o660):
        file.chmod(mode)
        with pytest.raises(PluginError, match="can be read by others") as caught:
            given.secret()
        assert f"mode 0{mode:o}" in caught.value.problem
        assert "chmod 600" in caught.value.remedy
        assert SECRET not in str(caught.value)
    file.chmod(0o600)
    assert given.secret() == SECRET
    for content in (b"", b"\n", b"two\nlines\n", b"\xff\n"):
        file.write_bytes(content)
        with pytest.raises(PluginError, match="does not hold a password"):
            given.secret()
    file.unlink()
    with pytest.raises(PluginError, match="cannot be read"):
        given.secret()


def mapping(top):
    return make(tomllib.loads(MAPPING.format(top=top, fields="")), "m.toml", TableMapping)


@pytest.mark.parametrize(
    ("top", "problem"),
    [
        ("", "either `table` or `query`"),
        ('table = "a"\nquery = "SELECT 1"', "either `table` or `query`"),
        ('query = " "', "either `table` or `query`"),
        ('table = "a..b"', "is not a name"),
        ('table = "a.b.c.d"', "is not a name"),
        ('table = "a\\u0000"', "zero byte"),
        ('table = "a"\nfiles = ["x.csv"]', "unknown key"),
        ('table = "a"\nminimum_rows = -1', "out of range"),
    ],
)
def test_mappings_that_are_refused(top, problem):
    with pytest.raises(PluginError, match=problem):
        mapping(top)


def test_names_of_tables():
    assert mapping('table = "revenues.accounts"').parts == ("revenues", "accounts")
    assert mapping('table = ["revenues", "accounts.2026"]').parts == ("revenues", "accounts.2026")
    assert mapping('table = "revenues.accounts"').origin == "revenues.accounts"
    assert mapping('query = "SELECT 1"').origin == "query accounts"
