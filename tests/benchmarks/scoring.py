"""Scoring a million households through the plugin API, against a script that does only that.

Run as a script: it makes the extracts, runs the node's `score` and a hand-written Polars
script alternately, each in a fresh process, and prints the ratio of their times. Times
exclude imports and the loading of plugins, on both sides, and include everything from
opening the extracts to the result on disk. The peak memory of each process includes all.
"""

from __future__ import annotations

import argparse
import datetime
import json
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import polars as pl

    from folkmoot_node.settings.node_toml import NodeConfig

REFERENCE = datetime.date(2026, 12, 1)
HOUSEHOLDS = 1_000_000
PEOPLE_PER_HOUSEHOLD = 2.4
TARGET_RATIO = 1.6
TARGET_MEMORY = 1536
"""MiB."""

CARE = ("none", "low", "medium", "high")
TENURES = ("owned_outright", "owned_mortgage", "social_rented", "private_rented")
TYPES = (
    "one_person_66_over", "one_person_other", "couple_no_children", "couple_children",
    "lone_parent", "other",
)  # fmt: skip
WEIGHTS = {
    "financial_hardship": 25.0,
    "isolation": 15.0,
    "clinical_vulnerability": 10.0,
    "social_care_need": 10.0,
    "domestic_abuse": 10.0,
    "relationship_breakdown": 8.0,
    "social_renting": 4.0,
    "lone_parent": 4.0,
    "young_child": 4.0,
    "large_household": 4.0,
    "rent_in_arrears": 3.0,
    "very_old": 3.0,
}
BANDS = {"none": 0.0, "low": 10.0, "medium": 20.0, "high": 40.0}


def write_extracts(folder: Path, households: int) -> None:
    """Writes two Parquet files: one row per council tax account, one per person.

    Some rows stand there twice, as they do in real extracts; both sides count them once.
    """
    folder.mkdir(parents=True, exist_ok=True)
    accounts, people = made_up(households)
    with_repeats(accounts).write_parquet(folder / "accounts.parquet")
    with_repeats(people).write_parquet(folder / "people.parquet")


def with_repeats(table: pl.DataFrame) -> pl.DataFrame:
    """A table with each thousandth row once more, at its end."""
    return table.vstack(table.gather_every(1000))


