"""Reading by SQLAlchemy: a real SQLite file, PostgreSQL by psycopg, and what others are sent."""

from __future__ import annotations

import datetime
import sqlite3
import time
from array import array
from contextlib import closing
from decimal import Decimal
from uuid import UUID

import polars as pl
import pytest
from sqlalchemy.dialects import mssql, mysql, oracle

from folkmoot_plugin_sql import typed
from folkmoot_plugin_sql.dialects import MySQL, Oracle, SQLServer
from folkmoot_plugin_sql.failures import Failure
from folkmoot_plugin_sql.options import SqlOptions
from folkmoot_plugin_sql.statement import Statements
from folkmoot_plugin_sql.table_mapping import TableMapping
from folkmoot_sdk import PluginError
from folkmoot_sdk.parameters import build
from tests.unit.sql.conftest import Home

D = datetime.date


@pytest.fixture
def lite(tmp_path):
    """A home whose source is a SQLite file with one table, and a function that changes it."""
    home = Home(tmp_path, {"url": "sqlite:///data/accounts.sqlite", "batch_rows": 100})
    (tmp_path / "data").mkdir()

    def run(sql):
        with closing(sqlite3.connect(tmp_path / "data" / "accounts.sqlite")) as file:
            file.executescript(sql)

    run("""CREATE TABLE accounts ("UPRN" INTEGER, "Owed" REAL, rooms INTEGER, tenure TEXT,
        since TEXT, benefit BOOLEAN, kind TEXT, secret TEXT)""")
    home.mapping()
    return home, run


def test_a_file_is_read(lite):
    home, run = lite
    run("""INSERT INTO accounts VALUES
        (100012345678, 12.5, 3, '1', '2020-02-29', 1, 'DOM', 'x'),
        (1000123456789, 1, 1, '1', NULL, NULL, NULL, NULL),
        (3, 'much', 1, '1', NULL, NULL, NULL, NULL),
        (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)""")
    assert home.read().rows() == [
        (100012345678, 12.5, 3, "own", D(2020, 2, 29), True),
        (None, 1, 1, "own", None, None),
        (3, None, 1, "own", None, None),
        (None, None, None, None, None, None),
    ]
    assert [dict(batch.unread) for batch in home.batches] == [
        {"uprn": array("q", [1]), "owed": array("q", [2])}
    ]
    assert [(e.file, e.row, e.field, e.value) for e in home.rejected] == [
        ("accounts", 2, "UPRN", "1000123456789"),
        ("accounts", 3, "Owed", "much"),
    ]


def test_it_is_read_in_batches_with_conditions_and_in_order(lite):
    home, run = lite
    home.mapping("""table = "accounts"
        order_by = ["UPRN"]
        [[where]]
        column = "kind"
        in = ["DOM", "O'Neill", ""]""")
    rows = [f"({1000 - i}, {i}, {['NULL', quote('DOM'), quote('X')][i % 3]})" for i in range(999)]
    run(f'INSERT INTO accounts ("UPRN", "Owed", kind) VALUES {", ".join(rows)}')
    frame = home.read("owed")
    assert frame["uprn"].to_list() == sorted(frame["uprn"].to_list())
    assert frame.height == 666
    assert home.left_out.total() == 333
    assert [batch.data.height for batch in home.batches] == [100] * 6 + [66]
    assert [batch.first_row for batch in home.batches] == list(range(1, 700, 100))


def quote(text):
    return f"'{text}'"


@pytest.mark.parametrize(
    ("top", "said", "transient"),
    [
        ('table = "acounts"', "no such table", False),
        ('table = "accounts"\norder_by = ["nosuch"]', "has no column 'nosuch'", False),
        ('query = "SELECT nosuch FROM accounts"', "no such column: nosuch", False),
        ('query = "SELEC"', "no such table: SELEC", False),
        ('query = "SELECT FROM accounts"', "cannot run the statement", False),
        ('query = "DELETE FROM accounts"', "cannot run the statement", False),
    ],
)
def test_faults_say_what_to_correct(lite, top, said, transient):
    home, _ = lite
    home.mapping(top)
    with pytest.raises(PluginError, match=said) as caught:
        home.read("owed")
    assert caught.value.transient is transient
    assert caught.value.where.startswith("sqlite:///data/accounts.sqlite: ")


def test_a_file_that_is_not_there_is_not_made(lite):
    home, _ = lite
    home.options["url"] = "sqlite:///data/other.sqlite"
    with pytest.raises(PluginError, match="no such database"):
        home.read()
    assert [path.name for path in (home.path / "data").iterdir()] == ["accounts.sqlite"]


