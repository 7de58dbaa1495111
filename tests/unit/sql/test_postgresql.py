"""Reading from a real PostgreSQL."""

from __future__ import annotations

import dataclasses
import datetime

import polars as pl
import pytest

from folkmoot_sdk import Identifier, PluginError
from tests.unit.sql.conftest import MAPPING

D = datetime.date


def test_typed_values_are_read(home, run):
    run("""INSERT INTO accounts VALUES
        (100012345678, 12.50, 3, '1', '2020-02-29', true, 'DOM', 'x'),
        (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)""")
    frame = home.read()
    assert frame.rows() == [
        (100012345678, 12.5, 3, "own", D(2020, 2, 29), True),
        (None, None, None, None, None, None),
    ]
    assert frame.schema["owed"] == pl.Float64
    assert (home.rejected, home.left_out) == ([], {})
    assert [(batch.origin, batch.first_row) for batch in home.batches] == [("accounts", 1)]


def test_malformed_values_are_rejected_with_table_row_and_column(home, run):
    run("""INSERT INTO accounts ("UPRN", "Owed", tenure, since) VALUES
        (1, 1, '1', '2020-01-01'), (1000123456789, 1, '1', NULL), (3, -1, '1', NULL),
        (4, 'NaN', '1', NULL), (5, 1, '3', NULL), (6, 1, '1', 'infinity'),
        (7, 1, '1', '0001-01-01 BC'), (8, 1, '1', '-infinity'), (9, NULL, ' 2 ', NULL),
        (10, -9, 'NULL', NULL)""")
    frame = home.read()
    assert frame["uprn"].to_list() == [1, None, 3, 4, 5, 6, 7, 8, 9, 10]
    assert frame["owed"].to_list() == [1, 1, None, None, 1, 1, 1, 1, None, None]
    assert [(e.file, e.row, e.field) for e in home.rejected] == [
        ("accounts", 2, "UPRN"), ("accounts", 3, "Owed"), ("accounts", 4, "Owed"),
        ("accounts", 5, "tenure"), ("accounts", 6, "since"), ("accounts", 7, "since"),
        ("accounts", 8, "since"),
    ]  # fmt: skip
    assert home.rejected[0].reason == "1000123456789 is not a UPRN (1 to 12 digits)"


COLUMN = """
[fields.extra]
column = "extra"
type = "{type}"
combine = "{combine}"
category = "finance"
{more}
"""
OK = [
    ("numeric", "100.00", "integer", "", 100),
    ("numeric", "1200", "integer", "", 1200),
    ("numeric(12,3)", "0.500", "number", "", 0.5),
    ("real", "0.1", "number", "", 0.1),
    ("double precision", "2.5", "number", "", 2.5),
    ("bigint", "9007199254740993", "integer", "", 9007199254740993),
    ("char(5)", "a", "category", 'codes = ["a"]', "a"),
    ("numeric(4,0)", "7", "category", 'codes = { "7" = "x" }', "x"),
    ("int", "1", "boolean", "", True),
    ("int", "6", "boolean", 'true = [5, 6]\nfalse = [""]', True),
    ("boolean", None, "boolean", 'true = ["Y"]\nfalse = ["N", ""]', False),
    ("boolean", "true", "boolean", 'true = ["Y"]\nfalse = ["N", ""]', True),
    ("uuid", "59f7a1de-3b1c-4d6a-9d3c-0d6c2f6b9a10", "category",
     'codes = ["59f7a1de-3b1c-4d6a-9d3c-0d6c2f6b9a10"]', "59f7a1de-3b1c-4d6a-9d3c-0d6c2f6b9a10"),
    ("timestamp", "2026-03-31 23:59:59.9", "date", "", D(2026, 3, 31)),
    # In July clocks in Britain are an hour ahead of UTC.
    ("timestamptz", "2025-06-30 23:30:00+00", "date", "", D(2025, 7, 1)),
    ("timestamptz", "2026-01-31 23:30:00+00", "date", "", D(2026, 1, 31)),
    ("text", "31/01/2026", "date", 'format = "%d/%m/%Y"', D(2026, 1, 31)),
    ("date", "1936-04-02", "integer", 'transform = "age"', 89),
    ("bytea", "x", "number", "", "bytea"),
    ("money", "1.50", "number", "", "money"),
    ("jsonb", "{}", "number", "", "jsonb"),
    ("int[]", "{1}", "integer", "", "_int4"),
    ("interval", "1 day", "number", "", "interval"),
    ("time", "10:00", "date", "", "time"),
    ("inet", "10.0.0.1", "number", "", "inet"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "value", "kind", "more", "expected"), OK)
