"""Facts of a made-up council, of every kind that an approval may meet."""

from __future__ import annotations

import datetime
from dataclasses import replace

from folkmoot_node.scrutiny.approved_facts import ApprovedFacts, approvable
from folkmoot_node.scrutiny.facts import Fact, FactBase, Mark, Provenance, Value

COUNCIL = "E08000009"
WHEN = datetime.datetime(2026, 12, 1, 12, tzinfo=datetime.UTC)
PLACE = Provenance("risk-policy.toml", "ab" * 32, WHEN)
FIGURE = 73_519
"""An exact figure over households, which must not get out."""
HOLDER = "Rosalind Okonkwo-Hale"
"""Who signed, which is not published."""


def fact(
    key: str,
    label: str,
    value: Value,
    *,
    mark: Mark = Mark.SYSTEM,
    own: bool = False,
    configuration: bool = True,
) -> Fact:
    return Fact(key, label, value, mark, PLACE, own=own, configuration=configuration)


def base_of(*facts: Fact) -> FactBase:
    return FactBase(tuple(sorted(facts, key=lambda one: one.key)), WHEN)


MADE_UP = base_of(
    fact("node.council", "Code of the council", COUNCIL),
    fact("node.name", "Name of the council", "Trafford"),
    fact("node.region", "Coordinator of the region", "region.example:7443"),
    fact("policy.risk.title", "Name of the risk policy", "Winter"),
    fact("policy.risk.sha256", "SHA-256 of the risk policy", "11" * 32),
    fact("policy.risk.sunset", "Last day on which the risk policy may be used", "2027-03-31"),
    fact("policy.risk.factors.damp.weight", "Most points that damp adds", 20.0),
    fact("policy.risk.factors.damp.inputs", "Fields that damp reads", ("mould", "age")),
    fact(
        "policy.risk.factors.damp.evidence",
        "Why damp is believed to matter",
        ({"citation": "Marmot 2011", "url": "https://example.org", "finding": "cold homes"},),
    ),
    fact("policy.risk.factors.arrears.weight", "Most points that arrears adds", 10),
    fact("policy.risk.bands.high.from", "Lowest score of the band high, in points", 15),
    fact("policy.risk.retention.scores_days", "Days for which scores are kept", 90),
    fact("policy.release.loss.per_round", "Most privacy loss in one round", "0.25"),
    fact("policy.release.attributes.band", "Whether counts by band may be released", True),
    fact("policy.release.signer", "Who signed the release policy", HOLDER),
    fact("sources.housing.kind", "Sort of source that housing is", "council_tax"),
    fact(
        "sources.housing.fields",
        "Fields of housing",
        {"mould": {"type": "boolean", "bought": False}, "age": {"type": "number"}},
    ),
    fact("plugins.shipped-one.version", "Version of shipped-one", "1.0"),
    fact("plugins.shipped-one.trust", "How shipped-one runs", "in a confined process"),
    fact("people.roles.manager", "What the role manager may do", ("open", "assign")),
    fact("policy.casework.signer", "Who signed the casework policy", HOLDER),
    fact("scrutiny.owner.role", "Who owns the tool", "Director of housing", mark=Mark.PERSON),
    fact("scrutiny.dpo_advice.advice", "What the DPO advised", None, mark=Mark.MISSING),
    fact("runs.last.day", "Day of the last run", "2026-12-01", configuration=False),
    fact("households.scored", "Scored households", FIGURE, own=True, configuration=False),
    # A gatherer that marks a figure as configuration by mistake must not publish it.
    fact("households.bands.high", "Households in the band high", FIGURE, own=True),
)


def approved(base: FactBase = MADE_UP) -> ApprovedFacts:
    return approvable(base, COUNCIL)


def changed(
    key: str, value: Value, *, base: FactBase = MADE_UP, mark: Mark | None = None
) -> FactBase:
    """The same facts with another value of one."""
    assert base.get(key) is not None
    return base_of(
        *(
            replace(one, value=value, mark=mark or one.mark) if one.key == key else one
            for one in base.facts
        )
    )


def with_facts(*facts: Fact, base: FactBase = MADE_UP) -> FactBase:
    return base_of(*base.facts, *facts)


def without(prefix: str, base: FactBase = MADE_UP) -> FactBase:
    kept = (one for one in base.facts if one.key != prefix)
    return base_of(*(one for one in kept if not one.key.startswith(prefix + ".")))


def another(value: Value) -> Value:
    """A value of the same type that is not the same."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return value + "x"
        case tuple():
            return (*value, value[0] if value else "more")
        case None:
            return "said now"
        case _:
            return {**value, "more": {"type": "text"}}
