"""What a person has accepted about a source, so that runs go on: read from the audit log.

The log holds who, why and until when, and no figure: what was found stays on the terminal and
in the encrypted summary of the run.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from pathlib import Path

from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.policies.acceptance import Acceptance
from folkmoot_operator.accounts import Operator
from folkmoot_operator.hash_chain import Entry

ACCEPTED = "source accepted"
WITHDRAWN = "acceptance of a source withdrawn"


def body_of(acceptance: Acceptance) -> dict[str, str]:
    """The entry of the audit log by which a person accepts."""
    return {
        "action": ACCEPTED,
        "source": acceptance.source,
        "reason": acceptance.reason,
        "until": acceptance.until.isoformat(),
        "by": acceptance.by,
    }


def acceptances(entries: Iterable[Entry]) -> dict[str, Acceptance]:
    """The last acceptance of each source that was not withdrawn, also those that have ended.

    Args:
        entries: Of the audit log, oldest first.
    """
    found: dict[str, Acceptance] = {}
    for entry in entries:
        action = entry.body.get("action")
        if action == WITHDRAWN:
            found.pop(str(entry.body["source"]), None)
        elif action == ACCEPTED:
            body = {key: entry.body[key] for key in ("source", "reason", "until")}
            body["by"] = str(Operator.of_body(entry.body))
            accepted = Acceptance.model_validate(body)
            found[accepted.source] = accepted
    return found


def in_force(state: Path, today: datetime.date) -> dict[str, Acceptance]:
    """The acceptances that hold on a day, by source.

    Args:
        state: The node's state file.
        today: They hold up to and with their last day.
    """
    if not state.is_file():
        return {}
    with StateDatabase(state) as database:
        return dict(
            _holding(acceptances(database.chain("audit").entries((ACCEPTED, WITHDRAWN))), today)
        )


def _holding(
    found: dict[str, Acceptance], today: datetime.date
) -> Iterator[tuple[str, Acceptance]]:
    return ((name, one) for name, one in found.items() if today <= one.until)
