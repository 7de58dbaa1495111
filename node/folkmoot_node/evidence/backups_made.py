"""Which backups of this home were made, as the audit log has them; what lies beside them is not."""

from __future__ import annotations

from folkmoot_node.evidence.pauses import Audited

MADE = "backup made"
"""What the audit log says of a backup that is whole."""


def names_made(home: Audited) -> tuple[str, ...]:
    """Names of the backups that were made of this home, oldest first."""
    return tuple(str(entry.body["file"]) for entry in home.audit.entries((MADE,)))
