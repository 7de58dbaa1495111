"""What outcomes are computed from: facts of cases, objections and decisions, and nobody's name.

No query here reads who worked on a case, so no figure can be a league table of workers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.models import HouseholdRow
from folkmoot_node.casework.cases.models import (
    RIGHTS_PURPOSE,
    AssessmentRow,
    CaseRow,
    ContactRow,
    FirstLookRow,
)
from folkmoot_node.casework.cases.words import View
from folkmoot_node.casework.cohorts.models import DecisionRow


@dataclass(frozen=True, slots=True)
class CaseFact:
    """A case, for figures.

    Attributes:
        household: Id of its household.
        is_flagged: Whether its household was in a cohort; else a person opened it for another
            reason.
        band: Of the household when the case was opened; None if no score was kept.
        factors: Titles of the factors that added points then, by identifier; None if no score was
            kept.
        began_at: When the household was flagged, or else when the case was opened; seconds since
            1970-01-01T00:00:00Z, as the other times.
        first_contact_at: Of the first contact event; None if there was none.
        closed_at: When it was closed; None while it is not.
        need_found: What the newest assessment says; None if there is none.
    """

    household: str
    is_flagged: bool
    band: str | None
    factors: dict[str, str] | None
    began_at: int
    first_contact_at: int | None
    closed_at: int | None
    need_found: bool | None


@dataclass(frozen=True, slots=True)
class LookFact:
    """A first look.

    Attributes:
        view: What somebody thought before the score was shown.
        is_upper: Whether the band was in the upper half of the bands; None without a score.
    """

    view: View
    is_upper: bool | None


@dataclass(frozen=True, slots=True)
class DecisionFact:
    """A person's decision about a household of a cohort.

    Attributes:
        seconds: From when they saw what they decided on; None if they never did.
        follows_score: Whether it was what the score proposed.
        in_bulk: Whether it was taken together with others.
    """

    seconds: int | None
    follows_score: bool
    in_bulk: bool


@dataclass(frozen=True, slots=True)
class Contested:
    """Objections.

    Attributes:
        households: Ids of the households that objected.
        overturned: Ids of those of them for which the council changed its mind.
    """

    households: frozenset[str]
    overturned: frozenset[str]


ReadContested = Callable[[Session], Contested]
"""How the room of residents' rights gives its numbers."""


def decisions_of_cohorts(session: Session) -> list[DecisionFact]:
    """Decisions about households of cohorts, in no order."""
    query = select(DecisionRow.seconds_looked, DecisionRow.opens_case, DecisionRow.in_bulk)
    return [
        DecisionFact(seconds, opens_case, in_bulk is not None)
        for seconds, opens_case, in_bulk in session.execute(query)
    ]


def case_facts(session: Session) -> list[CaseFact]:
    """All cases but those that only answer a resident's request, for figures, in no order."""
    first_contact = (
        select(ContactRow.case_id, func.min(ContactRow.happened_at).label("at"))
        .where(ContactRow.removed_at.is_(None))
        .group_by(ContactRow.case_id)
        .subquery()
    )
    found = {case_id: need for case_id, need, _ in _assessments(session)}
    query = select(
        CaseRow.case_id,
        CaseRow.household_id,
        CaseRow.cohort_id,
        CaseRow.band,
        CaseRow.assessment,
        CaseRow.flagged_at,
        CaseRow.opened_at,
        CaseRow.closed_at,
        first_contact.c.at,
    ).outerjoin(first_contact, first_contact.c.case_id == CaseRow.case_id)
    # A case that only answers a resident's request is not work on a need.
    query = query.where(CaseRow.purpose != RIGHTS_PURPOSE)
    facts = []
    for row in session.execute(query):
        kept = json.loads(row.assessment or "{}")
        listed = kept.get("contributions")
        factors = listed and {
            one["factor"]: one["title"] for one in listed if (one["points"] or 0) > 0
        }
        facts.append(
            CaseFact(
                row.household_id,
                row.cohort_id is not None,
                row.band or kept.get("band"),
                None if listed is None else factors,
                row.flagged_at or row.opened_at,
                row.at,
                row.closed_at,
                found.get(row.case_id),
            )
        )
    return facts


def look_facts(session: Session) -> list[LookFact]:
    """All first looks, in no order."""
    query = select(FirstLookRow.view, FirstLookRow.is_upper)
    return [LookFact(View(view), is_upper) for view, is_upper in session.execute(query)]


def needs_by_uprn(session: Session) -> list[tuple[int, int, bool]]:
    """What the newest assessment of each case says, for scoring.

    Returns:
        UPRN, moment of the assessment (seconds since 1970-01-01T00:00:00Z), and whether a need
        was found, in no order.
    """
    query = select(CaseRow.case_id, HouseholdRow.uprn).join(
        HouseholdRow, HouseholdRow.household_id == CaseRow.household_id
    )
    uprns = dict(row for row in session.execute(query))
    newest = _assessments(session)
    return [(uprns[case], at, need) for case, need, at in newest if case in uprns]


def _assessments(session: Session) -> list[tuple[str, bool, int]]:
    """The newest assessment of each case that was not taken out."""
    query = (
        select(AssessmentRow.case_id, AssessmentRow.is_need_found, AssessmentRow.at)
        .where(AssessmentRow.removed_at.is_(None))
        .order_by(AssessmentRow.at, AssessmentRow.entry_id.desc())
    )
    newest = {case_id: (case_id, need, at) for case_id, need, at in session.execute(query)}
    return list(newest.values())
