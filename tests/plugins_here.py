"""Plugins that come with the node, in this process: for tests that are about something else.

A confined process starts in a fifth of a second, twice for each run and each look. Thousands of
tests that score in order to have scores would wait half an hour for nothing. The node then does
what it does where the kernel cannot confine. `tests/unit/node/plugins` and most of `tests/wire`,
`tests/attack` and `tests/simulation` confine.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from folkmoot_node.plugins import opening
from folkmoot_operator.problems import ExitCode, Problem

ROOT = Path(__file__).resolve().parents[1]
PLACES = tuple(
    ROOT / place
    for place in (
        "tests/unit/node/casework",
        "tests/attack/test_counts_by_difference.py",
        "tests/unit/node/evaluation",
        "tests/unit/node/scrutiny",
        "tests/browser",
        "tests/wire/test_likeliest_mistakes.py",
        "tests/wire/test_tables_at_widths.py",
        "tests/wire/node/test_amended_policies.py",
        "tests/wire/node/test_authority_change.py",
        "tests/wire/node/test_corrections_command.py",
        "tests/wire/node/test_fit.py",
        "tests/wire/node/test_it_ends.py",
        "tests/wire/node/test_outcome_rounds.py",
        "tests/wire/node/test_outcomes.py",
        "tests/wire/node/test_pauses.py",
        "tests/wire/node/test_renewal.py",
        "tests/wire/node/test_restored.py",
        "tests/wire/node/test_series.py",
        "tests/wire/node/test_stopped_runs.py",
        "tests/wire/node/test_weekly_notifications.py",
        "tests/wire/node/test_withheld.py",
        "tests/simulation/test_broken_nodes_are_caught.py",
        "tests/simulation/test_random_sequences.py",
    )
)
"""Tests in these do not start processes for the plugins that come with the node."""
_KERNEL = Problem(
    "plugins are not confined in this test",
    where="tests",
    remedy="Nothing needs doing",
    exit_code=ExitCode.SETTINGS,
)


@contextmanager
def plugins_here() -> Iterator[None]:
    """Loads plugins as where the kernel cannot confine."""
    placed = opening.places

    @wraps(placed)
    def places(config: Any, today: Any, _: Problem | None) -> Any:
        return placed(config, today, _KERNEL)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "places", places)
        yield
