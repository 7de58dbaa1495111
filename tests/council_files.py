"""Files of the councils that tests make: mappings, tables of sources, and a policy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path


def tax_mapping(arrears: str, oldest: str, people: str) -> str:
    """A mapping of council tax, to which fields can be added.

    Args:
        arrears: How the records of a household are combined for what it owes.
        oldest: Likewise, for the age of its oldest member.
        people: Likewise, for the number of its members.
    """
    return f"""\
schema = 1
name = "council_tax"
level = "household"
supplier = "Revenues"
files = ["council_tax.csv"]
uprn = "UPRN"
record_date = {{ column = "As at", format = "%Y-%m-%d" }}

[fields.council_tax_arrears]
column = "Arrears"
type = "number"
combine = "{arrears}"
category = "finance"
unit = "GBP"
minimum = 0

[fields.oldest_age]
column = "Oldest"
type = "integer"
combine = "{oldest}"
category = "demography"
unit = "years"
protected = "age"
minimum = 0
maximum = 120

[fields.people]
column = "People"
type = "integer"
combine = "{people}"
category = "demography"
minimum = 0
"""


def events_mapping(field: str, *, file: str, column: str, recorded: str) -> str:
    """A mapping of events, each with its day and the day on which it was recorded.

    Args:
        field: The outcome.
        file: The extract; the source is named after it.
        column: Of the day of the event.
        recorded: Of the day on which it was recorded.
    """
    return f"""\
schema = 1
name = "{Path(file).stem}"
level = "household"
files = ["{file}"]
uprn = "UPRN"
record_date = {{ column = "{recorded}" }}

[fields.{field}]
column = "{column}"
type = "date"
combine = "min"
category = "housing"
outcome = true
"""


def source_tables(*names: str) -> str:
    """The tables of `node.toml` for sources whose mappings and extracts are in the home."""
    return "".join(
        f"""
[[sources]]
name = "{name}"
kind = "extracts"
[sources.options]
mapping = "mappings/{name}.toml"
folder = "extracts"
"""
        for name in names
    )


def release_policy(
    council: str = "E08000009",
    *,
    attributes: Sequence[str] = ("band",),
    purpose: str = "winter_support",
    sunset: str = "2099-12-31",
    approval: bool = True,
    losses: tuple[float, float, float] = (0.5, 1, 2),
    since: str = "2026-04-01",
    months: int = 12,
    people: int = 2,
) -> str:
    """A release policy, which nobody has signed.

    Args:
        council: GSS code.
        attributes: What may be counted.
        purpose: The one that is permitted.
        sunset: Its last day.
        approval: Whether a person approves each round.
        losses: Largest rho of a round, of a period, and for all time.
        since: First day of the first period.
        months: Length of a period.
        people: Households of a person.
    """
    per_round, per_period, lifetime = losses
    return f"""\
schema = 1
council = "{council}"
sunset = {sunset}
purposes = ["{purpose}"]
attributes = {json.dumps(list(attributes))}
maximum_ways = 2
maximum_cells = 1000
operator_approval = {json.dumps(approval)}
maximum_delta = 1e-6

[loss]
per_round = {per_round}
per_period = {per_period}
lifetime = {lifetime}
period_start = {since}
period_months = {months}
households_per_person = {people}
"""


def winter_policy(factors: Mapping[str, int], sunset: str) -> str:
    """A risk policy, to which attributes and audited fields can be added.

    Args:
        factors: Points by factor.
        sunset: Its last day.
    """
    weights = "".join(
        f'[[factors]]\nfactor = "{name}"\nweight = {points}\n' for name, points in factors.items()
    )
    return f"""\
schema = 1
name = "Winter support 2026"
purpose = "winter_support"
legal_basis = "Localism Act 2011, s.1"
owner = "Head of Revenues"
sunset = {sunset}

{weights}
[[bands]]
name = "none"
from = 0
action = "Nothing"
[[bands]]
name = "low"
from = 10
action = "Write a letter"
[[bands]]
name = "high"
from = 40
action = "Telephone"

[[protected]]
characteristic = "age"
reason = "Isolation of older people is what the policy is about"
"""
