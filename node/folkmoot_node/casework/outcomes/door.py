"""The door back to scoring: whether a need was found, by household and day, and nothing else."""

from __future__ import annotations

from pathlib import Path

from folkmoot_node.casework.opening.restrictions import Restrictions
from folkmoot_node.casework.outcomes.facts import needs_by_uprn
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.sources.outcomes import FILE_NAME, Outcome, write_outcomes
from folkmoot_operator.moments import day
from folkmoot_web.site import State

WRITTEN = "outcomes written for scoring"
"""Action of the log."""


def outcomes_path(config: NodeConfig) -> Path:
    """Where the source of outcomes looks for them, if node.toml says nothing else."""
    return config.casework_folder / "outcomes" / FILE_NAME


def write_for_scoring(state: State, path: Path, by: str) -> int:
    """Writes what was recorded to the file of the source of outcomes; how many rows.

    The log has an entry before there is a file. Restricted households are left out: a file is
    read by others than those who may see them.

    Args:
        state: Of the site.
        path: The file; one that is there is replaced.
        by: Who writes it: an account's name, or which command.

    Raises:
        Problem: If it cannot be written.
    """
    restricted = Restrictions(state).restricted()
    with state.database.reading() as session:
        found = [
            Outcome(uprn, day(at), need)
            for uprn, at, need in needs_by_uprn(session)
            if uprn not in restricted
        ]
    # Of several outcomes of one day for a household, one that found a need counts.
    with_need = {(one.uprn, one.decided_on) for one in found if one.need_found}
    kept = {one for one in found if one.need_found or (one.uprn, one.decided_on) not in with_need}
    with state.database.writing() as session:
        state.audit.record(session, WRITTEN, by, {"rows": len(kept)})
    return write_outcomes(path, kept)
