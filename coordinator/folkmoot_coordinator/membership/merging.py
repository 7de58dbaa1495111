"""Councils that merged into one with a code of its own: their membership ends together."""

from __future__ import annotations

from collections.abc import Sequence

from folkmoot.geography import GssCode
from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.membership.councils import revoke
from folkmoot_coordinator.membership.known_councils import known_councils
from folkmoot_operator.problems import ExitCode, Problem

MERGED = "councils merged"
"""Action in the audit log."""


def merge(
    home: Home, database: Database, before: Sequence[GssCode], following: GssCode, now: int
) -> dict[GssCode, int]:
    """Withdraws what councils have, and writes into the audit log which one follows them.

    Args:
        home: The coordinator's folder.
        database: Of the region.
        before: The councils that merged.
        following: The one that has their homes now.
        now: Seconds since 1970-01-01T00:00:00Z.

    Returns:
        How many certificates of each were withdrawn.

    Raises:
        Problem: If the list of councils does not say so. Nothing is withdrawn then.
    """
    known = known_councils(home)
    followed = {
        one.code
        for one, after in known.counted_twice([*before, following])
        if after.code == following
    }
    for code in before:
        if code not in followed:
            raise Problem(
                f"the list of councils does not say that {following} followed {code}",
                where=code,
                remedy="Look whether both codes are right. If the change is newer than this "
                "version of Folkmoot, name a newer list in coordinator.toml as council_list",
                exit_code=ExitCode.SETTINGS,
            )
    withdrawn = {code: revoke(database, code, now)[0] for code in before}
    with database.writing() as session:
        details = {"councils": [*before], "into": following}
        audit_log.note(session, now, MERGED, details)
    return withdrawn
