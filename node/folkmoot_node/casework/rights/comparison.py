"""The score of a household with and without what it disputes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from folkmoot_node.casework.opening.openings import Opened
from folkmoot_node.casework.opening.sensitive import as_permitted
from folkmoot_node.casework.rights.bench import Bench
from folkmoot_node.corrections.decisions import Stated
from folkmoot_node.corrections.values import can_be_corrected
from folkmoot_node.scoring.binding import bind_for
from folkmoot_node.scoring.explain import Explanation, policy_of
from folkmoot_node.scoring.rescore import rescored
from folkmoot_operator.problems import Problem
from folkmoot_sdk.schema import Field


@dataclass(frozen=True, slots=True)
class Comparison:
    """Scores of one household.

    Attributes:
        stored: The score that it has.
        other: The score without the input in dispute, or with its other value.
    """

    stored: Explanation
    other: Explanation

    def as_seen(self) -> dict[str, Any]:
        """What is kept with the decision: the information on which a person decided."""
        return {"with": _seen(self.stored), "without": _seen(self.other)}


def compare(
    bench: Bench,
    opened: Opened,
    *,
    without: Collection[str] = (),
    instead: Mapping[str, Stated] | None = None,
) -> Comparison:
    """Scores a household again without an input, or with another value; nothing is stored.

    Args:
        bench: Casework.
        opened: The household.
        without: Inputs that count as unknown.
        instead: Values of other inputs.

    Raises:
        Problem: As `rescored`: there may be no scores, or the household not among them.
    """
    with bench.store() as store:
        policy = policy_of(store.run, bench.risk_policy())
        given = (store, bench.config, bench.plugins, policy, opened.uprn)
        stored = rescored(*given, today=bench.today())
        other = rescored(*given, without=without, instead=instead, today=bench.today())
    hidden = frozenset(bench.known.policy.sensitive_sources) - opened.sources
    return Comparison(as_permitted(stored, hidden), as_permitted(other, hidden))


def disputable(bench: Bench) -> dict[str, Field]:
    """The inputs about which an objection can be upheld, by name.

    Empty if there are no scores now: the household can still be left out.
    """
    try:
        with bench.store() as store:
            policy = policy_of(store.run, bench.risk_policy())
            binding = bind_for(policy, bench.config, bench.plugins, bench.today())
    except Problem:
        return {}
    used = {wanted.input.name for factor in binding.factors for wanted in factor.inputs}
    fields = {name: bound.field for name, bound in binding.fields.items() if name in used}
    return {name: field for name, field in fields.items() if can_be_corrected(field)}


def _seen(one: Explanation) -> dict[str, Any]:
    return {
        "score": round(one.score, 3),
        "band": one.band,
        "completeness": round(one.completeness, 3),
        "reference_date": one.reference_date.isoformat(),
    }
