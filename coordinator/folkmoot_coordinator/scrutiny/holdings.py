"""What the coordinator, its site and drafts hold, table by table, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy import table as named_table

from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_coordinator.database.connection import Database
from folkmoot_operator.sql_database import SqlDatabase

_ALWAYS = "permanently"
_UNTIL_ASKED = "until an administrator takes it out of the database"
HELD: Mapping[str, tuple[str, str]] = {
    "councils": ("Councils that enrolled, and when their node called last", _ALWAYS),
    "invitations": ("Invitations of councils; of a token its SHA-256", _ALWAYS),
    "certificates": ("Certificates made for nodes", _ALWAYS),
    "enrolment_requests": ("Requests for a certificate in place of one that ended", _ALWAYS),
    "catalogues": ("What councils say they offer", "until the council publishes another"),
    "policy_keys": ("Keys with which councils sign their release policies", _ALWAYS),
    "rounds": ("Questions that were asked", _ALWAYS),
    "policies": ("Risk policies, as public documents", _ALWAYS),
    "audit": ("What people did with commands", _ALWAYS),
    "council_pages": (
        "What councils publish of how they score, as public documents",
        "until it is withdrawn; then its digest",
    ),
    "scheduled": ("Times at which recurring rounds were due", _ALWAYS),
    "exports": ("Rounds that were exported when they closed", _ALWAYS),
    "invited": ("Which councils were asked", _ALWAYS),
    "answers": ("Who answered, with receipts that state the loss", _ALWAYS),
    "cells": ("Noisy counts that councils released", ""),
}
"""By table of the coordinator's database what it is and how long it is kept; noisy counts are
kept as the settings say."""
HELD_BY_SITE: Mapping[str, tuple[str, str]] = {
    "web_accounts": ("Accounts: name, roles, when they signed in last", _UNTIL_ASKED),
    "web_setup_links": ("Links to choose a password; of a link its SHA-256", "until it is used"),
    "web_sessions": ("Who is signed in", "until they sign out or the session ends"),
    "web_attempts": ("Failed sign-ins", "as long as they count"),
    "web_audit": ("What people did on the site", _ALWAYS),
    "api_keys": ("API keys; of a key its SHA-256", _ALWAYS),
}
HELD_AS_DRAFTS: Mapping[str, tuple[str, str]] = {
    "drafts": ("Questions that were not asked yet, or were", ""),
    "draft_decisions": ("Who approved or refused them", ""),
}


def holdings(
    database: Database,
    settings: CoordinatorSettings,
    site: SqlDatabase | None,
    drafts: SqlDatabase | None,
) -> list[dict[str, Any]]:
    """What is held, for programs: place, table, what it is, entries, how long it is kept.

    Args:
        database: The coordinator's.
        settings: What its file says.
        site: The database of the site; None where there is none.
        drafts: The database of drafts; None where nobody has written one.
    """
    kept = settings.retention
    special = {
        "cells": _days(kept.counts_days, "days after the round closed, or its series ended"),
        **dict.fromkeys(
            HELD_AS_DRAFTS, _days(kept.drafts_days, "days after it was refused or withdrawn")
        ),
    }
    places: list[tuple[str, SqlDatabase | None, Mapping[str, tuple[str, str]]]] = [
        ("coordinator", database, HELD),
        ("site", site, HELD_BY_SITE),
        ("drafts", drafts, HELD_AS_DRAFTS),
    ]
    return [
        {
            "place": place,
            "table": name,
            "what": what,
            "entries": _size(of, name),
            "kept": special.get(name, how_long),
        }
        for place, of, held in places
        if of is not None
        for name, (what, how_long) in held.items()
    ]


def _size(database: SqlDatabase, name: str) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(named_table(name))) or 0


def _days(days: int | None, after: str) -> str:
    return _ALWAYS if days is None else f"{days} {after}"
