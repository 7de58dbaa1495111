"""What no factor declared is stored nowhere in the node's home, and leaves no node."""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from stage import Stage, ask
from typer.testing import CliRunner

from folkmoot import round_codec
from folkmoot_node.answering.visit import poll
from folkmoot_node.cli import app
from folkmoot_node.home import open_home
from folkmoot_node.pipeline.own_run import begin
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.settings.node_toml import load_config
from folkmoot_node.sources.connect import load_plugins
from folkmoot_node.sources.unread import UNREAD
from folkmoot_node.store.encrypted_file import attach, read_key

CANARY = "zqcanary"
"""Stands in every undeclared text, with the number of its source."""
AMOUNT = 918273.6455
"""Stands in every undeclared number."""
DECLARED = 2345.67
"""Arrears of one household, which are declared; the scan must find them."""

SOURCES = """
[[sources]]
name = "council_tax"
kind = "extracts"
[sources.options]
mapping = "mappings/council_tax.toml"
folder = "{feeds}"

[[sources]]
name = "rents"
kind = "extracts"
[sources.options]
mapping = "mappings/rents.toml"
folder = "{feeds}"

[[sources]]
name = "partners"
kind = "savvi"
[sources.options]
standard = "alpha-2026-06"
fields = ["unpaid_carer", "lives_alone"]
folder = "{feeds}"
files = ["savvi.csv"]
ignore = ["{canary} term"]
"""
RENTS = """
schema = 1
name = "rents"
level = "household"
supplier = "Housing"
files = ["rents.parquet"]
uprn = "uprn"

[fields.rent_arrears]
column = "arrears"
type = "number"
combine = "sum"
category = "finance"
unit = "GBP"
minimum = 0
absent = 0

[fields.household_income]
column = "income"
type = "number"
combine = "sum"
category = "finance"
unit = "GBP"
"""
UNPAID_CARE = """
[[factors]]
factor = "unpaid_care"
weight = 20

[[bands]]"""


@pytest.fixture
def fed(stage: Stage, tmp_path: Path) -> Stage:
    """The stage's node with three sources, each with columns that nobody declared."""
    home, feeds = stage.home, tmp_path / "feeds"
    feeds.mkdir()
    for path in (home / "extracts").iterdir():
        path.unlink()
    uprns = [10_000_000 + number for number in range(60)]
    lines = ["UPRN,Arrears,Support,LSOA,Notes,Income"]
    for at, uprn in enumerate(uprns):
        arrears = DECLARED if at == 7 else 0
        lines.append(f"{uprn},{arrears},N,E01900901,{CANARY}1 owes,{AMOUNT}")
    lines.append(f"1234567890123,1,N,E01900901,{CANARY}1 long,{AMOUNT}")
    lines.append(f"10000070,-5,N,E01900901,{CANARY}1 negative,{AMOUNT}")
    lines.append(f"10000071,1,N,E01900901,{CANARY}1,{AMOUNT},{CANARY}1 too many")
    (feeds / "council_tax.csv").write_text("\n".join(lines) + "\n")
    pl.DataFrame(
        {
            "uprn": uprns,
            "arrears": [50.0] * 60,
            "notes": [f"{CANARY}2"] * 60,
            "income": [AMOUNT] * 60,
        }
    ).write_parquet(feeds / "rents.parquet")
    (feeds / "savvi.csv").write_text(
        "PersonReference,UPRN,AttributeType,Attribute,Forename,SourceSystem\n"
        + "".join(
            f"p{uprn},{uprn},Circumstance,Unpaid carer,{CANARY}3 Ann,{CANARY}3 system\n"
            f"p{uprn},{uprn},Circumstance,{CANARY} term,{CANARY}3 Ann,\n"
            for uprn in uprns[:20]
        )
    )
    settings = home / "node.toml"
    text = settings.read_text()
    start, end = text.index("[[sources]]"), text.index("[coordinator]")
    assert start < end
    made = SOURCES.format(feeds=feeds, canary=CANARY)
    text = text[:start] + made + text[end:]
    settings.write_text(text.replace("maximum_share = 0.02", "maximum_share = 0.2"))
    (home / "mappings" / "rents.toml").write_text(RENTS)
    policy = home / "risk-policy.toml"
    policy.write_text(policy.read_text().replace("\n[[bands]]", UNPAID_CARE, 1))
    names = [source.name for source in load_config(home).sources]
    run(stage, "sources", "accept", *names, "--reason", "other extracts", "--until", "2099-12-31")
    return stage


def run(stage: Stage, *arguments: str) -> str:
    done = CliRunner().invoke(app, [*arguments, "--home", str(stage.home)])
    assert done.exit_code == 0, done.output
    return done.output