def made_up(households: int, seed: int = 1) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Council tax accounts, and people."""
    import numpy as np
    import polars as pl

    rng = np.random.default_rng(seed)
    uprn = rng.permutation(households).astype(np.int64) + 100_000_000_000

    def sometimes(share: float, values: Any) -> Any:
        series = pl.Series(values)
        return series.zip_with(
            pl.Series(rng.random(len(series)) < share),
            pl.Series([None], dtype=series.dtype).new_from_index(0, len(series)),
        )

    def dates(count: int, earliest: int, latest: int) -> Any:
        days = rng.integers(earliest, latest, count).astype("datetime64[D]")
        return pl.Series(days).cast(pl.Date)

    def money(count: int, share: float) -> Any:
        amount = np.round(rng.gamma(1.5, 400, count), 2)
        return np.where(rng.random(count) < share, amount, 0.0)

    today = (REFERENCE - datetime.date(1970, 1, 1)).days
    discount = rng.random(households) < 0.3
    reports = (rng.random(households) < 0.02) * rng.integers(1, 6, households)
    started = dates(households, today - 2000, today)
    reported = dates(households, today - 2000, today)
    nothing = pl.Series([None], dtype=pl.Date).new_from_index(0, households)
    accounts = pl.DataFrame({
        "UPRN": uprn,
        "Arrears": money(households, 0.12),
        "RentArrears": money(households, 0.08),
        "Support": rng.random(households) < 0.15,
        "HousingBenefit": rng.random(households) < 0.1,
        "UniversalCredit": rng.random(households) < 0.15,
        "Discount": discount,
        "DiscountFrom": started.zip_with(pl.Series(discount), nothing),
        "TenancyChange": sometimes(0.01, dates(households, today - 2000, today)),
        "ChildrenServices": rng.random(households) < 0.03,
        "Reports": reports,
        "LastReport": reported.zip_with(pl.Series(reports > 0), nothing),
        "Tenure": np.array(TENURES)[rng.integers(0, 4, households)],
        "Type": np.array(TYPES)[rng.integers(0, 6, households)],
    })  # fmt: skip
    count = int(households * PEOPLE_PER_HOUSEHOLD)
    home = np.concatenate([np.arange(households), rng.integers(0, households, count - households)])
    people = pl.DataFrame({
        "UPRN": uprn[home],
        "Person": np.char.add("P", np.char.zfill(rng.permutation(count).astype(str), 8)),
        "DateOfBirth": sometimes(0.98, dates(count, today - 36_000, today)),
        "Shielded": sometimes(0.99, rng.random(count) < 0.02),
        "Care": sometimes(
            0.99, np.array(CARE)[np.searchsorted([0.95, 0.98, 0.99], rng.random(count))]
        ),
    })  # fmt: skip
    return accounts, people.sort("Person")


ACCOUNTS = """
schema = 1
name = "accounts"
level = "household"
files = ["accounts.parquet"]
uprn = "UPRN"
"""
PEOPLE = """
schema = 1
name = "people"
level = "person"
files = ["people.parquet"]
uprn = "UPRN"
"""


def _field(name: str, column: str, kind: str, combine: str, category: str, **more: Any) -> str:
    lines = [f"[fields.{name}]", f'column = "{column}"', f'type = "{kind}"']
    lines += [f'combine = "{combine}"', f'category = "{category}"']
    lines += [f"{key} = {json.dumps(value)}" for key, value in more.items()]
    return "\n".join(lines) + "\n"


def write_home(home: Path, threads: int) -> None:
    """Writes a node home whose sources are the two extracts."""
    (home / "mappings").mkdir(parents=True)
    money = {"unit": "GBP", "minimum": 0}
    age = {"transform": "age", "unit": "years", "minimum": 0, "maximum": 120, "protected": "age"}
    health = {"protected": "disability"}
    (home / "mappings" / "accounts.toml").write_text(
        ACCOUNTS
        + _field("council_tax_arrears", "Arrears", "number", "sum", "finance", **money)
        + _field("rent_arrears", "RentArrears", "number", "sum", "finance", **money)
        + _field("council_tax_support", "Support", "boolean", "any", "finance")
        + _field("housing_benefit", "HousingBenefit", "boolean", "any", "finance")
        + _field("universal_credit", "UniversalCredit", "boolean", "any", "finance")
        + _field("single_person_discount", "Discount", "boolean", "any", "finance")
        + _field("single_person_discount_from", "DiscountFrom", "date", "max", "finance")
        + _field("tenancy_change_date", "TenancyChange", "date", "max", "family")
        + _field("children_services", "ChildrenServices", "boolean", "any", "social_care")
        + _field("domestic_abuse_reports", "Reports", "integer", "sum", "safety")
        + _field("domestic_abuse_last_report", "LastReport", "date", "max", "safety")
        + _field("tenure", "Tenure", "category", "first", "housing", codes=TENURES)
        + _field("household_type", "Type", "category", "first", "family", codes=TYPES)
    )
    (home / "mappings" / "people.toml").write_text(
        PEOPLE
        + _field("people", "Person", "integer", "count_distinct", "demography")
        + _field("oldest_age", "DateOfBirth", "integer", "max", "demography", **age)
        + _field("youngest_age", "DateOfBirth", "integer", "min", "demography", **age)
        + _field("shielded", "Shielded", "boolean", "any", "health", **health)
        + _field("care_package", "Care", "category", "max", "social_care", codes=CARE, **health)
    )
    sources = "".join(
        f'[[sources]]\nname = "{name}"\nkind = "extracts"\n[sources.options]\n'
        f'mapping = "mappings/{name}.toml"\nfolder = "../extracts"\n'
        for name in ("accounts", "people")
    )
    (home / "node.toml").write_text(
        'schema = 1\ncouncil = "E08000009"\nname = "Benchmark"\n'
        f'[scoring]\nframe = "accounts"\nthreads = {threads}\n{sources}'
    )
    write_policy(home)


def write_policy(home: Path) -> None:
    """Writes the policy of twelve factors, and a key."""
    from folkmoot_node.store.encrypted_file import create_key

    factors = "".join(
        f'[[factors]]\nfactor = "{name}"\nweight = {weight}\n' for name, weight in WEIGHTS.items()
    )
    bands = "".join(
        f'[[bands]]\nname = "{name}"\nfrom = {low}\naction = "none"\n'
        for name, low in BANDS.items()
    )
    protected = "".join(
        f'[[protected]]\ncharacteristic = "{name}"\nreason = "Need"\n'
        for name in ("age", "disability")
    )
    (home / "risk-policy.toml").write_text(
        'schema = 1\nname = "Benchmark"\npurpose = "benchmark"\nlegal_basis = "none"\n'
        f'owner = "nobody"\nsunset = 2099-01-01\n{factors}{bands}{protected}'
        '[attributes.tenure]\nfield = "tenure"\n'
        '[attributes.age_group]\nfield = "oldest_age"\nbreaks = [16, 25, 35, 45, 55, 65, 75]\n'
    )
    create_key(home / "keys" / "store.key")


def plugins() -> Any:
    """The installed plugins and six threshold factors, made through the same API."""
    from dataclasses import replace

    import numpy as np

    from folkmoot_sdk import FieldType, Input, RiskFactor
    from folkmoot_sdk.loading import Origin, load

    def threshold(
        factor: str, field: Input, meets: Callable[[Any], Any], unknown: Callable[[Any], Any]
    ) -> type[RiskFactor]:
        class Threshold(RiskFactor):
            name = factor
            title = factor
            description = f"1 if {field.name} meets the threshold, else 0."
            domain = "benchmark"
            inputs = (field,)

            def score(self, inputs: Any, context: Any) -> Any:
                values = inputs[field.name]
                result = meets(values).astype(np.float64)
                result[unknown(values)] = np.nan
                return result

            def explain(self, values: Mapping[str, Any], score: float, context: Any) -> str:
                return f"{field.name}: {values[field.name]}"

        return Threshold

    def category(name: str, codes: tuple[str, ...]) -> Input:
        return Input(name, FieldType.CATEGORY, codes=codes)

    def negative(values: Any) -> Any:
        return values < 0

    years = {"type": FieldType.INTEGER, "unit": "years"}
    made = [
        threshold("social_renting", category("tenure", TENURES), lambda v: v == 2, negative),
        threshold("lone_parent", category("household_type", TYPES), lambda v: v == 4, negative),
        threshold("young_child", Input("youngest_age", **years), lambda v: v < 5, np.isnan),
        threshold(
            "large_household", Input("people", FieldType.INTEGER), lambda v: v >= 6, np.isnan
        ),
        threshold(
            "rent_in_arrears",
            Input("rent_arrears", FieldType.NUMBER, "GBP"),
            lambda v: v > 500,
            np.isnan,
        ),
        threshold("very_old", Input("oldest_age", **years), lambda v: v >= 85, np.isnan),
    ]
    installed = load()
    origin = Origin("benchmark", "0", "benchmark")
    return replace(
        installed,
        factors={**installed.factors, **{factor.name: factor for factor in made}},
        factor_origins={**installed.factor_origins, **{f.name: origin for f in made}},
    )


def scored(folder: Path, households: int, threads: int) -> NodeConfig:
    """Makes extracts and a node's home, and scores its households in this process."""
    from folkmoot_node.pipeline.local import score
    from folkmoot_node.pipeline.own_run import Judged
    from folkmoot_node.policies.risk_policy import load_policy
    from folkmoot_node.settings.node_toml import load_config

    write_extracts(folder / "extracts", households)
    write_home(folder / "home", threads)
    (folder / "home").chmod(0o700)
    config = load_config(folder / "home")
    policy = load_policy(config.risk_policy)
    score(config, plugins(), policy, today=REFERENCE, judged=Judged(stops=False))
    return config


