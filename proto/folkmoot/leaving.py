"""That a council has left its region: what its certificate of leaving is called, and says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from folkmoot.errors import ContractError

LEAVING = "certificate of leaving"
"""What is signed, for people; stands in front of what is signed."""
FIELDS = frozenset(
    {
        "schema", "council", "name", "region", "reason", "left_at", "by", "logs", "evidence",
        "destroyed", "destroyed_after_signing", "answers_not_delivered", "remains",
    }
)  # fmt: skip
"""What it says, all of it always."""


def check_leaving(body: Mapping[str, Any], where: str) -> None:
    """Checks that a certificate of leaving says what it has to.

    Args:
        body: What was signed.
        where: File, for messages.

    Raises:
        ContractError: If it lacks something, or has a later version.
    """
    if body.get("schema") != 1 or not body.keys() >= FIELDS:
        raise ContractError(
            where,
            "the certificate of leaving lacks what it has to say, or has a later version",
            "Ask the council for the file as its node wrote it, or upgrade",
        )
