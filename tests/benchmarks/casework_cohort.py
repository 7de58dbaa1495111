"""A cohort of three conditions over a million households, against Polars alone on the same data.

Run as a script: it scores households once through the node, then times, in this process, loading
the three columns from the encrypted store, counting who meets all conditions, and listing one
page of fifty by score; and beside each the same by a plain Polars script on an unencrypted
Parquet file. Loading happens once for each run of the scores; counts and pages are of the table
that is kept. The same is then measured as casework does it: a count with its entry in the log, a
run that keeps the members, and a page of its list, in the encrypted database. Nothing else should
run on the machine meanwhile.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import scoring

from folkmoot_node.casework.authority.signed_policy import load_own_policy
from folkmoot_node.casework.authority.signing import sign_casework_policy
from folkmoot_node.casework.cohorts.deciding import note_list
from folkmoot_node.casework.cohorts.definition import Definition
from folkmoot_node.casework.cohorts.listing import beside
from folkmoot_node.casework.cohorts.runs import Standing, members, run_cohort, runs_of
from folkmoot_node.casework.desk import open_casework_state, open_desk
from folkmoot_node.casework.initialise import initialise
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.federation.identity import KeyFiles, create_policy_key
from folkmoot_node.settings.node_toml import NodeConfig, load_config
from folkmoot_node.store.encrypted_file import read_key
from folkmoot_node.store.reader import open_store
from folkmoot_node.store.schema import field_column
from folkmoot_web.visitors import Visitor

HOUSEHOLDS = 1_000_000
PAGE = 50
REPEATS = 11
TARGETS = {"load": "a few seconds", "count": "under 1 s", "page": "under 0.3 s"}
CASEWORK_TARGETS = {
    "first count": "a few seconds", "count": "under 1 s", "run": "a few seconds",
    "page": "under 0.3 s",
}  # fmt: skip
ARREARS, AGE, DISCOUNT = map(
    field_column, ("council_tax_arrears", "oldest_age", "single_person_discount")
)
NAMES = (ARREARS, AGE, DISCOUNT, "score", "band", "withheld")


def meets() -> pl.Expr:
    """Who owes over 1,000 pounds, is 65 or over and lives alone."""
    return (pl.col(ARREARS) > 1000) & (pl.col(AGE) >= 65) & pl.col(DISCOUNT)


def count(table: pl.DataFrame) -> int:
    """How many meet all three, and are not withheld."""
    return int(table.select((meets() & ~pl.col("withheld")).sum()).item())


def page(table: pl.DataFrame, number: int = 3) -> pl.DataFrame:
    """One page by score: as many rows as `PAGE`, with the columns of the table."""
    found = table.filter(meets() & ~pl.col("withheld"))
    return found.sort("score", "uprn", descending=[True, False]).slice(number * PAGE, PAGE)


def seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Median seconds by the clock."""
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def casework(config: NodeConfig) -> dict[str, float]:
    """Seconds of what people wait for at the casework site, without drawing the page."""
    initialise(config.home)
    config = load_config(config.home)
    create_policy_key(KeyFiles.of(config.home))
    StateDatabase(config.state_path, create=True).close()
    state = open_casework_state(config, load_own_policy(config))
    sign_casework_policy(config, state, "Benchmark")
    state.database.close()
    desk = open_desk(config)
    cohorts, by = desk.cohorts, Visitor(1, "manager", "Manager", ("manager",))
    wanted = Definition.model_validate(
        {
            "title": "Arrears, 65 or over, alone",
            "purpose": "Debt advice",
            "owner": "Benchmark",
            "lawful_basis": "None",
            "ends": desk.today(),
            "conditions": [
                {"field": "council_tax_arrears", "above": 1000},
                {"field": "oldest_age", "at_least": 65},
                {"field": "single_person_discount", "is": True},
            ],
        }
    )

    def count_it() -> object:
        return cohorts.count(wanted, by, wanted.purpose)

    measured = {"first count": seconds(count_it, 1), "count": seconds(count_it)}
    cohort_id = cohorts.save(wanted, by)
    measured["run"] = seconds(lambda: run_cohort(cohorts, cohort_id, by), 3)
    with desk.state.database.reading() as session:
        newest = runs_of(session, cohort_id)[0]

    def list_it() -> None:
        with desk.state.database.reading() as session:
            standing = (Standing.NEW, Standing.UNCHANGED)
            _, rows = members(session, newest.run_id, standing=standing, first=150, size=PAGE)
            beside(session, newest, [row.household_id for row in rows])
        note_list(cohorts, newest, by, 4)

    measured["page"] = seconds(list_it)
    desk.state.database.close()
    return measured


def main(households: int = HOUSEHOLDS, threads: int = 2) -> dict[str, Any]:
    """Makes the scores, and measures."""
    with TemporaryDirectory() as name:
        config = scoring.scored(Path(name), households, threads)
        key = read_key(config.key_file)

        def load() -> pl.DataFrame:
            with open_store(config.store_path, key, threads=threads) as store:
                return store.columns(NAMES)

        table = load()
        plain = Path(name) / "floor.parquet"
        table.write_parquet(plain)
        floor = pl.read_parquet(plain)
        measured = {
            "load": (seconds(load, 3), seconds(lambda: pl.read_parquet(plain), 3)),
            "count": (seconds(lambda: count(table)), seconds(lambda: count(floor))),
            "page": (seconds(lambda: page(table)), seconds(lambda: page(floor))),
        }
        return {
            "households": table.height,
            "members": count(table),
            "kept_mib": table.estimated_size("mb"),
            "seconds": {what: ours for what, (ours, _) in measured.items()},
            "seconds_plain": {what: theirs for what, (_, theirs) in measured.items()},
            "targets": TARGETS,
            "casework_seconds": casework(config),
            "casework_targets": CASEWORK_TARGETS,
        }


def told(found: dict[str, Any]) -> str:
    """The figures, line by line."""
    lines = [
        f"A cohort of three conditions, {found['members']:,} of {found['households']:,} "
        f"households; {found['kept_mib']:.0f} MiB of them kept in memory:"
    ]
    for what, taken in found["seconds"].items():
        lines.append(
            f"  {what:11} {taken:8.4f} s (target {found['targets'][what]}), plain Polars "
            f"{found['seconds_plain'][what]:.4f} s"
        )
    for what, taken in found["casework_seconds"].items():
        target = found["casework_targets"][what]
        lines.append(f"  casework: {what:11} {taken:8.4f} s (target {target})")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=HOUSEHOLDS)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    print(told(main(options.households, options.threads)))