class Taken(NamedTuple):
    """What a run has taken, imports aside.

    Attributes:
        seconds: By the clock.
        processor: Seconds of all threads together, which hardly depend on what else runs.
    """

    seconds: float
    processor: float


@contextmanager
def stopwatch() -> Iterator[list[Taken]]:
    """Appends what the block takes."""
    taken: list[Taken] = []
    clock, processor = time.perf_counter(), time.process_time()
    yield taken
    taken.append(Taken(time.perf_counter() - clock, time.process_time() - processor))


def run_node(folder: Path) -> Taken:
    """Scores through the node."""
    import duckdb
    import duckdb_extension_httpfs

    from folkmoot_node.pipeline.local import score
    from folkmoot_node.policies.risk_policy import load_policy
    from folkmoot_node.settings.node_toml import load_config

    del duckdb, duckdb_extension_httpfs
    installed = plugins()
    with stopwatch() as taken:
        config = load_config(folder / "home")
        score(config, installed, load_policy(config.risk_policy), today=REFERENCE)
    return taken[0]


def run_script(folder: Path) -> Taken:
    """Scores with the hand-written script."""
    import scoring_floor

    with stopwatch() as taken:
        scoring_floor.run(folder / "extracts", folder / "floor.parquet", REFERENCE, WEIGHTS, BANDS)
    return taken[0]


