"""A back-test of a million households on twelve dates, against twelve scoring runs; and a fit.

Run as a script: the node's own snapshots and figures against as many runs of `score` of the same
node, alternately and each in a fresh process; then a fit to a million rows, beside scikit-learn's
logistic regression with an L1 penalty on the same rows. Times exclude imports and the loading of
plugins. Nothing here passes or fails by the clock: ratios of one run.
"""

from __future__ import annotations

import argparse
import datetime
import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import scoring as base

from tests.council_files import events_mapping

if TYPE_CHECKING:
    from folkmoot_node.evaluation.snapshot import Snapshot

HOUSEHOLDS = 1_000_000
DATES = 12
HORIZON = 6
YEARLY = 0.03
"""Events of a household in a year."""
TARGET_RATIO = 1.2
"""Of the time of as many scoring runs as there are dates."""
TARGET_FIT_SECONDS = 120
"""For a million rows, on two processors; compare it with the bare library's time."""
FIRST = datetime.date(2025, 1, 1)
NO_DATES = "people"
"""Source that a back-test accepts as it is today."""


def write_folder(folder: Path, households: int, threads: int, later: int = 0) -> None:
    """Writes the extracts of the scoring benchmark, dated, and events from a year before on.

    Args:
        folder: Where to.
        households: How many.
        threads: Threads of the node.
        later: Further rows of each account, dated from the first date on: years of rows.
    """
    import numpy as np
    import polars as pl

    accounts, people = base.made_up(households)
    extracts = folder / "extracts"
    extracts.mkdir(parents=True)
    rng = np.random.default_rng(3)
    # All records are older than the first date, so that each date scores every household.
    since = np.datetime64(FIRST, "D") - rng.integers(1, 2000, households)
    dated = [accounts.with_columns(Since=pl.Series(since, dtype=pl.Date))]
    after = (base.REFERENCE - FIRST).days
    for _ in range(later):
        since = np.datetime64(FIRST, "D") + rng.integers(1, after, households)
        dated.append(accounts.with_columns(Since=pl.Series(since, dtype=pl.Date)))
    pl.concat(dated).write_parquet(extracts / "accounts.parquet")
    people.write_parquet(extracts / "people.parquet")
    began = np.datetime64(FIRST, "D") - 365
    days = int((np.datetime64(base.REFERENCE, "D") - began).astype(np.int64))
    count = int(households * YEARLY * days / 365)
    day = began + rng.integers(0, days, count)
    uprn = accounts["UPRN"].to_numpy()[rng.integers(0, households, count)]
    events = pl.DataFrame({"UPRN": uprn, "Applied": pl.Series(day, dtype=pl.Date)})
    events.write_parquet(extracts / "events.parquet")

    home = folder / "home"
    base.write_home(home, threads)
    mapping = home / "mappings" / "accounts.toml"
    keyed = 'uprn = "UPRN"\nrecord_date = { column = "Since" }\n'
    mapping.write_text(mapping.read_text().replace('uprn = "UPRN"\n', keyed, 1))
    (home / "mappings" / "events.toml").write_text(
        events_mapping(
            "homelessness_application", file="events.parquet", column="Applied", recorded="Applied"
        )
    )
    with (home / "node.toml").open("a") as file:
        file.write(
            '[[sources]]\nname = "events"\nkind = "extracts"\n[sources.options]\n'
            'mapping = "mappings/events.toml"\nfolder = "../extracts"\n'
        )
    (folder / "dates.json").write_text(json.dumps([one.isoformat() for one in dates_of(DATES)]))


