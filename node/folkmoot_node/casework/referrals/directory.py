"""A service as directories in the shape of Open Referral UK describe it.

Open Referral UK is the profile of the Human Services Data Specification (HSDS) for the United
Kingdom. A file holds one service, a list of them, or a page of an API of that kind (`contents`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from folkmoot_operator.problems import ExitCode, Problem

LONGEST_FILE = 50_000_000
"""Bytes of a file."""
_LISTS = ("contents", "content", "services")


def _text(value: Any) -> Any:
    return "" if value is None else value


def _items(value: Any) -> Any:
    return [] if value is None else value


Text = Annotated[str, BeforeValidator(_text), Field(max_length=20_000)]
ShortText = Annotated[str, BeforeValidator(_text), Field(max_length=254)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, str_strip_whitespace=True)


class Phone(_Part):
    """A telephone number."""

    number: ShortText = ""


class Contact(_Part):
    """Somebody at a service."""

    name: ShortText = ""
    title: ShortText = ""
    email: ShortText = ""
    phones: Annotated[tuple[Phone, ...], BeforeValidator(_items)] = ()


class Schedule(_Part):
    """When a service is there: parts of an RFC 5545 rule, and words."""

    freq: ShortText = ""
    byday: ShortText = ""
    opens_at: ShortText = ""
    closes_at: ShortText = ""
    description: Text = ""


class Organization(_Part):
    """Who provides a service."""

    id: ShortText = ""
    name: ShortText = ""
    description: Text = ""


class Eligibility(_Part):
    """For whom a service is, as version 1 of the standard has it."""

    eligibility: Text = ""
    minimum_age: float | None = None
    maximum_age: float | None = None


class ServiceDocument(_Part):
    """A service.

    Attributes:
        id: In the directory.
        name: Its public name.
        description: What it does.
        status: `active`, or why it takes nobody.
        url: Its web page.
        email: Its address.
        organization: Who provides it.
        eligibility_description: For whom it is.
        eligibilities: The same in version 1.
        minimum_age: In years.
        maximum_age: In years.
        contacts: People to ask.
        phones: Its telephone numbers.
        schedules: When it is there.
        assured_date: When somebody last checked this.
    """

    id: Annotated[str, Field(min_length=1, max_length=100)]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    description: Text = ""
    status: Literal["active", "inactive", "defunct", "temporarily closed"] = "active"
    url: Text = ""
    email: ShortText = ""
    organization: Organization = Organization()
    eligibility_description: Text = ""
    eligibilities: Annotated[
        tuple[Eligibility, ...],
        BeforeValidator(_items),
        Field(validation_alias=AliasChoices("eligibilities", "eligibilitys")),
    ] = ()
    minimum_age: float | None = None
    maximum_age: float | None = None
    contacts: Annotated[tuple[Contact, ...], BeforeValidator(_items)] = ()
    phones: Annotated[tuple[Phone, ...], BeforeValidator(_items)] = ()
    schedules: Annotated[
        tuple[Schedule, ...],
        BeforeValidator(_items),
        Field(validation_alias=AliasChoices("schedules", "regular_schedules")),
    ] = ()
    assured_date: ShortText = ""

    @property
    def first_email(self) -> str:
        """Its address, or that of the first contact who has one."""
        return next(filter(None, (self.email, *(one.email for one in self.contacts))), "")

    @property
    def first_telephone(self) -> str:
        """Its number, or that of the first contact who has one."""
        every = (*self.phones, *(phone for one in self.contacts for phone in one.phones))
        return next((phone.number for phone in every if phone.number), "")

    def eligibility(self) -> list[str]:
        """For whom it is, in words."""
        lines = [self.eligibility_description]
        lines += [one.eligibility for one in self.eligibilities]
        ages = (self.minimum_age, self.maximum_age)
        for lowest, highest in (
            ages,
            *((e.minimum_age, e.maximum_age) for e in self.eligibilities),
        ):
            if lowest is not None and highest is not None:
                lines.append(f"Aged {lowest:g} to {highest:g}")
            elif lowest is not None:
                lines.append(f"Aged {lowest:g} or over")
            elif highest is not None:
                lines.append(f"Aged {highest:g} or under")
        return [line for line in lines if line]

    def opening(self) -> list[str]:
        """When it is there, in words."""
        lines = []
        for one in self.schedules:
            hours = " to ".join(text[:5] for text in (one.opens_at, one.closes_at) if text)
            days = ", ".join(_DAYS.get(day.strip(), day) for day in one.byday.split(",") if day)
            lines.append(one.description or ": ".join(text for text in (days, hours) if text))
        return [line for line in lines if line]


_DAYS = {
    "MO": "Monday",
    "TU": "Tuesday",
    "WE": "Wednesday",
    "TH": "Thursday",
    "FR": "Friday",
    "SA": "Saturday",
    "SU": "Sunday",
}


def read_directory(path: Path) -> list[ServiceDocument]:
    """The services in a file.

    Raises:
        Problem: Exit code DATA, naming the service that is wrong; then none is given.
    """
    try:
        if path.stat().st_size > LONGEST_FILE:
            raise _wrong(path, f"is longer than {LONGEST_FILE // 1_000_000} MB")
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise _wrong(path, f"cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise _wrong(path, "is no JSON file") from None
    if isinstance(content, dict):
        content = next((content[key] for key in _LISTS if key in content), [content])
    if not isinstance(content, list) or not content:
        raise _wrong(path, "holds no service")
    found = [_service(path, at, one) for at, one in enumerate(content, start=1)]
    ids = [one.id for one in found]
    twice = next((one for one in ids if ids.count(one) > 1), None) if len(ids) < 20_000 else None
    if twice is not None:
        raise _wrong(path, f"has two services with the id {twice}")
    return found


def _service(path: Path, at: int, value: Any) -> ServiceDocument:
    try:
        return ServiceDocument.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the service"
        raise _wrong(path, f"service {at}: {where}: {first['msg'].lower()}") from None


def _wrong(path: Path, how: str) -> Problem:
    return Problem(
        f"the directory of services {how}",
        where=str(path),
        remedy="Give a file in the shape of Open Referral UK; nothing was imported",
        exit_code=ExitCode.DATA,
    )
