"""Scoring from six CSV extracts, against a Polars script that reads, joins and scores the same.

Run as a script: five extracts with a row for each household and one with a row for each
person go through the node's `score`, and through the hand-written script, alternately and each
in a fresh process; then the explanation of one household. Prints the ratio of the times, the
peak memory, and how the time grows with the number of households.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import scoring as base

HOUSEHOLDS = 1_000_000
GROWTH = (10_000, 100_000, HOUSEHOLDS)
TARGET_RATIO = 2.3
TARGET_MEMORY = 4096
"""MiB."""

EXTRACTS: dict[str, tuple[str, ...]] = {
    "council_tax": ("Arrears", "Support", "Discount", "DiscountFrom"),
    "rents": ("RentArrears", "TenancyChange"),
    "benefits": ("HousingBenefit", "UniversalCredit"),
    "services": ("ChildrenServices", "Reports", "LastReport"),
    "homes": ("Tenure", "Type"),
}
"""Columns of each extract about households, beside the UPRN; the first is the frame."""

_MONEY = {"unit": "GBP", "minimum": 0}
_AGE = {"transform": "age", "unit": "years", "minimum": 0, "maximum": 120, "protected": "age"}
_HEALTH = {"protected": "disability"}
_DATE = {"format": "%d/%m/%Y"}
_FLAG = {"true": ["Y"], "false": ["N"]}
FIELDS: dict[str, tuple[str, str, str, str, dict[str, Any]]] = {
    "council_tax_arrears": ("Arrears", "number", "sum", "finance", _MONEY),
    "council_tax_support": ("Support", "boolean", "any", "finance", _FLAG),
    "single_person_discount": ("Discount", "boolean", "any", "finance", _FLAG),
    "single_person_discount_from": ("DiscountFrom", "date", "max", "finance", _DATE),
    "rent_arrears": ("RentArrears", "number", "sum", "finance", _MONEY),
    "tenancy_change_date": ("TenancyChange", "date", "max", "family", _DATE),
    "housing_benefit": ("HousingBenefit", "boolean", "any", "finance", _FLAG),
    "universal_credit": ("UniversalCredit", "boolean", "any", "finance", _FLAG),
    "children_services": ("ChildrenServices", "boolean", "any", "social_care", _FLAG),
    "domestic_abuse_reports": ("Reports", "integer", "sum", "safety", {}),
    "domestic_abuse_last_report": ("LastReport", "date", "max", "safety", _DATE),
    "tenure": ("Tenure", "category", "first", "housing", {"codes": base.TENURES}),
    "household_type": ("Type", "category", "first", "family", {"codes": base.TYPES}),
    "people": ("Person", "integer", "count_distinct", "demography", {}),
    "oldest_age": ("DateOfBirth", "integer", "max", "demography", _AGE | _DATE),
    "youngest_age": ("DateOfBirth", "integer", "min", "demography", _AGE | _DATE),
    "shielded": ("Shielded", "boolean", "any", "health", _HEALTH | _FLAG),
    "care_package": ("Care", "category", "max", "social_care", _HEALTH | {"codes": base.CARE}),
}


def write_extracts(folder: Path, households: int) -> None:
    """Writes six CSV files, dates as DD/MM/YYYY, true and false as Y and N."""
    import polars as pl
    import polars.selectors as cs

    folder.mkdir(parents=True, exist_ok=True)
    accounts, people = base.made_up(households)
    written = {
        name: accounts.select("UPRN", *columns).sample(fraction=1, shuffle=True, seed=at)
        for at, (name, columns) in enumerate(EXTRACTS.items())
    }
    for name, table in {**written, "people": people}.items():
        texts = cs.boolean().replace_strict([True, False], ["Y", "N"], return_dtype=pl.String)
        table = base.with_repeats(table)
        table.with_columns(texts).write_csv(folder / f"{name}.csv", date_format="%d/%m/%Y")


def write_home(home: Path, threads: int) -> None:
    """Writes a node home whose sources are the six extracts."""
    mappings = home / "mappings"
    mappings.mkdir(parents=True)
    for name, columns in {
        **EXTRACTS,
        "people": ("Person", "DateOfBirth", "Shielded", "Care"),
    }.items():
        level = "person" if name == "people" else "household"
        (mappings / f"{name}.toml").write_text(
            f'schema = 1\nname = "{name}"\nlevel = "{level}"\nfiles = ["{name}.csv"]\n'
            'uprn = "UPRN"\n'
            + "".join(
                base._field(field, column, kind, combine, category, **more)
                for field, (column, kind, combine, category, more) in FIELDS.items()
                if column in columns
            )
        )
    sources = "".join(
        f'[[sources]]\nname = "{name}"\nkind = "extracts"\n[sources.options]\n'
        f'mapping = "mappings/{name}.toml"\nfolder = "../extracts"\n'
        for name in (*EXTRACTS, "people")
    )
    (home / "node.toml").write_text(
        'schema = 1\ncouncil = "E08000009"\nname = "Benchmark"\n'
        f'[scoring]\nframe = "council_tax"\nthreads = {threads}\n{sources}'
    )
    base.write_policy(home)


def run_node(folder: Path) -> base.Taken:
    """Scores and explains one household through the node."""
    import duckdb
    import duckdb_extension_httpfs

    from folkmoot_node.pipeline.local import score
    from folkmoot_node.policies.risk_policy import load_policy
    from folkmoot_node.scoring.explain import explain
    from folkmoot_node.settings.node_toml import load_config

    del duckdb, duckdb_extension_httpfs
    installed = base.plugins()
    with base.stopwatch() as taken:
        config = load_config(folder / "home")
        policy = load_policy(config.risk_policy)
        score(config, installed, policy, today=base.REFERENCE)
        explain(config, installed, policy, 100_000_000_000, today=base.REFERENCE)
    return taken[0]


def run_script(folder: Path) -> base.Taken:
    """Scores with the hand-written script."""
    import scoring_floor

    with base.stopwatch() as taken:
        scoring_floor.run_csv(
            folder / "extracts",
            folder / "floor.parquet",
            base.REFERENCE,
            base.WEIGHTS,
            base.BANDS,
            list(EXTRACTS),
        )
    return taken[0]


RUNS: dict[str, Callable[[Path], base.Taken]] = {"node": run_node, "script": run_script}


def measure(folder: Path, households: int, repeats: int, threads: int) -> dict[str, Any]:
    """Times, ratio and memory for one number of households."""
    if not (folder / "home").exists():
        write_extracts(folder / "extracts", households)
        write_home(folder / "home", threads)
    runs: dict[str, list[tuple[base.Taken, float]]] = {name: [] for name in RUNS}
    for _ in range(repeats):
        for name, run in RUNS.items():
            runs[name].append(base.measured(run, folder))
    return {
        "households": households,
        "people": int(households * base.PEOPLE_PER_HOUSEHOLD),
        "threads": threads,
        **base.summarised(runs),
        "ratio_target": TARGET_RATIO,
        "peak_mib_target": TARGET_MEMORY,
        "largest_difference_points": base.compare(folder),
    }


def main(
    sizes: Sequence[int] = GROWTH, repeats: int = 3, threads: int = 2, folder: Path | None = None
) -> Iterator[dict[str, Any]]:
    """Measures each size, the smallest first."""
    for households in sizes:
        with TemporaryDirectory() as temporary:
            place = (folder or Path(temporary)) / str(households)
            yield measure(place, households, repeats, threads)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, nargs="+", default=list(GROWTH))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="keep the extracts here")
    options = parser.parse_args()
    for measured in main(options.households, options.repeats, options.threads, options.folder):
        print(json.dumps(measured))
