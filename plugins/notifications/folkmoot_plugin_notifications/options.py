"""Options of the source, in `node.toml`."""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot_plugin_extracts.dates import check_date_format
from folkmoot_plugin_extracts.file_options import FileOptions
from folkmoot_sdk.parameters import nearest, parameter

ABOUT = ("person", "property")
MAX_DAYS = 3660
"""Ten years: whoever wants all notifications gives as many days as the list goes back."""


@dataclass(frozen=True, slots=True)
class NotificationColumns:
    """What the columns are called; empty for one that the list does not have.

    Attributes:
        uprn: The UPRN.
        date: Date of the notification.
        event: What was notified.
        area: GSS code of an area.
        address: The address, or its lines.
        postcode: The postcode.
        forename: The forename; not of a property.
        surname: The surname; not of a property.
        date_of_birth: The date of birth; not of a property.
        nhs_number: The NHS number; not of a property.
    """

    uprn: str = "UPRN"
    date: str = "NotificationDate"
    event: str = "Event"
    area: str = ""
    address: str | tuple[str, ...] = ("AddressLine1", "AddressLine2")
    postcode: str = "Postcode"
    forename: str = "Forename"
    surname: str = "Surname"
    date_of_birth: str = "DateOfBirth"
    nhs_number: str = ""

    def __post_init__(self) -> None:
        if not self.uprn or not self.date:
            raise ValueError("a list without UPRN or date cannot be read")


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationOptions(FileOptions):
    """Options of the source, in `node.toml`.

    Attributes:
        columns: What the columns are called.
        about: Whether a notification is about a person or a property.
        days: Length of the period that ends with the date of the run.
        event_codes: Codes of what is notified.
        events: From what the list holds to a code.
        counted: Codes of the notifications that count; empty for all.
        area_type: What the areas are and of which year.
        date_format: How dates are written, as in `strftime`, or each way that occurs.
        latest_year: The latest year that a year of two digits may stand for.
        null_values: What the list holds where a value is not known, beside nothing.
        supplier: Who supplies the list.
    """

    columns: NotificationColumns = parameter(
        default=NotificationColumns(),
        description='What the columns are called; "" if there is none.',
    )
    about: str = parameter(
        default="person", description="Whether a notification is about a person or a property."
    )
    days: int = parameter(
        default=28,
        minimum=1,
        maximum=MAX_DAYS,
        description="Days of the period that ends with the date of the run.",
    )
    event_codes: tuple[str, ...] = parameter(
        default=("case", "contact"), description="Codes of what is notified."
    )
    events: dict[str, str] = parameter(
        default_factory=dict, description="From what the list holds to a code."
    )
    counted: tuple[str, ...] = parameter(
        default=(), description="Codes of the notifications that count, if not all do."
    )
    area_type: str = parameter(
        default="", description="What the areas are and of which year, such as lsoa21."
    )
    date_format: str | tuple[str, ...] = parameter(
        default="%Y-%m-%d", description="How dates are written, as in %d/%m/%Y, or a list."
    )
    latest_year: int | None = parameter(
        default=None, description="The latest year that a year of two digits may stand for."
    )
    null_values: tuple[str | int, ...] = parameter(
        default=("NULL",), description="Texts that stand for an unknown value."
    )
    supplier: str = parameter(
        default="UK Health Security Agency",
        description="Who supplies the list, for the record of processing.",
    )

    def __post_init__(self) -> None:
        FileOptions.__post_init__(self)
        check_date_format(self.date_format, self.latest_year)
        if self.about not in ABOUT:
            raise ValueError(f"about {self.about!r}: {nearest(self.about, ABOUT)}")
        if not self.event_codes and self.columns.event:
            raise ValueError("name the codes of the event in `event_codes`")
        if self.counted and not self.columns.event:
            raise ValueError("`counted` needs a column of the event")
        if self.area_type and not self.columns.area:
            raise ValueError("`area_type` needs a column of the area")
        for key, codes in (("events", self.events.values()), ("counted", self.counted)):
            for code in codes:
                if code not in self.event_codes:
                    raise ValueError(f"{key} {code!r}: {nearest(code, self.event_codes)}")
