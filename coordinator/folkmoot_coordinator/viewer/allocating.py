"""A quantity shared out by the figures of a selection, in the words of a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, ClassVar

import numpy as np
import polars as pl
from pydantic import Field
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from folkmoot_coordinator.charts.chart import Chart
from folkmoot_coordinator.charts.interval_chart import shares
from folkmoot_coordinator.inference.allocation import (
    TOLERANCE,
    Allocation,
    Allocations,
    Needs,
    Rule,
    Service,
    Threshold,
    allocate,
)
from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.publication.table_files import harmless_table
from folkmoot_coordinator.viewer.figures import Figures, figures
from folkmoot_coordinator.viewer.selection import Selection
from folkmoot_coordinator.viewer.words import (
    brief_percent,
    capital,
    marked_title,
    percent,
    plural,
)
from folkmoot_web.forms import Form, FormModel, read_form

MAX_QUANTITY = 10_000_000
LIKELY = 0.5
"""An area is called under-served if it is so over more than this part of the draws."""
RULES = {
    Rule.PROPORTIONAL: ("Estimates", "proportional"),
    Rule.THRESHOLD: ("Above threshold", "threshold"),
    Rule.SHRUNKEN: ("Shrunken estimates", "shrunken"),
}
"""For people, and in names of columns."""
_DRAWN = 20
_DISTRICTS_DRAWN = 20


class AllocateForm(FormModel):
    """What the page asks for; it is sent in the address."""

    messages: ClassVar[Mapping[str, str]] = {
        "quantity.missing": "Enter how much there is to share out",
        "quantity.int_parsing": "How much there is must be a whole number, such as 10000",
    }

    quantity: Annotated[int, Field(title="how much there is", ge=1, le=MAX_QUANTITY)]
    unit: Annotated[str, Field(title="what is shared out", max_length=40)] = "units"
    need: Annotated[Decimal | None, Field(title="the threshold", ge=0, le=10**9)] = None
    probability: Annotated[int, Field(title="the probability", ge=1, le=99)] = 80
    equally: Annotated[str, Field(pattern="^(yes)?$")] = ""


@dataclass(frozen=True, eq=False)
class Shared:
    """A quantity shared out.

    Attributes:
        found: The alternatives.
        figures: The figures that it is shared out by.
        districts: GSS codes of the districts, in the order of their numbers.
        unit: What is shared out, in the plural.
        threshold: Which areas the second alternative serves; None without it.
    """

    found: Allocations
    figures: Figures
    districts: tuple[str, ...]
    unit: str
    threshold: Threshold | None

    @property
    def alternatives(self) -> tuple[Allocation, ...]:
        """One for each rule."""
        return self.found.alternatives

    @property
    def best(self) -> Allocation:
        """The alternative with which least would have to move."""
        return min(self.alternatives, key=lambda one: one.misplaced)

    def amount(self, number: float) -> str:
        """A number of units in words: `3,200 food parcels`."""
        return f"{number:,.0f} {self.unit}"


@dataclass(frozen=True, slots=True)
class Served:
    """How one alternative serves a place.

    Attributes:
        units: Whole units.
        under: How often it is under-served, in words.
        over: How often it is over-served, in words.
        is_under: Whether it is under-served more often than not.
        is_over: Whether it is over-served more often than not.
    """

    units: str
    under: str
    over: str
    is_under: bool
    is_over: bool

    @classmethod
    def of(cls, service: Service, at: int) -> Served:
        """A place of a service."""
        under, over = float(service.under_served[at]), float(service.over_served[at])
        return cls(
            f"{int(service.units[at]):,}",
            brief_percent(under),
            brief_percent(over),
            under > LIKELY,
            over > LIKELY,
        )


def read_allocation(request: Request) -> Form[AllocateForm]:
    """What an address asks for, checked; empty where it asks for nothing yet."""
    sent: list[tuple[str, str | UploadFile]] = [
        pair for pair in request.query_params.multi_items() if pair[0] in _fields()
    ]
    if not any(name == "quantity" for name, _ in sent):
        known = {name: text for name, text in sent if isinstance(text, str)}
        return Form({"probability": "80"} | known)
    # A form in an address is read as one that was sent.
    request.state.form = FormData(sent)
    return read_form(request, AllocateForm)


def share_out(published: Published, chosen: Selection, asked: AllocateForm) -> Shared:
    """Shares out a quantity; kept as long as the round's result is.

    Args:
        published: The round.
        chosen: What of it.
        asked: How much, and by which rules.

    Raises:
        Problem: REFUSED, if that cannot be; see `allocate`.
    """
    found = published.kept(
        ("allocation", *chosen.key, asked.model_dump_json()),
        lambda: _shared(published, chosen, asked),
    )
    assert isinstance(found, Shared)
    return found


def _shared(published: Published, chosen: Selection, asked: AllocateForm) -> Shared:
    known = figures(published, chosen)
    districts = tuple(sorted(set(known.councils)))
    numbers = {code: number for number, code in enumerate(districts)}
    needs = Needs(
        known.value,
        known.variance,
        np.array([numbers[code] for code in known.councils], dtype=np.int64),
    )
    threshold = None
    if asked.need is not None:
        threshold = Threshold(
            float(asked.need), asked.probability / 100, equally=bool(asked.equally)
        )
    found = allocate(
        needs,
        asked.quantity,
        seed=published.round_.round_id,
        threshold=threshold,
        tails=known.tails,
    )
    return Shared(found, known, districts, asked.unit, threshold)


def lead(published: Published, chosen: Selection, shared: Shared) -> list[str]:
    """What an allocation does, in a few sentences."""
    best = shared.best
    quantity = shared.found.quantity
    said = [
        f"If {shared.amount(quantity)} are shared out over {_places(chosen, len(shared.figures))} "
        f"{_rule(shared, best)}, about {shared.amount(best.misplaced)} "
        f"({percent(best.misplaced / quantity)}) go to other places than they are due to, because "
        f"of noise. With 95% certainty it is no more than "
        f"{shared.amount(best.misplaced_at_most)}.",
    ]
    others = [one for one in shared.alternatives if one is not best]
    said += [
        f"{capital(_rule(shared, one))}, it would be about {shared.amount(one.misplaced)} "
        f"({percent(one.misplaced / quantity)})."
        for one in others
    ]
    under = int((best.areas.under_served > LIKELY).sum())
    over = int((best.areas.over_served > LIKELY).sum())
    said.append(
        f"{capital(_none(chosen, under))} would more likely than not get over {TOLERANCE:.0%} less "
        f"than is due, and {_none(chosen, over)} over {TOLERANCE:.0%} more. The tables below say "
        "how likely that is for each."
    )
    return said


def _places(chosen: Selection, number: int) -> str:
    return plural(number, "area" if chosen.area else "council")


def _none(chosen: Selection, number: int) -> str:
    return _places(chosen, number) if number else f"no {'area' if chosen.area else 'council'}"


def _rule(shared: Shared, one: Allocation) -> str:
    if one.rule is not Rule.THRESHOLD:
        return one.rule.value
    assert shared.threshold is not None
    how = "equally" if shared.threshold.equally else "by shrunken estimates"
    return (
        f"{how} among places that have more than {shared.threshold.need:,g} households with a "
        f"probability of at least {shared.threshold.probability:.0%}"
    )


def area_rows(shared: Shared, places: list[int]) -> list[dict[str, Any]]:
    """Rows of the table of areas."""
    known = shared.figures
    return [
        {
            "name": known.names[at],
            "code": known.codes[at],
            "council": known.councils[at],
            "due": due(float(shared.found.lower[at]), float(shared.found.upper[at])),
            "served": [Served.of(one.areas, at) for one in shared.alternatives],
        }
        for at in places
    ]


def district_rows(published: Published, shared: Shared) -> list[dict[str, Any]]:
    """Rows of the table of districts."""
    return [
        {
            "name": published.names.get(code, code),
            "code": code,
            "due": due(
                float(shared.found.district_lower[at]), float(shared.found.district_upper[at])
            ),
            "served": [Served.of(one.districts, at) for one in shared.alternatives],
        }
        for at, code in enumerate(shared.districts)
    ]


def due(low: float, high: float) -> str:
    """An interval of what a place is due, in units."""
    digits = 0 if high >= 10 else 1
    return f"{low:,.{digits}f} to {high:,.{digits}f}"


def by_units(shared: Shared, council: str) -> list[int]:
    """Places of areas, those that get most before the others."""
    units = shared.best.areas.units
    inside = shared.figures.inside(council)
    return sorted(inside, key=lambda at: (-int(units[at]), shared.figures.names[at]))


def allocation_chart(
    published: Published, chosen: Selection, shared: Shared, *, narrow: bool = False
) -> Chart:
    """What districts get with each alternative, or areas where there is one district or none."""
    found = shared.found
    by_district = chosen.area is not None and len(shared.districts) > 1 and not chosen.place
    if by_district:
        order = np.argsort(-shared.best.districts.units, kind="stable")[:_DISTRICTS_DRAWN].tolist()
        names = [published.names.get(code, code) for code in shared.districts]
        low, high = found.district_lower, found.district_upper
        kind, of = "councils", len(shared.districts)
    else:
        order = by_units(shared, chosen.place)[:_DRAWN]
        names = list(shared.figures.names)
        low, high = found.lower, found.upper
        kind = "areas" if chosen.area else "councils"
        of = len(shared.figures.inside(chosen.place))
    rows = [
        (
            names[at],
            RULES[one.rule][0],
            float((one.districts if by_district else one.areas).units[at]),
            float(low[at]),
            float(high[at]),
        )
        for at in order
        for one in shared.alternatives
    ]
    which = f"all {of:,} {kind}" if len(order) == of else f"{len(order)} of {of:,} {kind}"
    title = marked_title(published.withdrawn, f"{shared.amount(found.quantity)}: what {which} get")
    return shares(
        capital(title),
        capital(shared.unit),
        rows,
        subtitle="Dots are what a place gets, lines are 95% intervals of what it is due",
        narrow=narrow,
    )


def allocation_csv(published: Published, shared: Shared) -> bytes:
    """The allocation as CSV, UTF-8: a row for each area, each with what it depends on."""
    known, found = shared.figures, shared.found
    columns: dict[str, Any] = {
        "area": known.codes,
        "name": known.names,
        "council": known.councils,
        "council_name": [published.names.get(code, "") for code in known.councils],
        "households": known.value,
        "standard_error": known.standard_error,
        "due_lower_95": found.lower,
        "due_upper_95": found.upper,
    }
    for one in shared.alternatives:
        name = RULES[one.rule][1]
        columns[f"{name}_units"] = one.areas.units
        columns[f"{name}_under_served"] = one.areas.under_served
        columns[f"{name}_over_served"] = one.areas.over_served
    table = pl.DataFrame(columns).with_columns(
        unit=pl.lit(shared.unit),
        round=pl.lit(published.round_.round_id),
        withdrawn=pl.lit(published.withdrawn or ""),
    )
    return harmless_table(table).write_csv(float_precision=6).encode()


def _fields() -> frozenset[str]:
    return frozenset(AllocateForm.model_fields)
