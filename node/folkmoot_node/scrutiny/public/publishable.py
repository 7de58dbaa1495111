"""Which facts a public page shows; `folkmoot.public_facts` has the list."""

from __future__ import annotations

from dataclasses import replace

from folkmoot.public_facts import is_public
from folkmoot_node.scrutiny.approved_facts import ApprovedFact, ApprovedFacts

_SIGNATORY = "approved_by"
"""Key of a risk that names a person."""


def publishable(facts: ApprovedFacts) -> ApprovedFacts:
    """What of approved facts may be published."""
    return ApprovedFacts(
        facts.council,
        {one.key: _reduced(one) for one in facts.by_key.values() if is_public(one.key)},
    )


def _reduced(fact: ApprovedFact) -> ApprovedFact:
    if fact.key == "scrutiny.risks" and isinstance(fact.value, list):
        risks = [{k: v for k, v in one.items() if k != _SIGNATORY} for one in fact.value]
        return replace(fact, value=risks)
    return fact
