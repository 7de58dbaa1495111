"""What has changed in how a node is set up since it was approved, in words.

Every fact that differs is named. Facts of a thing that was not there before, such as a source, are
told together with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from folkmoot.public_facts import SCORING_FAMILIES, for_people
from folkmoot_node.scrutiny.approved_facts import ApprovedFact, ApprovedFacts
from folkmoot_node.scrutiny.facts import in_sentence
from folkmoot_operator.shown_values import day_of, shown

MAX_SAID = 400
"""Characters of a value in a sentence; JSON has all of it."""
_CONTEXT = 60
"""Characters before the first difference of two long texts that are shown."""


class Kind(StrEnum):
    """What became of a thing."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was approved.

    Attributes:
        kind: What became of it.
        key: Of the fact, or of the thing that was added or removed: "sources.housing".
        facts: Keys of all facts that it covers, sorted.
        words: What has changed, one sentence with its full stop.
        before: The value, or the values by key if a thing was removed; None if there was none.
        now: As `before`.
    """

    kind: Kind
    key: str
    facts: tuple[str, ...]
    words: str
    before: Any
    now: Any

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "kind": self.kind.value,
            "key": self.key,
            "facts": list(self.facts),
            "words": self.words,
            "before": self.before,
            "now": self.now,
        }


def differences(before: ApprovedFacts, now: ApprovedFacts) -> tuple[Difference, ...]:
    """All that differs, sorted by key.

    Args:
        before: What was approved.
        now: What would be approved now.
    """
    found = [
        *_whole_things(before.by_key, now.by_key, Kind.REMOVED),
        *_whole_things(now.by_key, before.by_key, Kind.ADDED),
    ]
    told = {key for one in found for key in one.facts}
    for key in sorted({*before.by_key, *now.by_key} - told):
        one = _difference(before.by_key.get(key), now.by_key.get(key))
        if one is not None:
            found.append(one)
    return tuple(sorted(found, key=lambda one: one.key))


def things(facts: Mapping[str, ApprovedFact], family: str) -> frozenset[str]:
    """Names in a family: those of all sources, or of all factors.

    Args:
        facts: By key.
        family: One of `SCORING_FAMILIES`.
    """
    start = family + "."
    return frozenset(
        key.removeprefix(start).partition(".")[0] for key in facts if key.startswith(start)
    )


def below(facts: Mapping[str, ApprovedFact], thing: str) -> dict[str, ApprovedFact]:
    """Facts of a thing, such as "sources.housing", by key."""
    return {key: fact for key, fact in facts.items() if key == thing or key.startswith(thing + ".")}


def _whole_things(
    there: Mapping[str, ApprovedFact], not_there: Mapping[str, ApprovedFact], kind: Kind
) -> Iterator[Difference]:
    """Things of which one side has facts, and the other none."""
    for family, noun in SCORING_FAMILIES.items():
        for name in sorted(things(there, family) - things(not_there, family)):
            thing = f"{family}.{name}"
            facts = below(there, thing)
            values = {key: fact.value for key, fact in facts.items()}
            about = "; ".join(
                f"{in_sentence(fact.label)}: {_said(fact)}"
                for fact in facts.values()
                if not fact.is_missing
            )
            words = f"The {noun} {name} was {kind}{f' ({about})' if about else ''}."
            before, now = (values, None) if kind is Kind.REMOVED else (None, values)
            yield Difference(kind, thing, tuple(sorted(facts)), words, before, now)


def _difference(before: ApprovedFact | None, now: ApprovedFact | None) -> Difference | None:
    if before is None and now is not None:
        words = f"{now.label}: was not there, and is {_said(now)}."
        return Difference(Kind.ADDED, now.key, (now.key,), words, None, now.value)
    if now is None and before is not None:
        words = f"{before.label}: was {_said(before)}, and is not there now."
        return Difference(Kind.REMOVED, before.key, (before.key,), words, before.value, None)
    assert before is not None
    assert now is not None
    if before.says_the_same(now):
        return None
    was, is_ = _told_apart(before, now)
    if was == is_:  # who says so has changed, or a text has become a number
        was, is_ = (f"{one} ({by.mark.value})" for one, by in ((was, before), (is_, now)))
    words = f"{now.label}: was {was}, and is {is_}{_by_how_much(before, now)}."
    return Difference(Kind.CHANGED, now.key, (now.key,), words, before.value, now.value)


def _told_apart(before: ApprovedFact, now: ApprovedFact) -> tuple[str, str]:
    """Both values as people say them; of long texts, the part from where they differ."""
    if before.is_missing or now.is_missing:
        return _said(before), _said(now)
    texts = [_words(before), _words(now)]
    if texts[0] == texts[1]:  # shares that differ by less than people read
        texts = [shown(before.value), shown(now.value)]
    pairs = enumerate(zip(*texts, strict=False))
    same = next((at for at, (one, other) in pairs if one != other), min(map(len, texts)))
    start = same - _CONTEXT if same > MAX_SAID - _CONTEXT else 0
    was, is_ = (f"{'...' if start else ''}{_shortened(one[start:])}" for one in texts)
    return was, is_


def _shortened(text: str) -> str:
    """A text that stands in a sentence: of bounded length, without a full stop at the end."""
    text = text.rstrip(".")
    return text if len(text) <= MAX_SAID else f"{text[:MAX_SAID].rstrip()}... (shortened)"


def _by_how_much(before: ApprovedFact, now: ApprovedFact) -> str:
    """How far a number or a day has moved; empty for everything else, and for shares."""
    if for_people(now.key, now.value) != now.value:  # who reads per cent would add these
        return ""
    if is_number(before.value) and is_number(now.value) and before.value > 0:
        share = now.value / before.value - 1
        if not share:
            return ""
        return f" ({abs(share):.0%} {'more' if share > 0 else 'less'})"
    days = day_of(before.value), day_of(now.value)
    if days[0] is not None and days[1] is not None:
        moved = (days[1] - days[0]).days
        if not moved:
            return ""
        unit = "day" if abs(moved) == 1 else "days"
        return f" ({abs(moved):,} {unit} {'later' if moved > 0 else 'earlier'})"
    return ""


def is_number(value: object) -> bool:
    """Whether a value can be compared as a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _said(fact: ApprovedFact) -> str:
    """A value as people say it."""
    if fact.is_missing:
        return "missing"
    return _shortened(_words(fact))


def _words(fact: ApprovedFact) -> str:
    return shown(for_people(fact.key, fact.value))
