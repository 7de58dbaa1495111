"""Whether there are scores that can be read, and room for the next ones."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.store.use import open_scores, require_in_use
from folkmoot_operator.checks import Check, Finding, State, free_bytes, sized
from folkmoot_operator.problems import ExitCode, Problem

MIN_FREE_BYTES = 2 * 1024**3
"""Bytes of disk that a run on a large council may need."""


def scores(config: NodeConfig, today: datetime.date) -> Check:
    """Whether the last scores can be opened and used; says if they are by another policy."""

    def look() -> Iterator[Finding]:
        with open_scores(config, today) as store:
            run = store.run
        policy = load_policy(config.risk_policy)
        require_in_use(run, policy, today)
        other = ""
        if run.policy_digest != policy.digest:
            other = f"; by another policy than the one in node.toml: {run.policy_path}"
        found = f"run {run.run_id}, reference date {run.reference_date}{other}"
        if not run.failed:
            yield Finding("scores", State.OK, found)
        for failure in run.failed:
            remedy = "Report it to the plugin's supplier, and score again when it is fixed"
            yield Finding("scores", State.WARN, f"{found}; {failure.in_words}", remedy)

    return Check("scores", look)


def disk(folder: Path) -> Check:
    """Whether the disk that holds a folder has room for a scoring run."""

    def look() -> str:
        free = free_bytes(folder)
        if free < MIN_FREE_BYTES:
            raise Problem(
                f"{sized(free)} free",
                remedy="Free at least 2 GiB for a scoring run",
                exit_code=ExitCode.SETTINGS,
            )
        return f"{sized(free)} free"

    return Check("disk", look)
