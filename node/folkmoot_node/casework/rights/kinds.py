"""What residents can ask for, and where it stands."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What an objection rests on."""

    OBJECTION = "objection"
    """To the processing: UK GDPR article 21."""
    CONTEST = "contest"
    """Of the result, or that an input is wrong: UK GDPR articles 16 and 22C."""


class ObjectionState(StrEnum):
    """Where an objection stands."""

    OPEN = "open"
    UPHELD = "upheld"
    """It has an effect."""
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    """The household does not object any more, or it was recorded by mistake."""
    ENDED = "ended"
    """It was upheld, and has no effect any more: the source has been corrected."""


class Effect(StrEnum):
    """What an upheld objection does to the input in dispute."""

    SUPPRESS = "suppress"
    """The input is not used: it counts as unknown."""
    CORRECT = "correct"
    """The input has another value."""
    LEAVE_OUT = "leave out"
    """The inputs stay; the household is left out of cohorts and counts."""


class RequestKind(StrEnum):
    """What else a resident can ask for."""

    ACCESS = "access"
    """UK GDPR article 15."""
    RECTIFICATION = "rectification"
    """UK GDPR article 16."""
    ERASURE = "erasure"
    """UK GDPR article 17."""


class RequestState(StrEnum):
    """Where a request stands."""

    OPEN = "open"
    ANSWERED = "answered"
    REFUSED = "refused"


class Ground(StrEnum):
    """Why a household is erased: grounds of UK GDPR article 17(1)."""

    NOT_NEEDED = "no longer needed"
    WITHDRAWN = "consent withdrawn"
    OBJECTED = "objected"
    UNLAWFUL = "unlawful"
    LEGAL_DUTY = "legal duty"
