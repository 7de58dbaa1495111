"""How a coordinator is, and what needs somebody. Only reads; what it cannot read, it names."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from sqlalchemy import func, select

from folkmoot.rounds import RoundState
from folkmoot_coordinator.clock import DAY, Clock, system_clock
from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.database.checks import MIN_FREE_BYTES
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import AnswerRow, InvitedRow, RoundRow
from folkmoot_coordinator.database.pauses import paused
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.membership.certificate_lives import (
    authority_lives,
    council_lives,
    port_lives,
)
from folkmoot_coordinator.membership.councils import enrolled
from folkmoot_coordinator.membership.enrolling_again import waiting_requests
from folkmoot_coordinator.operations.back_up import names_made
from folkmoot_operator.backup_status import newest_backup
from folkmoot_operator.certificate_lives import Standing
from folkmoot_operator.checks import sized
from folkmoot_operator.incidents import ACTIONS, incidents_of, needs_of
from folkmoot_operator.moments import to_text
from folkmoot_operator.network_addresses import dialled_here, split_address
from folkmoot_operator.problems import Problem
from folkmoot_operator.status_screen import Status, ago

SCHEMA = 1
"""Of the document: keys are added without a new number, and never change their meaning."""
SILENT_SECONDS = 2 * DAY
"""After how long without a call a council counts as silent; nodes call every few minutes."""
OVERDUE_SECONDS = 60
"""How long after its deadline a round may be open before nobody seems to be serving."""
_CONNECT_SECONDS = 0.3


def coordinator_status(home: Home, clock: Clock = system_clock) -> Status:
    """Looks at everything once.

    Args:
        home: The coordinator's folder.
        clock: Gives the time.
    """
    now = clock()
    status = Status(
        {"schema": SCHEMA, "at": to_text(now), "version": version("folkmoot-coordinator")}
    )
    try:
        settings = home.settings()
    except Problem as problem:
        status.document["region"] = None
        status.unreadable("region", str(problem), problem.remedy)
        return status.finished()
    status.document["region"] = {"name": settings.region, "home": str(home.path)}
    database = Database(home.database_url(settings), read_only=True)
    try:
        status.read("database", lambda: _database(database))
        if status.document["database"] is not None:
            _of_database(status, database, settings, now)
            status.read("backup", lambda: _backup(status, database, home, settings, now))
    finally:
        database.close()
    status.read("drafts", lambda: _drafts(status, home, settings))
    status.read("authority", lambda: _authority(status, home, now))
    status.read("disk", lambda: _disk(status, home))
    status.read("serve", lambda: _serve(status, settings, now))
    status.read("site", lambda: _site(settings))
    return status.finished()


def _of_database(
    status: Status, database: Database, settings: CoordinatorSettings, now: int
) -> None:
    parts: tuple[tuple[str, Callable[[], Any]], ...] = (
        ("pause", lambda: _pause(status, database)),
        ("councils", lambda: _councils(status, database, settings, now)),
        ("requests", lambda: _requests(status, database, now)),
        ("rounds", lambda: _rounds(status, database, now)),
        ("incidents", lambda: _incidents(status, database, now)),
    )
    for section, read in parts:
        status.read(section, read)


def _database(database: Database) -> dict[str, Any]:
    database.require_current()
    return {"address": database.address, "version": database.version()}


def _pause(status: Status, database: Database) -> dict[str, Any] | None:
    pause = paused(database)
    if pause is None:
        return None
    status.need(f"the coordinator is {pause}", "folkmoot-coordinator resume --reason TEXT", 5)
    return pause.as_json()


def _councils(
    status: Status, database: Database, settings: CoordinatorSettings, now: int
) -> list[dict[str, Any]]:
    lives = {one.name: one for one in council_lives(database, now)}
    found = []
    for one in enrolled(database, now):
        silent = None if one.last_seen is None else max(0, now - one.last_seen)
        name = settings.label(one.code)
        life = lives[one.code] if one.valid_certificates else None
        if one.valid_certificates and silent is not None and silent > SILENT_SECONDS:
            what = f"{name} has not called for {ago(silent)}"
            status.need(what, f"folkmoot-coordinator councils show {one.code}", 30)
        elif life is not None and life.standing is not Standing.FINE:
            status.need(f"certificate of {name}: {life}", life.remedy, 35)
        found.append(
            {
                "council": one.code,
                "name": settings.names.get(one.code),
                "last_seen": None if one.last_seen is None else to_text(one.last_seen),
                "silent_seconds": silent,
                "certificate_until": None if one.expires_at is None else to_text(one.expires_at),
                "certificate_standing": "none" if life is None else life.standing.value,
            }
        )
    return found


def _requests(status: Status, database: Database, now: int) -> list[dict[str, Any]]:
    waiting = waiting_requests(database, now)
    for one in waiting:
        status.need(str(one), "folkmoot-coordinator councils requests", 12)
    return [
        {"council": one.council, "fingerprint": one.fingerprint, "until": to_text(one.until)}
        for one in waiting
    ]


def _rounds(status: Status, database: Database, now: int) -> dict[str, Any]:
    invited = select(InvitedRow.round_id, func.count().label("n")).group_by(InvitedRow.round_id)
    answered = select(AnswerRow.round_id, func.count().label("n")).group_by(AnswerRow.round_id)
    asked, given = invited.subquery(), answered.subquery()
    query = (
        select(RoundRow.round_id, RoundRow.deadline, asked.c.n, given.c.n)
        .outerjoin(asked, asked.c.round_id == RoundRow.round_id)
        .outerjoin(given, given.c.round_id == RoundRow.round_id)
        .where(RoundRow.state == RoundState.OPEN.value)
        .order_by(RoundRow.deadline)
    )
    with database.reading() as session:
        rows = session.execute(query).all()
        closed = session.scalar(select(func.count()).where(RoundRow.state != RoundState.OPEN.value))
    for round_id, deadline, _, _ in rows:
        if now > deadline + OVERDUE_SECONDS:
            what = f"round {round_id[:12]} is open after its deadline: nobody closes it"
            status.need(what, "folkmoot-coordinator serve", 10)
    return {
        "open": [
            {
                "round_id": round_id,
                "deadline": to_text(deadline),
                "invited": asked_ or 0,
                "answered": given_ or 0,
            }
            for round_id, deadline, asked_, given_ in rows
        ],
        "closed": closed or 0,
    }


def _incidents(status: Status, database: Database, now: int) -> dict[str, Any]:
    found = list(incidents_of(audit_log.entries(database, ACTIONS)))
    status.needs.extend(needs_of(found, now, "folkmoot-coordinator"))
    return {"open": sum(one.closed_at is None for one in found), "all": len(found)}


def _drafts(status: Status, home: Home, settings: CoordinatorSettings) -> dict[str, Any]:
    from folkmoot_coordinator.drafts.drafts import DraftState, list_drafts
    from folkmoot_coordinator.drafts.models import DRAFTS

    file = home.drafts_file(settings)
    if file is not None and not file.exists():
        return {"waiting": 0, "approved": 0}
    database = Database(home.drafts_url(settings), DRAFTS, read_only=True)
    try:
        if database.version() is None:
            return {"waiting": 0, "approved": 0}
        waiting = list_drafts(database, (DraftState.WAITING,))
        approved = list_drafts(database, (DraftState.APPROVED,))
    finally:
        database.close()
    for one in waiting:
        command = f"folkmoot-coordinator round approve {one.draft_id[:12]}"
        status.need(f"draft {one.draft_id[:12]} waits for a second person", command, 20)
    return {"waiting": len(waiting), "approved": len(approved)}


def _authority(status: Status, home: Home, now: int) -> dict[str, Any]:
    first, *_ = found = authority_lives(home, now)
    for one in found:
        if one.standing is not Standing.FINE:
            urgency = 3 if one.standing is Standing.ENDED else 25
            status.need(f"certificate of the {one.name}: {one}", one.remedy, urgency)
    return first.as_json()


def _backup(
    status: Status, database: Database, home: Home, settings: CoordinatorSettings, now: int
) -> dict[str, Any] | None:
    if settings.backup is None:
        return None
    folder = home.path / settings.backup.folder
    return newest_backup(
        status, folder, settings.region, names_made(database), now, "folkmoot-coordinator"
    )


def _disk(status: Status, home: Home) -> dict[str, Any]:
    usage = shutil.disk_usage(home.path)
    if usage.free < MIN_FREE_BYTES:
        status.need(f"{sized(usage.free)} of disk are free", "make room: answers are stored", 18)
    return {"free_bytes": usage.free, "total_bytes": usage.total}


def _serve(status: Status, settings: CoordinatorSettings, now: int) -> dict[str, Any]:
    ports = {
        "collection": settings.collection.listen,
        "enrolment": settings.enrolment.listen,
    }
    found: dict[str, dict[str, Any]] = {
        name: {"listen": address, "open": _listens(address), "certificate": None}
        for name, address in ports.items()
    }
    for one in port_lives(settings, now) if any(port["open"] for port in found.values()) else ():
        found[one.name.removesuffix(" port")]["certificate"] = one.as_json()
        if one.standing is not Standing.FINE:
            urgency = 3 if one.standing is Standing.ENDED else 25
            status.need(f"certificate of the {one.name}: {one}", one.remedy, urgency)
    if not found["collection"]["open"]:
        what = f"nothing listens on the collection port {settings.collection.listen}"
        status.need(what, "folkmoot-coordinator serve", 8)
    return found


def _site(settings: CoordinatorSettings) -> dict[str, Any]:
    listen = settings.viewer.site.get("listen") if settings.viewer.enabled else None
    return {
        "enabled": settings.viewer.enabled,
        "listen": listen,
        "open": _listens(str(listen)) if listen else None,
    }


def _listens(address: str) -> bool:
    try:
        socket.create_connection(split_address(dialled_here(address)), _CONNECT_SECONDS).close()
    except OSError:
        return False
    return True
