"""How severe each circumstance of a household is on a day: what hazards depend on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from folkmoot_rehearsal.circumstances import Booleans, Dates
from folkmoot_rehearsal.outcomes.history import History
from folkmoot_rehearsal.population import Population
from folkmoot_rehearsal.rounding import Floats

_CARE = np.array([0.0, 0.4, 0.7, 1.0])


def severities(
    population: Population, history: History, unseen: Floats, day: np.datetime64
) -> Mapping[str, Floats]:
    """The severities on a day, in truth: no record is missing or wrong.

    The names are those of `mechanism.SEVERITIES`. The shapes are those of the factors of the
    rehearsal's policy, written down once more: here they are a part of the mechanism.

    Args:
        population: The council.
        history: When its circumstances began.
        unseen: float64, shape (households,).
        day: The day.

    Returns:
        By name: float64, shape (households,), 0 to 1, but for `unseen`; none missing.
    """
    known, drawn = population.circumstances, population.households
    n = len(drawn.size)

    def has(name: str) -> Booleans:
        began: Booleans = history.since[name] <= day
        return began

    owed = known.council_tax_arrears * has("arrears") + known.rent_arrears * has("rent_arrears")
    supported = has("support") | has("universal_credit") | has("housing_benefit")
    starts = np.cumsum(drawn.size) - drawn.size
    oldest = (day - np.minimum.reduceat(population.birth, starts)).astype(np.float64) / 365.25
    package = _CARE[np.maximum.reduceat(known.care, starts)]

    by_then = history.reported <= day
    reports = np.bincount(history.report_of[by_then], minlength=n)
    last = np.full(n, np.datetime64("1900-01-01"))
    np.maximum.at(last, history.report_of[by_then], history.reported[by_then])
    several = np.minimum(0.6 + 0.4 / 3 * (reports - 1), 1.0) * (reports > 0)

    changed = np.fmax(
        has("discount") * _fading(known.single_person_discount_from, day, 180),
        has("tenancy_change") * _fading(known.tenancy_change, day, 180),
    )
    involved = has("children_services")
    return {
        "financial_hardship": np.minimum(owed / 2000 + 0.2 * supported, 1.0),
        "isolation": np.where(
            (drawn.size == 1) & (oldest >= 65), np.clip(0.6 + 0.02 * (oldest - 65), 0.6, 1.0), 0.0
        ),
        "clinical_vulnerability": has("shielded").astype(np.float64),
        "social_care_need": package * has("care"),
        "domestic_abuse": several * _fading(last, day, 90),
        "relationship_breakdown": changed * np.where(involved, 1.0, 0.7),
        "child_need": 0.6 * involved,
        "private_renting": (drawn.tenure == 3).astype(np.float64),
        "deprivation": drawn.deprivation / 4,
        "unseen": unseen,
    }


def _fading(when: Dates, day: np.datetime64, full: int) -> Floats:
    """1 up to `full` days after, falling to 0 two years after; 0 before, and where it never was."""
    days = (day - when).astype(np.float64)
    faded = np.clip((730 - days) / (730 - full), 0.0, 1.0)
    return np.where(np.isnat(when) | (when > day), 0.0, faded)
