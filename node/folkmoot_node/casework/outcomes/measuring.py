"""Computes the figures of a council from its database and its last scores."""

from __future__ import annotations

from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.households import uprn_of
from folkmoot_node.casework.desk import Desk
from folkmoot_node.casework.outcomes.facts import (
    CaseFact,
    Contested,
    ReadContested,
    case_facts,
    decisions_of_cohorts,
    look_facts,
)
from folkmoot_node.casework.outcomes.figures import Figures, figures
from folkmoot_node.casework.rights.numbers import contested, overturned
from folkmoot_operator.problems import Problem


def read_contested(session: Session) -> Contested:
    """Households that objected, and those of them of which an objection was upheld."""
    return Contested(contested(session), overturned(session))


READ_CONTESTED: ReadContested = read_contested
"""Where the numbers of objections come from."""
Groups = dict[str, tuple[list[str], dict[str, str]]]


def measured(desk: Desk) -> tuple[Figures, str]:
    """The figures of a council, and why there are none by protected group; empty if there are."""
    with desk.state.database.reading() as session:
        cases = case_facts(session)
        looks = look_facts(session)
        decisions = decisions_of_cohorts(session)
        contested = READ_CONTESTED(session)
        uprns = {
            uprn: one.household
            for one in cases
            if one.need_found is not None and (uprn := uprn_of(session, one.household)) is not None
        }
    bands, groups, why_no_groups = _of_scores(desk, cases, uprns)
    found = figures(
        cases,
        looks,
        decisions,
        contested,
        bands=bands,
        groups=groups,
        quick_seconds=desk.known.policy.measures.quick_decision_seconds,
        now=desk.clock(),
    )
    return found, why_no_groups


def _of_scores(
    desk: Desk, cases: list[CaseFact], uprns: dict[int, str]
) -> tuple[list[str], Groups, str]:
    """Bands and protected groups of the last run; groups are read there, and not kept here."""
    try:
        with desk.store() as store:
            bands, audited = list(store.run.band_names), store.run.audited
            found = store.audited_groups(list(uprns))
    except Problem as problem:
        # Figures without scores are those that need none.
        names = dict.fromkeys(one.band for one in cases if one.band)
        return list(names), {}, f"The scores cannot be read now: {problem.problem}."
    if not audited:
        why = "The risk stratification policy names no protected characteristic to audit."
        return bands, {}, why
    groups = {
        f"By {one.characteristic.replace('_', ' ')}: {one.description or name}": (
            list(one.groups),
            {
                uprns[uprn]: group
                for uprn, group in found.select("uprn", name).iter_rows()
                if group is not None
            },
        )
        for name, one in audited.items()
    }
    return bands, groups, ""
