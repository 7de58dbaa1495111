"""What a round would tell the region, and how precisely, in plain English."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.precision import Precision, precision
from folkmoot.rounds import Round
from folkmoot.series import variance_factor
from folkmoot_node.release.series import SeriesProgress

EXAMPLE = 100
"""Households of the count that explains how precise others are."""
MAX_LINES = 20
"""More marginals than this are described together, by their number of attributes."""


@dataclass(frozen=True, slots=True)
class MarginalStatement:
    """What one marginal would give the region.

    Attributes:
        attributes: Names of the attributes; () for the total.
        precision: Of this council's cells.
    """

    attributes: tuple[str, ...]
    precision: Precision

    @property
    def words(self) -> str:
        """For people: `by band and lsoa`."""
        return f"by {' and '.join(self.attributes)}" if self.attributes else "in all"

    @property
    def text(self) -> str:
        """For people."""
        made = self.precision
        low = max(0, math.floor(EXAMPLE - made.half_width))
        high = math.ceil(EXAMPLE + made.half_width)
        return (
            f"{self.words}: {_counts(made.cells)} within {made.half_width:.1f} of the truth 19 "
            f"times in 20 (standard error {made.standard_error:.2f}), so that {EXAMPLE} would be "
            f"reported as {low} to {high}. Counts under {made.usable_from:,} would be unreliable;"
            f" from {made.reliable_from:,} on they are reliable"
        )

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        made = self.precision
        return {
            "marginal": "*".join(self.attributes) or "total",
            "cells": made.cells,
            "standard_error": made.standard_error,
            "half_width_95": made.half_width,
            "unreliable_under": made.usable_from,
            "reliable_from": made.reliable_from,
        }


@dataclass(frozen=True, slots=True)
class AttributeStatement:
    """The codes by which a round counts.

    Attributes:
        name: Name of the attribute.
        codes: What the round lists for this council, without `(other)`.
        others: True if households with none of the codes have a count, `(other)`.
        unlisted: Codes that the council publishes and the round does not list; None if it is
            not known what the council publishes.
        is_area: True if the codes are areas of this council.
        finer: The attribute of a household from which this one follows, or empty.
    """

    name: str
    codes: tuple[str, ...]
    others: bool
    unlisted: tuple[str, ...] | None
    is_area: bool
    finer: str

    @property
    def leaves_out(self) -> bool:
        """True if households can be in no count of the round because of this attribute."""
        return not self.others and not self.finer and self._has_rest

    @property
    def _has_rest(self) -> bool:
        return self.is_area or self.unlisted is None or bool(self.unlisted)

    @property
    def text(self) -> str:
        """For people."""
        text = f"{self.name}: "
        areas = f"{len(self.codes):,} area{'s' * (len(self.codes) != 1)}"
        text += areas if self.is_area else ", ".join(self.codes)
        if self.finer:
            return f"{text}, by the round's list of which {self.finer} lies in which"
        which = "in none of them" if self.is_area else "with other codes"
        if self.unlisted:
            which = f"with {', '.join(self.unlisted)}"
        if self.leaves_out:
            return f"{text}. Households {which} are LEFT OUT of the whole round"
        if self.others and self._has_rest:
            return f"{text}. Households {which} are counted together, as (other)"
        return text

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "attribute": self.name,
            "codes": list(self.codes),
            "others": self.others,
            "unlisted": None if self.unlisted is None else list(self.unlisted),
            "leaves_households_out": self.leaves_out,
        }


def marginals_of(
    round_: Round, council: GssCode, progress: SeriesProgress | None = None
) -> tuple[MarginalStatement, ...]:
    """What each marginal would give the region of one council.

    Args:
        round_: The round.
        council: This council.
        progress: Where the node stands in the round's series: then cumulative counts.
    """
    plan = round_.plan(council)
    variance, step = 1.0, 1.0
    if progress is not None:
        variance = variance_factor(progress.weights, progress.length)
        step = max(map(abs, progress.weights))
    return tuple(
        MarginalStatement(marginal.attributes, precision(plan, marginal.attributes, variance, step))
        for marginal in round_.workload.marginals
    )


def attributes_of(
    round_: Round, council: GssCode, published: Mapping[str, tuple[str, ...] | None]
) -> tuple[AttributeStatement, ...]:
    """The codes by which a round counts the households of one council.

    Args:
        round_: The round.
        council: This council.
        published: Its code list of each attribute; None for an area.
    """
    workload = round_.workload
    counted = {attribute.name for attribute in workload.counted_by}
    finer = {above: name for name in counted for above in workload.above(name)}
    return tuple(
        AttributeStatement(
            name=attribute.name,
            codes=attribute.codes or attribute.by_council.get(council, ()),
            others=attribute.others,
            unlisted=_unlisted(attribute, published),
            is_area=attribute.is_area,
            finer=finer.get(attribute.name, ""),
        )
        for attribute in workload.attributes
        if attribute.name in counted or attribute.name in finer
    )


def _unlisted(
    attribute: Attribute, published: Mapping[str, tuple[str, ...] | None]
) -> tuple[str, ...] | None:
    if attribute.name not in published:
        return None
    known = published[attribute.name] or ()
    return tuple(code for code in known if code not in attribute.codes)


def lines_of(marginals: Sequence[MarginalStatement]) -> list[str]:
    """What is asked, a line for each marginal; many are described together."""
    if len(marginals) <= MAX_LINES:
        return [one.text for one in marginals]
    by_ways: dict[int, list[MarginalStatement]] = {}
    for one in marginals:
        by_ways.setdefault(len(one.attributes), []).append(one)
    return [_together(found) for _, found in sorted(by_ways.items())]


def _together(found: Sequence[MarginalStatement]) -> str:
    if len(found) == 1:
        return found[0].text
    widths = [one.precision.half_width for one in found]
    limits = [one.precision.usable_from for one in found]
    cells = sum(one.precision.cells for one in found)
    names = ", ".join("*".join(one.attributes) for one in found)
    ways = len(found[0].attributes)
    return (
        f"{len(found)} marginals by {ways} attribute{'s' * (ways > 1)}, {cells:,} counts, each "
        f"within {_range(widths, 1)} of the truth 19 times in 20. Counts under "
        f"{_range(limits, 0)} (by marginal) would be unreliable. They are: {names}"
    )


def _counts(cells: int) -> str:
    return f"{cells:,} counts, each" if cells > 1 else "one count,"


def _range(values: Sequence[float], digits: int) -> str:
    low, high = (f"{value:,.{digits}f}" for value in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"
