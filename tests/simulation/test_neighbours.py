"""One household more or less, in every extract: what changes in the table that rounds count.

The guarantee of a release is about that table, and about that of a past date, from which rounds by
outcome are counted. It is about one household in one council's data
only if nothing on the way from the extracts to the table lets a household move another's row.
Through the public commands, with linkage of addresses and of people, and with areas that are
open. A run that stops is the only other difference permitted: rounds wait then.
"""

from __future__ import annotations

import codecs
import datetime
import gzip
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from folkmoot_node.settings.node_toml import load_config
from folkmoot_node.store.encrypted_file import read_key
from folkmoot_node.store.reader import open_store
from folkmoot_rehearsal.outcomes.mechanism import Mechanism
from folkmoot_rehearsal.policies import POLICY_FILE, node_sources, risk_policy
from tests.simulation.test_linked_council import COUNCIL, run

SOURCES = (
    "council_tax", "llpg", "residents", "housing", "housing_benefit", "rents",
    "adult_social_care", "shielded_list", "domestic_abuse", "childrens_services", "deaths",
    "housing_options", "safeguarding", "departures", "equality_monitoring",
)  # fmt: skip
DATE = "2025-10-01"
"""As known on this date, households are kept for rounds."""
NEIGHBOURS = int(os.environ.get("FOLKMOOT_NEIGHBOURS", "3"))
ONE_BY_ONE = NEIGHBOURS > 3
"""By day all leave together: a row of another household that one of them moves is seen as well."""


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Home and truth of a council, with both ways of linkage, scored and accepted."""
    region = tmp_path_factory.mktemp("neighbours") / "region"
    run(
        "folkmoot-rehearse", "--files-only", "--outcomes", "--councils", "1", "--households", "400",
        "--seed", "11", "--date", "2026-06-01", "--out", str(region),
    )  # fmt: skip
    home = region / "councils" / COUNCIL
    run(
        "folkmoot-node", "init", "--home", str(home), "--council", COUNCIL, "--name", "Bolton",
        "--rho-per-round", "1", "--rho-per-period", "1", "--rho-lifetime", "1",
    )  # fmt: skip
    (home / POLICY_FILE).write_text(risk_policy(datetime.date.today(), Mechanism()))
    with (home / "node.toml").open("a") as stream:
        stream.write(node_sources(SOURCES, link=True))
    run(
        "folkmoot-node", "sources", "accept", *SOURCES, "--reason", "a rehearsal",
        "--until", "2099-12-31", "--home", str(home),
    )  # fmt: skip
    score(home)
    evaluate(home)
    return home, region / "truth" / COUNCIL


def score(home: Path) -> None:
    run("folkmoot-node", "score", "--home", str(home), "--reference-date", "2026-06-01")


def evaluate(home: Path) -> None:
    """Keeps households as known on the date."""
    run(
        "folkmoot-node", "evaluate", str(home / "evaluation.toml"), "--for-rounds", DATE,
        "--home", str(home),
    )  # fmt: skip


def counted(home: Path, *, then: bool = False) -> pl.DataFrame:
    """What rounds count, today or as known on the date: the UPRN and the code of each attribute."""
    config = load_config(home)
    path = config.snapshot_path if then else config.store_path
    with open_store(path, read_key(config.key_file)) as store:
        rows = store._connection.sql("SELECT * FROM store.households").pl()
        codes = {
            name: pl.col(stored.counted).replace_strict(
                range(len(stored.stored_codes)), stored.stored_codes, return_dtype=pl.String
            )
            for name, stored in store.run.stored.items()
        }
    return rows.select("uprn", **codes).sort("uprn")


def without(home: Path, truth: Path, uprns: set[int], copy: Path) -> tuple[Path, int]:
    """The node of the same council without some households, and how many records that were."""
    shutil.copytree(home, copy, ignore=shutil.ignore_patterns("store", "quarantine", "review"))
    loose = pl.read_parquet(truth / "without_uprn.parquet").filter(pl.col("uprn").is_in(uprns))
    taken = 0
    for path in sorted((copy / "extracts").iterdir()):
        source = path.name.split(".")[0].replace("housing_survey", "housing")
        own = set(loose.filter(pl.col("source") == source)["row"])
        taken += _cut(path, own, uprns)
    return copy, taken


def _cut(path: Path, rows: set[int], uprns: set[int]) -> int:
    """Takes the records of households out of a file, as it is encoded; says how many."""
    if path.suffix == ".parquet":
        table = pl.read_parquet(path).with_row_index("row", offset=1)
        known = pl.col("uprn").is_in(uprns).fill_null(False)
        kept = table.filter(~pl.col("row").is_in(rows) & ~known)
        kept.drop("row").write_parquet(path)
        return table.height - kept.height
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rb") as stream:
        content = stream.read()
    encoding = "utf-16" if content[:2] == codecs.BOM_UTF16_LE else "latin-1"
    lines = content.decode(encoding).splitlines(keepends=True)
    words = {str(uprn) for uprn in uprns}
    left = [
        line
        for at, line in enumerate(lines, 1)
        if at not in rows and words.isdisjoint(re.findall("[0-9]+", line))
    ]
    with opened(path, "wb") as stream:
        stream.write("".join(left).encode(encoding))
    return len(lines) - len(left)


def chosen(truth: Path) -> Iterator[int]:
    """Households with the most records without a UPRN, and the largest: they could move most."""
    loose = pl.read_parquet(truth / "without_uprn.parquet")
    often = loose.group_by("uprn").len().sort("len", "uprn", descending=True)["uprn"]
    homes = pl.read_parquet(truth / "homes.parquet")
    large = homes.group_by("uprn").len().sort("len", "uprn", descending=True)["uprn"]
    frame = set(pl.read_parquet(truth / "households.parquet")["uprn"])
    several = homes.filter(pl.len().over("person") > 1)["uprn"].unique().sort()
    for found in (often, large, several):
        yield from [uprn for uprn in found if uprn in frame][: NEIGHBOURS // 3]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_household_moves_no_row_but_its_own(council: tuple[Path, Path], tmp_path: Path) -> None:
    home, truth = council
    before, before_then = counted(home), counted(home, then=True)
    assert {"band", "lsoa"} < set(before.columns), "an area that is open is among the attributes"
    assert before_then["homelessness"].value_counts().height == 3
    leaving = list(dict.fromkeys(chosen(truth)))
    for at, uprns in enumerate([{one} for one in leaving] if ONE_BY_ONE else [set(leaving)]):
        copy, taken = without(home, truth, uprns, tmp_path / str(at))
        assert taken > len(uprns)
        score(copy)
        evaluate(copy)
        after = counted(copy)
        moved = pl.concat([before, after]).filter(~pl.struct(pl.all()).is_duplicated())
        assert set(moved["uprn"]) == uprns, moved
        assert moved.height == len(uprns), moved
        after = counted(copy, then=True)
        moved = pl.concat([before_then, after]).filter(~pl.struct(pl.all()).is_duplicated())
        assert set(moved["uprn"]) <= uprns, moved


@pytest.mark.slow
def test_the_comparison_would_see_a_moved_row(council: tuple[Path, Path], tmp_path: Path) -> None:
    home, truth = council
    uprn = next(chosen(truth))
    copy, _ = without(home, truth, {uprn}, tmp_path / "moved")
    path = copy / "extracts" / "council_tax.csv"
    text = path.read_text("utf-8").replace(",N,0.00,", ",N,4000.00,")
    path.write_text(text, "utf-8")
    score(copy)
    before, after = counted(home), counted(copy)
    moved = pl.concat([before, after]).filter(~pl.struct(pl.all()).is_duplicated())
    assert set(moved["uprn"]) > {uprn}
