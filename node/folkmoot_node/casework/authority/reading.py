"""What the casework policy says of reading: reasons, limits, exports, and what is unusual."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from folkmoot_operator.settings import Settings

REASONS = (
    "Preparing a contact",
    "Contact with the household",
    "Referral to a service",
    "Review of the case",
    "The resident asked",
)
"""Offered where somebody opens a household, unless the policy names others."""


class ExportColumn(StrEnum):
    """What an export of cases can have."""

    CASE = "case"
    UPRN = "uprn"
    PURPOSE = "purpose"
    STATE = "state"
    TEAM = "team"
    WORKER = "worker"
    OPENED_ON = "opened_on"
    REVIEW_ON = "review_on"


class ExportPolicy(Settings):
    """Table `[exports.NAME]`: a list that may be written to a file.

    Attributes:
        title: What it is for, for people.
        columns: All that the purpose needs, and no more.
    """

    title: Annotated[str, Field(min_length=3, max_length=100)]
    columns: Annotated[tuple[ExportColumn, ...], Field(min_length=1)]


class UnusualPolicy(Settings):
    """Table `[unusual]`: from what on reading is reported to the auditor.

    A report is no accusation: each has its reason beside it, and many have a good one.

    Attributes:
        days: How many days back the log is looked at.
        openings_per_hour: More openings and searches than this by one person in an hour.
        counts_per_hour: More counts and runs of cohorts than this by one person in an hour.
        night_from: Hour of the day, UK time, from which an opening is at night.
        night_to: Hour before which it is.
        readers: As many people or more who opened the same household within `days`.
        not_assigned: More openings by one person in a day of cases that somebody else has.
        refused: More refusals of one person in a day.
        without_work: More openings by one person within `days` after which they recorded nothing
            in the case.
        work_hours: Within how many hours of an opening something recorded counts.
    """

    days: Annotated[int, Field(ge=1, le=366)] = 30
    openings_per_hour: Annotated[int, Field(ge=1)] = 20
    counts_per_hour: Annotated[int, Field(ge=1)] = 30
    night_from: Annotated[int, Field(ge=0, le=23)] = 22
    night_to: Annotated[int, Field(ge=0, le=23)] = 6
    readers: Annotated[int, Field(ge=2)] = 5
    not_assigned: Annotated[int, Field(ge=1)] = 10
    refused: Annotated[int, Field(ge=1)] = 5
    without_work: Annotated[int, Field(ge=1)] = 10
    work_hours: Annotated[int, Field(ge=1, le=720)] = 24
