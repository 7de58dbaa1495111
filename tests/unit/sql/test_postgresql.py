"""Reading from a real PostgreSQL."""

from __future__ import annotations

import datetime

import polars as pl
import pytest

from folkmoot_sdk import PluginError

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
    assert frame["uprn"].to_list() == [1, 9, 10]
    assert frame["owed"].to_list() == [1, None, None]
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
