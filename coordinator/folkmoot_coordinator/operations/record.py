"""The coordinator's own record: what it holds, who looked, what was asked, and what it cost.

It is made from the databases of the coordinator and its site, and from receipts. Only reads. It
names people who asked, approved or have keys, and no resident: none is known here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy import table as named_table

from folkmoot.codec import decode_receipt
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import AnswerRow, RoundRow
from folkmoot_coordinator.membership.catalogues import catalogues_of
from folkmoot_coordinator.rounds.round_store import OPENED, stored_round
from folkmoot_operator.hash_chain import Entry
from folkmoot_operator.moments import to_datetime, to_text
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.sql_database import SqlDatabase

if TYPE_CHECKING:
    from folkmoot_web.site import State

SCHEMA = 1
"""Of the document: keys are added without a new number, and never change their meaning."""
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


@dataclass(frozen=True, slots=True)
class BorneLoss:
    """What each household of one council has borne at most, by what the council released here.

    Attributes:
        council: GSS code.
        lifetime: Of all its releases to this region.
        years: By calendar year (UTC) in which a release was received.
        releases: How many there were.
    """

    council: GssCode
    lifetime: Rho
    years: Mapping[int, Rho]
    releases: int


def borne_losses(database: Database) -> list[BorneLoss]:
    """What households have borne, from the receipts of releases, in order of councils.

    Raises:
        Problem: VERIFICATION if a stored receipt is damaged.
    """
    query = select(AnswerRow.round_id, AnswerRow.council, AnswerRow.receipt)
    with database.reading() as session:
        rows = session.execute(query.where(AnswerRow.reason.is_(None))).all()
    found: dict[GssCode, list[tuple[int, Rho]]] = defaultdict(list)
    for row in rows:
        try:
            receipt = decode_receipt(row.receipt)
        except ContractError:
            raise Problem(
                f"the stored receipt of {row.council} is damaged",
                where=f"round {row.round_id}",
                remedy="Restore the database from its backup",
                exit_code=ExitCode.VERIFICATION,
            ) from None
        year = to_datetime(receipt.received_at).year
        found[GssCode(row.council)].append((year, receipt.loss))
    return [
        BorneLoss(
            council,
            Rho.total(loss for _, loss in losses),
            {
                year: Rho.total(loss for of, loss in losses if of == year)
                for year in sorted({of for of, _ in losses})
            },
            len(losses),
        )
        for council, losses in sorted(found.items())
    ]


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
    rounds = _rounds(database, [one for one in entries if one.body.get("action") == OPENED])
    return {
        "schema": SCHEMA,
        "at": to_text(now),
        "version": version("folkmoot-coordinator"),
        "region": settings.region,
        "holds": _holdings(database, settings, site, drafts),
        "rounds": rounds,
        "withdrawn": [one["round_id"] for one in rounds if one["withdrawn"]],
        "loss": _losses(database, settings),
        "commands": _kinds((one, "") for one in entries),
        "site": None if site is None else _site(site, now),
    }


def _holdings(
    database: Database,
    settings: CoordinatorSettings,
    site: State | None,
    drafts: SqlDatabase | None,
) -> list[dict[str, Any]]:
    kept = settings.retention
    special = {
        "cells": _days(kept.counts_days, "days after the round closed, or its series ended"),
        **dict.fromkeys(
            HELD_AS_DRAFTS, _days(kept.drafts_days, "days after it was refused or withdrawn")
        ),
    }
    places: list[tuple[str, SqlDatabase | None, Mapping[str, tuple[str, str]]]] = [
        ("coordinator", database, HELD),
        ("site", None if site is None else site.database, HELD_BY_SITE),
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


def _rounds(database: Database, opened: Iterable[Entry]) -> list[dict[str, Any]]:
    """Every round, newest first: what for, by whom, and who answered."""
    by = {str(one.body.get("round")): one.body for one in opened}
    with database.reading() as session:
        rows = session.scalars(select(RoundRow).order_by(RoundRow.opened_at.desc())).all()
        answers = session.execute(select(AnswerRow.round_id, AnswerRow.reason)).all()
    released = Counter(row.round_id for row in answers if row.reason is None)
    refused = Counter(row.round_id for row in answers if row.reason is not None)
    found = []
    for row in rows:
        stored = stored_round(row)
        round_ = stored.round_
        body = by.get(round_.round_id, {})
        found.append(
            {
                "round_id": round_.round_id,
                "title": round_.title,
                "purpose": round_.purpose,
                "policy_digest": round_.policy_digest.hex(),
                "opened_at": to_text(round_.opened_at),
                "state": stored.state.name.lower(),
                "asked_by": _who(body),
                "rho": str(round_.loss),
                "invited": len(round_.councils),
                "released": released[round_.round_id],
                "refused": refused[round_.round_id],
                "withdrawn": str(stored.withdrawal) if stored.withdrawal else None,
            }
        )
    return found


def _who(body: Mapping[str, Any]) -> dict[str, Any]:
    """What the audit log says of who opened a round, and of who wrote and approved it before."""
    kept = {"action", "round", "digest", "uid"}
    return {key: value for key, value in body.items() if key not in kept}


def _losses(database: Database, settings: CoordinatorSettings) -> list[dict[str, Any]]:
    losses = borne_losses(database)
    catalogues = catalogues_of(database, [one.council for one in losses])
    found = []
    for one in losses:
        offered = catalogues.get(one.council)
        found.append(
            {
                "council": one.council,
                "name": settings.names.get(one.council),
                "releases": one.releases,
                "rho": str(one.lifetime),
                "rho_allowed": str(offered.lifetime) if offered else None,
                "years": {str(year): str(loss) for year, loss in one.years.items()},
            }
        )
    return found


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
