"""Which rounds were asked, for programs, without who asked."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import select

from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import AnswerRow, RoundRow
from folkmoot_coordinator.rounds.round_store import stored_round
from folkmoot_operator.moments import to_text


def rounds_asked(database: Database) -> list[dict[str, Any]]:
    """Every round, newest first: what for, at what loss, and how many answered.

    Raises:
        Problem: If a stored round is damaged.
    """
    with database.reading() as session:
        rows = session.scalars(select(RoundRow).order_by(RoundRow.opened_at.desc())).all()
        answers = session.execute(select(AnswerRow.round_id, AnswerRow.reason)).all()
    released = Counter(row.round_id for row in answers if row.reason is None)
    refused = Counter(row.round_id for row in answers if row.reason is not None)
    found = []
    for row in rows:
        stored = stored_round(row)
        round_ = stored.round_
        found.append(
            {
                "round_id": round_.round_id,
                "title": round_.title,
                "purpose": round_.purpose,
                "policy_digest": round_.policy_digest.hex(),
                "opened_at": to_text(round_.opened_at),
                "state": stored.state.name.lower(),
                "rho": str(round_.loss),
                "invited": len(round_.councils),
                "released": released[round_.round_id],
                "refused": refused[round_.round_id],
                "withdrawn": str(stored.withdrawal) if stored.withdrawal else None,
            }
        )
    return found
