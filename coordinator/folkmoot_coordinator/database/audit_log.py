"""What people did at this coordinator: a hash-chained log in the region's database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from folkmoot_coordinator.database.models import AuditRow
from folkmoot_operator.accounts import Operator, body_of_account, current_operator
from folkmoot_operator.hash_chain import Entry
from folkmoot_operator.sql_audit import SqlAudit

_LOG = SqlAudit(AuditRow)
entries, head, last, verify = _LOG.entries, _LOG.head, _LOG.last, _LOG.verify
exclude_writers = _LOG.exclude_writers
"""See `SqlAudit`."""


def note(
    session: Session,
    at: int,
    action: str,
    details: Mapping[str, Any],
    who: Operator | str | None = None,
) -> Entry:
    """Adds an entry to the log, in a transaction that writes.

    Args:
        session: Of the transaction.
        at: Seconds since 1970-01-01T00:00:00Z.
        action: What was done, such as `result withdrawn`.
        details: Of it: texts, whole numbers, lists of them, nulls.
        who: An account, or a program that did it by itself; None for whoever runs this process.
    """
    account = body_of_account(current_operator() if who is None else who)
    return _LOG.append(session, at, {"action": action, **account, **details})
