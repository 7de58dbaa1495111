"""The choices of casework's forms, in the terms of the Vulnerabilities Data Standards."""

from __future__ import annotations

from enum import StrEnum


class Channel(StrEnum):
    """How somebody tried to reach a household."""

    TELEPHONE = "telephone"
    VISIT = "visit"
    LETTER = "letter"
    EMAIL = "email"
    TEXT_MESSAGE = "text message"
    OFFICE = "at an office"
    OTHER_SERVICE = "through another service"


class ContactOutcome(StrEnum):
    """What came of a contact event."""

    REACHED = "reached"
    NO_ANSWER = "no answer"
    LEFT_MESSAGE = "left a message"
    LETTER_SENT = "letter sent"
    NOBODY_IN = "nobody in"
    REFUSED = "refused"
    WRONG_NUMBER = "wrong number"
    WRONG_ADDRESS = "wrong address"
    OTHER = "other"


class CaseOutcome(StrEnum):
    """With what a case was closed."""

    HELPED = "helped"
    NO_NEED = "no need found"
    NOT_REACHED = "could not be reached"
    DECLINED = "declined"
    MOVED = "moved"
    DECEASED = "deceased"
    OTHER = "other"


class View(StrEnum):
    """What a worker thinks before seeing the score."""

    LIKELY = "likely"
    UNLIKELY = "unlikely"
    CANNOT_SAY = "cannot say"


CASE_OUTCOMES = {
    CaseOutcome.HELPED: "Helped: a need was found and something was done about it",
    CaseOutcome.NO_NEED: "No need found",
    CaseOutcome.NOT_REACHED: "Could not be reached",
    CaseOutcome.DECLINED: "Declined: they did not want help",
    CaseOutcome.MOVED: "Moved away",
    CaseOutcome.DECEASED: "Nobody lives there now: the person has died",
    CaseOutcome.OTHER: "Another outcome",
}
"""As a form says them."""
VIEWS = {
    View.LIKELY: "Likely in need",
    View.UNLIKELY: "Not likely in need",
    View.CANNOT_SAY: "I cannot say from what I know",
}
"""As a form says them."""