def test_a_file_that_is_no_database(lite):
    home, _ = lite
    (home.path / "data" / "accounts.sqlite").write_bytes(b"UPRN,Owed\n1,2\n" * 100)
    with pytest.raises(PluginError, match="not a database"):
        home.read()


def test_a_query_that_takes_too_long_is_stopped(lite):
    home, _ = lite
    home.options["statement_seconds"] = 1
    home.mapping('''query = """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
        SELECT max(i) AS "UPRN", 1 AS "Owed" FROM n"""''')
    begun = time.monotonic()
    with pytest.raises(PluginError, match="did not answer in time") as caught:
        home.read("owed")
    assert time.monotonic() - begun < 60
    assert caught.value.transient


def test_a_file_that_is_being_written_is_transient(lite):
    home, run = lite
    run('INSERT INTO accounts ("UPRN") VALUES (1)')
    home.options["connect_seconds"] = 1
    with closing(sqlite3.connect(home.path / "data" / "accounts.sqlite")) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(PluginError, match="is busy") as caught:
            home.read("owed")
    assert caught.value.transient


def test_texts_that_are_not_unicode_stop_the_run_without_being_shown(lite):
    home, run = lite
    run("""INSERT INTO accounts ("UPRN", tenure) VALUES (1, CAST(x'53e96261737469656e' AS TEXT))""")
    with pytest.raises(PluginError, match="not in the encoding") as caught:
        home.read("tenure")
    assert "bastien" not in str(caught.value)


def test_blobs_stop_the_run(lite):
    home, run = lite
    run("""INSERT INTO accounts ("UPRN", "Owed") VALUES (1, x'00')""")
    with pytest.raises(PluginError, match="column 'Owed': holds bytes"):
        home.read("owed")


def test_postgresql_by_another_driver_gives_the_same(home, run):
    run("""INSERT INTO accounts VALUES
        (100012345678, 12.50, 3, '1', '2020-02-29', true, 'DOM', 'x'),
        (1000123456789, 1, 3, '1', NULL, NULL, 'DOM', NULL),
        (NULL, NULL, NULL, NULL, NULL, NULL, 'X', NULL)""")
    home.mapping('table = "public.accounts"\n[[where]]\ncolumn = "kind"\nin = ["DOM"]')
    frame, rejected, left = home.read(), list(home.rejected), dict(home.left_out)
    home.options["url"] = str(home.options["url"]).replace("postgresql:", "postgresql+psycopg:")
    assert home.read().equals(frame)
    assert (home.rejected, home.left_out) == (rejected, left)
    assert frame.height == 2
    home.mapping("query = '''INSERT INTO accounts VALUES (1) RETURNING \"UPRN\"'''")
    with pytest.raises(PluginError, match="cannot run the statement"):
        home.read("owed")
    home.mapping("""query = 'SELECT 1 AS "UPRN", pg_sleep(60)::text AS "Owed"'""")
    home.options["statement_seconds"] = 1
    with pytest.raises(PluginError, match="did not answer in time") as caught:
        home.read("owed")
    assert caught.value.transient
    home.options["url"] = "postgresql+psycopg://x@127.0.0.1:1/x"
    with pytest.raises(PluginError, match="cannot be reached") as caught:
        home.read("owed")
    assert caught.value.transient


def test_another_driver_streams_and_tells_what_may_pass(home, run, tmp_path):
    home.options["url"] = str(home.options["url"]).replace("postgresql:", "postgresql+psycopg:")
    home.mapping("""query = '''SELECT number AS "UPRN", number AS "Owed"
        FROM generate_series(1, 2000000) AS number'''""")
    reading = home.source().read(home.context("owed"))
    assert next(reading).data.height == 50_000
    run("""SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'folkmoot'""")
    with pytest.raises(PluginError, match="closed the connection") as caught:
        for _ in reading:
            pass
    assert caught.value.transient
    (tmp_path / "password").write_text("wrong-password", "utf-8")
    with pytest.raises(PluginError, match="password authentication failed") as caught:
        home.read("owed")
    assert "wrong-password" not in str(caught.value)
    assert not caught.value.transient


FIELD = {"column": "Owed", "type": "number", "combine": "sum", "category": "finance"}


def sent(dialect, **keys):
    values = {"schema": 1, "name": "a", "level": "household", "uprn": "UPRN", **keys}
    mapping = build(TableMapping, {**values, "fields": {"owed": FIELD}}, "")
    statements = Statements(mapping, exact=False)
    return " ".join(str(statements.rows(("UPRN", "Owed")).compile(dialect=dialect)).split())


