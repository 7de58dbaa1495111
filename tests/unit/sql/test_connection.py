"""What the connection may do, how long it may take, and what happens when it fails."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from folkmoot_sdk import PluginError
from tests.postgresql import ADMINISTRATOR, PASSWORD, postgresql_server

MANY = """query = '''SELECT number AS "UPRN", number / 4.0 AS "Owed", repeat('x', 100) AS tenure
    FROM generate_series(1, {rows}) AS number'''"""


def failed(home, *wanted):
    with pytest.raises(PluginError) as caught:
        home.read(*wanted)
    assert PASSWORD not in str(caught.value)
    assert PASSWORD not in repr(caught.value.__context__)
    return caught.value


@pytest.mark.parametrize(
    "query",
    [
        """INSERT INTO accounts VALUES (1) RETURNING "UPRN", "Owed" """,
        """WITH new AS (INSERT INTO accounts VALUES (1) RETURNING "UPRN") TABLE new""",
        """SELECT 1 AS "UPRN") AS x; INSERT INTO accounts VALUES (1); SELECT (SELECT 1""",
        """SELECT 1 AS "UPRN"; COMMIT""",
        'SELECT add_one() AS "UPRN", 1 AS "Owed"',
        """SELECT 1 AS "UPRN", set_config('transaction_read_only', 'off', true) AS "Owed"
           FROM generate_series(1, 2) WHERE add_one() = 1""",
        """SELECT nextval('numbers') AS "UPRN", 1 AS "Owed" """,
    ],
)
def test_nothing_can_be_written(home, run, query):
    run("""CREATE SEQUENCE numbers;
        CREATE FUNCTION add_one() RETURNS int LANGUAGE sql VOLATILE
        AS 'INSERT INTO accounts ("UPRN") VALUES (1) RETURNING 1'""")
    home.mapping(f'query = """{query}"""')
    error = failed(home, "owed")
    assert not error.transient
    assert run("SELECT count(*) FROM accounts") == "0"


def test_a_function_that_would_write_is_told_as_such(home, run):
    run("""CREATE FUNCTION add_one() RETURNS int LANGUAGE sql VOLATILE
        AS 'INSERT INTO accounts ("UPRN") VALUES (1) RETURNING 1'""")
    home.mapping("""query = 'SELECT add_one() AS "UPRN", 1 AS "Owed"'""")
    error = failed(home, "owed")
    assert "SQLSTATE 25006; cannot execute INSERT in a read-only transaction" in error.problem


def test_a_statement_that_takes_too_long_is_stopped(home):
    home.mapping("""query = 'SELECT 1 AS "UPRN", pg_sleep(60)::text AS "Owed"'""")
    home.options["statement_seconds"] = 1
    begun = time.monotonic()
    error = failed(home, "owed")
    assert time.monotonic() - begun < 55
    assert "did not answer in time (SQLSTATE 57014)" in error.problem
    assert "statement_seconds" in error.remedy
    assert error.transient


def test_a_server_that_does_not_answer_is_given_up(home):
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        home.options["url"] = f"postgresql://x@127.0.0.1:{silent.getsockname()[1]}/x"
        home.options["connect_seconds"] = 2
        begun = time.monotonic()
        error = failed(home, "owed")
    assert time.monotonic() - begun < 60
    assert error.transient


def test_a_server_that_is_not_there_is_transient(home):
    home.options["url"] = "postgresql://x@127.0.0.1:1/x"
    error = failed(home, "owed")
    assert error.where == "postgresql://127.0.0.1:1/x"
    assert "cannot be reached" in error.problem
    assert "refused" in error.problem
    assert error.transient


def test_a_lock_is_transient(home, run):
    held = "FROM pg_locks WHERE relation = 'accounts'::regclass AND granted"

    def hold():
        with contextlib.suppress(RuntimeError):  # it is broken off
            run("BEGIN; LOCK accounts; SELECT pg_sleep(60)")

    holder = threading.Thread(target=hold)
    holder.start()
    end = time.monotonic() + 30
    while run(f"SELECT count(*) {held}") == "0":
        assert time.monotonic() < end
        time.sleep(0.05)
    home.options["statement_seconds"] = 1
    try:
        error = failed(home, "owed")
    finally:
        run(f"SELECT pg_cancel_backend(pid) {held}")
        holder.join()
    assert error.transient


def test_accounts_and_databases_that_do_not_exist_are_permanent(home, postgresql, tmp_path):
    url = home.options["url"]
    home.options["url"] = postgresql.url("nosuch")
    error = failed(home, "owed")
    assert 'database "nosuch" does not exist' in error.problem
    assert not error.transient
    home.options["url"] = str(url).replace(ADMINISTRATOR, "nobody")
    assert "does not accept the account" in failed(home, "owed").problem
    home.options["url"] = url
    (tmp_path / "password").write_text("wrong", "utf-8")
    error = failed(home, "owed")
    assert 'password authentication failed for user "folkmoot_test"' in error.problem
    assert "wrong" not in str(error)
    assert not error.transient
    del home.options["password_file"]
    assert "no password supplied" in failed(home, "owed").problem


def test_the_password_may_come_from_the_environment_or_pgpass(home, run, monkeypatch, tmp_path):
    run('INSERT INTO accounts ("UPRN") VALUES (1)')
    del home.options["password_file"]
    home.options["password_variable"] = "REVENUES_PASSWORD"
    with pytest.raises(PluginError, match="REVENUES_PASSWORD: is not set"):
        home.read("owed")
    monkeypatch.setenv("REVENUES_PASSWORD", PASSWORD)
    assert home.read("owed").height == 1
    del home.options["password_variable"]
    listed = tmp_path / "pgpass"
    listed.write_text(f"127.0.0.1:*:*:*:{PASSWORD}\n", "utf-8")
    listed.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(listed))
    assert home.read("owed").height == 1


@pytest.fixture
def reader(home, run, postgresql, tmp_path):
    """The source's account is one with few rights."""
    postgresql.run("DROP ROLE IF EXISTS reader")
    postgresql.run("CREATE ROLE reader LOGIN PASSWORD 'readers-password'")
    (tmp_path / "password").write_text("readers-password", "utf-8")
    home.options["url"] = str(home.options["url"]).replace(ADMINISTRATOR, "reader")
    run("INSERT INTO accounts (\"UPRN\", \"Owed\", kind) VALUES (1, 2, 'DOM'), (2, 3, 'X')")
    yield
    run("DROP OWNED BY reader")
    postgresql.run("DROP ROLE reader")


def test_any_password_will_do(home, run, postgresql, reader, tmp_path):
    odd = "p@ss:/%3a?#&= é'\\"
    quoted = odd.replace("'", "''")
    postgresql.run(f"ALTER ROLE reader PASSWORD '{quoted}'")
    run("GRANT SELECT ON accounts TO reader")
    (tmp_path / "password").write_text(odd, "utf-8")
    assert home.read("owed").height == 2
    home.options["url"] = str(home.options["url"]).replace("postgresql:", "postgresql+psycopg:")
    assert home.read("owed").height == 2


def test_rights_on_the_wanted_columns_are_enough(home, run, reader):
    run('GRANT SELECT ("UPRN", "Owed", kind) ON accounts TO reader')
    home.mapping('table = "accounts"\n[[where]]\ncolumn = "kind"\nin = ["DOM"]')
    assert home.read("owed").rows() == [(1, 2.0)]
    assert home.left_out.total() == 1
    error = failed(home, "rooms")
    assert "does not let the account read this (SQLSTATE 42501" in error.problem
    assert not error.transient


def test_policies_that_hide_rows_stop_the_run(home, run, reader):
    run("""GRANT SELECT ON accounts TO reader;
        ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;
        CREATE POLICY visible ON accounts USING ("UPRN" = 1)""")
    assert "row-level security policy" in failed(home, "owed").problem


@pytest.mark.slow
def test_a_server_that_dies_while_it_is_read_loses_nothing(tmp_path, home):
    with postgresql_server() as server:
        rows = 3_000_000
        home.options["url"] = server.url()
        home.mapping(MANY.format(rows=rows))
        reading = home.source().read(home.context("owed"))
        next(reading)
        server.kill()
        with pytest.raises(PluginError) as caught:
            for _ in reading:
                pass
        assert caught.value.transient
        server.start()
        assert home.read("owed")["uprn"].sum() == rows * (rows + 1) // 2


def test_a_session_that_an_administrator_ends_is_transient(home, run):
    home.mapping(MANY.format(rows=3_000_000))
    reading = home.source().read(home.context("owed"))
    next(reading)
    run("""SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'folkmoot'""")
    with pytest.raises(PluginError) as caught:
        for _ in reading:
            pass
    assert "closed the connection while it was read" in caught.value.problem
    assert caught.value.transient


def test_a_reader_that_stops_early_leaves_no_connection(home, run):
    home.mapping(MANY.format(rows=3_000_000))
    reading = home.source().read(home.context("owed"))
    next(reading)
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'folkmoot'"
    assert run(count) == "1"
    reading.close()
    end = time.monotonic() + 60
    while run(count) != "0":
        assert time.monotonic() < end
        time.sleep(0.05)


def test_batches_are_bounded(home):
    home.mapping(MANY.format(rows=1_000_000))
    sizes = [batch.data.height for batch in home.source().read(home.context("owed"))]
    assert sum(sizes) == 1_000_000
    assert max(sizes) < 1_000_000 / 1.5


PEAK = """
import resource
from tests.unit.sql.conftest import Home
from pathlib import Path
home = Home(Path({path!r}), {options!r})
rows = sum(batch.data.height for batch in home.source().read(home.context("owed", "rooms")))
print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_table(home, tmp_path):
    def peak(rows):
        home.mapping(
            f'''query = """SELECT number AS "UPRN", 1 AS "Owed", number AS rooms
            FROM generate_series(1, {rows}) AS number"""'''
        )
        code = textwrap.dedent(PEAK.format(path=str(tmp_path), options=home.options))
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        read, kibibytes = map(int, done.stdout.split())
        assert read == rows
        return kibibytes / 1024

    small, large = peak(1_000_000), peak(7_000_000)
    # 6 million rows of 24 bytes would be 140 MiB if they were held.
    assert large - small < 60, (small, large)
