"""Which facts a public page shows; `folkmoot.public_facts` has the list."""

from __future__ import annotations

from dataclasses import replace

from folkmoot.public_facts import is_public
from folkmoot_node.scrutiny.approved_facts import ApprovedFact, ApprovedFacts

_SIGNATORY = "approved_by"
"""Key of a risk that names a person."""
_MOOT = {
    "scrutiny.dpo_advice.reasons": ("scrutiny.dpo_advice.decision", "accepted"),
    "scrutiny.procurement.suppliers": ("scrutiny.procurement.third_party", False),
}
"""What need not be said, and so is not missing, if another answer has this value."""


def publishable(facts: ApprovedFacts) -> ApprovedFacts:
    """What of approved facts may be published, without what an answer makes pointless to ask."""
    return ApprovedFacts(
        facts.council,
        {
            one.key: _reduced(one)
            for one in facts.by_key.values()
            if is_public(one.key) and not _is_moot(one, facts)
        },
    )


def _is_moot(fact: ApprovedFact, facts: ApprovedFacts) -> bool:
    key, value = _MOOT.get(fact.key, ("", None))
    other = facts.by_key.get(key)
    return other is not None and other.value == value


def _reduced(fact: ApprovedFact) -> ApprovedFact:
    if fact.key == "scrutiny.risks" and isinstance(fact.value, list):
        risks = [{k: v for k, v in one.items() if k != _SIGNATORY} for one in fact.value]
        return replace(fact, value=risks)
    return fact
