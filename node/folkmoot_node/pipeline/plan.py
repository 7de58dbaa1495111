"""What a run is: its plan, which other processes read from the run's folder."""

from __future__ import annotations

import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.sources.known_on import KnownOn
from folkmoot_operator.private_files import make_private_folder
from folkmoot_operator.problems import ExitCode, Problem

_FILE = "plan.json"


class RunPlan(BaseModel):
    """What a run is; every stage can be run by whoever knows it.

    Attributes:
        run_id: 32 hexadecimal digits.
        policy: File of the risk stratification policy.
        policy_sha256: Its digest, hexadecimal.
        today: Compared with the licences of bought fields.
        reference_date: Date on which ages and durations are computed.
        started_at: Seconds since 1970-01-01T00:00:00Z.
        failed: By distribution, how plugins have failed in this run before it began again without
            their factors.
        known: As of when a back-test scores; None for a run of today.
        memory: Bytes of records that may stay in memory; 0 if other processes run stages.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    run_id: str
    policy: Path
    policy_sha256: str
    today: datetime.date
    reference_date: datetime.date
    started_at: int
    memory: int
    failed: dict[str, str] = {}
    known: KnownOn | None = None


def run_folder(config: NodeConfig, run_id: str) -> Path:
    """Folder of the intermediate files of a run."""
    return config.runs_folder / run_id


def write_plan(config: NodeConfig, plan: RunPlan) -> None:
    """Writes down the plan, for other processes."""
    folder = run_folder(config, plan.run_id)
    make_private_folder(folder)
    (folder / _FILE).write_text(plan.model_dump_json(), "utf-8")


def read_plan(config: NodeConfig, run_id: str) -> RunPlan:
    """The plan that another process has written.

    Raises:
        Problem: Exit code DATA, if there is no such run any more.
    """
    path = run_folder(config, run_id) / _FILE
    try:
        return RunPlan.model_validate_json(path.read_text("utf-8"))
    except (OSError, ValidationError):
        raise Problem(
            "this run has ended, or its folder is not shared with this machine",
            where=str(path),
            remedy="Score again; workers need the node's home at the same path",
            exit_code=ExitCode.DATA,
        ) from None
