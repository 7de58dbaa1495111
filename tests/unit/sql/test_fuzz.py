"""Whatever the columns hold, each row is a record, left out or rejected, or the run stops."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url

from folkmoot_plugin_extracts.columns import MAXIMUM_UPRN
from folkmoot_plugin_extracts.dates import EARLIEST, LATEST
from folkmoot_plugin_sql.source import SqlSource
from folkmoot_sdk import PluginError
from tests.accounts import read_source
from tests.postgresql import PASSWORD
from tests.unit.sql.conftest import MAPPING

TYPES = ("bigint", "numeric", "double precision", "text", "timestamp", "boolean", "date")
WHERE = '[[where]]\ncolumn = "kind"\nin = ["DOM", ""]'
SETTINGS = settings(
    max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)

ODD_TEXTS = st.sampled_from([
    "", " ", "1", " 2 ", "x", "31/02/2026",
    "2026-02-31", "2026-04-01", "NaN", "1e400", "-9", "NULL",
    "true", "Y", "9434765919", "9434765918", "1000123456789", "100012345678", "'; DROP TABLE a; --",
    "%s :name", "\\", "S\u00e3o", "\U0001f3e0", "1.0", "0x10",
])  # fmt: skip
TEXTS = ODD_TEXTS | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8
)
WHOLE = st.integers(-(2**63), 2**63 - 1) | st.integers(-1, 12) | st.sampled_from([
    MAXIMUM_UPRN, MAXIMUM_UPRN + 1, 100012345678, 1000123456789,
])  # fmt: skip
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=2) | st.just("NaN")
VALUES = {
    "bigint": WHOLE,
    "numeric": DECIMALS | WHOLE,
    "double precision": st.floats() | st.integers(0, 5).map(float),
    "text": TEXTS,
    "timestamp": st.datetimes() | st.sampled_from(["infinity", "-infinity"]),
    "boolean": st.booleans(),
    "date": st.dates() | st.sampled_from(["infinity", "-infinity", "4713-01-01 BC"]),
}
COLUMNS = ("UPRN", "Owed", "rooms", "tenure", "since", "benefit", "kind")


def read(folder, options):
    (folder / "mapping.toml").write_text(
        MAPPING.format(top=f'table = "fuzzed"\nminimum_rows = 0\n{WHERE}', fields=""), "utf-8"
    )
    try:
        return read_source(SqlSource, folder, {"mapping": "mapping.toml", **options})
    except PluginError as error:
        return error


def assert_sound(found, rows):
    assert not isinstance(found, PluginError), found
    assert found.accounted == rows
    frame = found.frame
    assert frame["uprn"].drop_nulls().is_between(1, MAXIMUM_UPRN).all()
    assert (frame["owed"].drop_nulls() >= 0).all()
    assert frame["owed"].drop_nulls().is_finite().all()
    assert frame["since"].drop_nulls().is_between(EARLIEST, LATEST).all()
    assert set(frame["tenure"].drop_nulls().cast(str)) <= {"own", "rent"}


@pytest.mark.slow
@given(data=st.data())
@SETTINGS
def test_postgresql(postgresql, tmp_path, data):
    types = [data.draw(st.sampled_from(TYPES)) for _ in COLUMNS]
    if data.draw(st.booleans()):
        types = ["bigint", "numeric", "bigint", "text", "date", "boolean", "text"]
    values = st.tuples(*(st.none() | VALUES[kind] for kind in types))
    rows = data.draw(st.lists(values, max_size=12))
    written = [tuple(None if value is None else str(value) for value in row) for row in rows]
    named = ", ".join(f'"{name}" {kind}' for name, kind in zip(COLUMNS, types, strict=True))
    address = make_url(postgresql.url()).set(password=PASSWORD)
    with psycopg.connect(address.render_as_string(hide_password=False)) as connection:
        connection.execute("DROP TABLE IF EXISTS fuzzed")
        connection.execute(f"CREATE TABLE fuzzed ({named})")
        marks = ", ".join(f"%s::{kind}" for kind in types)
        with connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO fuzzed VALUES ({marks})", written)
    secret = tmp_path / "password"
    secret.write_text(PASSWORD, "utf-8")
    secret.chmod(0o600)
    options = {"url": postgresql.url(), "password_file": str(secret)}
    assert_sound(read(tmp_path, options), len(rows))


@given(rows=st.lists(
    st.tuples(*[st.none() | WHOLE | st.floats(allow_nan=False) | TEXTS for _ in COLUMNS]),
    max_size=12,
))  # fmt: skip
@SETTINGS
def test_sqlite_whose_columns_hold_anything(rows):
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        with closing(sqlite3.connect(folder / "a.sqlite")) as file, file:
            named = ", ".join(f'"{name}"' for name in COLUMNS)
            file.execute(f"CREATE TABLE fuzzed ({named})")
            file.executemany(f"INSERT INTO fuzzed VALUES ({', '.join('?' * len(COLUMNS))})", rows)
        assert_sound(read(folder, {"url": "sqlite:///a.sqlite"}), len(rows))


@given(content=st.binary(max_size=200), cut=st.integers(0, 8192))
@SETTINGS
def test_a_damaged_file_stops_with_a_message(content, cut):
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        path = folder / "a.sqlite"
        with closing(sqlite3.connect(path)) as file, file:
            named = ", ".join(f'"{name}"' for name in COLUMNS)
            file.execute(f"CREATE TABLE fuzzed ({named})")
            file.execute(f"INSERT INTO fuzzed VALUES ({', '.join('?' * len(COLUMNS))})", [1] * 7)
        whole = path.read_bytes()
        path.write_bytes(whole[:cut] + content + whole[cut + len(content) :])
        found = read(folder, {"url": "sqlite:///a.sqlite"})
        if isinstance(found, PluginError):
            assert found.problem
            assert found.remedy
