"""Linking by address, against the bare library on the same addresses in the same run.

The bare library matches raw addresses at its default thresholds, with the gazetteer prepared
in the same call. The node's function also brings flats into one spelling, matches each
address once, applies its rules, keeps memory bounded and collects candidates for review.
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import duckdb
import polars as pl
from uk_address_matcher import AddressMatcher

from tests.linked import link_addresses
from tests.rehearsed_addresses import RehearsedAddresses, accuracy, rehearse

LIMIT = 1.5
"""Times the bare library."""
THREADS = 2


def bare(people: RehearsedAddresses) -> pl.DataFrame:
    """The library's matches, and no more: `record`, `uprn`."""
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"SET threads = {THREADS}")
        connection.execute("SET enable_progress_bar = false")
        tables = []
        for name, frame in (
            ("homes", people.homes.rename({"uprn": "unique_id"})),
            ("records", people.records.rename({"record": "unique_id"})),
        ):
            connection.register(name, frame.rename({"address": "address_concat"}).to_arrow())
            tables.append(connection.table(name))
        homes, records = tables
        matcher = AddressMatcher(homes, records, con=connection, show_progress="off")
        with matcher.match() as result:
            found = result.matches().select(
                "unique_id::BIGINT AS record, resolved_canonical_id::BIGINT AS uprn"
            )
            frame = pl.from_arrow(found.to_arrow_table())
    assert isinstance(frame, pl.DataFrame)
    return frame


def measured(which: str, records: int, homes: int) -> dict[str, Any]:
    """Time, peak memory and accuracy of one of the two, in this process."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    people = rehearse(homes, records, seed=1)
    started, computed = time.perf_counter(), time.process_time()
    if which == "bare":
        found, outcomes = bare(people), {}
    else:
        links = link_addresses(people.records, people.homes, threads=THREADS)
        found = links.records.select("record", "uprn")
        outcomes = dict(links.records["outcome"].value_counts().iter_rows())
    seconds = time.perf_counter() - started
    processor = time.process_time() - computed
    right = accuracy(found, people.truth)
    return {
        "seconds": seconds,
        "processor_seconds": processor,
        "records_a_second": records / seconds,
        "recall": right.recall,
        "recall_interval": right.recall_interval,
        "precision": right.precision,
        "precision_interval": right.precision_interval,
        "outcomes": outcomes,
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def main(records: int = 100_000, homes: int = 100_000) -> dict[str, Any]:
    """Measures one council, each way in a process of its own.

    The ratio is of processor time, of all threads: other work on the machine weighs less on it.
    """
    results = {}
    for which in ("bare", "node"):
        sizes = ["--records", str(records), "--homes", str(homes)]
        child = [sys.executable, __file__, "--only", which, *sizes]
        done = subprocess.run(child, capture_output=True, text=True, check=True)
        results[which] = json.loads(done.stdout)
    ratio = results["node"]["processor_seconds"] / results["bare"]["processor_seconds"]
    return {"homes": homes, "records": records, **results, "ratio": ratio, "limit": LIMIT}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--homes", type=int, default=100_000)
    parser.add_argument("--only", choices=["bare", "node"])
    given = parser.parse_args()
    if given.only:
        print(json.dumps(measured(given.only, given.records, given.homes)))
    else:
        print(json.dumps(main(given.records, given.homes), indent=2))
