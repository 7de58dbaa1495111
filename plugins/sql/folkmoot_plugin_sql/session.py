"""How a transaction of PostgreSQL begins, by whichever driver."""

from __future__ import annotations

from collections.abc import Sequence


def opening(seconds: int) -> Sequence[str]:
    """The statements with which a transaction begins.

    Args:
        seconds: How long a statement may take.
    """
    return (
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        f"SET LOCAL statement_timeout = '{seconds}s'",
        f"SET LOCAL lock_timeout = '{seconds}s'",
        "SET LOCAL standard_conforming_strings = on",
        # A table whose policies hide rows says so instead of giving the others.
        "SET LOCAL row_security = off",
        # A scan begins at the first row, so that row numbers mean the same in the next run.
        "SET LOCAL synchronize_seqscans = off",
    )
