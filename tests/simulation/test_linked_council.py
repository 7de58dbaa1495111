"""A rehearsed council's node finds the homes of records that have an address and no UPRN.

Everything goes through the public commands; the truth is beside the node, by file and row.
"""

from __future__ import annotations

import csv
import datetime
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from folkmoot_rehearsal.policies import POLICY_FILE, risk_policy

COUNCIL = "E08000001"
COMMANDS = Path(sys.executable).parent


def run(command: str, *words: str) -> str:
    done = subprocess.run(
        [str(COMMANDS / command), *words], capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_records_are_linked_as_the_truth_says(tmp_path: Path) -> None:
    region = tmp_path / "region"
    run(
        "folkmoot-rehearse", "--files-only", "--councils", "1", "--households", "1500",
        "--seed", "3", "--date", "2026-06-01", "--out", str(region),
    )  # fmt: skip
    home, truth_folder = region / "councils" / COUNCIL, region / "truth" / COUNCIL
    run(
        "folkmoot-node", "init", "--home", str(home), "--council", COUNCIL, "--name", "Bolton",
        "--rho-per-round", "1", "--rho-per-period", "1", "--rho-lifetime", "1",
    )  # fmt: skip
    (home / POLICY_FILE).write_text(risk_policy(datetime.date.today()))
    sources = (
        "council_tax", "llpg", "residents", "housing", "housing_benefit", "rents",
        "adult_social_care", "shielded_list", "domestic_abuse", "childrens_services", "deaths",
    )  # fmt: skip
    tables = ["[linkage.addresses]\n"]
    tables += [
        f'[[sources]]\nname = "{name}"\nkind = "extracts"\n'
        f'[sources.options]\nmapping = "mappings/{name}.toml"\n'
        for name in sources
    ]
    with (home / "node.toml").open("a") as stream:
        stream.write("\n" + "\n".join(tables))
    run(
        "folkmoot-node", "sources", "accept", *sources, "--reason", "a rehearsal",
        "--until", "2099-12-31", "--home", str(home),
    )  # fmt: skip
    scored = run("folkmoot-node", "score", "--home", str(home), "--json")
    report = json.loads(run("folkmoot-node", "linkage", "report", "--home", str(home), "--json"))
    truth = pl.read_parquet(truth_folder / "without_uprn.parquet")
    found: dict[str, dict[str, Any]] = {entry["source"]: entry for entry in report["sources"]}
    homes = pl.read_parquet(truth_folder / "households.parquet").select("uprn")
    known = truth.join(homes, on="uprn", how="semi").filter(pl.col("says") == "home").height
    linked = sum(entry["by_address"] for entry in found.values())
    assert known > 100
    # Few wrong links make up for few missing ones; how right links are is measured elsewhere.
    # A record whose UPRN cannot be read counts as one without, and is linked too.
    unread = sum(
        number
        for source in json.loads(scored)["sources"]
        for field, number in source["rejected_fields"].items()
        if "uprn" in field.lower()
    )
    assert 0.93 * known <= linked <= 1.01 * known + unread
    for source in found:
        missing = truth.filter(pl.col("source") == source).height
        entry = found[source]
        assert entry["by_address"] + entry["ambiguous"] <= missing + unread
    waiting = {row["as_typed"] for row in review(home)}
    for text in waiting:
        assert text not in scored
        assert text not in json.dumps(report)


def review(home: Path) -> list[dict[str, str]]:
    found = []
    for path in (home / "review").glob("*.csv"):
        with path.open(encoding="utf-8-sig", newline="") as stream:
            found += list(csv.DictReader(stream))
    return found