def test_what_other_databases_are_sent():
    where = [{"column": "Kind", "in": ["DOM", ""]}]
    keys = {"table": "revenues.accounts", "where": where, "order_by": ["UPRN"]}
    assert sent(mssql.dialect(), **keys) == (
        "SELECT revenues.accounts.[UPRN], revenues.accounts.[Owed] FROM revenues.accounts WHERE "
        "trim(CAST(revenues.accounts.[Kind] AS NVARCHAR(max))) IN (__[POSTCOMPILE_trim_1]) OR "
        "revenues.accounts.[Kind] IS NULL OR "
        "trim(CAST(revenues.accounts.[Kind] AS NVARCHAR(max))) = :trim_2 "
        "ORDER BY revenues.accounts.[UPRN]"
    )
    assert "trim(CAST(revenues.accounts." in sent(oracle.dialect(), **keys)
    assert "VARCHAR2(4000 CHAR)" in sent(oracle.dialect(), **keys)
    assert "`UPRN`" in sent(mysql.dialect(), **keys)
    query = sent(oracle.dialect(), query="SELECT * FROM accounts WHERE note = '10:30'")
    assert query.endswith("FROM (SELECT * FROM accounts WHERE note = '10:30' ) mapped")


class DriverError(Exception):
    """As drivers raise it, with a code and a text."""


@pytest.mark.parametrize(
    ("dialect", "arguments", "failure"),
    [
        (SQLServer, ("28000", "Login failed for user 'x'"), Failure.LOGIN),
        (SQLServer, ("42S02", "Invalid object name"), Failure.MISSING),
        (SQLServer, ("HYT00", "Query timeout expired"), Failure.TIME_OUT),
        (SQLServer, ("08S01", "Communication link failure"), Failure.LOST),
        (SQLServer, ("IM002", "Data source name not found"), Failure.UNKNOWN),
        (Oracle, ("ORA-00942: table or view does not exist",), Failure.MISSING),
        (Oracle, ("DPY-6005: cannot connect to database",), Failure.UNREACHABLE),
        (Oracle, ("DPY-4024: call timeout of 1000 ms exceeded",), Failure.TIME_OUT),
        (Oracle, ("ORA-99999",), None),
        (MySQL, (1045, "Access denied for user"), Failure.LOGIN),
        (MySQL, (2013, "Lost connection"), Failure.LOST),
        (MySQL, (3024, "maximum statement execution time exceeded"), Failure.TIME_OUT),
    ],
)
def test_codes_of_other_databases(dialect, arguments, failure):
    options = build(SqlOptions, {"mapping": "m", "url": "sqlite://"}, "options")
    assert dialect(options).failure(DriverError(*arguments))[1] is failure


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], pl.Series([], dtype=pl.String)),
        ([None, None], pl.Series([None, None], dtype=pl.String)),
        ([1, None], pl.Series([1, None])),
        ([1, 2.5], pl.Series([1.0, 2.5])),
        ([2**53 + 1, 0.5], pl.Series(["9007199254740993", "0.5"])),
        ([2**64, 1], pl.Series(["18446744073709551616", "1"])),
        ([True, None], pl.Series([True, None])),
        ([True, 1], pl.Series(["true", "1"])),
        ([Decimal("3.00"), Decimal("100"), Decimal("1E+2"), Decimal("0.50")],
         pl.Series(["3", "100", "100", "0.5"])),
        ([Decimal("NaN")], pl.Series(["NaN"])),
        ([D(2026, 1, 2), None], pl.Series([D(2026, 1, 2), None])),
        ([datetime.datetime(2025, 6, 30, 23, 30, tzinfo=datetime.UTC)],
         pl.Series([datetime.datetime(2025, 7, 1, 0, 30)])),
        ([D(2026, 1, 2), "x", 1.0], pl.Series(["2026-01-02", "x", "1"])),
        ([UUID(int=1)], pl.Series(["00000000-0000-0000-0000-000000000001"])),
    ],
)  # fmt: skip
def test_values_of_drivers(values, expected):
    made = typed.series("", values, "t")
    assert made.dtype == expected.dtype
    assert made.to_list() == expected.to_list()


@pytest.mark.parametrize("value", [b"x", datetime.time(1), datetime.timedelta(1), [1], {}])
def test_values_that_no_field_is_read_from(value):
    with pytest.raises(PluginError, match=type(value).__name__):
        typed.series("x", [1, value], "t")


def test_decimals_lose_their_zeros():
    texts = ["3.00", "0.50", "100", "-0.0", "1200.10", "NaN", "10.", None]
    assert typed.plain_decimals(pl.Series(texts)).to_list() == [
        "3", "0.5", "100", "-0", "1200.1", "NaN", "10", None,
    ]  # fmt: skip
