"""What cohorts hold about a household, for residents' rights and for retention."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator

from sqlalchemy import delete as delete_rows
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.retention import RetentionPolicy
from folkmoot_node.casework.cohorts.models import DecisionRow, LookRow, MemberRow, RunRow
from folkmoot_node.casework.cohorts.runs import Run, get_run
from folkmoot_node.casework.cohorts.words import GONE
from folkmoot_node.casework.holdings import Fact, Item, Records
from folkmoot_operator.moments import day, day_text

_DAY = 86_400


class CohortRecords(Records):
    """In which runs of cohorts a household was, who saw that, and what was decided."""

    room = "cohorts"
    title = "Lists that the household was on, and decisions"
    stays = (
        "The log keeps that somebody saw the household on a list and decided about it, by its "
        "random id: it shows that people decided, and cannot be changed."
    )

    def held_on(self, session: Session, household: str) -> Iterable[Item]:
        """See `Records`."""
        found = select(MemberRow, RunRow.ran_at).join(RunRow, RunRow.run_id == MemberRow.run_id)
        found = found.where(MemberRow.household_id == household).order_by(RunRow.ran_at)
        for row, _ in session.execute(found):
            yield _membership(row, get_run(session, row.run_id))
        decisions = select(DecisionRow).where(DecisionRow.household_id == household)
        for decision in session.scalars(decisions.order_by(DecisionRow.decided_at)):
            yield _decision(decision)
        looks = select(LookRow).where(LookRow.household_id == household)
        for look in session.scalars(looks.order_by(LookRow.looked_at)):
            title = f"Looked at on {day_text(look.looked_at)}"
            yield Item(look.look_id, title, (Fact("By", look.account),))

    def erase(self, session: Session, household: str) -> int:
        """See `Records`."""
        return sum(
            session.execute(delete_rows(one).where(one.household_id == household)).rowcount  # type: ignore[attr-defined]
            for one in (MemberRow, LookRow, DecisionRow)
        )

    def erase_cases(self, session: Session, cases: Collection[str]) -> int:
        """See `Records`: decisions that opened the cases."""
        result = session.execute(delete_rows(DecisionRow).where(DecisionRow.case_id.in_(cases)))
        return int(result.rowcount)  # type: ignore[attr-defined]

    def rectify(self, session: Session, household: str, key: str, field: str, text: str) -> bool:
        """See `Records`; only the reason of a decision can be rectified."""
        row = session.get(DecisionRow, key)
        if row is None or row.household_id != household or field != "why":
            return False
        row.why = text
        return True

    def past_retention(
        self, session: Session, rule: RetentionPolicy, now: int, *, delete: bool
    ) -> int:
        """Runs that are kept no longer by the casework policy, or by that of their scores; and
        decisions that opened no case. Those that did go with the case.
        """
        last = now - rule.cohort_runs_days * _DAY
        old = (RunRow.ran_at < last) | (RunRow.scores_until < day(now).isoformat())
        runs = list(session.scalars(select(RunRow.run_id).where(old)))
        alone = (DecisionRow.decided_at < last) & DecisionRow.case_id.is_(None)
        count = session.scalar(select(func.count()).select_from(DecisionRow).where(alone)) or 0
        if delete:
            for table in (MemberRow, LookRow, RunRow):
                session.execute(delete_rows(table).where(table.run_id.in_(runs)))
            session.execute(delete_rows(DecisionRow).where(alone))
        return count + len(runs)


def _membership(row: MemberRow, run: Run) -> Item:
    facts = [
        Fact("Purpose", run.definition.purpose),
        Fact("Lawful basis", run.definition.lawful_basis),
    ]
    if row.why_gone is not None:
        facts.append(Fact("Not on it any more", GONE.get(row.why_gone, row.why_gone)))
    facts += [
        Fact(asked.text[:1].upper() + asked.text[1:], value)
        for asked, value in zip(run.asked, json.loads(row.information), strict=False)
    ]
    if row.band is not None:
        facts.append(Fact("Group of the scores", row.band))
    title = f"List “{run.definition.title}” of {day_text(run.ran_at)}"
    return Item(f"{row.run_id}-{row.place}", title, tuple(facts))


def _decision(row: DecisionRow) -> Item:
    return Item(
        row.decision_id,
        f"Decision of {day_text(row.decided_at)}",
        tuple(_decision_facts(row)),
    )


def _decision_facts(row: DecisionRow) -> Iterator[Fact]:
    yield Fact("Who decided", row.decided_by)
    yield Fact("Decided", "to open a case" if row.opens_case else "to open no case")
    yield Fact("Reason", row.why, may_name_others=True, field="why")
    if row.in_bulk is not None:
        yield Fact("How", "together with other households, from a list")
    for text, value in json.loads(row.information):
        yield Fact(f"Seen: {text}", value)
