"""The coordinator's own record: what it holds, who looked, what was asked, and what it cost.

It is made from the databases of the coordinator and its site, and from receipts. Only reads. It
names people who asked, approved or have keys, and no resident: none is known here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.rounds.round_store import OPENED
from folkmoot_coordinator.scrutiny.borne_losses import loss_facts
from folkmoot_coordinator.scrutiny.holdings import holdings
from folkmoot_coordinator.scrutiny.rounds_asked import rounds_asked
from folkmoot_operator.hash_chain import Entry
from folkmoot_operator.moments import to_text
from folkmoot_operator.sql_database import SqlDatabase

if TYPE_CHECKING:
    from folkmoot_web.site import State

SCHEMA = 1
"""Of the document: keys are added without a new number, and never change their meaning."""


def coordinator_record(
    database: Database,
    settings: CoordinatorSettings,
    now: int,
    *,
    site: State | None = None,
    drafts: SqlDatabase | None = None,
) -> dict[str, Any]:
    """The record, for `--json`.

    Args:
        database: The coordinator's.
        settings: What its file says.
        now: Seconds since 1970-01-01T00:00:00Z.
        site: What the site keeps; None where there is none.
        drafts: The database of drafts; None where nobody has written one.

    Raises:
        Problem: VERIFICATION if something stored is damaged.
    """
    entries = list(audit_log.entries(database))
    rounds = _asked(database, [one for one in entries if one.body.get("action") == OPENED])
    return {
        "schema": SCHEMA,
        "at": to_text(now),
        "version": version("folkmoot-coordinator"),
        "region": settings.region,
        "holds": holdings(database, settings, None if site is None else site.database, drafts),
        "rounds": rounds,
        "withdrawn": [one["round_id"] for one in rounds if one["withdrawn"]],
        "loss": loss_facts(database, settings),
        "commands": _kinds((one, "") for one in entries),
        "site": None if site is None else _site(site, now),
    }


def _asked(database: Database, opened: Iterable[Entry]) -> list[dict[str, Any]]:
    by = {str(one.body.get("round")): one.body for one in opened}
    return [one | {"asked_by": _who(by.get(one["round_id"], {}))} for one in rounds_asked(database)]


def _who(body: Mapping[str, Any]) -> dict[str, Any]:
    """What the audit log says of who opened a round, and of who wrote and approved it before."""
    kept = {"action", "round", "digest", "uid"}
    return {key: value for key, value in body.items() if key not in kept}


def _site(site: State, now: int) -> dict[str, Any]:
    from folkmoot_coordinator.viewer.keys.api_keys import ApiKeys

    accounts = site.accounts.list()
    roles = {one.name: "+".join(one.roles) or "none" for one in accounts}
    of_roles = Counter(role for one in accounts if not one.is_disabled for role in one.roles)
    return {
        "accounts": {
            "open": sum(not one.is_disabled for one in accounts),
            "disabled": sum(one.is_disabled for one in accounts),
            "by_role": dict(sorted(of_roles.items())),
        },
        "actions": _kinds(
            (one, roles.get(str(one.body.get("by")), "no account")) for one in site.audit.entries()
        ),
        "keys": [
            {
                "key_id": one.key_id,
                "name": one.name,
                "account": one.account,
                "state": one.state(now),
                "scopes": list(one.scopes),
                "purposes": list(one.purposes),
                "rounds": list(one.rounds),
                "made_by": one.made_by,
                "made_at": to_text(one.made_at),
                "expires_at": to_text(one.expires_at),
                "used_at": to_text(one.used_at) if one.used_at else None,
            }
            for one in ApiKeys(site).list()
        ],
    }


def _kinds(entries: Iterable[tuple[Entry, str]]) -> list[dict[str, Any]]:
    """Entries of a log by what was done and by which role, without names."""
    found: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry, role in entries:
        found[str(entry.body.get("action")), role].append(entry)
    return [
        {
            "action": action,
            **({"role": role} if role else {}),
            "times": len(those),
            "people": len({str(one.body.get("by")) for one in those}),
            "last_at": to_text(max(one.at for one in those)),
        }
        for (action, role), those in sorted(found.items())
    ]