def test_types(home, run, sql, value, kind, more, expected):
    combine = {"boolean": "any"}.get(kind, "max")
    home.mapping(fields=COLUMN.format(type=kind, combine=combine, more=more))
    given = "NULL" if value is None else f"'{value}'"
    run(f"""CREATE TYPE mood AS ENUM ('sad'); ALTER TABLE accounts ADD extra {sql};
        INSERT INTO accounts ("UPRN", extra) VALUES (1, {given})""")
    if isinstance(expected, str) and not more:
        with pytest.raises(PluginError, match=f"holds {expected}") as caught:
            home.read("extra")
        assert caught.value.where.endswith("accounts: column 'extra'")
        return
    assert home.read("extra")["extra"].to_list() == [expected], home.rejected
    assert home.rejected == []


def test_moments_without_end_are_rejected(home, run):
    home.mapping(fields=COLUMN.format(type="date", combine="max", more=""))
    run("""ALTER TABLE accounts ADD extra timestamptz; INSERT INTO accounts ("UPRN", extra)
        VALUES (1, 'infinity'), (2, '-infinity'), (3, '2026-01-01 12:00')""")
    frame = home.read("extra")
    assert frame["uprn"].to_list() == [1, 2, 3]
    assert frame["extra"].to_list() == [None, None, D(2026, 1, 1)]
    assert [entry.row for entry in home.rejected] == [1, 2]


def test_conditions_go_to_the_database_and_what_they_leave_out_is_counted(home, run, statements):
    where = """table = "accounts"
        [[where]]
        column = "kind"
        in = ["DOM", "O'Neill", "50%", "a\\\\b"]
        [[where]]
        column = "rooms"
        in = [1, 2]
    """
    home.mapping(where)
    run(r"""INSERT INTO accounts ("UPRN", kind, rooms) VALUES (1, 'DOM', 1), (2, ' DOM ', 2),
        (3, 'O''Neill', 1), (4, '50%', 1), (5, 'a\b', 1), (6, NULL, 1), (7, 'DOM', 3),
        (8, 'a\\b', 1), (9, 'DOM', NULL)""")
    assert home.read("owed")["uprn"].to_list() == [1, 2, 3, 4, 5]
    assert home.left_out == {"the mapping's `where` selects others": 4}
    copied, counted = [line for line in statements() if "COPY" in line]
    assert "WHERE" in copied
    assert "count(*)" in counted


def test_an_empty_value_among_the_conditions_selects_what_is_missing(home, run):
    home.mapping('table = "accounts"\n[[where]]\ncolumn = "kind"\nin = ["", "DOM"]')
    run("""INSERT INTO accounts ("UPRN", kind) VALUES (1, NULL), (2, ' '), (3, 'DOM'), (4, 'X')""")
    assert home.read("owed")["uprn"].to_list() == [1, 2, 3]


def test_only_wanted_columns_are_selected(home, run, statements):
    run("""INSERT INTO accounts ("UPRN", secret) VALUES (1, 'x')""")
    home.read("owed")
    [copied] = [line for line in statements() if "COPY" in line]
    assert '"UPRN"' in copied
    assert '"Owed"' in copied
    for other in ("secret", "rooms", "tenure", "since", "kind", "*"):
        assert other not in copied


def test_rows_come_in_the_order_that_the_mapping_states(home, run):
    home.mapping('table = "accounts"\norder_by = ["kind", "UPRN"]')
    run("""INSERT INTO accounts ("UPRN", kind) VALUES (3, 'b'), (2, 'a'), (1, 'b')""")
    assert home.read("owed")["uprn"].to_list() == [2, 1, 3]


def test_a_query_may_have_comments_colons_and_percents(home, run):
    home.mapping('''query = """
        WITH recent AS (SELECT "UPRN", "Owed"::text AS "Owed" FROM accounts)
        SELECT *, '10:30 %s :name' AS note FROM recent -- all of them
        ;"""''')
    run("""INSERT INTO accounts ("UPRN", "Owed") VALUES (1, 2.5)""")
    assert home.read("owed").rows() == [(1, 2.5)]
    assert home.batches[0].origin == "query accounts"


