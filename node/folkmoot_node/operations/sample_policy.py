"""The sample of a risk policy, with the factors whose inputs a node has."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise

from folkmoot_node.policies.risk_policy import parse_policy
from folkmoot_node.scoring.binding import bind
from folkmoot_node.sources.connect import ConnectedSource, Plugins
from folkmoot_operator.moments import usual_sunset
from folkmoot_operator.problems import Problem
from folkmoot_sdk.schema import FieldType

WEIGHTS: Mapping[str, int] = {
    "financial_hardship": 30,
    "isolation": 15,
    "clinical_vulnerability": 20,
    "social_care_need": 15,
    "domestic_abuse": 10,
    "relationship_breakdown": 10,
}
"""Factors of the sample, and the points that each adds at most."""
UNMAPPED: Mapping[str, str] = {
    "isolation": "needs the field oldest_age, which no source that comes with Folkmoot gives",
    "domestic_abuse": "needs the fields domestic_abuse_reports and domestic_abuse_last_report, "
    "which a SAVVI feed gives, or a mapping of your own",
}
"""Factors of the sample for which a council has to map an extract of its own, and why."""
ATTRIBUTES = ("household_type", "tenure", "lsoa", "ward", "council_tax_band", "property_type")
"""Fields that a sample tabulates where some source has them."""
_OF_SHIPPED = ("lsoa", "ward")
_BANDS = {"low": 10, "medium": 25, "high": 45}
"""Where bands begin, in hundredths of the highest score."""
_OTHER_WEIGHT = 10


@dataclass(frozen=True, slots=True)
class SamplePolicy:
    """A risk policy to begin with.

    Attributes:
        text: The file.
        attributes: What it tabulates, with `band`.
        factors: Names of its factors.
        left_out: Factors of the sample that it does not have, with the reason.
    """

    text: str
    attributes: tuple[str, ...]
    factors: tuple[str, ...]
    left_out: Mapping[str, str]


def policy_of_profiles() -> SamplePolicy:
    """The sample for a node of which no source is known yet.

    Its factors need no field but those of the sources that come with Folkmoot.
    """
    weights = {name: weight for name, weight in WEIGHTS.items() if name not in UNMAPPED}
    return _written(weights, _OF_SHIPPED, UNMAPPED)


def policy_for(plugins: Plugins, sources: Sequence[ConnectedSource]) -> SamplePolicy | None:
    """The sample for a node with these sources: every factor of it has its inputs.

    Args:
        plugins: Loaded plugins.
        sources: The node's sources. Reads no record.

    Returns:
        None if no factor at all has its inputs.
    """
    reasons = {name: _reason(name, plugins, sources) for name in WEIGHTS if name in plugins.factors}
    weights = {name: WEIGHTS[name] for name, reason in reasons.items() if not reason}
    if not weights:
        others = (name for name in plugins.factors if name not in WEIGHTS)
        weights = {name: _OTHER_WEIGHT for name in others if not _reason(name, plugins, sources)}
    if not weights:
        return None
    fields = {field.name for source in sources for field in source.schema.fields}
    attributes = [name for name in ATTRIBUTES if name in fields and _tabulated(name, sources)]
    left_out = {name: reason for name, reason in reasons.items() if reason}
    return _written(weights, attributes, left_out)


def _reason(factor: str, plugins: Plugins, sources: Sequence[ConnectedSource]) -> str:
    """Why a factor cannot be scored from these sources; empty if it can."""
    policy = parse_policy(_written({factor: 100}, (), {}).text.encode(), "risk-policy.toml")
    have = {field.name for source in sources for field in source.schema.fields}
    wanted = plugins.factors[factor].inputs
    lacking = [one.name for one in wanted if one.required and one.name not in have]
    if lacking:
        return f"no extract has {' and '.join(lacking)}"
    try:
        bind(policy, plugins, sources)
    except Problem as problem:
        return problem.problem
    return ""


def _tabulated(name: str, sources: Sequence[ConnectedSource]) -> bool:
    for source in sources:
        if name in source.schema:
            return source.schema[name].type in (FieldType.AREA, FieldType.CATEGORY)
    return False


def _written(
    weights: Mapping[str, int], attributes: Collection[str], left_out: Mapping[str, str]
) -> SamplePolicy:
    shipped = resources.files(__package__).joinpath("templates", "risk-policy.toml")
    factors = [f'[[factors]]\nfactor = "{name}"\nweight = {w}\n' for name, w in weights.items()]
    factors += [f"# Left out: {name}: {reason}.\n" for name, reason in left_out.items()]
    highest = sum(weights.values())
    starts = [max(1, round(share * highest / 100)) for share in _BANDS.values()]
    assert all(low < high for low, high in pairwise(starts)), starts
    text = shipped.read_text("utf-8")
    for name, start in zip(_BANDS, starts, strict=True):
        text = text.replace(f"@{name.upper()}@", str(start))
    tables = [f'[attributes.{name}]\nfield = "{name}"\n' for name in attributes]
    today = datetime.datetime.now(datetime.UTC).date()
    text = text.replace("@SUNSET@", usual_sunset(today).isoformat())
    text = text.replace("@HIGHEST@", str(highest))
    text = text.replace("@FACTORS@", "\n".join(factors).rstrip())
    text = text.replace("@ATTRIBUTES@\n", "\n".join(tables))
    return SamplePolicy(text, ("band", *attributes), tuple(weights), dict(left_out))
