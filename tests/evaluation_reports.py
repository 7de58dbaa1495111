"""Back-tests of drawn households, for tests of how they are reported."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from folkmoot_node.evaluation.back_test import BackTest, Read
from folkmoot_node.evaluation.measures.judge import judge
from folkmoot_node.evaluation.measures.summary import summarise
from folkmoot_node.evaluation.reporting.sources_read import About
from folkmoot_node.evaluation.snapshot import Leak, Snapshot
from tests.evaluation_snapshots import evaluation_of, snapshots_of

RARE = "arrears_order"
"""An outcome of which there are too few events for any figure."""
ABOUT = About("Winter support 2026", "ab" * 32, "cd" * 32)
LEAK = Leak("homeless", "input", "left_on", "it is known almost only where the event happened")


def found_of(dates: int = 3, households: int = 5000, **changes: Any) -> BackTest:
    """A back-test of two outcomes: one with all figures, and `RARE`.

    Args:
        dates: How many.
        households: On each of them.
        **changes: Of the drawn households, as `snapshot_of` has them.
    """
    drawn = [_with_rare(one) for one in snapshots_of(dates, households, **changes)]
    asked = evaluation_of(drawn, outcome={"repeated": False})
    found = summarise([judge(one, asked) for one in drawn], asked)
    return BackTest(found, tuple(Read.of(one) for one in drawn))


def _with_rare(snapshot: Snapshot) -> Snapshot:
    often = snapshot.happened["homeless"]
    first = np.full(snapshot.households, np.datetime64("NaT", "D"))
    first[:3] = np.datetime64(often.until, "D")
    rare = replace(often, name=RARE, first=first)
    return replace(snapshot, happened={**snapshot.happened, RARE: rare}, leaks=(LEAK,), withheld=12)