RUNS: dict[str, Callable[[Path], Taken]] = {"node": run_node, "script": run_script}


def measured(run: Callable[[Path], Taken], folder: Path) -> tuple[Taken, float]:
    """What one run in a fresh process takes, and its peak MiB."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_report, args=(run, folder, there))
    process.start()
    there.close()
    try:
        taken, memory = here.recv()
    finally:
        process.join()
    return taken, memory


def _report(run: Callable[[Path], Taken], folder: Path, out: Connection) -> None:
    taken = run(folder)
    out.send((taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def summarised(runs: Mapping[str, Sequence[tuple[Taken, float]]]) -> dict[str, Any]:
    """Medians and ratios of runs of the node and of the script, made in turn."""
    pairs = [(n, s) for (n, _), (s, _) in zip(runs["node"], runs["script"], strict=True)]
    ratios = [node.seconds / script.seconds for node, script in pairs]
    return {
        "seconds": {n: statistics.median(t.seconds for t, _ in done) for n, done in runs.items()},
        "processor_seconds": {
            n: statistics.median(t.processor for t, _ in done) for n, done in runs.items()
        },
        "ratio": statistics.median(ratios),
        "ratios": ratios,
        "processor_ratio": statistics.median(n.processor / s.processor for n, s in pairs),
        "peak_mib": {name: max(memory for _, memory in done) for name, done in runs.items()},
    }


def compare(folder: Path) -> float:
    """Largest difference between the two results, in points; raises if they disagree."""
    import polars as pl

    from folkmoot_node.settings.node_toml import load_config
    from folkmoot_node.store.encrypted_file import read_key
    from folkmoot_node.store.reader import open_store

    config = load_config(folder / "home")
    with open_store(config.store_path, read_key(config.key_file)) as store:
        points = {name: pl.col(f"points_{name}").replace(-1, None) / 1000 for name in WEIGHTS}
        details = pl.concat([part.select("uprn", **points) for part in store.details()])
        ours = store.households(list(BANDS)).join(details, on="uprn").sort("uprn")
    theirs = pl.read_parquet(folder / "floor.parquet").sort("UPRN")
    worst = 0.0
    for name in [*WEIGHTS, "score"]:
        if not (ours[name].is_null() == theirs[name].is_null()).all():
            raise AssertionError(f"{name}: unknown for different households")
        worst = max(worst, float((ours[name] - theirs[name]).abs().max() or 0))
    names = theirs["band"].replace_strict(range(len(BANDS)), list(BANDS), return_dtype=pl.String)
    different = int((ours["band"] != names).sum())
    if worst > 0.01 or different > ours.height // 100_000:
        raise AssertionError(f"the two differ by {worst} points, {different} bands")
    return worst


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=HOUSEHOLDS)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="keep the extracts here")
    parser.add_argument("--out", type=Path, default=Path("bench-results"))
    options = parser.parse_args()
    with TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        if not (folder / "home").exists():
            write_extracts(folder / "extracts", options.households)
            write_home(folder / "home", options.threads)
        runs: dict[str, list[tuple[Taken, float]]] = {name: [] for name in RUNS}
        for _ in range(options.repeats):
            for name in RUNS:
                runs[name].append(measured(RUNS[name], folder))
        worst = compare(folder)
    result: dict[str, Any] = {
        "households": options.households,
        "people": int(options.households * PEOPLE_PER_HOUSEHOLD),
        "factors": len(WEIGHTS),
        "threads": options.threads,
        **summarised(runs),
        "ratio_target": TARGET_RATIO,
        "peak_mib_target": TARGET_MEMORY,
        "largest_difference_points": worst,
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "scoring.json").write_text(json.dumps(result, indent=2) + "\n")
    seconds = result["seconds"]
    print(
        f"scoring {result['households']:,} households: node {seconds['node']:.2f} s, script "
        f"{seconds['script']:.2f} s, ratio {result['ratio']:.2f} (at most {TARGET_RATIO}), of "
        f"processor time {result['processor_ratio']:.2f}; peak "
        f"{result['peak_mib']['node']:.0f} MiB (at most {TARGET_MEMORY})"
    )


if __name__ == "__main__":
    main()
