"""Random ids that stand in addresses and logs, and say nothing."""

from __future__ import annotations

import secrets

_LETTERS = "23456789abcdefghjkmnpqrstvwxyz"  # none that is taken for another
LENGTH = 12
"""Of an id: 59 random bits."""


def new_id() -> str:
    """An id."""
    return "".join(secrets.choice(_LETTERS) for _ in range(LENGTH))
