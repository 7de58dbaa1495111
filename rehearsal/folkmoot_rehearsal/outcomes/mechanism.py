"""The mechanism by which outcomes happen and are recorded: all of it, so that truth is known.

Each household has a hazard, in events a month:

    hazard = base x exp(sum of effect x severity on that day)

A severity is 0 to 1 (see `severities`). Some are what a factor of the rehearsal's policy sees,
others stand in no extract, or in none that a factor reads. The base is set so that the mean over
all households and months is the yearly rate. All numbers are assumed; events are more frequent than
in England, so that a region of a few thousand households shows figures.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

SHOWN = (
    "financial_hardship",
    "isolation",
    "clinical_vulnerability",
    "social_care_need",
    "domestic_abuse",
    "relationship_breakdown",
    "child_need",
)
"""Severities that a factor of the same name sees, but for what is wrong with the extracts."""
HIDDEN = ("private_renting", "deprivation", "unseen")
"""Severities that no factor sees; `unseen` is a standard normal number of each household."""
SEVERITIES = (*SHOWN, *HIDDEN)

MONTHS = 24
"""Whole calendar months before the rehearsal's day in which outcomes happen; and what has passed
of the month of that day."""
DELAY = 14
"""Days within which a system records an event; an extract lacks what is recorded after it."""

GROUPS = ("white", "asian", "black", "mixed", "other")
"""Codes of the field `ethnic_group`."""
GROUP_SHARES = (0.76, 0.13, 0.05, 0.03, 0.03)
"""Of all households, in the order of `GROUPS`. Census 2021 TS021, Greater Manchester, rounded.
Assigned without regard to anything else: what differs between groups is the recording alone."""
NOT_STATED = 0.08
"""Share of households whose group the council does not know; assumed."""

RECORDED = {"white": 0.95, "asian": 0.85, "black": 0.85, "mixed": 0.9, "other": 0.85}
"""Share of events that a system hears of, by group of the household."""
BIASED_GROUP = "asian"
"""Group whose events are recorded less where a bias is planted."""
BIASED_SHARE = 0.4
"""Share of its events that are recorded then."""

LEAVE_YEARLY = 0.06
"""Share of households that leave the council or die out in a year, and are observed no more."""
TWO_CODES = 0.15
"""Share of homelessness applications that have two rows, for the prevention and the relief duty."""
UNDATED = 0.01
"""Share of events whose day is missing."""
DUTY_DAYS = 240
"""Days for which a duty is owed to a household after it applied; assumed."""
PREVIOUS_OCCUPIER = 0.1
"""Share of households opened in these two years with an event of whoever lived there before."""


class Plant(enum.StrEnum):
    """What may be planted, to be found by whoever evaluates."""

    BIAS = "bias"
    """The events of one group are seldom recorded."""
    LEAK = "leak"
    """An input of the policy is a consequence of the outcome."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One kind of event.

    Attributes:
        name: The field that a source declares.
        yearly: Mean number of events of a household in a year.
        effects: What is added to the logarithm of the hazard at a severity of 1.
    """

    name: str
    yearly: float
    effects: Mapping[str, float]


HOMELESSNESS = Outcome(
    "homelessness_application",
    0.03,
    {
        "domestic_abuse": 3.0,
        "relationship_breakdown": 2.0,
        "financial_hardship": 1.0,
        "private_renting": 0.6,
        "deprivation": 0.8,
        "unseen": 0.4,
    },
)
SAFEGUARDING = Outcome(
    "safeguarding_enquiry",
    0.03,
    {
        "social_care_need": 3.0,
        "isolation": 2.0,
        "clinical_vulnerability": 1.0,
        "deprivation": 0.8,
        "unseen": 0.4,
    },
)


@dataclass(frozen=True, slots=True)
class Mechanism:
    """How outcomes of a rehearsal come about.

    Attributes:
        outcomes: The kinds of events.
        recorded: Share of events that a system hears of, by group.
        leak: Whether an extract is a consequence of homelessness.
    """

    outcomes: tuple[Outcome, ...] = (HOMELESSNESS, SAFEGUARDING)
    recorded: Mapping[str, float] = field(default_factory=lambda: dict(RECORDED))
    leak: bool = False

    @classmethod
    def planted(cls, *plants: Plant) -> Mechanism:
        """The usual mechanism with what is planted."""
        biased = {BIASED_GROUP: BIASED_SHARE} if Plant.BIAS in plants else {}
        return cls(recorded={**RECORDED, **biased}, leak=Plant.LEAK in plants)
