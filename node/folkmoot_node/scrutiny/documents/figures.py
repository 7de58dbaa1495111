"""Exact figures over households in a document: small counts are not shown, and cannot be computed.

Counts beside each other (their keys differ in the last word alone) may add up to a figure that
stands elsewhere. So small ones are hidden together with the next larger, until nobody can compute
a small one from the total: the rule of `small_groups`, to which zero is small as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from pydantic import JsonValue

from folkmoot_node.scrutiny.facts import Fact, Value

SMALLEST = 10
"""Counts of fewer households are not shown."""
FEWER = f"fewer than {SMALLEST}"
HIDDEN = f"not shown: a count beside it is {FEWER}"


def shown(facts: Iterable[Fact]) -> dict[str, JsonValue]:
    """What a document may show of exact figures, once a person has decided that it may.

    Args:
        facts: Those with `own=True`.

    Returns:
        By key: the value, with small counts put into words.
    """
    found: dict[str, JsonValue] = {}
    beside: dict[str, dict[str, int]] = defaultdict(dict)
    for fact in facts:
        if isinstance(fact.value, int) and not isinstance(fact.value, bool):
            beside[fact.key.rpartition(".")[0]][fact.key] = fact.value
        else:
            found[fact.key] = _plain(fact.value)
    for counts in beside.values():
        found |= _suppressed(counts)
    return found


def _suppressed(counts: Mapping[str, int]) -> dict[str, JsonValue]:
    ascending = sorted(counts, key=lambda name: counts[name])
    hidden = [name for name in ascending if counts[name] < SMALLEST]
    larger = ascending[len(hidden) :]
    while hidden and larger and (len(hidden) == 1 or sum(counts[one] for one in hidden) < SMALLEST):
        hidden.append(larger.pop(0))
    return {
        name: count if name not in hidden else FEWER if count < SMALLEST else HIDDEN
        for name, count in counts.items()
    }


def _plain(value: Value) -> JsonValue:
    if isinstance(value, Mapping):
        counts = {
            name: one
            for name, one in value.items()
            if isinstance(one, int) and not isinstance(one, bool)
        }
        return {name: _plain(one) for name, one in value.items()} | _suppressed(counts)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool) and value < SMALLEST:
        return FEWER
    return value
