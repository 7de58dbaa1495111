"""Whether this node's files came out of a backup and have not been compared since.

Read from the audit log, as what people and programs did is. Until the comparison with the
coordinator's receipts, and with the witnesses of the ledger's head, nothing is answered.
"""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot_node.evidence.database import StateDatabase
from folkmoot_operator.problems import ExitCode, Problem

RESTORED = "restored from a backup"
COMPARED = "compared with receipts after a restore"
_ACTIONS = (RESTORED, COMPARED)


@dataclass(frozen=True, slots=True)
class Restored:
    """The last restore.

    Attributes:
        made_at: When its backup was made, ISO 8601.
        at: When it was restored, seconds since 1970-01-01T00:00:00Z.
        is_compared: Whether the node has compared with receipts since.
    """

    made_at: str
    at: int
    is_compared: bool


def last_restore(state: StateDatabase) -> Restored | None:
    """The last restore of these files; None if they never were restored."""
    found: Restored | None = None
    for entry in state.chain("audit").entries(_ACTIONS):
        if entry.body["action"] == RESTORED:
            found = Restored(str(entry.body["made_at"]), entry.at, is_compared=False)
        elif found is not None:
            found = Restored(found.made_at, found.at, is_compared=True)
    return found


def note_restored(state: StateDatabase, at: int, body: dict[str, object]) -> None:
    """Writes into the audit log that the files were restored.

    Args:
        state: The restored state.
        at: Seconds since 1970-01-01T00:00:00Z.
        body: Of the entry: `made_at` of the backup, and who did it.
    """
    with state.transaction() as connection:
        state.chain("audit").append(connection, at, {"action": RESTORED, **body})


def note_compared(state: StateDatabase, at: int) -> None:
    """Writes into the audit log that restored files were compared, if they have not been."""
    last = last_restore(state)
    if last is not None and not last.is_compared:
        with state.transaction() as connection:
            state.chain("audit").append(connection, at, {"action": COMPARED, "by": "a visit"})


def require_compared(state: StateDatabase) -> None:
    """Checks that restored files have been compared with receipts.

    Raises:
        Problem: Exit code VERIFICATION, if they have not.
    """
    last = last_restore(state)
    if last is not None and not last.is_compared:
        raise Problem(
            f"these files were restored from a backup of {last.made_at}, and have not been "
            "compared with the coordinator's receipts since",
            where=str(state.path),
            remedy="Nothing is answered. Run `folkmoot-node ledger recover`, which compares",
            exit_code=ExitCode.VERIFICATION,
        )
