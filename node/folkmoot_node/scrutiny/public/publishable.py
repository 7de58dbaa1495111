"""Which facts a public page shows: an allow-list, so that a new fact stays inside until decided.

Left out are who has a role, who signed or advised, with which key, and where the region's
coordinator listens. Of people the page names the owner, as the council has entered them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from folkmoot_node.scrutiny.approved_facts import ApprovedFact, ApprovedFacts
from folkmoot_node.scrutiny.differences import things
from folkmoot_node.scrutiny.scrutiny_file import ScrutinyDocument
from folkmoot_operator.settings import Settings


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the page.

    Attributes:
        title: Its heading.
        about: What it tells, one sentence or two.
        keys: Patterns of the keys of its facts; a star stands for any text.
        families: Prefixes, within the keys, of things that have a table each: "sources".
    """

    title: str
    about: str
    keys: tuple[str, ...] = ()
    families: tuple[str, ...] = ()


_PLUGIN_FACTS = ("version", "sha256", "shipped", "trust", "privileges", "reviewed")
_WHOLE_TABLES = ("owner", "contact", "rationale", "use", "procurement", "consultation")
_EQUALITY = (
    "aim",
    "evidence",
    "engagement",
    "impacts.*",
    "decision",
    "justification",
    "monitoring",
)


def _answers(table: str) -> tuple[str, ...]:
    """Keys of all answers of a table, in the order in which people are asked."""
    kind = ScrutinyDocument.model_fields[table].annotation
    assert isinstance(kind, type)
    assert issubclass(kind, Settings)
    return tuple(f"scrutiny.{table}.{name}" for name in kind.model_fields)


PARTS = (
    Part(
        "Who answers for it",
        "What the council itself says. What it has not said yet is shown as missing.",
        keys=(
            "node.name",
            "node.council",
            *(key for table in _WHOLE_TABLES for key in _answers(table)),
            *(
                f"scrutiny.dpo_advice.{name}"
                for name in ("given_on", "advice", "decision", "reasons")
            ),
            *(f"scrutiny.sign_off.{name}_on" for name in ("measures", "residual", "review")),
            *(f"scrutiny.equality.{name}" for name in _EQUALITY),
            "scrutiny.evaluation.accuracy",
            "scrutiny.risks",
            "scrutiny.version",
        ),
    ),
    Part(
        "What households are scored for, and how",
        "By the council's risk policy, a public document. Its digest names the very text.",
        keys=(
            "policy.risk.title",
            "policy.risk.sha256",
            "policy.risk.purpose",
            "policy.risk.legal_basis",
            "policy.risk.owner",
            "policy.risk.sunset",
            "policy.risk.maximum",
            "policy.risk.audited",
            "policy.risk.retention.*",
            "policy.risk.protected.*",
            "policy.risk.consumer_data.*",
            "policy.risk.attributes.*",
            "policy.risk.factors.*",
            "policy.risk.bands.*",
            "node.schedule",
            "node.casework",
            "node.if_a_plugin_fails",
        ),
        families=("policy.risk.factors", "policy.risk.bands"),
    ),
    Part(
        "Where the information comes from",
        "Each source that is read, from whom it comes, and what is in it.",
        keys=("node.frame", "sources.*"),
        families=("sources",),
    ),
    Part(
        "What may leave the council",
        "Only counts with noise added. By the council's signed release policy.",
        keys=(
            "policy.release.sha256",
            "policy.release.sunset",
            "policy.release.purposes",
            "policy.release.attributes.*",
            "policy.release.maximum_ways",
            "policy.release.maximum_cells",
            "policy.release.mechanisms",
            "policy.release.operator_approval",
            "policy.release.maximum_delta",
            "policy.release.loss.*",
            "policy.release.plugins_in_process",
        ),
    ),
    Part(
        "Who may see scores",
        "What each role at the council may do; who has which role is not published.",
        keys=(
            "people.roles.*",
            "policy.casework.sha256",
            "policy.casework.sunset",
            "policy.casework.blind_first_look",
            "policy.casework.sensitive_sources",
            "policy.casework.retention.*",
        ),
    ),
    Part(
        "Programs",
        "The node, and the plugins that read sources and compute factors.",
        keys=("node.version", *(f"plugins.*.{name}" for name in _PLUGIN_FACTS)),
        families=("plugins",),
    ),
)
_SIGNATORY = "approved_by"
"""Key of a risk that names a person."""


def publishable(facts: ApprovedFacts) -> ApprovedFacts:
    """What of approved facts may be published."""
    return ApprovedFacts(
        facts.council, {one.key: _reduced(one) for one in facts.by_key.values() if _is_in(one.key)}
    )


def rows_of(part: Part, facts: ApprovedFacts) -> Iterator[ApprovedFact]:
    """Facts of a part that belong to none of its things, in the order of the part's keys.

    What an answer makes pointless to ask is left out, and not shown as missing.
    """
    chosen = [
        fact
        for fact in facts.by_key.values()
        if _matches(fact.key, part.keys)
        and not _is_below(fact.key, part.families)
        and not _is_moot(fact, facts)
    ]
    yield from sorted(chosen, key=lambda one: _place(one.key, part.keys))


def things_of(part: Part, facts: ApprovedFacts) -> Iterator[str]:
    """Keys of the things of a part: "sources.housing"."""
    for family in part.families:
        names = sorted(things(facts.by_key, family))
        for name in sorted(names, key=lambda one: _lowest(facts, f"{family}.{one}.from")):
            yield f"{family}.{name}"


def _lowest(facts: ApprovedFacts, key: str) -> float:
    """Where a band begins; other things stand by their names."""
    fact = facts.by_key.get(key)
    return float(fact.value) if fact and isinstance(fact.value, int | float) else 0.0


_MOOT = {
    "scrutiny.dpo_advice.reasons": ("scrutiny.dpo_advice.decision", "accepted"),
    "scrutiny.procurement.suppliers": ("scrutiny.procurement.third_party", False),
}
"""What need not be said if another answer has this value."""


def _is_moot(fact: ApprovedFact, facts: ApprovedFacts) -> bool:
    key, value = _MOOT.get(fact.key, ("", None))
    other = facts.by_key.get(key)
    return other is not None and other.value == value


def _place(key: str, patterns: tuple[str, ...]) -> int:
    return next(at for at, pattern in enumerate(patterns) if fnmatchcase(key, pattern))


def _reduced(fact: ApprovedFact) -> ApprovedFact:
    if fact.key == "scrutiny.risks" and isinstance(fact.value, list):
        risks = [{k: v for k, v in one.items() if k != _SIGNATORY} for one in fact.value]
        return replace(fact, value=risks)
    return fact


def _is_in(key: str) -> bool:
    return any(_matches(key, part.keys) for part in PARTS)


def _matches(key: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(key, pattern) for pattern in patterns)


def _is_below(key: str, families: tuple[str, ...]) -> bool:
    return any(key.startswith(family + ".") for family in families)
