"""Deletion of what is kept no longer: drafts that have ended, and old times of the schedule.

Old counts are deleted by `serve` itself, which needs no schedule for it.
"""

from __future__ import annotations

from sqlalchemy import delete, func, select

from folkmoot_coordinator.clock import DAY
from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import ScheduledRow
from folkmoot_coordinator.drafts.drafts import delete_ended
from folkmoot_coordinator.drafts.opening import open_drafts
from folkmoot_coordinator.home import Home

CLEAN_UP = "(clean-up)"
"""Stands for an entry of the schedule; no entry may be named so."""
HISTORY_DAYS = 400
"""Days for which times of the schedule are kept; the newest of each entry stays."""


def is_due(database: Database, now: int) -> bool:
    """True if nothing was tidied today (UTC)."""
    query = select(func.max(ScheduledRow.due_at)).where(ScheduledRow.name == CLEAN_UP)
    with database.reading() as session:
        last = session.scalar(query)
    return last is None or last < now - now % DAY


def clean_up(database: Database, home: Home, settings: CoordinatorSettings, now: int) -> str:
    """Deletes what is kept no longer, and notes that it was done.

    Args:
        database: The region's.
        home: The coordinator's folder.
        settings: Its settings.
        now: Seconds since 1970-01-01T00:00:00Z.

    Returns:
        What was deleted, for people.
    """
    drafts = 0
    file = home.drafts_file(settings)
    if settings.retention.drafts_days is not None and (file is None or file.exists()):
        kept = open_drafts(home, settings)
        try:
            drafts = delete_ended(kept, now - settings.retention.drafts_days * DAY)
        finally:
            kept.close()
    with database.writing() as session:
        newest = (
            select(ScheduledRow.name, func.max(ScheduledRow.due_at).label("due_at"))
            .group_by(ScheduledRow.name)
            .subquery()
        )
        old = (
            select(ScheduledRow)
            .join(newest, newest.c.name == ScheduledRow.name)
            .where(
                ScheduledRow.due_at < newest.c.due_at,
                ScheduledRow.due_at < now - HISTORY_DAYS * DAY,
            )
        )
        for row in session.scalars(old).all():
            session.delete(row)
        session.execute(delete(ScheduledRow).where(ScheduledRow.name == CLEAN_UP))
        session.add(
            ScheduledRow(
                name=CLEAN_UP,
                due_at=now - now % DAY,
                state="opened",
                detail="",
                settings=bytes(32),
                noted_at=now,
            )
        )
    return f"deleted drafts: {drafts}"
