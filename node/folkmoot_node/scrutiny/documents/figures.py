"""Exact figures over households in a document: small counts are not shown, and cannot be computed.

Counts beside each other (their keys differ in the last word alone) may add up to a figure that
stands elsewhere. So small ones are hidden together with the next larger, until nobody can compute
a small one from the total: the rule of `small_groups`. Shares that would give such a count away
are hidden as well. That nobody has something is shown.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeGuard

from pydantic import JsonValue

from folkmoot_node.scrutiny.facts import Fact, Value

SMALLEST = 10
"""Counts of fewer households are not shown."""
FEWER = f"fewer than {SMALLEST}"
HIDDEN = "not shown"
_SCORED = "households.scored"
_TOTALS = frozenset({_SCORED})
"""Counts that are not hidden for another: they are what all others add up to."""
_AT = re.compile(r"(.+)\.(precision|recall)-at-([0-9]+)-visits")
"""Key of a share of a back-test that stands for households: outcome, figure, number of visits."""
_EVENTS = re.compile(r".+\.share-of-events")
"""Key of the share of households that had an outcome."""
_HOUSEHOLDS, _BANDS, _SHARE = "households", "bands", "share"
"""Parts of a group of the equality audit."""


def shown(facts: Iterable[Fact]) -> dict[str, JsonValue]:
    """What a document may show of exact figures, once a person has decided that it may.

    Args:
        facts: Those with `own=True`.

    Returns:
        By key: the value, with what must not be shown put into words.
    """
    found: dict[str, JsonValue] = {}
    beside: dict[str, dict[str, int]] = defaultdict(dict)
    shares: list[str] = []
    for fact in facts:
        if _is_count(fact.value):
            beside[_parent(fact.key)][fact.key] = fact.value
        else:
            found[fact.key] = _plain(fact.value)
        if isinstance(fact.value, float):
            shares.append(fact.key)
    households = beside.get(_parent(_SCORED), {}).get(_SCORED, 0)
    found |= dict.fromkeys(_of_few(found, households), HIDDEN)
    for parent, counts in beside.items():
        done = _suppressed(counts)
        found |= done
        if done != counts:
            # A share of the same records says how many they are.
            above = [one for one in shares if f"{parent}.".startswith(f"{_parent(one)}.")]
            found |= dict.fromkeys(above, HIDDEN)
    return found


def _of_few(found: Mapping[str, JsonValue], households: int) -> Iterator[str]:
    """Keys of shares of a back-test that stand for few households.

    Those are all who had the event, the visited who had it, the visited who had not, and who had
    it unvisited. Without events there is no share, so that one of 0 is a small one, rounded.
    """
    means: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    keys: dict[tuple[str, int], list[str]] = defaultdict(list)
    for key, value in found.items():
        at = _AT.fullmatch(key)
        mean = value.get("mean") if isinstance(value, dict) else None
        if not isinstance(mean, int | float):
            continue
        if _EVENTS.fullmatch(key) and mean * households < SMALLEST:
            yield key
        if at is not None:
            means[at[1], int(at[3])][at[2]] = mean
            keys[at[1], int(at[3])].append(key)
    for place, shares in means.items():
        precision, recall = shares.get("precision"), shares.get("recall")
        if precision is None:
            continue
        had = precision * place[1]
        missed = had * (1 - recall) / recall if recall else 0.0
        if any(0 < one < SMALLEST for one in (had, place[1] - had, missed)):
            yield from keys[place]


def _parent(key: str) -> str:
    return key.rpartition(".")[0]


def _suppressed(counts: Mapping[str, int]) -> dict[str, JsonValue]:
    hidden = _hidden(counts)
    return {
        name: count if name not in hidden else FEWER if count < SMALLEST else HIDDEN
        for name, count in counts.items()
    }


def _hidden(counts: Mapping[str, int], already: Iterable[str] = ()) -> set[str]:
    """Names of counts to hide: small ones, those hidden already, and what protects these."""
    hidden = {name for name, count in counts.items() if 0 < count < SMALLEST} | set(already)
    larger = sorted(
        (counts[name], name) for name in counts.keys() - hidden - _TOTALS if counts[name]
    )
    while hidden and larger and (len(hidden) == 1 or _sum(counts, hidden) < SMALLEST):
        hidden.add(larger.pop(0)[1])
    return hidden


def _sum(counts: Mapping[str, int], names: Iterable[str]) -> int:
    return sum(counts[name] for name in names)


def _plain(value: Value) -> JsonValue:
    if isinstance(value, Mapping):
        if value and all(map(_is_group, value.values())):
            return _groups(value)
        counts = {name: one for name, one in value.items() if _is_count(one)}
        return {name: _plain(one) for name, one in value.items()} | _suppressed(counts)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if _is_count(value) and 0 < value < SMALLEST:
        return FEWER
    return value


def _is_count(value: Value) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_group(value: Value) -> bool:
    return isinstance(value, Mapping) and {_HOUSEHOLDS, _BANDS} <= value.keys()


def _groups(groups: Any) -> JsonValue:
    """Groups of the equality audit, by band: shares that stand for small counts are hidden.

    The sums of a group and of a band are known, so that in neither just one is hidden.
    """
    counts = {
        group: {band: round(of[_SHARE] * about[_HOUSEHOLDS]) for band, of in about[_BANDS].items()}
        for group, about in groups.items()
    }
    bands = list(dict.fromkeys(band for of in counts.values() for band in of))
    hidden: set[tuple[str, str]] = set()
    before = -1
    while len(hidden) != before:
        before = len(hidden)
        for group, of in counts.items():
            known = [band for at, band in hidden if at == group]
            hidden |= {(group, band) for band in _hidden(of, known)}
        for band in bands:
            of_band = {group: of[band] for group, of in counts.items() if band in of}
            known = [group for group, at in hidden if at == band]
            hidden |= {(group, band) for group in _hidden(of_band, known)}
    plain: dict[str, JsonValue] = {}
    for group, about in groups.items():
        shares = {
            band: HIDDEN if (group, band) in hidden else _plain(of)
            for band, of in about[_BANDS].items()
        }
        plain[group] = {name: _plain(one) for name, one in about.items()} | {_BANDS: shares}
    return plain
