"""A list of people without properties finds the households of a rehearsed council.

The list of shielded patients loses its UPRNs and addresses; what is left says who people are.
Through the public commands, from the extracts to the store; only the truth is read beside.
"""

from __future__ import annotations

import csv
import datetime
import json
from pathlib import Path

import polars as pl
import pytest

from folkmoot_node.settings.node_toml import load_config
from folkmoot_node.store.encrypted_file import read_key
from folkmoot_node.store.reader import open_store
from folkmoot_rehearsal.policies import POLICY_FILE, node_sources, risk_policy
from tests.simulation.test_linked_council import COUNCIL, run

SOURCES = (
    "council_tax", "llpg", "residents", "housing", "housing_benefit", "rents",
    "adult_social_care", "shielded_list", "domestic_abuse", "childrens_services", "deaths",
)  # fmt: skip
SHIELDED = "shielded_list"


@pytest.fixture
def council(tmp_path: Path) -> tuple[Path, Path]:
    """Home and truth of a council whose list of shielded patients has no properties."""
    region = tmp_path / "region"
    run(
        "folkmoot-rehearse", "--files-only", "--councils", "1", "--households", "2500",
        "--seed", "5", "--date", "2026-06-01", "--out", str(region),
    )  # fmt: skip
    home = region / "councils" / COUNCIL
    run(
        "folkmoot-node", "init", "--home", str(home), "--council", COUNCIL, "--name", "Bolton",
        "--rho-per-round", "1", "--rho-per-period", "1", "--rho-lifetime", "1",
    )  # fmt: skip
    (home / POLICY_FILE).write_text(risk_policy(datetime.date.today()))
    with (home / "node.toml").open("a") as stream:
        stream.write(node_sources(SOURCES, link=True))
    path = home / "extracts" / "shielded_list.csv"
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(row | {"UPRN": "", "Address": ""} for row in rows)
    return home, region / "truth" / COUNCIL


@pytest.mark.slow
def test_shielded_people_are_found_by_who_they_are(council: tuple[Path, Path]) -> None:
    home, truth_folder = council
    # Rounds do not count who is linked by person, so a person accepts the source for them.
    run(
        "folkmoot-node", "sources", "accept", SHIELDED, "--reason", "a rehearsal",
        "--until", "2099-12-31", "--home", str(home),
    )  # fmt: skip
    scored = run("folkmoot-node", "score", "--home", str(home), "--json")
    report = json.loads(run("folkmoot-node", "linkage", "report", "--home", str(home), "--json"))
    (entry,) = [one for one in report["sources"] if one["source"] == SHIELDED]
    print(entry)
    assert entry["by_uprn"] == entry["by_address"] == 0
    assert entry["records"] > 200
    assert entry["by_person"] >= 0.85 * entry["records"]
    assert entry["unlinked"] <= 0.08 * entry["records"]

    config = load_config(home)
    with open_store(config.store_path, read_key(config.key_file)) as store:
        stored = pl.concat(store.details(), how="vertical_relaxed")
    said = set(stored.filter(pl.col("field_shielded").fill_null(False))["uprn"])
    true = pl.read_parquet(truth_folder / "households.parquet").filter("shielded")
    # Whoever lives in two households counts in both, and some are still listed where they were.
    homes = pl.read_parquet(truth_folder / "homes.parquet")
    people = pl.read_parquet(truth_folder / "people.parquet").filter("shielded")
    lives = set(homes.join(people, on="person", how="semi").filter("current")["uprn"])
    right = len(said & lives)
    print(len(said), right, len(said & set(true["uprn"])), true.height)
    assert right >= 0.99 * len(said)
    assert right >= 0.85 * len(lives)
    names = pl.concat([people["surname"], people["nhs_number"]])
    assert not [name for name in names if name in scored or name in json.dumps(report)]
    for path in home.rglob("*"):
        if path.is_file() and path.parent.name not in {"review", "extracts", "quarantine"}:
            content = path.read_bytes()
            assert not [name for name in people["nhs_number"] if name.encode() in content], path
