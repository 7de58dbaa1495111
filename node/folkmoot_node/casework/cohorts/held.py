"""What cohorts hold about a household, for residents' rights and for retention."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import delete as delete_rows
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.retention import RetentionPolicy
from folkmoot_node.casework.cohorts.keeping import forget, held_about
from folkmoot_node.casework.cohorts.models import DecisionRow, LookRow, MemberRow, RunRow
from folkmoot_node.casework.holdings import Fact, Item, Records
from folkmoot_operator.moments import day_text

_DAY = 86_400


class CohortRecords(Records):
    """Runs of cohorts in which a household was, decisions about it, and who looked."""

    room = "cohorts"
    title = "Lists that the household was on, and decisions"

    def held_on(self, session: Session, household: str) -> Iterable[Item]:
        """See `Records`."""
        found = held_about(session, household)
        for at, one in enumerate(found["memberships"]):
            facts = [
                Fact("Purpose", one["purpose"]),
                Fact("Lawful basis", one["lawful_basis"]),
                Fact("Standing", one["standing"]),
                *_known(one),
            ]
            title = f"List “{one['cohort']}” of {day_text(one['run_at'])}"
            yield Item(f"member {at}", title, tuple(fact for fact in facts if fact.value))
        for at, one in enumerate(found["decisions"]):
            facts = [
                Fact("List", one["cohort"]),
                Fact("Who decided", one["decided_by"]),
                Fact("Decision", "a case is opened" if one["opens_case"] else "no case"),
                Fact("Why", one["why"], may_name_others=True),
                Fact("Case", one["case"] or ""),
                Fact("Together with others", "yes" if one["in_bulk"] else ""),
                *_known(one),
            ]
            title = f"Decision of {day_text(one['decided_at'])}"
            yield Item(f"decision {at}", title, tuple(fact for fact in facts if fact.value))
        for at, one in enumerate(found["looks"]):
            yield Item(
                f"look {at}", f"Looked at on {day_text(one['at'])}", (Fact("By", one["by"]),)
            )

    def erase(self, session: Session, household: str) -> int:
        """See `Records`."""
        return forget(session, household)

    def erase_cases(self, session: Session, cases: Collection[str]) -> int:
        """See `Records`."""
        count = session.scalar(
            select(func.count()).select_from(DecisionRow).where(DecisionRow.case_id.in_(cases))
        )
        session.execute(delete_rows(DecisionRow).where(DecisionRow.case_id.in_(cases)))
        return count or 0

    def past_retention(
        self, session: Session, rule: RetentionPolicy, now: int, *, delete: bool
    ) -> int:
        """Runs, and decisions that opened no case; those that did go with the case."""
        last = now - rule.cohort_runs_days * _DAY
        runs = list(session.scalars(select(RunRow.run_id).where(RunRow.ran_at < last)))
        alone = (DecisionRow.decided_at < last) & DecisionRow.case_id.is_(None)
        count = session.scalar(select(func.count()).select_from(DecisionRow).where(alone)) or 0
        if delete:
            for one in (MemberRow, LookRow, RunRow):
                session.execute(delete_rows(one).where(one.run_id.in_(runs)))
            session.execute(delete_rows(DecisionRow).where(alone))
        return count + len(runs)


def _known(one: dict[str, Any]) -> Iterable[Fact]:
    """The values on which a list or a decision rests."""
    yield Fact("Group of the scores", one["band"] or "")
    for name, value in one["information"].items():
        text = "not known" if value is None else str(value)
        yield Fact(str(name)[:1].upper() + str(name)[1:], text)
