"""Linking people, against bare Splink with the same model on the same people in the same run.

Bare Splink scores pairs; the node's function also brings identifiers into one spelling, tells
known people apart, applies the rules, and keeps memory bounded.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import duckdb
from splink import DuckDBAPI, Linker

from folkmoot_node.linkage.name_cleaning import comparable
from folkmoot_node.linkage.person_model import person_model
from folkmoot_node.settings.people import PersonRules
from tests.linked import link_people
from tests.rehearsed_people import TODAY, RehearsedPeople, rehearse

LIMIT = 2.5
"""Times bare Splink's processor time, of all threads: other work on the machine weighs less on
it than on the clock."""


def bare(people: RehearsedPeople, rules: PersonRules) -> int:
    """Splink's `predict` between the two files, and no more."""
    model = person_model(nhs_numbers=rules.nhs_numbers)
    frames = [
        comparable(found).with_row_index("unique_id").to_arrow()
        for found in (people.known, people.records)
    ]
    settings = {
        **model.settings(people.known.height),
        "link_type": "link_only",
        "blocking_rules_to_generate_predictions": list(model.blocking),
    }
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"set threads = {rules.threads}")
        api = DuckDBAPI(connection=connection)
        linker = Linker(frames, settings, db_api=api, set_up_basic_logging=False)
        found = linker.inference.predict(threshold_match_probability=rules.review)
        return len(found.as_duckdbpyrelation())


def main(households: int = 100_000) -> dict[str, Any]:
    """Measures one council."""
    rules = PersonRules(reference_date=TODAY)
    people = rehearse(households, 1)
    started, computed = time.perf_counter(), time.process_time()
    pairs = bare(people, rules)
    bare_seconds, bare_processor = time.perf_counter() - started, time.process_time() - computed
    started, computed = time.perf_counter(), time.process_time()
    links = link_people(people.records, people.known, rules)
    seconds, processor = time.perf_counter() - started, time.process_time() - computed
    right = links.households.join(people.truth, on=["record", "uprn"], how="semi").height
    return {
        "known": people.known.height,
        "records": people.records.height,
        "pairs_bare": pairs,
        "bare_seconds": bare_seconds,
        "bare_processor_seconds": bare_processor,
        "seconds": seconds,
        "processor_seconds": processor,
        "records_a_second": people.records.height / seconds,
        "records_a_second_bare": people.records.height / bare_seconds,
        "ratio": processor / bare_processor,
        "limit": LIMIT,
        "precision": right / links.households.height,
        "recall": right / people.truth.height,
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "outcomes": dict(links.outcomes["outcome"].value_counts().iter_rows()),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=100_000)
    print(json.dumps(main(parser.parse_args().households), indent=2))
