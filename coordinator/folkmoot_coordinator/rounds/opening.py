"""A planned round is opened, and the policy that its file names is kept beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.rounds.policies import keep_policy
from folkmoot_coordinator.rounds.round_making import PlannedRound
from folkmoot_coordinator.rounds.round_store import StoredRound, open_round
from folkmoot_coordinator.signing import SigningKey
from folkmoot_operator.accounts import Operator


def open_planned(
    database: Database,
    signing: SigningKey,
    asked: PlannedRound,
    *,
    origin: str | None = None,
    who: Operator | str | None = None,
    details: Mapping[str, Any] | None = None,
) -> StoredRound:
    """Signs and stores a round, and keeps its policy where the file gives one.

    Args:
        database: Where they are stored.
        signing: The coordinator's key.
        asked: The question, and what else its file says.
        origin: What it comes from, of which one round is opened at most; None for a file.
        who: Who opens it; None for whoever runs this process.
        details: What else the audit log says of it.

    Raises:
        Problem: As `open_round`.
    """
    if asked.policy is not None:
        name = PurePath(asked.policy.name).name
        keep_policy(database, asked.policy.content, name, asked.round_.opened_at, who)
    return open_round(
        database,
        signing,
        asked.round_,
        asked.planning,
        asked.code_names,
        origin=origin,
        who=who,
        details=details,
    )
