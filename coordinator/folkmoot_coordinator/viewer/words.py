"""How pages say things: names of attributes and tables, numbers, reliability, states."""

from __future__ import annotations

import math
from collections.abc import Sequence

from folkmoot.attributes import OTHER, Attribute
from folkmoot.precision import RELIABLE_BELOW, UNRELIABLE_ABOVE, Reliability
from folkmoot.rounds import RoundState
from folkmoot.workload import Marginal
from folkmoot_operator.moments import to_datetime

MINUS = "\N{MINUS SIGN}"
_ACRONYMS = {"lsoa", "msoa", "oa", "imd"}
RELIABILITY = {
    Reliability.RELIABLE: "Reliable",
    Reliability.CAUTION: "Use with caution",
    Reliability.UNRELIABLE: "Too uncertain to use",
}
"""What readers are told of a figure."""
RELIABILITY_MEANS = {
    Reliability.RELIABLE: f"the standard error is under {RELIABLE_BELOW:.0%} of the estimate",
    Reliability.CAUTION: f"it is {RELIABLE_BELOW:.0%} to {UNRELIABLE_ABOVE:.0%} of it",
    Reliability.UNRELIABLE: f"it is over {UNRELIABLE_ABOVE:.0%} of it, or the estimate is not "
    "above zero",
}
RELIABILITY_COLOUR = {
    Reliability.RELIABLE: "green",
    Reliability.CAUTION: "yellow",
    Reliability.UNRELIABLE: "red",
}
"""Of GOV.UK's tags; the words say the same."""
STATES = {
    RoundState.OPEN: ("Open", "blue"),
    RoundState.COMPLETE: ("Complete", "green"),
    RoundState.PARTIAL: ("Partial", "yellow"),
    RoundState.VOID: ("Void", "grey"),
}
"""Text and colour of a round's tag."""
STATE_MEANS = {
    RoundState.OPEN: "Councils can still answer.",
    RoundState.COMPLETE: "Every council that was invited is in the figures.",
    RoundState.PARTIAL: "Some of the councils that were invited are not in the figures.",
    RoundState.VOID: "Too few councils answered, so nothing is published.",
}


def phrase(identifier: str) -> str:
    """An identifier for people: `age_band` as `age band`, `lsoa` as `LSOA`."""
    words = identifier.split("_")
    return " ".join(word.upper() if word in _ACRONYMS else word for word in words)


def capital(text: str) -> str:
    """A text that begins a line; an email address that begins it stays as it is."""
    if "@" in text.partition(" ")[0]:
        return text
    return text[:1].upper() + text[1:]


def listed(texts: Sequence[str], word: str = "and") -> str:
    """Texts in a sentence: `a, b and c`."""
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} {word} {texts[-1]}"


def table_title(marginal: Marginal) -> str:
    """What a table of a round has, as a heading: `Households by band and LSOA`."""
    if not marginal.attributes:
        return "All households"
    return f"Households by {listed([phrase(name) for name in marginal.attributes])}"


def slug(marginal: Marginal) -> str:
    """A table in an address: attribute names joined by dots, or `total`."""
    return ".".join(marginal.attributes) or "total"


def code_label(attribute: Attribute, code: str, name: str | None = None) -> str:
    """A code for people."""
    if code == OTHER:
        return f"in no {phrase(attribute.name)}" if attribute.is_area else "any other"
    return name or code.replace("_", " ")


def whole(value: float) -> str:
    """A figure in whole households, with a thousands separator and a real minus sign."""
    rounded = math.floor(value + 0.5)
    return f"{MINUS if rounded < 0 else ''}{abs(rounded):,}"


def signed(value: float) -> str:
    """A difference in whole households, with its sign."""
    rounded = math.floor(value + 0.5)
    return f"+{rounded:,}" if rounded > 0 else whole(value)


def households(value: float) -> str:
    """A figure with its unit."""
    return f"{whole(value)} household{'' if math.floor(value + 0.5) == 1 else 's'}"


def span(low: float, high: float) -> str:
    """An interval for people."""
    return f"{whole(low)} to {whole(high)}"


def between(low: float, high: float) -> str:
    """An interval inside a sentence: `between 3 and 5`."""
    return f"between {whole(low)} and {whole(high)}"


def percent(part: float) -> str:
    """A probability; never quite none or all, because no figure is certain."""
    if part >= 0.995:
        return "over 99%"
    if part <= 0.005:
        return "under 1%"
    return f"{part:.0%}"


def share(part: float) -> str:
    """A share that was estimated, in per cent."""
    return f"{part:.1%}"


def share_span(ends: tuple[float, float]) -> str:
    """The interval of a share."""
    return f"{share(ends[0])} to {share(ends[1])}"


def marked_title(withdrawn: str | None, title: str) -> str:
    """Title of a picture: that of a result that was withdrawn says so, wherever it is pasted."""
    return title if withdrawn is None else f"WITHDRAWN, do not use. {title}"


def brief_percent(part: float) -> str:
    """A probability for a table with many, such as `<1%`; never quite none or all."""
    return percent(part).replace("over ", ">").replace("under ", "<")


def rate_text(rate: float) -> str:
    """A false discovery rate."""
    return "under 0.1%" if rate < 0.001 else f"{rate:.1%}"


def minute_text(seconds: float) -> str:
    """A moment for people: `1 December 2026, 14:05 UTC`."""
    return f"{to_datetime(seconds):%-d %B %Y, %H:%M} UTC"


def plural(number: int, noun: str) -> str:
    """A number of things: `1 council`, `1,817 areas`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