def test_names_are_quoted(home, run):
    name = 'odd "name"; drop table x --'
    quoted = '"a.b"."odd ""name""; drop table x --"'
    run(f"""CREATE SCHEMA "a.b"; CREATE TABLE {quoted} ("UPRN" int, "Owed" int);
        INSERT INTO {quoted} VALUES (1, 2)""")
    home.mapping(f"table = ['a.b', '{name}']")
    assert home.read("owed").rows() == [(1, 2.0)]


@pytest.mark.parametrize(
    ("top", "problem", "remedy"),
    [
        ('table = "acounts"', r'SQLSTATE 42P01; relation "acounts" does not exist', "`table`"),
        ('table = "accounts"\norder_by = ["knd"]', "has no column 'knd'", "'kind'"),
        ('query = "SELECT nosuch FROM accounts"', "42703", "mapping"),
        ('query = "SELEC 1"', "42601", "Correct `query`"),
        ('query = "SELECT 1 / 0"', "has no column 'UPRN'", "Correct"),
        ('query = \'SELECT 1 AS "UPRN", 1 / rooms AS "Owed" FROM accounts\'', "22012", "query"),
    ],
)
def test_permanent_faults_say_what_to_correct(home, run, top, problem, remedy):
    home.mapping(top)
    run('INSERT INTO accounts ("UPRN", rooms) VALUES (1, 0)')
    with pytest.raises(PluginError) as caught:
        home.read("owed")
    assert problem in caught.value.problem
    assert remedy in caught.value.remedy
    assert not caught.value.transient


def test_a_value_of_a_record_is_in_no_message(home, run):
    home.mapping("""query = 'SELECT "UPRN", CAST(secret AS integer) AS "Owed" FROM accounts'""")
    run("""INSERT INTO accounts ("UPRN", secret) VALUES (1, 'Jane Doe')""")
    with pytest.raises(PluginError, match="22P02") as caught:
        home.read("owed")
    assert "Jane" not in str(caught.value)


def test_too_few_rows_stop_the_run(home, run):
    with pytest.raises(PluginError, match="gives 0 rows, fewer than the 1 that there must be"):
        home.read()
    home.mapping('table = "accounts"\nminimum_rows = 0')
    assert home.read().height == 0
    assert home.batches[0].origin == "accounts"
    home.mapping('table = "accounts"\nminimum_rows = 3')
    run('INSERT INTO accounts ("UPRN") VALUES (1), (2)')
    with pytest.raises(PluginError, match="gives 2 rows, fewer than the 3"):
        home.read()


def test_identifiers_are_read_when_they_are_asked_for(home, run, statements):
    text = MAPPING.format(top='table = "accounts"', fields="").replace('uprn = "UPRN"\n', "")
    (home.path / "mapping.toml").write_text(
        text
        + """
        [identifiers]
        address = ["line1", "line2"]
        postcode = "pc"
        date_of_birth = { column = "dob" }
        nhs_number = "nhs"
        """,
        "utf-8",
    )
    run("""ALTER TABLE accounts ADD line1 text, ADD line2 varchar(20), ADD pc char(8), ADD dob date,
        ADD nhs bigint;
        INSERT INTO accounts ("Owed", line1, line2, pc, dob, nhs) VALUES
        (1, 'Flat 2', '10 High Street', 'M32 0TH', '1950-02-28', 9434765919),
        (2, 'Flat 3', NULL, NULL, NULL, NULL), (3, 'Flat 4', NULL, NULL, NULL, 9434765918)""")
    assert home.read("owed").rows() == [(None, 1.0), (None, 2.0), (None, 3.0)]
    context = dataclasses.replace(home.context("owed"), identifiers=tuple(Identifier)[:2])
    frame = pl.concat([batch.data for batch in home.source().read(context)])
    assert frame["identifier_address"].to_list()[0] == "Flat 2, 10 High Street"
    assert frame["identifier_postcode"].to_list()[0].strip() == "M32 0TH"
    assert not [name for name in frame.columns if "nhs" in name or "birth" in name]
    assert not [entry for entry in statements() if "COPY" in entry and "nhs" in entry]
    context = dataclasses.replace(
        context, identifiers=(Identifier.NHS_NUMBER, Identifier.DATE_OF_BIRTH)
    )
    frame = pl.concat([batch.data for batch in home.source().read(context)])
    assert frame["identifier_nhs_number"].to_list() == ["9434765919", None, None]
    assert frame["identifier_date_of_birth"].to_list() == [D(1950, 2, 28), None, None]
    [entry] = home.rejected
    assert (entry.row, entry.field) == (3, "nhs")
    assert "9434765918" not in entry.reason + entry.value
