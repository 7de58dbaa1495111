"""What openings hold about a household, for residents' rights and for retention."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy import delete as delete_rows
from sqlalchemy.orm import DeclarativeBase, Session

from folkmoot_node.casework.authority.retention import RetentionPolicy
from folkmoot_node.casework.cases.models import CaseRow
from folkmoot_node.casework.holdings import Fact, Item, Records
from folkmoot_node.casework.opening.models import (
    BarRow,
    ExportRow,
    OpeningRow,
    RestrictionRow,
    SearchRow,
)
from folkmoot_node.casework.uk_time import uk_day_text


class OpeningRecords(Records):
    """Who opened a household, and why."""

    room = "openings"
    title = "Openings of the household, and why"
    stays = (
        "A restriction goes too, and with it what protects the household: restrict it again if it "
        "comes back. The log keeps that somebody opened the household, by its random id, with the "
        "reason that they gave: it shows that staff looked only where they may, and cannot be "
        "changed."
    )

    def held_on(self, session: Session, household: str) -> Iterable[Item]:
        """See `Records`."""
        query = (
            select(OpeningRow)
            .where(OpeningRow.case_id.in_(_cases(household)))
            .order_by(OpeningRow.opened_at)
        )
        for row in session.scalars(query):
            facts = (
                Fact("By", row.account),
                Fact("For the case", row.case_id),
                Fact("Reason", row.reason, may_name_others=True),
            )
            yield Item(row.opening_id, f"Opened on {uk_day_text(row.opened_at)}", facts)
        yield from _hidden(session, household)
        found = select(SearchRow).where(SearchRow.household_id == household)
        for search in session.scalars(found.order_by(SearchRow.searched_at)):
            title = f"Found by a search on {uk_day_text(search.searched_at)}"
            yield Item(search.search_id, title, (Fact("By", search.account),))

    def erase(self, session: Session, household: str) -> int:
        """See `Records`."""
        return self.erase_cases(session, session.scalars(_cases(household)).all()) + sum(
            session.execute(delete_rows(one).where(one.household_id == household)).rowcount  # type: ignore[attr-defined]
            for one in (RestrictionRow, BarRow, SearchRow)
        )

    def erase_cases(self, session: Session, cases: Collection[str]) -> int:
        """See `Records`."""
        result = session.execute(delete_rows(OpeningRow).where(OpeningRow.case_id.in_(cases)))
        return int(result.rowcount)  # type: ignore[attr-defined]

    def past_retention(
        self,
        session: Session,
        rule: RetentionPolicy,
        now: int,
        *,
        held: Select[str],
        delete: bool,
    ) -> int:
        """See `Records`."""
        last = now - rule.openings_days * 86_400
        of_held = select(CaseRow.case_id).where(CaseRow.household_id.in_(held))
        past: dict[type[DeclarativeBase], ColumnElement[bool]] = {
            OpeningRow: (OpeningRow.ends_at < last) & OpeningRow.case_id.not_in(of_held),
            SearchRow: (SearchRow.searched_at < last)
            # A search may have found nobody.
            & func.coalesce(SearchRow.household_id, "").not_in(held),
            ExportRow: ExportRow.made_at < last,
            RestrictionRow: (RestrictionRow.lifted_at < last)
            & RestrictionRow.household_id.not_in(held),
            BarRow: (BarRow.lifted_at < last) & BarRow.household_id.not_in(held),
        }
        count = 0
        for one, old in past.items():
            found = session.scalar(select(func.count()).select_from(one).where(old)) or 0
            if delete and found:
                session.execute(delete_rows(one).where(old))
            count += found
        return count


def _hidden(session: Session, household: str) -> Iterator[Item]:
    """Restrictions, and people from whom the household is hidden."""
    restrictions = select(RestrictionRow).where(RestrictionRow.household_id == household)
    for row in session.scalars(restrictions.order_by(RestrictionRow.made_at)):
        facts = (
            Fact("Kind", row.kind),
            Fact("Reason", row.reason, may_name_others=True),
            Fact("Until", row.ends_on),
            Fact("By", row.made_by),
        )
        yield Item(row.restriction_id, f"Restricted on {uk_day_text(row.made_at)}", facts)
    bars = select(BarRow).where(BarRow.household_id == household)
    for bar in session.scalars(bars.order_by(BarRow.made_at)):
        hidden = (
            Fact("Hidden from", bar.account, may_name_others=True),
            Fact("Reason", bar.reason, may_name_others=True),
            Fact("By", bar.made_by),
        )
        yield Item(bar.bar_id, f"Hidden from a person on {uk_day_text(bar.made_at)}", hidden)


def _cases(household: str) -> Select[str]:
    return select(CaseRow.case_id).where(CaseRow.household_id == household)