def dates_of(count: int) -> list[datetime.date]:
    """First days of months, from `FIRST` on."""
    return [datetime.date(2025 + at // 12, 1 + at % 12, 1) for at in range(count)]


def evaluation_of(folder: Path) -> Any:
    """What the back-test asks."""
    from folkmoot_node.evaluation.evaluation_file import EvaluationFile

    return EvaluationFile.model_validate(
        {
            "schema": 1,
            "name": "Benchmark",
            "dates": json.loads((folder / "dates.json").read_text()),
            "capacity": [200, 2000],
            "undated": [NO_DATES],
            "outcomes": {
                "homelessness": {"events": ["homelessness_application"], "months": HORIZON}
            },
            "baselines": {"oldest_first": ["council_tax_arrears"]},
        }
    )


def run_evaluation(folder: Path) -> base.Taken:
    """Scores and judges every date."""
    import duckdb
    import sklearn.metrics

    from folkmoot_node.evaluation.back_test import back_test
    from folkmoot_node.pipeline.order import silent
    from folkmoot_node.policies.risk_policy import load_policy
    from folkmoot_node.settings.node_toml import load_config

    del duckdb, sklearn
    installed = base.plugins()
    with base.stopwatch() as taken:
        config = load_config(folder / "home")
        policy = load_policy(config.risk_policy)
        evaluation = evaluation_of(folder)
        back_test(config, installed, policy, evaluation, today=base.REFERENCE, progress=silent)
    return taken[0]


def run_scoring(folder: Path) -> base.Taken:
    """Scores as often as there are dates, as of today."""
    import duckdb

    from folkmoot_node.pipeline.local import score
    from folkmoot_node.policies.risk_policy import load_policy
    from folkmoot_node.settings.node_toml import load_config

    del duckdb
    installed = base.plugins()
    with base.stopwatch() as taken:
        config = load_config(folder / "home")
        policy = load_policy(config.risk_policy)
        for _ in json.loads((folder / "dates.json").read_text()):
            score(config, installed, policy, today=base.REFERENCE)
    return taken[0]


RUNS: dict[str, Callable[[Path], base.Taken]] = {
    "evaluation": run_evaluation,
    "scoring": run_scoring,
}


def run_fit(folder: Path) -> base.Taken:
    """Fits a policy to the rows, with intervals and validation forward in time."""
    from folkmoot_node.evaluation.fitting.proposal import propose
    from folkmoot_node.pipeline.order import silent
    from tests.fitted_policies import known_dates, policy_of, question_of

    drawn = _drawn(folder)
    known, policy = known_dates(drawn), policy_of(drawn[0])
    question = question_of(drawn, {"resamples": 200})
    del drawn
    with base.stopwatch() as taken:
        propose(known, policy, question, protected=(), undated=(), progress=silent)
    return taken[0]


def run_bare(folder: Path) -> base.Taken:
    """One logistic regression of scikit-learn on the same rows; no intervals, no validation."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    from tests.fitted_policies import known_dates

    known = known_dates(_drawn(folder))
    rows = [one.levels[one.judged] / 1000 for one in known]
    scores, event = np.concatenate(rows), np.concatenate([one.event[one.judged] for one in known])
    with base.stopwatch() as taken:
        LogisticRegression(l1_ratio=1.0, C=1.0, solver="saga", max_iter=200).fit(scores, event)
    return taken[0]


def _drawn(folder: Path) -> list[Snapshot]:
    """Rows over twelve dates, drawn from a known mechanism."""
    from tests.evaluation_snapshots import snapshots_of

    rows = int((folder / "rows").read_text())
    return snapshots_of(DATES, rows // DATES, factors=len(base.WEIGHTS))


FITS: dict[str, Callable[[Path], base.Taken]] = {"fit": run_fit, "bare": run_bare}


def main(
    households: int = HOUSEHOLDS, repeats: int = 1, threads: int = 2, later: int = 0
) -> dict[str, Any]:
    """Measures the back-test and the fit."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_folder(folder, households, threads, later)
        runs: dict[str, list[tuple[base.Taken, float]]] = {name: [] for name in RUNS}
        for _ in range(repeats):
            for name, run in RUNS.items():
                runs[name].append(base.measured(run, folder))
        (folder / "rows").write_text(str(households))
        fits = {name: base.measured(run, folder) for name, run in FITS.items()}
    pairs = list(zip(runs["evaluation"], runs["scoring"], strict=True))
    return {
        "households": households,
        "dates": DATES,
        "later_rows_an_account": later,
        "factors": len(base.WEIGHTS),
        "threads": threads,
        "seconds": {
            name: statistics.median(taken.seconds for taken, _ in done)
            for name, done in runs.items()
        },
        "ratio": statistics.median(ours.seconds / bare.seconds for (ours, _), (bare, _) in pairs),
        "processor_ratio": statistics.median(
            ours.processor / bare.processor for (ours, _), (bare, _) in pairs
        ),
        "peak_mib": {name: max(memory for _, memory in done) for name, done in runs.items()},
        "ratio_target": TARGET_RATIO,
        "fit": {
            "rows": households,
            "seconds": {name: taken.seconds for name, (taken, _) in fits.items()},
            "processor_seconds": {name: taken.processor for name, (taken, _) in fits.items()},
            "peak_mib": {name: memory for name, (_, memory) in fits.items()},
            "target_seconds": TARGET_FIT_SECONDS,
        },
    }


def told(measured: dict[str, Any]) -> str:
    """The result in words."""
    seconds, fit = measured["seconds"], measured["fit"]
    return (
        f"Back-test of {measured['households']:,} households x {measured['factors']} factors x "
        f"{measured['dates']} dates: {seconds['evaluation']:.1f} s, {measured['ratio']:.2f} times "
        f"{measured['dates']} scoring runs (at most {measured['ratio_target']}), of processor time "
        f"{measured['processor_ratio']:.2f}; peak {measured['peak_mib']['evaluation']:.0f} MiB, of "
        f"scoring {measured['peak_mib']['scoring']:.0f}\n"
        f"Fit to {fit['rows']:,} rows: {fit['seconds']['fit']:.1f} s (at most "
        f"{fit['target_seconds']} s on two processors for a million), with one logistic regression "
        f"of scikit-learn at {fit['seconds']['bare']:.1f} s"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=HOUSEHOLDS)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--later", type=int, default=0, help="further rows of each account")
    options = parser.parse_args()
    result = main(options.households, options.repeats, options.threads, options.later)
    print(told(result))
    print(json.dumps(result))
