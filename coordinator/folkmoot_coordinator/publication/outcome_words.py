"""What a validation says in words: for the command and the site, so that both say the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from folkmoot_coordinator.inference.comparisons import Verdict
from folkmoot_coordinator.inference.validation import (
    COMPARED,
    Agreement,
    BandRates,
    Figure,
    Rate,
)

TOO_FEW = "too few"
"""In place of a figure: noise alone could explain all of its households."""
EVERY_EVENT = "100%"
"""Recall from the lowest band upwards, whatever the counts are."""
METHOD = (
    "Precision: of a band's households, the share with the event. Recall: of all events, the "
    "share in this band or a higher one. The first interval (95 %) is about the households "
    "that were counted, and holds the noise; the second holds chance too, and is about what to "
    "expect of others like them."
)


def rate_facts(rate: Rate) -> dict[str, Any] | None:
    """A rate for `--json`; None if there are too few households."""
    if rate.value is None:
        return None
    return {
        "value": rate.value,
        "interval_of_noise": rate.noise,
        "interval_of_noise_and_chance": rate.chance,
    }


def rate_texts(rate: Rate) -> tuple[str, str, str]:
    """A rate and both intervals, in per cent; these are empty if there are too few households."""
    if rate.value is None:
        return TOO_FEW, "", ""
    return f"{rate.value:.1%}", _ends_text(rate.noise), _ends_text(rate.chance)


def _ends_text(ends: tuple[float, float] | None) -> str:
    return "" if ends is None else f"{100 * ends[0]:.1f}-{100 * ends[1]:.1f}"


def apart(found: Sequence[Agreement]) -> list[Agreement]:
    """Those that differ from the others by more than noise and chance explain."""
    return [one for one in found if one.verdict is not Verdict.UNDECIDED]


def agreement_says(found: Sequence[Agreement], kind: str, offered: int = 0) -> str:
    """How places compare with all others, in a sentence; it ends with a colon if some differ.

    Args:
        found: The comparisons.
        kind: What is compared: `council` or `group`.
        offered: For how many comparisons they are corrected, if for more than these.
    """
    together = offered or len(found)
    if not found:
        return f"No {kind} can be compared with the others."
    if not apart(found):
        return (
            f"No {kind} differs from the others by more than noise and chance explain "
            f"({together} comparisons)."
        )
    return (
        f"Differs from the other {kind}s by more than noise and chance explain ({together} "
        "comparisons, all right together with 95 %):"
    )


def difference_says(one: Agreement, name: str, figure: str = "") -> str:
    """How far one place is from the others, without a full stop.

    Args:
        one: The comparison.
        name: Of the place, for people.
        figure: What is compared; empty for precision or recall of its band.
    """
    way = "higher" if one.verdict is Verdict.FIRST_LARGER else "lower"
    # Shares differ by 100 points at most; intervals that hold noise know nothing of that.
    least, most = sorted(min(100.0, 100 * abs(end)) for end in (one.lower, one.upper))
    what = figure or f"{one.about} of {one.band}"
    return f"{name}, {what}: {way} by {least:.1f} to {most:.1f} points"


def unjudged(rates: Sequence[BandRates], names: Mapping[str, str]) -> list[str]:
    """Which figures of a place have too few households: `precision of high`.

    Args:
        rates: Of the place.
        names: Of bands by code, for people.
    """
    return [
        f"{about} of {names[one.band]}"
        for at, one in enumerate(rates)
        for about in COMPARED
        if one.figure(about).value is None and (at or about is not Figure.RECALL)
    ]
