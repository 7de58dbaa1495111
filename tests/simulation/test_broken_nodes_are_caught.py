"""The simulation sees each invariant fail in a node that is broken on purpose.

Each invariant is watched by itself, so that none hides behind another.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from breakages import BREAKAGES, Breakage
from invariants import Broken, Invariant, Watch
from scenery import Scenery
from sequences import Run

STEPS = 2_000
"""More than enough: most are caught within the first 300."""
SEED = 1


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "breakage, invariant",
    [
        pytest.param(breakage, invariant, id=f"{breakage.__name__}-{invariant.name}")
        for breakage, invariant in BREAKAGES
    ],
)
def test_broken_nodes_are_caught(
    scenery: Scenery,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    breakage: Breakage,
    invariant: Invariant,
) -> None:
    run = Run(scenery, tmp_path, Watch([invariant]))
    breakage(monkeypatch)
    with pytest.raises(Broken) as caught:
        run.go(STEPS, SEED, shrink=False)
    assert caught.value.invariant is invariant


def test_every_invariant_is_seen_to_fail() -> None:
    assert {invariant for _, invariant in BREAKAGES} == set(Invariant)
