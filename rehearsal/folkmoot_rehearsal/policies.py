"""The decisions of a rehearsal region: policies, rounds and lists of areas, as files."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import combinations

from folkmoot.privacy import Rho
from folkmoot_operator.moments import usual_sunset
from folkmoot_rehearsal.codes import HOUSEHOLD_TYPES, TENURES
from folkmoot_rehearsal.councils import Council
from folkmoot_rehearsal.extracts import FRAME
from folkmoot_rehearsal.outcomes.documents import LEVELS, OUTCOME, policy_lines
from folkmoot_rehearsal.outcomes.mechanism import Mechanism

PURPOSE = "winter_support"
BANDS = ("none", "low", "medium", "high")
"""Bands of the shipped risk stratification policy, ascending."""
UNKNOWN = "unknown"
"""Code of households whose attribute is not known."""
POLICY_FILE = "risk-policy.toml"
AREAS_FILE = "areas.csv"
_SUNSET_MARK = "2027-03-31"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a council lets its households lose.

    Attributes:
        per_round: Most rho for one round.
        per_period: Most rho for the accounting period.
        lifetime: Most rho for all rounds ever.
    """

    per_round: Rho
    per_period: Rho
    lifetime: Rho


GENEROUS = Limits(Rho.of("0.5"), Rho.of("0.6"), Rho.of("3"))
"""Enough for both rounds of a rehearsal."""
CAUTIOUS = Limits(Rho.of("0.25"), Rho.of("0.3"), Rho.of("1.5"))
"""Enough for the first round and not for the second as well."""
ROUND_LOSS = Rho.of("0.2")
"""Asked for by each of the two rounds."""


@dataclass(frozen=True, slots=True)
class Question:
    """One round of the rehearsal.

    Attributes:
        title: For people.
        attributes: Public code lists by attribute.
        areas: Attributes whose codes are the areas of each council.
        marginals: Attributes of each marginal, with its weight.
    """

    title: str
    attributes: Mapping[str, tuple[str, ...]]
    areas: tuple[str, ...]
    marginals: tuple[tuple[tuple[str, ...], int], ...]


FIRST_ROUND = Question(
    "Winter support: who needs help, and where",
    {"band": BANDS, "household_type": (*HOUSEHOLD_TYPES, UNKNOWN)},
    ("lsoa",),
    ((("band",), 1), (("band", "household_type"), 2), (("band", "lsoa"), 1)),
)
SECOND_ROUND = Question(
    "Winter support: by tenure",
    {"band": BANDS, "tenure": (*TENURES, UNKNOWN)},
    (),
    ((("band", "tenure"), 1),),
)

OUTCOME_ROUND = Question(
    "Winter support: did the bands find homelessness?",
    {
        "band": BANDS,
        OUTCOME: ("no", "yes"),
        "tenure": (*TENURES, UNKNOWN),
        **dict.fromkeys(LEVELS, ("no", "yes")),
    },
    (),
    (
        (("tenure", "band", OUTCOME), 1),
        *(((name, OUTCOME), 1) for name in LEVELS),
        *((pair, 1) for pair in combinations(LEVELS, 2)),
    ),
)
"""For who goes on after a rehearsal with outcomes; docs/validation.md has the commands."""


def risk_policy(today: datetime.date, outcomes: Mechanism | None = None) -> str:
    """The risk stratification policy that all councils of the region share.

    Args:
        today: Day from which it counts when it ends.
        outcomes: How outcomes come about, if they are rehearsed: more is audited then.
    """
    shipped = resources.files("folkmoot_rehearsal") / "documents" / POLICY_FILE
    text = shipped.read_text("utf-8").replace(_SUNSET_MARK, usual_sunset(today).isoformat())
    return text + (policy_lines(outcomes) if outcomes else "")


def release_policy(
    council: Council, limits: Limits, today: datetime.date, *, outcomes: bool = False
) -> str:
    """A council's release policy; it takes effect when it is signed.

    Args:
        council: The council.
        limits: What it lets its households lose.
        today: Day from which the policy counts when it ends.
        outcomes: Whether rounds may ask what happened after a past date.
    """
    attributes = ["band", "household_type", "tenure", "lsoa", "ward"]
    attributes += [OUTCOME, *LEVELS] if outcomes else []
    listed = ", ".join(f'"{name}"' for name in attributes)
    start = datetime.date(today.year - (today.month < 4), 4, 1)
    return f"""\
# Release policy of {council.name} (rehearsal): what may leave this node.
schema = 1
council = "{council.code}"
sunset = {usual_sunset(today)}
purposes = ["{PURPOSE}"]
attributes = [{listed}]
maximum_ways = 3
maximum_cells = 100000
operator_approval = false
maximum_delta = 1e-6

[loss]
per_round = {limits.per_round}
per_period = {limits.per_period}
lifetime = {limits.lifetime}
period_start = {start}
period_months = 12
households_per_person = 2
"""


LINKAGE = """
[linkage.addresses]

[linkage.people]
sources = ["residents"]
"""
"""Tables of `node.toml`; without NHS numbers, for whose use a rehearsal has no legal basis."""


FEW_RECORDS = """\
[sources.linkage]
minimum_share = 0.8  # of a hundred records, chance leaves more than 5 without a UPRN
"""
"""A rehearsed council may have so few homes that the usual share would stop it by chance."""


def node_sources(names: Sequence[str], *, link: bool = False) -> str:
    """The tables of `node.toml` that name a council's extracts.

    Args:
        names: The sources.
        link: Whether the node links records by their address, and by whom they are about.
    """
    if FRAME not in names:
        raise ValueError(f"the frame {FRAME!r} is not among the sources")
    return (LINKAGE if link else "") + "".join(
        f"""
[[sources]]
name = "{name}"
kind = "extracts"
[sources.options]
mapping = "mappings/{name}.toml"
folder = "extracts"
"""
        + ("" if name == FRAME else FEW_RECORDS)
        for name in names
    )


def round_file(question: Question, minimum_councils: int) -> str:
    """A round file for all enrolled councils, beside `POLICY_FILE` and `AREAS_FILE`."""
    parts = [
        f"""\
title = "{question.title}"
purpose = "{PURPOSE}"
policy = "{POLICY_FILE}"
councils = "all"
minimum_councils = {minimum_councils}
rho = {ROUND_LOSS}
delta = 1e-6
deadline_minutes = 60
"""
    ]
    for name, codes in question.attributes.items():
        listed = ", ".join(f'"{code}"' for code in codes)
        parts.append(f'\n[[attributes]]\nname = "{name}"\ncodes = [{listed}]\n')
    for name in question.areas:
        parts.append(f'\n[[attributes]]\nname = "{name}"\nareas = "{AREAS_FILE}"\n')
    for attributes, weight in question.marginals:
        listed = ", ".join(f'"{name}"' for name in attributes)
        parts.append(f"\n[[marginals]]\nattributes = [{listed}]\nweight = {weight}\n")
    return "".join(parts)


def areas_file(areas: Mapping[str, Sequence[str]]) -> str:
    """The public list of areas by council, as a round file names it."""
    rows = [f"{council},{area}\n" for council in areas for area in areas[council]]
    return "".join(["council,area\n", *rows])
