"""What a council with outcomes has besides: an evaluation file, and lines of its policy."""

from __future__ import annotations

import datetime
from importlib import resources

import numpy as np

from folkmoot_rehearsal.outcomes.dated import UNDATED
from folkmoot_rehearsal.outcomes.mechanism import Mechanism
from folkmoot_rehearsal.outcomes.outcome_extracts import MONITORING

EVALUATION_FILE = "evaluation.toml"
FIT_FILE = "fit.toml"
"""As `folkmoot-node fit` reads it: beside the evaluation file, fitted to homelessness."""
HORIZON = 6
"""Months after each date in which outcomes count."""
DATES = 12
"""Months that are judged."""
_EARLIEST = 18
"""Months from the first date to the first day of the rehearsal's month."""

OUTCOME = "homelessness"
"""The attribute that says whether a household applied as homeless after a past date."""
LEVELS = ("financial_hardship", "domestic_abuse", "relationship_breakdown")
"""Factors that are attributes as well: those that homelessness has something to do with."""

_AUDITED = """
[[equality]]
field = "ethnic_group"
"""
_ASKED = f"""
# What rounds may ask of a past date: docs/validation.md.
[attributes.{OUTCOME}]
outcome = "homelessness_application"
months = {HORIZON}
moved_away = "moved_out"
deceased = "died"
""" + "".join(
    f"""
[attributes.{name}]
factor = "{name}"
breaks = [0.5]
levels = ["no", "yes"]
"""
    for name in LEVELS
)
_LEAKY = """
[[factors]]
factor = "housing_insecurity"
weight = 30
"""


def evaluation_dates(today: datetime.date) -> tuple[datetime.date, ...]:
    """First days of months, ascending: each horizon ends a month or more before today."""
    this = np.datetime64(today, "M")
    months = (this - np.arange(_EARLIEST, _EARLIEST - DATES, -1)).astype("datetime64[D]")
    return tuple(months.tolist())


def evaluation_file(today: datetime.date, households: int) -> str:
    """An evaluation file of the council, as `folkmoot-node evaluate` reads it.

    Args:
        today: Day of the rehearsal.
        households: How many the council has.
    """
    shipped = resources.files("folkmoot_rehearsal") / "documents" / EVALUATION_FILE
    dates = ", ".join(day.isoformat() for day in evaluation_dates(today))
    undated = ", ".join(f'"{name}"' for name in (*UNDATED, MONITORING))
    visits = sorted({max(1, households // 100), max(2, households // 20)})
    return (
        shipped.read_text("utf-8")
        .replace("@DATES@", f"[{dates}]")
        .replace("@CAPACITY@", str(visits))
        .replace("@UNDATED@", f"[{undated}]")
        .replace("@MONTHS@", str(HORIZON))
    )


def fit_file() -> str:
    """A fit file beside the evaluation file."""
    return (resources.files("folkmoot_rehearsal") / "documents" / FIT_FILE).read_text("utf-8")


def policy_lines(mechanism: Mechanism) -> str:
    """Lines at the end of the region's policy: what is audited and what rounds may ask of a past
    date, and the factor that leaks.
    """
    return _ASKED + _AUDITED + (_LEAKY if mechanism.leak else "")
