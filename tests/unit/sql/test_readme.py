"""The examples of the README are settings that load, and SQL that runs."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from folkmoot_plugin_extracts.mapping import Mapping, make
from folkmoot_plugin_sql.options import SqlOptions
from folkmoot_plugin_sql.table_mapping import TableMapping
from folkmoot_sdk.parameters import build
from tests.unit.sql.conftest import home_of

TEXT = (Path(__file__).parents[3] / "plugins" / "sql" / "README.md").read_text("utf-8")
NODE, MAPPING = re.findall(r"```toml\n(.*?)```", TEXT, flags=re.DOTALL)
(GRANTS,) = re.findall(r"```sql\n(.*?)```", TEXT, flags=re.DOTALL)
URLS = re.findall(r"`((?:mssql|oracle|mysql|sqlite|postgresql)[a-z+]*:[^`]+)`", TEXT)


def test_the_node_s_entry_names_the_options():
    (entry,) = tomllib.loads(NODE)["sources"]
    assert entry["kind"] == "sql"
    built = build(SqlOptions, entry["options"], "options")
    default = SqlOptions(mapping=built.mapping, url=built.url)
    assert built.connect_seconds == default.connect_seconds
    assert built.statement_seconds == default.statement_seconds


@pytest.mark.parametrize("url", URLS)
def test_urls_are_accepted(url):
    assert build(SqlOptions, {"mapping": "m", "url": url}, "options").parsed == make_url(url)


def test_there_are_urls():
    assert len(URLS) == 5


def test_every_key_and_option_is_described():
    own = {field.name for field in dataclasses.fields(TableMapping)}
    for key in own - {field.name for field in dataclasses.fields(Mapping)}:
        assert f"| `{key}` |" in TEXT
    for option in dataclasses.fields(SqlOptions):
        if option.name != "base":
            assert re.search(rf"\b{option.name}\b", TEXT), option.name


def test_the_account_of_the_script_reads_and_can_do_no_more(tmp_path, postgresql):
    database = postgresql.create("readme")
    postgresql.run(
        """CREATE SCHEMA revenues; CREATE TABLE revenues.accounts (account_ref int, uprn bigint,
        account_type char(3), arrears numeric(10, 2), updated_at timestamptz, holder text);
        INSERT INTO revenues.accounts VALUES (1, 1, 'DOM', 5, '2026-04-01', 'A')""",
        database,
    )
    postgresql.run(GRANTS, database)
    try:
        home = home_of(tmp_path, postgresql, database)
        home.options["url"] = postgresql.url(database, user="folkmoot_reader")
        (tmp_path / "password").write_text("choose-one", "utf-8")
        text = MAPPING.replace("minimum_rows = 60000", "minimum_rows = 1")
        assert text != MAPPING
        (tmp_path / "mapping.toml").write_text(text, "utf-8")
        assert make(tomllib.loads(MAPPING), "m", TableMapping).minimum_rows == 60000
        assert home.read().select("uprn", "council_tax_arrears").rows() == [(1, 5.0)]
        rights = "SELECT has_table_privilege('folkmoot_reader', 'revenues.accounts', '{}')"
        for right in ("SELECT", "INSERT", "UPDATE", "DELETE"):
            assert postgresql.run(rights.format(right), database) == "f"
    finally:
        postgresql.run("DROP OWNED BY folkmoot_reader; DROP ROLE folkmoot_reader", database)
