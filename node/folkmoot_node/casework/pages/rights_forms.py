"""Forms about residents' rights."""

from __future__ import annotations

import datetime
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import Field

from folkmoot_node.casework.rights.kinds import Effect, Ground, Kind
from folkmoot_web.forms import Form, FormModel

Text = Annotated[str, Field(min_length=5, max_length=4_000)]
Reason = Annotated[str, Field(title="the reason", min_length=5, max_length=1_000)]
ASKED = ("objection", "access", "rectification", "erasure")
"""What a resident can ask for."""


class Dated(FormModel):
    """A date in three fields."""

    day: Annotated[int | None, Field(title="day", ge=1, le=31)] = None
    month: Annotated[int | None, Field(title="month", ge=1, le=12)] = None
    year: Annotated[int | None, Field(title="year", ge=2000, le=2999)] = None


D = TypeVar("D", bound=Dated)


def date_of(form: Form[D], today: datetime.date, *, past: bool) -> datetime.date | None:
    """The date that three fields name; today if none is filled in and it may be today.

    Args:
        form: It gets an error, if the date is wrong.
        today: The date.
        past: Whether it must not be after today; else it must be.
    """
    sent = form.value
    if sent is None:
        return None
    parts = (sent.year, sent.month, sent.day)
    if past and parts == (None, None, None):
        return today
    try:
        found = datetime.date(*(part or 0 for part in parts))
    except ValueError:
        form.add_error("day", "Enter a real date, such as 27 3 2026")
        return None
    if past and found > today:
        form.add_error("day", "The date must be today or in the past")
    if not past and found <= today:
        form.add_error("day", "The date must be in the future")
    return found


class NewRequest(Dated):
    """What a resident asks for."""

    messages: ClassVar[dict[str, str]] = {
        "uprn": "Enter a UPRN: 1 to 12 digits",
        "kind": "Select what the resident asks for",
        "asked_by.missing": "Enter who asks, and how you know that it is them",
    }
    uprn: Annotated[int, Field(title="the UPRN", ge=1, lt=10**12)]
    kind: Literal["objection", "access", "rectification", "erasure"]
    asked_by: Annotated[str, Field(title="who asks", min_length=5, max_length=1_000)]


class NewObjection(Dated):
    """An objection."""

    messages: ClassVar[dict[str, str]] = {
        "kind": "Select what the household objects to",
        "said.missing": "Enter what the household says",
        "said_by.missing": "Enter who speaks for the household",
    }
    kind: Kind
    field: str = ""
    said: Annotated[str, Field(title="what the household says", min_length=5, max_length=4_000)]
    said_by: Annotated[
        str, Field(title="who speaks for the household", min_length=3, max_length=1_000)
    ]


class Answer(FormModel):
    """The answer to an objection."""

    messages: ClassVar[dict[str, str]] = {
        "decision": "Select what you decide",
        "answer.missing": "Enter what the household is answered, and why",
        "withhold": "Select whether the household is left out of lists and counts",
    }
    version: int
    decision: Literal["suppress", "correct", "leave out", "refuse"]
    value: str = ""
    withhold: Literal["yes", "no"] = "yes"
    answer: Annotated[str, Field(title="the answer", max_length=4_000)] = ""
    do: Literal["answer", "preview"] = "answer"

    @property
    def effect(self) -> Effect | None:
        """What becomes of the input; None if the objection is refused."""
        return None if self.decision == "refuse" else Effect(self.decision)


class Assign(FormModel):
    """Who is to answer."""

    messages: ClassVar[dict[str, str]] = {"answerer": "Select who answers"}
    version: int
    answerer: str


class Why(FormModel):
    """A reason for a change of a version that the page showed."""

    messages: ClassVar[dict[str, str]] = {"why.missing": "Enter the reason"}
    version: int
    why: Reason


class Review(FormModel):
    """Which texts a resident may see."""

    version: int
    every: tuple[str, ...] = ()
    show: tuple[str, ...] = ()


class Rectify(FormModel):
    """A text in the place of one that is wrong."""

    messages: ClassVar[dict[str, str]] = {"text.missing": "Enter what is right"}
    text: Annotated[str, Field(title="what is right", min_length=1, max_length=4_000)]


class Erase(FormModel):
    """An erasure."""

    messages: ClassVar[dict[str, str]] = {
        "ground": "Select why the household is erased",
        "sure": "Confirm that you want to erase it",
    }
    version: int
    ground: Ground
    sure: Literal["yes"]


class NewHold(Dated):
    """A legal hold."""

    messages: ClassVar[dict[str, str]] = {"why.missing": "Enter why nothing may be deleted"}
    why: Reason


class Version(FormModel):
    """A change of a version that the page showed."""

    version: int
    text: Annotated[str, Field(title="the answer", max_length=4_000)] = ""
