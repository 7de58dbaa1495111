"""Deletion of noisy counts that are no longer needed."""

from __future__ import annotations

from sqlalchemy import delete, or_, select

from folkmoot_coordinator.clock import DAY
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import CellsRow, RoundRow


def delete_old_counts(database: Database, days: int, now: int) -> int:
    """Deletes the counts of rounds closed at least `days` days ago.

    Those of a series are kept until it has ended so long ago: later rounds need them.

    Who answered, and the receipts, stay: a late retry still gets its receipt, and no
    round is answered twice.

    Returns:
        How many councils' counts were deleted.
    """
    before = now - days * DAY
    old = select(RoundRow.round_id).where(
        RoundRow.closed_at <= before,
        or_(RoundRow.series_ends_at.is_(None), RoundRow.series_ends_at <= before),
    )
    with database.reading() as session:
        if session.scalar(select(CellsRow.round_id).where(CellsRow.round_id.in_(old))) is None:
            return 0
    with database.writing() as session:
        deleted = session.scalars(
            delete(CellsRow).where(CellsRow.round_id.in_(old)).returning(CellsRow.council)
        )
        return len(deleted.all())
