"""Areas beside their neighbours: what local Moran says of them, in sentences and in a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from folkmoot_coordinator.viewer.finding_hotspots import Found
from folkmoot_coordinator.viewer.words import (
    MINUS,
    households,
    percent,
    plural,
    rate_text,
    signed,
    span,
)

MAX_ROWS = 20
"""Areas that are listed, those with the most unusual neighbours first."""


@dataclass(frozen=True, slots=True)
class UnlikeRow:
    """An area that is on the other side of the mean than its neighbours.

    Attributes:
        name: The area.
        council: GSS code.
        kind: On which sides they are.
        value: Its own figure, in words.
        interval: 95% interval of that.
        sure: How sure it is that the area is on its side of the mean.
        neighbours: Mean of its neighbours less that of all areas.
        moran: Local Moran's I.
        rate: The lowest false discovery rate at which it would be listed.
    """

    name: str
    council: str
    kind: str
    value: str
    interval: str
    sure: str
    neighbours: str
    moran: str
    rate: str


def unlike(found: Found) -> list[UnlikeRow]:
    """Areas that surely are on one side of the mean, with unusual neighbours on the other."""
    moran = found.likeness
    places = np.flatnonzero(moran.unlike.found)
    order = np.argsort(-np.abs(moran.z[places]), kind="stable")
    return [_row(found, at) for at in places[order].tolist()[:MAX_ROWS]]


def likeness_says(found: Found) -> list[str]:
    """How many areas have unusual neighbours, and how many are unlike theirs, in sentences."""
    moran, number = found.likeness, int(found.likeness.unlike.found.sum())
    high = int((moran.clustered.found & (moran.z > 0)).sum())
    low = int((moran.clustered.found & (moran.z < 0)).sum())
    of = f"of {plural(len(found.figures), 'area')}"
    where = f"In the newest round, {of}" if found.months else of.capitalize()
    said = [
        f"{where}, {_number(high)} {_has(high)} neighbours with more than chance and noise "
        f"explain, and {_number(low)} {_has(low)} neighbours with less."
    ]
    if number:
        is_ = "is" if number == 1 else "are"
        said.append(
            f"{plural(number, 'area')} {is_} clearly on the other side of the mean than the areas "
            "around."
        )
    else:
        said.append(
            "No area is clearly on the other side of the mean than the areas around it. That does "
            "not mean that there are none."
        )
    if number > MAX_ROWS:
        said.append(f"The {MAX_ROWS} with the most unusual neighbours are listed.")
    return said


def _number(count: int) -> str:
    return f"{count:,}" if count else "none"


def _has(count: int) -> str:
    return "has" if count <= 1 else "have"


def _row(found: Found, at: int) -> UnlikeRow:
    known, moran = found.figures, found.likeness
    own = float(moran.own_high[at])
    is_high = own > 0.5
    side = "above" if is_high else "below"
    return UnlikeRow(
        known.names[at],
        known.councils[at],
        "High among low" if is_high else "Low among high",
        households(float(known.value[at])),
        span(float(known.lower[at]), float(known.upper[at])),
        f"{percent(own if is_high else 1 - own)} sure that it is {side} the mean",
        signed(float(moran.lag[at])),
        f"{float(moran.value[at]):.2f}".replace("-", MINUS),
        rate_text(float(moran.unlike.adjusted[at])),
    )
