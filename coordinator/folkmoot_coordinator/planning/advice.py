"""What would help where most cells of a marginal would be unreliable."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.precision import precision
from folkmoot.privacy import Rho
from folkmoot.strategy import Plan
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.planning.coefficient_of_variation import factor_for, usable_share
from folkmoot_coordinator.planning.forecast import Forecast

POOR = 0.5
"""Share of usable cells under which a marginal is called poor."""
MAX_REMEDIES = 3
"""Of so many marginals, the poorest, it is said what would help."""


@dataclass(frozen=True, slots=True)
class Coarser:
    """A coarser marginal.

    Attributes:
        name: Its name.
        cells: Number of its cells, in all councils.
        usable: Share of them that would be usable at the loss asked for.
        included: True if the answer already gives it, by summing.
        same_attributes: True if an attribute is coarser, False if one is left out.
    """

    name: str
    cells: int
    usable: float
    included: bool
    same_attributes: bool


@dataclass(frozen=True, slots=True)
class Remedy:
    """What would help one marginal.

    Attributes:
        marginal: Its name.
        usable: Share of its cells that are usable as asked.
        rho: Loss at which the share `POOR` would be; None if so many cells are expected to be
            empty that no loss does it.
        epsilon: The same at the round's delta.
        coarser: The finest coarser marginal of which that share is usable, with all its
            attributes if there is one; else that with most usable cells; None if none has more.
    """

    marginal: str
    usable: float
    rho: Rho | None
    epsilon: float | None
    coarser: Coarser | None


def remedies(forecast: Forecast) -> tuple[Remedy, ...]:
    """What would help the poorest marginals, the poorest first; needs an assumption."""
    poor = [
        (one.shares.usable, at)
        for at, one in enumerate(forecast.marginals)
        if one.shares and one.shares.usable < POOR
    ]
    marginals = forecast.round.workload.marginals
    return tuple(
        _remedy(forecast, marginals[at], usable) for usable, at in sorted(poor)[:MAX_REMEDIES]
    )


def _remedy(forecast: Forecast, marginal: Marginal, usable: float) -> Remedy:
    factor = factor_for(forecast.variations_of(marginal), POOR)
    rho, epsilon = _loss(forecast, factor) if factor else (None, None)
    options = [one for one in _options(forecast, marginal) if one.usable > usable]
    enough = [one for one in options if one.usable >= POOR]
    # Larger areas leave the question what it was; without an attribute it is another.
    enough = [one for one in enough if one.same_attributes] or enough
    return Remedy(
        marginal=marginal.name,
        usable=usable,
        rho=rho,
        epsilon=epsilon,
        coarser=max(enough, key=lambda one: one.cells)
        if enough
        else max(options, key=lambda one: one.usable, default=None),
    )


def _options(forecast: Forecast, marginal: Marginal) -> Iterator[Coarser]:
    workload = forecast.round.workload
    used = {name for one in workload.marginals for name in one.attributes}
    for attributes in coarser(workload, marginal.attributes):
        included = used.issuperset(attributes)
        plans = forecast.plans if included else _replanned(forecast, marginal, attributes)
        found = {council: precision(made, attributes) for council, made in plans.items()}
        yield Coarser(
            name=Marginal(attributes).name,
            cells=sum(one.cells for one in found.values()),
            usable=usable_share(forecast.variations(attributes, found)),
            included=included,
            same_attributes=len(attributes) == len(marginal.attributes),
        )


def coarser(workload: Workload, attributes: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """A marginal with one attribute at a coarser level, then with one left out."""
    for at, name in enumerate(attributes):
        for above in workload.above(name):
            yield (*attributes[:at], above, *attributes[at + 1 :])
    if len(attributes) > 1:
        for at in range(len(attributes)):
            yield (*attributes[:at], *attributes[at + 1 :])


def _replanned(
    forecast: Forecast, marginal: Marginal, instead: tuple[str, ...]
) -> dict[GssCode, Plan]:
    """The plans if another marginal were asked instead of one."""
    round_ = forecast.round
    asked = replace(
        round_,
        workload=Workload(
            round_.workload.attributes,
            tuple(
                Marginal(instead, one.weight) if one is marginal else one
                for one in round_.workload.marginals
            ),
        ),
    )
    return {council: asked.plan(council) for council in asked.councils}


def _loss(forecast: Forecast, factor: float) -> tuple[Rho | None, float | None]:
    """A multiple of the loss, rounded up; None if that is too much to ask for."""
    whole = forecast.round.loss.value
    try:
        return forecast.loss_at(_round_up(whole * factor) / whole)
    except ContractError:
        return None, None


def _round_up(value: float) -> float:
    """To two significant digits."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return math.ceil(value / unit - 1e-9) * unit
