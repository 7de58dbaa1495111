"""The score of a household with and without what it disputes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from folkmoot_node.casework.opening.openings import Opened
from folkmoot_node.casework.rights.bench import Bench
from folkmoot_node.corrections.decisions import Stated
from folkmoot_node.corrections.values import can_be_corrected
from folkmoot_node.scoring.explain import Explanation, policy_of, stored_household
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
        return Comparison(
            rescored(*given, today=bench.today()),
            rescored(*given, without=without, instead=instead, today=bench.today()),
        )


def disputable(bench: Bench, opened: Opened) -> dict[str, Field]:
    """The inputs about which an objection can be upheld, by name: empty if there are no scores.

    Args:
        bench: Casework.
        opened: Any household; which fields there are does not depend on it.
    """
    try:
        with bench.store() as store:
            policy = policy_of(store.run, bench.risk_policy())
            found = stored_household(
                store, bench.config, bench.plugins, policy, opened.uprn, today=bench.today()
            )
            fields = {name: bound.field for name, bound in found.binding.fields.items()}
    except Problem:  # the household may have left the frame: it can still be withheld
        return {}
    used = {name for one in found.binding.factors for name in (i.input.name for i in one.inputs)}
    return {n: f for n, f in fields.items() if n in used and can_be_corrected(f)}


def _seen(one: Explanation) -> dict[str, Any]:
    return {
        "score": round(one.score, 3),
        "band": one.band,
        "completeness": round(one.completeness, 3),
        "reference_date": one.reference_date.isoformat(),
    }
