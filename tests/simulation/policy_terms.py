"""The release policies that a simulated council signs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum


@dataclass(frozen=True)
class Terms:
    """Terms of a release policy, where the simulation varies them.

    Attributes:
        per_round: Most rho for one round.
        per_period: Most rho in an accounting period.
        lifetime: Most rho ever.
        approval: True if an operator approves each round.
        purpose: The one purpose permitted.
        first_day: First day of the first period, in days from the scenery's start.
        last_day: Last day on which anything is released, likewise.
    """

    per_round: str = "0.5"
    per_period: str = "1"
    lifetime: str = "1.5"
    approval: bool = False
    purpose: str = "winter_support"
    first_day: int = -100
    last_day: int = 10_000


class Policy(Enum):
    """Release policies that a council may sign."""

    ORDINARY = Terms()
    WITH_APPROVAL = Terms(approval=True)
    MEAN = Terms(per_round="0.1", per_period="0.4")
    GENEROUS = Terms(per_round="0.6", per_period="2", lifetime="3")
    OTHER_PERIODS = Terms(first_day=-49)
    OTHER_PURPOSE = Terms(purpose="flood_warning")
    ENDED = Terms(last_day=-1)


ROOM_FOR_ALL = Terms(per_period="1000", lifetime="1000")


def policy_text(terms: Terms, council: str, start: int) -> str:
    """The policy file.

    Args:
        terms: What varies.
        council: GSS code.
        start: The scenery's start, seconds since 1970-01-01T00:00:00Z.
    """
    first, last = (
        datetime.fromtimestamp(start, UTC).date() + timedelta(days=days)
        for days in (terms.first_day, terms.last_day)
    )
    return f"""\
schema = 1
council = "{council}"
sunset = {last}
purposes = ["{terms.purpose}"]
attributes = ["band", "lsoa"]
maximum_ways = 2
maximum_cells = 1000
mechanisms = ["discrete_gaussian"]
operator_approval = {str(terms.approval).lower()}
maximum_delta = 1e-6

[loss]
per_round = {terms.per_round}
per_period = {terms.per_period}
lifetime = {terms.lifetime}
period_start = {first}
period_months = 3
households_per_person = 2
"""
