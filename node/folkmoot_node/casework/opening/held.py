"""What openings hold about a household, for residents' rights and for retention."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Select, func, select
from sqlalchemy import delete as delete_rows
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.retention import RetentionPolicy
from folkmoot_node.casework.cases.models import CaseRow
from folkmoot_node.casework.holdings import Fact, Item, Records
from folkmoot_node.casework.opening.models import OpeningRow
from folkmoot_operator.moments import day_text


class OpeningRecords(Records):
    """Who opened a household, and why."""

    room = "openings"
    title = "Who opened your household, and why"
    stays = (
        "The log keeps that somebody opened the household, by its random id, with the reason that "
        "they gave: it shows that staff looked only where they may, and cannot be changed."
    )

    def held_on(self, session: Session, household: str) -> Iterable[Item]:
        """See `Records`."""
        query = (
            select(OpeningRow)
            .where(OpeningRow.case_id.in_(_cases(household)))
            .order_by(OpeningRow.opened_at)
        )
        return [
            Item(
                row.opening_id,
                f"Opened on {day_text(row.opened_at)}",
                (
                    Fact("By", row.account),
                    Fact("For the case", row.case_id),
                    Fact("Reason", row.reason, may_name_others=True),
                ),
            )
            for row in session.scalars(query)
        ]

    def erase(self, session: Session, household: str) -> int:
        """See `Records`."""
        return self.erase_cases(session, session.scalars(_cases(household)).all())

    def erase_cases(self, session: Session, cases: Collection[str]) -> int:
        """See `Records`."""
        result = session.execute(delete_rows(OpeningRow).where(OpeningRow.case_id.in_(cases)))
        return int(result.rowcount)  # type: ignore[attr-defined]

    def past_retention(
        self, session: Session, rule: RetentionPolicy, now: int, *, delete: bool
    ) -> int:
        """See `Records`."""
        old = OpeningRow.ends_at < now - rule.openings_days * 86_400
        count = session.scalar(select(func.count()).where(old)) or 0
        if delete and count:
            session.execute(delete_rows(OpeningRow).where(old))
        return count


def _cases(household: str) -> Select[str]:
    return select(CaseRow.case_id).where(CaseRow.household_id == household)