def decrypted(path: Path, key_file: Path) -> Iterator[tuple[str, pl.DataFrame]]:
    """Every table of an encrypted file; the Arrow files in them as tables of their own."""
    connection = attach(path, read_key(key_file), read_only=True, threads=1)
    try:
        tables = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'store'"
        ).fetchall()
        assert tables
        for (table,) in tables:
            found = connection.execute(f"SELECT * FROM store.{table}").pl()
            yield f"{path.name}:{table}", found
            for column in found.columns:
                if found.schema[column] == pl.Binary:
                    for at, content in enumerate(found[column]):
                        name = f"{path.name}:{table}.{column}[{at}]"
                        yield name, pl.read_ipc(io.BytesIO(content))
    finally:
        connection.close()


def text_of(table: pl.DataFrame) -> str:
    names = " ".join(table.columns)
    return names + table.drop(pl.selectors.by_dtype(pl.Binary)).write_csv()


def test_an_undeclared_column_is_stored_nowhere(fed: Stage, tmp_path: Path) -> None:
    told = run(fed, "score", "--json")
    told += run(fed, "explain", "10000007") + run(fed, "explain", "10000007", "--json")
    told += run(fed, "households", "--out", str(tmp_path / "out.csv"))
    told += run(fed, "score", "--try") + run(fed, "purge", "--dry-run")
    digest = hashlib.sha256((fed.home / "risk-policy.toml").read_bytes()).digest()
    fed.coordinator.rounds = [round_codec.encode_round(ask(policy_digest=digest))]
    with open_home(fed.home) as home, home.connect() as client:
        told += "".join(event.text for event in poll(home, client))
    assert len(fed.coordinator.submissions) == 1

    config = load_config(fed.home)
    tables = dict(decrypted(config.store_path, config.key_file))
    everything = {name: text_of(table) for name, table in tables.items()}
    assert any(str(DECLARED) in text for text in everything.values())
    stored = {name for table in tables.values() for name in table.columns}
    assert {name for name in stored if name.startswith(("field_", "audit_"))} == {
        "field_council_tax_arrears",
        "field_council_tax_support",
        "field_rent_arrears",
        "field_unpaid_carer",
    }
    everything["commands"] = told
    everything["out.csv"] = (tmp_path / "out.csv").read_text()
    for name, text in everything.items():
        for forbidden in (CANARY, str(AMOUNT), "Notes", "income", "lives_alone"):
            assert forbidden not in text, name
    quarantined = list(config.quarantine_folder.iterdir())
    assert quarantined
    files = [path for path in fed.home.rglob("*") if path.is_file()]
    assert config.state_path in files
    for path in files:
        content = path.read_bytes()
        if path == fed.home / "node.toml":  # names the term to ignore, as the council wrote it
            content = content.replace(f"{CANARY} term".encode(), b"")
        for form in (CANARY.encode(), struct.pack("<d", AMOUNT), str(AMOUNT).encode()):
            assert form not in content, path
    for message in fed.coordinator.submissions:
        assert CANARY.encode() not in message


def test_nor_is_it_handed_from_stage_to_stage(fed: Stage) -> None:
    config = load_config(fed.home)
    policy = load_policy(config.risk_policy)
    today = load_policy(config.risk_policy).sunset.replace(year=2026)
    with begin(config, load_plugins(config), policy, today=today, shared=True) as begun:
        begun.read_frame()
        for source in begun.sources:
            begun.read(source)
        columns = {
            source: set(table.columns) - {UNREAD}
            for source in ("council_tax", *begun.sources)
            if (table := begun._spool.read(source, 0)) is not None
        }
        spooled = list(config.runs_folder.rglob("*.spool"))
        assert spooled
        for path in spooled:
            assert CANARY.encode() not in path.read_bytes()
            assert path.stat().st_mode & 0o077 == 0
    assert columns["council_tax"] == {"uprn", "council_tax_arrears", "council_tax_support", "lsoa"}
    assert columns["rents"] == {"uprn", "rent_arrears"}
    assert columns["partners"] - {"record_date"} == {"uprn", "unpaid_carer"}
    assert not list(config.runs_folder.rglob("*.spool"))


def test_the_scan_would_find_what_is_declared(fed: Stage) -> None:
    """Without this the others could pass by looking in the wrong place."""
    policy = fed.home / "risk-policy.toml"
    policy.write_text(
        policy.read_text()
        + '\n[attributes.income_group]\nfield = "household_income"\nbreaks = [1000]\n'
    )
    run(fed, "score", "--json")
    config = load_config(fed.home)
    names = {c for _, table in decrypted(config.store_path, config.key_file) for c in table.columns}
    assert "attribute_income_group" in names
