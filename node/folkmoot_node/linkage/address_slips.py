"""Whether two words of addresses are one, with slips of the keyboard."""

from __future__ import annotations

from folkmoot_node.linkage.address_words import (
    BUILDINGS,
    DISTINGUISHING,
    KNOWN,
    STREET_TYPES,
    agree,
)


def same(word: str, other: str, close: bool) -> bool:
    """Whether two words are one, allowing for slips of the keyboard.

    Args:
        word: As `spelt` gives it.
        other: As `spelt` gives it.
        close: Whether the postcodes agree, which leaves room for more.
    """
    return word == other or agree(word, other) or _is_slip(word, other, close)


def _is_slip(word: str, other: str, close: bool) -> bool:
    shorter = min(len(word), len(other))
    allowed = 2 if close and shorter > 5 else 1
    if shorter < 3 or abs(len(word) - len(other)) > allowed:
        return False
    if (word in KNOWN and other in KNOWN) or (
        shorter == 3 and not _is_left_out(word, other, close)
    ):
        return False
    # A mistyped type of street is not the name of another one.
    of_type = bool({word, other} & (STREET_TYPES | BUILDINGS))
    if word[0] != other[0] and not (close and (of_type or shorter > 5)):
        return False
    slips = distance(word, other, allowed)
    if slips > allowed:
        return False
    # WEAST may be either of two points of the compass.
    return not any(
        known in DISTINGUISHING
        and any(distance(free, rival, slips) <= slips for rival in DISTINGUISHING - {known})
        for known, free in ((word, other), (other, word))
    )


def _is_left_out(word: str, other: str, close: bool) -> bool:
    """Whether one of two short words lacks a letter, where the postcodes agree."""
    return close and len(word) != len(other)


def is_one_slip(first: str, second: str) -> bool:
    """Whether two postcodes differ in one character at most."""
    return len(first) == len(second) and sum(a != b for a, b in zip(first, second, strict=True)) < 2


def distance(first: str, second: str, limit: int) -> int:
    """Insertions, deletions, changes and swaps of neighbours from one word to another.

    Optimal string alignment (Damerau 1964); above `limit` any number above it.
    """
    before, last = [0] * (len(second) + 1), list(range(len(second) + 1))
    for row, letter in enumerate(first, start=1):
        current = [row]
        for at, other in enumerate(second, start=1):
            cost = min(last[at] + 1, current[at - 1] + 1, last[at - 1] + (letter != other))
            swapped = row > 1 and at > 1 and letter == second[at - 2] and first[row - 2] == other
            current.append(min(cost, before[at - 2] + 1) if swapped else cost)
        if min(current) > limit:
            return limit + 1
        before, last = last, current
    return last[-1]
