"""Publishing a round of 400 councils, beside a script by hand, in one run.

Each is a process of its own, from its start to its end; processor time and peak memory are
what the kernel says of it. The script is `publication_floor.py`. It makes nothing presentable,
which takes a fit of whole numbers for each council; so the command is measured as it is, and
once more without it, which makes the same columns as the script.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert, update

from coordinator import Region, councils, many_areas, round_of
from folkmoot.geography import GssCode
from folkmoot.rounds import RoundState
from folkmoot.strategy import Plan
from folkmoot_coordinator.database.models import AnswerRow, CellsRow, RoundRow
from folkmoot_coordinator.rounds.round_store import StoredRound, open_round

COUNCILS = 400
HOUSEHOLDS = 50_000
"""Of each council."""
LIMIT_RATIO = 3
FORMATS = ("parquet", "csv")
_HERE = Path(__file__).parent
_COMMAND = "from folkmoot_coordinator.cli import main; main()"
_NOTHING_PRESENTABLE = (
    "from folkmoot_coordinator.aggregation.consistent_tables import round_tables\n"
    "round_tables.Presentation.tables = lambda *_: {}\n"
)


def release(plan: Plan, rng: np.random.Generator) -> NDArray[np.int64]:
    """What a council of `HOUSEHOLDS` releases: contrasts of its table, with noise."""
    sizes = tuple(axis.size(1) for axis in plan.axes)
    shares = [rng.dirichlet(np.full(size, 5 if size > 20 else 0.7)) for size in sizes]
    table = rng.multinomial(HOUSEHOLDS, np.einsum("i,j,k->ijk", *shares).ravel()).reshape(sizes)
    found = []
    for measured in plan.measurements:
        values, squared = table, measured.tau_squared
        for at, (size, depth) in enumerate(zip(sizes, measured.depths, strict=True)):
            sums = values.sum(axis=at, keepdims=True)
            values = size * values - sums if depth else sums
            squared *= size * (size - 1) if depth else 1
        noise = np.rint(rng.normal(scale=squared**0.5, size=values.shape))
        found.append((values + noise.astype(np.int64)).ravel())
    return np.concatenate(found)


def answer_all(region: Region, stored: StoredRound) -> None:
    """Stores a release of each council, and closes the round."""
    rng = np.random.default_rng(1)
    round_id, now = stored.round_.round_id, int(time.time())
    with region.database.writing() as session:
        for council in stored.round_.councils:
            session.execute(
                insert(AnswerRow).values(
                    round_id=round_id, council=council, digest=bytes(32), ledger_entry=bytes(32),
                    received_at=now, receipt=b"", signature=b"",
                )
            )  # fmt: skip
            counts = release(stored.round_.plan(council), rng).astype("<i8").tobytes()
            session.execute(
                insert(CellsRow).values(round_id=round_id, council=council, counts=counts)
            )
        session.execute(update(RoundRow).values(state=RoundState.COMPLETE.value, closed_at=now))


def prepare(region: Region, stored: StoredRound) -> dict[str, Any]:
    """What the script by hand may know: the question, and the scale of the noise."""
    round_ = stored.round_
    workload, plan = round_.workload, round_.plan(round_.councils[0])
    areas = [
        code for council in round_.councils for code in workload.attribute("lsoa").codes_of(council)
    ]
    return {
        "database": str(region.home.database_file),
        "round_id": round_.round_id,
        "region": "Benchmark",
        "councils": [str(council) for council in round_.councils],
        "sizes": [axis.size(1) for axis in plan.axes],
        "measured": [measured.depths for measured in plan.measurements],
        "tau_squared": {part.depths: part.tau_squared for part in plan.components},
        "quantile": plan.quantile,
        "marginals": {one.name: plan.depths(one.attributes) for one in workload.marginals},
        "steps": {one.name: plan.largest_step(one.attributes) for one in workload.marginals},
        "names": [one.name for one in workload.marginals],
        "codes": {
            "lsoa": [*areas, "(all)"],
            "band": list(workload.attribute("band").codes),
            "age": list(workload.attribute("age").codes),
        },
    }  # fmt: skip


def run(command: list[str]) -> dict[str, float]:
    """Processor seconds, wall-clock seconds and peak MiB of a command that succeeds."""
    begin = time.perf_counter()
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(started.pid, 0)
    started.returncode = os.waitstatus_to_exitcode(status)
    if started.returncode:
        raise RuntimeError(f"{command[0]} ended with {started.returncode}")
    return {
        "seconds": used.ru_utime + used.ru_stime,
        "wall_seconds": time.perf_counter() - begin,
        "peak_mib": used.ru_maxrss / 1024,
    }


def measure(count: int) -> dict[str, Any]:
    """Publishes a round of so many councils both ways, in each format."""
    invited = [GssCode(one) for one in councils(count)]
    found: dict[str, Any] = {"councils": count, "limit": LIMIT_RATIO, "formats": {}}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        region = Region.create(folder / "region", tuple(invited))
        workload = many_areas(tuple(invited))
        stored = open_round(
            region.database, region.signing, round_of(workload, tuple(invited), int(time.time()))
        )
        answer_all(region, stored)
        prepared = folder / "prepared.pickle"
        prepared.write_bytes(pickle.dumps(prepare(region, stored)))
        region.database.close()
        for form in FORMATS:
            out = folder / form
            out.mkdir()
            script = run(
                [sys.executable, str(_HERE / "publication_floor.py"), str(prepared), str(out), form]
            )
            export = ["export", "latest", "--home", str(region.home.path), "--format", form]
            plain = run(
                [sys.executable, "-c", _NOTHING_PRESENTABLE + _COMMAND, *export,
                 "--out", str(folder / f"{form}-plain")]
            )  # fmt: skip
            ours = run([sys.executable, "-c", _COMMAND, *export, "--out", str(out)])
            [floor_file] = out.glob(f"floor.{form}")
            [file] = out.glob(f"round-*.{form}")
            found["formats"][form] = {
                "ours": ours,
                "script": script,
                "nothing_presentable": plain,
                "ratio": ours["seconds"] / script["seconds"],
                "ratio_same_columns": plain["seconds"] / script["seconds"],
                "bytes": file.stat().st_size,
                "bytes_script": floor_file.stat().st_size,
            }
    return found


def main() -> dict[str, Any]:
    """Measures 400 councils."""
    return measure(COUNCILS)


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if sys.argv[1:] else COUNCILS), indent=2))
