"""What cohorts hold about a household, for residents' rights and for retention."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator

from sqlalchemy import Select, func, select
from sqlalchemy import delete as delete_rows
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.retention import RetentionPolicy
from folkmoot_node.casework.cohorts.models import DecisionRow, LookRow, MemberRow, RunRow
from folkmoot_node.casework.cohorts.runs import Asked, Run, get_run
from folkmoot_node.casework.cohorts.words import GONE
from folkmoot_node.casework.holdings import Fact, Item, Records
from folkmoot_node.casework.uk_time import uk_day_text
from folkmoot_operator.moments import day

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
        runs: dict[str, Run] = {}
        for row, _ in session.execute(found):
            run = runs[row.run_id] = get_run(session, row.run_id)
            yield _membership(row, run)
        decisions = select(DecisionRow).where(DecisionRow.household_id == household)
        for decision in session.scalars(decisions.order_by(DecisionRow.decided_at)):
            yield _decision(decision, runs.get(decision.run_id))
        looks = select(LookRow).where(LookRow.household_id == household)
        for look in session.scalars(looks.order_by(LookRow.looked_at)):
            title = f"Looked at on {uk_day_text(look.looked_at)}"
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
        self,
        session: Session,
        rule: RetentionPolicy,
        now: int,
        *,
        held: Select[str],
        delete: bool,
    ) -> int:
        """Runs that are kept no longer by the casework policy, or by that of their scores; and
        decisions that opened no case. Those that did go with the case.

        Of a run with households under a legal hold, these stay and the others go.
        """
        last = now - rule.cohort_runs_days * _DAY
        old = (RunRow.ran_at < last) | (RunRow.scores_until < day(now).isoformat())
        needed = set(
            session.scalars(select(MemberRow.run_id).where(MemberRow.household_id.in_(held)))
        )
        others = select(MemberRow.run_id).where(MemberRow.household_id.not_in(held))
        runs = [
            run
            for run in session.scalars(select(RunRow.run_id).where(old))
            if run not in needed or session.scalar(others.where(MemberRow.run_id == run).limit(1))
        ]
        alone = (
            (DecisionRow.decided_at < last)
            & DecisionRow.case_id.is_(None)
            & DecisionRow.household_id.not_in(held)
        )
        count = session.scalar(select(func.count()).select_from(DecisionRow).where(alone)) or 0
        if delete:
            for table in (MemberRow, LookRow):
                # Who looked at a whole list looked at no household.
                household = func.coalesce(table.household_id, "")
                of_others = table.run_id.in_(runs) & household.not_in(held)
                session.execute(delete_rows(table).where(of_others))
            session.execute(delete_rows(RunRow).where(RunRow.run_id.in_({*runs} - needed)))
            session.execute(delete_rows(DecisionRow).where(alone))
        return count + len(runs)


def _membership(row: MemberRow, run: Run) -> Item:
    """The title of a list, and each of its conditions, tell of all who are on it."""
    rests_on = _sources(run)
    facts = [
        Fact("List", run.definition.title, sources=rests_on),
        Fact("Purpose", run.definition.purpose, sources=rests_on),
        Fact("Lawful basis", run.definition.lawful_basis, sources=rests_on),
    ]
    if row.why_gone is not None:
        facts.append(Fact("Not on it any more", GONE.get(row.why_gone, row.why_gone)))
    facts += [
        Fact("Condition, and what was known", _sentence(asked.text, value), sources=_known(asked))
        for asked, value in zip(run.asked, json.loads(row.information), strict=False)
    ]
    if row.band is not None:
        facts.append(Fact("Group of the scores", row.band, sources=None))
    return Item(f"{row.run_id}-{row.place}", f"List of {uk_day_text(run.ran_at)}", tuple(facts))


def _decision(row: DecisionRow, run: Run | None) -> Item:
    return Item(
        row.decision_id,
        f"Decision of {uk_day_text(row.decided_at)}",
        tuple(_decision_facts(row, run)),
    )


def _decision_facts(row: DecisionRow, run: Run | None) -> Iterator[Fact]:
    yield Fact("Who decided", row.decided_by)
    yield Fact("Decided", "to open a case" if row.opens_case else "to open no case")
    yield Fact("Reason", row.why, may_name_others=True, field="why")
    if row.in_bulk is not None:
        yield Fact("How", "together with other households, from a list")
    asked = {one.text: _known(one) for one in run.asked} if run else {}
    for text, value in json.loads(row.information):
        yield Fact("Condition, and what was seen", _sentence(text, value), sources=asked.get(text))


def _sentence(text: str, value: str) -> str:
    return f"{text[:1].upper()}{text[1:]}: {value}"


def _sources(run: Run) -> tuple[str, ...] | None:
    """Of which a list tells something; None if it may be any."""
    found = [_known(one) for one in run.asked]
    if None in found:
        return None
    return tuple(dict.fromkeys(source for one in found for source in one or ()))


def _known(asked: Asked) -> tuple[str, ...] | None:
    """A condition without sources, such as one on the band, may rest on any."""
    return asked.sources or None
