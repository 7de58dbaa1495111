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
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import duckdb
import polars as pl
from uk_address_matcher import AddressMatcher

from folkmoot_node.address_linkage import link_addresses
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


def main(records: int = 100_000, homes: int = 100_000) -> dict[str, Any]:
    """Measures one council."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    people = rehearse(homes, records, seed=1)
    started = time.perf_counter()
    plain = accuracy(bare(people), people.truth)
    floor = time.perf_counter() - started
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    started = time.perf_counter()
    links = link_addresses(people.records, people.homes, threads=THREADS)
    taken = time.perf_counter() - started
    found = accuracy(links.records.select("record", "uprn"), people.truth)
    return {
        "homes": homes,
        "records": records,
        "bare_seconds": floor,
        "seconds": taken,
        "records_a_second": records / taken,
        "records_a_second_bare": records / floor,
        "ratio": taken / floor,
        "limit": LIMIT,
        "recall": found.recall,
        "recall_interval": found.recall_interval,
        "precision": found.precision,
        "precision_interval": found.precision_interval,
        "recall_bare": plain.recall,
        "precision_bare": plain.precision,
        "outcomes": dict(links.records["outcome"].value_counts().iter_rows()),
        "peak_gib_bare": before,
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--homes", type=int, default=100_000)
    given = parser.parse_args()
    print(json.dumps(main(given.records, given.homes), indent=2))
