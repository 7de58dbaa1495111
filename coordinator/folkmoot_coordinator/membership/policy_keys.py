"""Whose signature of its release policy counts at each council, as its node states it.

The first that a council states is pinned. Another one is kept, and shown until a person of the
region accepts it after asking the council. Nothing else is decided by it: what leaves a node was
paid for there, and a change that nobody wanted is found here after the noise.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from folkmoot.geography import GssCode
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import PolicyKeyRow
from folkmoot_coordinator.signals import events
from folkmoot_operator.events import emit
from folkmoot_operator.moments import to_text


@dataclass(frozen=True, slots=True)
class PolicySigner:
    """Whose signature counts at a council.

    Attributes:
        council: GSS code.
        key: Ed25519 public key that the node stated last, 32 bytes.
        stated_at: When it stated it first, seconds since 1970-01-01T00:00:00Z.
        pinned: The key that the region has accepted last; the same unless it has changed.
    """

    council: GssCode
    key: bytes
    stated_at: int
    pinned: bytes

    @property
    def has_changed(self) -> bool:
        """Whether the council signs with a key that nobody of the region has accepted."""
        return self.key != self.pinned

    def __str__(self) -> str:
        if self.has_changed:
            changed = f"policy signer changed at {to_text(self.stated_at)}"
            return f"{changed}, from {self.pinned.hex()} to {self.key.hex()}"
        return f"policy signer {self.key.hex()}, since {to_text(self.stated_at)}"


def note_policy_key(session: Session, council: GssCode, key: bytes, now: int) -> None:
    """Keeps the key that a node states, if it is another than it stated last.

    The first is pinned. So is one that was accepted last, if the council has come back to it.
    """
    if not key:
        return
    rows = _rows(session, council)
    if rows and rows[-1].key == key:
        return
    known = _pinned(rows)
    is_known = not rows or key == known
    if not is_known:
        emit(events.SIGNER_CHANGED, council=council)
    session.add(
        PolicyKeyRow(council=council, key=key, stated_at=now, accepted_at=now if is_known else None)
    )


def policy_signers(database: Database) -> dict[GssCode, PolicySigner]:
    """Whose signature counts at each council that has stated it."""
    by_council: dict[str, list[PolicyKeyRow]] = {}
    with database.reading() as session:
        for row in session.scalars(select(PolicyKeyRow).order_by(PolicyKeyRow.number)):
            by_council.setdefault(row.council, []).append(row)
        return {
            GssCode(council): PolicySigner(
                GssCode(council), rows[-1].key, rows[-1].stated_at, _pinned(rows)
            )
            for council, rows in by_council.items()
        }


def accept_policy_key(database: Database, council: GssCode, now: int) -> bytes | None:
    """Accepts the key that a council stated last.

    Returns:
        The key, 32 bytes; None if there was nothing to accept.
    """
    with database.writing() as session:
        rows = _rows(session, council)
        if not rows or rows[-1].key == _pinned(rows):
            return None
        rows[-1].accepted_at = now
        return rows[-1].key


def _rows(session: Session, council: GssCode) -> list[PolicyKeyRow]:
    query = select(PolicyKeyRow).where(PolicyKeyRow.council == council)
    return list(session.scalars(query.order_by(PolicyKeyRow.number)))


def _pinned(rows: list[PolicyKeyRow]) -> bytes:
    accepted = [row for row in rows if row.accepted_at is not None]
    return accepted[-1].key if accepted else b""
