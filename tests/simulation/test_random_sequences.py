"""No sequence of faults makes a node exceed its policy, answer twice, or fall silent.

The faults are listed in `faults.py` and `questions.py`, what must hold in `invariants.py`.
A failure prints the shortest sequence that was found to fail, and its seed; the same seed
and number of steps find it again.

    make simulate SIMULATION_STEPS=20000 SIMULATION_SEED=7
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from scenery import Scenery
from sequences import Run

STEPS = int(os.environ.get("SIMULATION_STEPS", "360"))
SEED = int(os.environ.get("SIMULATION_SEED", "1"))
"""The same each time, so that a change is judged by itself; `make simulate` takes new ones."""
PARTS = 2
"""So that two cores share the work."""
MIN_TO_JUDGE = 300
"""From so many steps on, a run in which little was released has shown nothing."""


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize("part", range(PARTS))
def test_random_sequences(scenery: Scenery, tmp_path: Path, part: int) -> None:
    run = Run(scenery, tmp_path)
    run.go(STEPS // PARTS, SEED * PARTS + part)
    happened = run.watch.happened
    print(f"{dict(happened)}, {run.noise.rows} rows")
    assert happened["steps"] > STEPS // PARTS // 2
    if STEPS >= MIN_TO_JUDGE:
        assert happened["releases under faults"] > happened["steps"] // 40
