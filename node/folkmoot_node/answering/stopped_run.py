"""Rounds that wait since a scoring run was stopped: why, and what a person can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from folkmoot_node.evidence.scoring_runs import StoppedRun
    from folkmoot_node.home import NodeHome

STOPPED = "a scoring run was stopped before its end, and the scores are older than that"
INCOMPLETE = (
    "a plugin failed in the last scoring run, and its factors are unknown for every household"
)
RESUME = (
    "Find the cause and run `folkmoot-node score` again; or, to answer from the scores there are, "
    "`folkmoot-node rounds resume --reason TEXT`"
)
"""What a person can do about rounds that wait since a run was stopped."""


def why_rounds_wait(run: StoppedRun) -> str:
    """Why rounds wait since a scoring run, for people."""
    return INCOMPLETE if run.is_incomplete else STOPPED


def is_scoring(home: NodeHome) -> bool:
    """Whether a scoring run is going on now."""
    from folkmoot_node.store.encrypted_file import is_in_use  # late: see `answer.load_release`

    path = home.config.store_path
    return path.parent.is_dir() and is_in_use(path)
