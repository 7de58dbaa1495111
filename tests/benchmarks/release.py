"""Releasing cells, from exact counts to the stored payload, against bare OpenDP sampling.

The floor is one call of OpenDP's vector measurement on the same cells at the same scale, on
one thread. Ours does that and the rest of a release: policy check, ledger debit (durable),
encoding, digest, outbox (durable). Runs are alternated, and medians are compared, so that a
busy machine slows both sides.
"""

from __future__ import annotations

import datetime
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from folkmoot import round_codec
from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.privacy import Delta, Rho
from folkmoot.rounds import Mechanism, Round, round_digest
from folkmoot.workload import Marginal, Workload
from folkmoot_node.evidence.database import StateDatabase, system_clock
from folkmoot_node.evidence.ledger import Ledger
from folkmoot_node.evidence.outbox import AnswerKind, Outbox
from folkmoot_node.policies.release_policy import ReleasePolicy
from folkmoot_node.release.admission import AdmissionContext
from folkmoot_node.release.exact_counts import ExactCounts
from folkmoot_node.release.mechanism import _gaussian, release
from folkmoot_node.release.office import Office, Question

COUNCIL = GssCode("E08000009")
LOSS = Rho.of("0.1")
POLICY = b"p" * 32


@dataclass(frozen=True, slots=True)
class Case:
    """How many cells, and how often each side runs."""

    cells: int
    repeats: int
    limit: float


CASES = (Case(1_000, 41, 1.3), Case(175_000, 5, 1.3))


def policy() -> ReleasePolicy:
    """A release policy that allows every round of the benchmark."""
    return ReleasePolicy.model_validate(
        {
            "schema": 1,
            "council": COUNCIL,
            "sunset": "2099-12-31",
            "purposes": ["bench"],
            "attributes": ["area"],
            "maximum_ways": 1,
            "maximum_cells": 1_000_000,
            "operator_approval": False,
            "maximum_delta": "1e-6",
            "loss": {
                "per_round": 0.1,
                "per_period": 1000,
                "lifetime": 1000,
                "period_start": "2020-01-01",
                "period_months": 120,
                "households_per_person": 2,
            },
        }
    )


def question(number: int, cells: int) -> tuple[Round, bytes]:
    """A round that asks for that many cells, and its digest."""
    now = system_clock()
    areas = tuple(f"A{cell:07}" for cell in range(cells))
    asked = Round(
        round_id=f"{number:032x}",
        title="",
        purpose="bench",
        councils=(COUNCIL,),
        minimum_councils=1,
        policy_digest=POLICY,
        workload=Workload((Attribute("area", areas),), (Marginal(("area",)),)),
        loss=LOSS,
        mechanism=Mechanism.DISCRETE_GAUSSIAN,
        delta=Delta.of("1e-6"),
        opened_at=now,
        deadline=now + 3600,
    )
    return asked, round_digest(round_codec.encode_round(asked))


def timed(work: Callable[[], object]) -> float:
    """Seconds that `work` takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def measure(case: Case, folder: Path) -> dict[str, Any]:
    """Medians and ratios of one case."""
    exact = np.random.default_rng(1).integers(0, 500, case.cells)
    counts = ExactCounts([(1,)], [exact])
    listed = exact.tolist()
    bare = _gaussian(LOSS, 1)
    times: dict[str, list[float]] = {"bare": [], "one thread": [], "two threads": []}
    with StateDatabase(folder / f"state-{case.cells}.sqlite", create=True) as state:
        office, allowed = Office(Ledger(state), Outbox(state), system_clock), policy()
        context = AdmissionContext(
            council=COUNCIL,
            release_policy=allowed,
            risk_policy_digest=POLICY,
            risk_policy_sunset=datetime.date.max,
            codes={"area": question(0, case.cells)[0].workload.attributes[0].codes},
            remaining=Rho.of("1000"),
            now=system_clock(),
        )
        number = 0
        for _ in range(case.repeats):
            times["bare"].append(timed(lambda: bare(listed)))
            for threads, name in ((1, "one thread"), (2, "two threads")):
                number += 1
                asked, digest = question(number, case.cells)

                def answer(
                    asked: Round = asked, digest: bytes = digest, threads: int = threads
                ) -> None:
                    put = Question(asked, digest, context, POLICY)
                    stored = release(put, office, lambda: counts, threads=threads)
                    assert stored is not None
                    assert stored.kind is AnswerKind.RELEASE

                times[name].append(timed(answer))
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {
        "cells": case.cells,
        "repeats": case.repeats,
        "seconds": medians,
        "microseconds_a_cell_bare": medians["bare"] / case.cells * 1e6,
        "ratio_one_thread": medians["one thread"] / medians["bare"],
        "ratio_two_threads": medians["two threads"] / medians["bare"],
        "limit": case.limit,
    }


def main() -> list[dict[str, Any]]:
    """Measures every case."""
    with tempfile.TemporaryDirectory() as folder:
        return [measure(case, Path(folder)) for case in CASES]


if __name__ == "__main__":
    import json

    print(json.dumps(main(), indent=2))
