"""A node that scores from PostgreSQL gets what it gets from the same records in a CSV file."""

from __future__ import annotations

import csv
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "simulation"))

from region import MAPPING, RISK_POLICY
from region import SOURCES as FILES

from tests.forked_commands import run_forked
from tests.postgresql import PASSWORD

TABLE = """
[[sources]]
name = "council_tax"
kind = "sql"
[sources.options]
mapping = "mappings/council_tax.toml"
url = "{url}"
password_file = "{secret}"
"""


def node(*arguments: object, code: int = 0) -> str:
    done = run_forked("folkmoot-node", *arguments)
    assert PASSWORD not in done.stdout + done.stderr
    return done.said(code)


def made(folder: Path, mapping: str, source: str) -> Path:
    limits = ["--rho-per-round", "0.2", "--rho-per-period", "1", "--rho-lifetime", "5"]
    node("init", "--home", folder, "--council", "E08000009", "--name", "Trafford", *limits)
    (folder / "mappings" / "council_tax.toml").write_text(mapping, "utf-8")
    (folder / "risk-policy.toml").write_text(RISK_POLICY, "utf-8")
    with (folder / "node.toml").open("a") as settings:
        settings.write(source)
    return folder


def households(home: Path) -> list[list[str]]:
    node("score", "--home", home)
    node("households", "--home", home, "--out", home / "households.csv")
    with (home / "households.csv").open() as file:
        return sorted(csv.reader(file))


@pytest.mark.slow
def test_the_same_scores_from_a_table_as_from_a_file(tmp_path, postgresql):
    draw = random.Random(4)
    rows = [
        [
            str(100012345678 + draw.randrange(1500)) if draw.random() > 0.01 else "1000123456789",
            draw.choice(["", "0.00", f"{draw.uniform(0, 3000):.2f}"]),
            draw.choice(["Y", "N", ""]),
            draw.choice(["E01006151", "E01006152", ""]),
        ]
        for _ in range(2000)
    ]
    mapping = MAPPING
    files = made(tmp_path / "files", mapping, FILES)
    with (files / "extracts" / "council_tax.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["UPRN", "Arrears", "Support", "LSOA"], *rows])

    database = postgresql.create("revenues")
    given = "".join("\t".join(value or r"\N" for value in row) + "\n" for row in rows)
    postgresql.run(
        'CREATE TABLE council_tax (number serial, "UPRN" bigint, "Arrears" numeric(10, 2), '
        '"Support" char(1), "LSOA" text, "Holder" text);\n'
        'COPY council_tax ("UPRN", "Arrears", "Support", "LSOA") FROM stdin;\n' + given + "\\.\n",
        database,
    )
    secret = tmp_path / "password"
    secret.write_text(PASSWORD, "utf-8")
    secret.chmod(0o600)
    ordered = mapping.replace(
        'files = ["council_tax.csv"]', 'table = "council_tax"\norder_by = ["number"]'
    )
    assert ordered != mapping
    source = TABLE.format(url=postgresql.url(database), secret=secret)
    tables = made(tmp_path / "tables", ordered, source)

    expected = households(files)
    assert len(expected) > 1000
    assert households(tables) == expected
    [quarantined] = (tables / "quarantine").rglob("*.csv")
    text = quarantined.read_text("utf-8")
    assert "1000123456789 is not a UPRN" in text
    for path in tables.rglob("*"):
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes(), path

    # A wrong password stops it at once; a server that is not there may be tried again.
    settings = (tables / "node.toml").read_text("utf-8")
    secret.write_text("wrong", "utf-8")
    assert "password authentication failed" in node("score", "--home", tables, code=4)
    (tables / "node.toml").write_text(settings.replace(f":{postgresql.port}/", ":1/"), "utf-8")
    assert "cannot be reached" in node("score", "--home", tables, code=6)
    assert "wrong" not in node("score", "--home", tables, "--debug", code=1)
