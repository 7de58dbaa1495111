"""The words of referrals: states, grounds, ways, and what can be handed over."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class ReferralState(StrEnum):
    """Where a referral stands."""

    DRAFTED = "drafted"
    APPROVAL = "waits for approval"
    """Its legal ground waits for a second person."""
    QUEUED = "waits for a place"
    SENT = "sent"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    COMPLETED = "completed"
    REVOKED = "revoked"


_S = ReferralState
MOVES: Mapping[ReferralState, frozenset[ReferralState]] = MappingProxyType(
    {
        _S.DRAFTED: frozenset({_S.APPROVAL, _S.QUEUED, _S.SENT, _S.REVOKED}),
        _S.APPROVAL: frozenset({_S.DRAFTED, _S.REVOKED}),
        _S.QUEUED: frozenset({_S.SENT, _S.REVOKED}),
        _S.SENT: frozenset({_S.RECEIVED, _S.ACCEPTED, _S.REJECTED, _S.REVOKED}),
        _S.RECEIVED: frozenset({_S.ACCEPTED, _S.REJECTED, _S.REVOKED}),
        _S.ACCEPTED: frozenset({_S.COMPLETED, _S.REVOKED}),
        _S.REJECTED: frozenset(),
        _S.COMPLETED: frozenset(),
        _S.REVOKED: frozenset(),
    }
)
"""The states that may follow each."""
ENDED = frozenset(state for state, following in MOVES.items() if not following)
"""States in which nothing more happens."""
OUTSIDE = frozenset({_S.SENT, _S.RECEIVED, _S.ACCEPTED})
"""States in which the service has it, and has not finished."""
BEFORE = frozenset({_S.DRAFTED, _S.APPROVAL, _S.QUEUED})
"""States in which nothing has left the council."""


class ConsentHow(StrEnum):
    """How consent was given."""

    SPOKEN = "spoken"
    WRITTEN = "written"
    FORM = "form"


class ConsentBy(StrEnum):
    """Who gave consent."""

    RESIDENT = "the resident"
    ATTORNEY = "an attorney or deputy of the resident"
    PARENT = "somebody with parental responsibility"


class Ground(StrEnum):
    """A legal ground on which a household is referred without consent."""

    SAFEGUARDING_ADULT = "safeguarding_adult"
    SAFEGUARDING_CHILD = "safeguarding_child"
    VITAL_INTERESTS = "vital_interests"
    LEGAL_OBLIGATION = "legal_obligation"
    PUBLIC_TASK = "public_task"
    COURT_ORDER = "court_order"


GROUNDS: Mapping[Ground, str] = MappingProxyType(
    {
        Ground.SAFEGUARDING_ADULT: "Safeguarding an adult (Care Act 2014, sections 42 and 45)",
        Ground.SAFEGUARDING_CHILD: "Safeguarding a child (Children Act 1989, sections 17 and 47)",
        Ground.VITAL_INTERESTS: "Somebody's life is in danger (UK GDPR, article 6(1)(d))",
        Ground.LEGAL_OBLIGATION: "A legal obligation (UK GDPR, article 6(1)(c))",
        Ground.PUBLIC_TASK: "A task in the public interest (UK GDPR, article 6(1)(e))",
        Ground.COURT_ORDER: "An order of a court",
    }
)
"""What each ground is called on pages."""


class Urgency(StrEnum):
    """The risk of waiting, as the worker judges it."""

    IMMEDIATE = "immediate"
    SOON = "soon"
    ROUTINE = "routine"


URGENCIES: Mapping[Urgency, str] = MappingProxyType(
    {
        Urgency.IMMEDIATE: "Harm is likely within days",
        Urgency.SOON: "Harm is likely within weeks",
        Urgency.ROUTINE: "No harm is likely while the household waits",
    }
)
"""What each urgency is called on pages."""


class Way(StrEnum):
    """How a referral reaches the service."""

    LINK = "link"
    FILE = "file"


RECORDS = "records"
"""What somebody agrees to who lets a service see what the council's records say."""
OF_FACTOR = "factor."
"""How names of fields begin that are the reasons of one factor."""
FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "name": "Name",
        "address": "Address",
        "uprn": "Unique property reference number",
        "telephone": "Telephone number",
        "email": "Email address",
        "language": "Language and format",
        "safe_contact": "How and when to get in touch safely",
        "needs": "What help is needed",
        "background": "What the service has to know to help",
    }
)
"""What can be handed over besides what the council's records say, and its title."""


def agreed_name(field: str) -> str:
    """What somebody has to have agreed to before a field is handed over."""
    return RECORDS if field.startswith(OF_FACTOR) else field
