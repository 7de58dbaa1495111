"""A forecast for people, on a terminal of 80 columns or more."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from rich.table import Column, Table

from folkmoot.precision import Precision, Reliability, reliability
from folkmoot.rounds import Mechanism
from folkmoot_coordinator.planning.advice import POOR, Remedy, remedies
from folkmoot_coordinator.planning.comparison import (
    Comparison,
    OtherMechanism,
    other_mechanism,
    other_objective,
)
from folkmoot_coordinator.planning.forecast import SHARED_HOUSEHOLDS, Forecast, MarginalForecast
from folkmoot_coordinator.rounds.objective import Objective
from folkmoot_operator.console import console, print_text
from folkmoot_operator.tables import print_table

TYPICAL_SIZES = (10, 100, 1_000, 10_000)
"""Households of the cells for which reliability is shown."""
MAX_ROWS = 25
"""A plan of more marginals is summed up, and the least precise are listed."""

_VERDICTS = {
    Reliability.RELIABLE: "yes",
    Reliability.CAUTION: "care",
    Reliability.UNRELIABLE: "no",
}
_DIFFERS = 1.01
_MAX_NAMES = 5
_MECHANISMS = {
    Mechanism.DISCRETE_GAUSSIAN: "discrete Gaussian noise",
    Mechanism.DISCRETE_LAPLACE: "discrete Laplace noise, which needs no delta,",
}


def print_forecast(forecast: Forecast, *, every: bool) -> None:
    """Prints a forecast.

    Args:
        forecast: The forecast.
        every: True to list every marginal, however many there are.
    """
    out = console()
    print_text(_heading(forecast))
    shown = forecast.marginals
    if len(shown) > MAX_ROWS and not every:
        print_table(_summary(forecast.marginals), out)
        shown = tuple(sorted(shown, key=_poorest_first)[:MAX_ROWS])
        print_text(f"The {MAX_ROWS} least precise; --all lists every marginal:")
    print_table(_precision(forecast, shown), out)
    print_text(_reading(forecast))
    print_table(_by_size(shown), out)
    print_text("\n" + _assumption(forecast))
    if forecast.sizes is not None:
        print_table(_assumed(shown), out)
    print_text(f"\n{_privacy(forecast)}\n\nWhat less and more loss would buy:")
    print_table(_budgets(forecast), out)
    print_text("\n" + "\n\n".join(_advice(forecast)))


def _poorest_first(one: MarginalForecast) -> tuple[float, float]:
    return one.shares.usable if one.shares else 0.0, -one.typical.standard_error


def _heading(forecast: Forecast) -> str:
    round_, planning = forecast.round, forecast.planning
    councils = len(round_.councils)
    text = (
        f"{round_.title or round_.purpose}: {len(forecast.marginals)} marginals asked of "
        f"{_count(councils, 'council')}, rho {round_.loss} from each. Nothing is asked yet.\n"
        f"Planned for {planning.objective.meaning}"
    )
    if planning.objective is Objective.MAXIMUM:
        text += f", at most {_percent(planning.excess, 2)} above the optimum"
    return f"{text}.\n\nPrecision of a council's figures, in households:"


def _summary(marginals: Sequence[MarginalForecast]) -> Table:
    table = _table("Attributes", "Marginals", "Median\nerror", "Largest\nerror", "Usable\ncells")
    by_ways: dict[int, list[MarginalForecast]] = {}
    for one in marginals:
        by_ways.setdefault(len(one.marginal.attributes), []).append(one)
    for ways, found in sorted(by_ways.items()):
        errors = [one.typical.standard_error for one in found]
        shares = [one.shares.usable for one in found if one.shares]
        table.add_row(
            str(ways),
            f"{len(found):,}",
            _households(median(errors)),
            _households(max(errors)),
            _share(median(shares)) if shares else "",
        )
    return table


def _precision(forecast: Forecast, shown: Sequence[MarginalForecast]) -> Table:
    region = len(forecast.round.councils) > 1
    table = _table(
        "Marginal",
        "Cells",
        "Standard\nerror",
        "95 %\nwithin",
        *(["Region\nwithin"] if region else []),
        "Usable\nfrom",
    )
    for one in shown:
        made = one.typical
        low, high = one.standard_errors
        error = _households(made.standard_error)
        if high > _DIFFERS * low:
            error += f"\n{_households(low)} to {_households(high)}"
        fewest, most = one.cells
        by_area = _by_area(forecast, one)
        table.add_row(
            _name(one.marginal.name),
            f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}",
            error,
            f"± {_households(made.half_width)}",
            *(["" if by_area else f"± {_households(one.region.half_width)}"] if region else []),
            f"{made.usable_from:,}",
        )
    return table


def _by_area(forecast: Forecast, one: MarginalForecast) -> bool:
    workload = forecast.round.workload
    return any(workload.attribute(name).is_area for name in one.marginal.attributes)


def _by_size(shown: Sequence[MarginalForecast]) -> Table:
    table = _table("Households in the cell", *(f"{size:,}" for size in TYPICAL_SIZES))
    for one in shown:
        verdicts = (_verdict(one.typical, size) for size in TYPICAL_SIZES)
        table.add_row(_name(one.marginal.name), *verdicts)
    return table


def _assumed(shown: Sequence[MarginalForecast]) -> Table:
    table = _table("Marginal", "Average\ncell", "Its figure", "Reliable\ncells", "Usable\ncells")
    for one in shown:
        if one.shares:
            average = one.shares.average
            table.add_row(
                _name(one.marginal.name),
                f"{average:,.0f}" if average >= 10 else f"{average:.1f}",
                _verdict(one.typical, average),
                _share(one.shares.reliable),
                _share(one.shares.usable),
            )
    return table


def _verdict(made: Precision, households: float) -> str:
    variation = made.coefficient_of_variation(households) if households > 0 else math.inf
    text = _percent(variation) if variation < 1 else "> 99 %"
    return f"{text} {_VERDICTS[reliability(variation)]}"


def _reading(forecast: Forecast) -> str:
    several = len(forecast.round.councils) > 1
    return (
        (
            "Errors are those of the median council, with the range where councils differ. The "
            "region's figures add up all councils. "
            if several
            else ""
        )
        + "Usable from: the households from which on the coefficient of variation, standard "
        "error over count, is at most 20 %.\n\n"
        "Coefficient of variation by the households in a cell, and whether its figure is "
        "reliable: yes, under 10 %; care, 10 to 20 %, use with caution; no, over 20 %."
    )


def _assumption(forecast: Forecast) -> str:
    shares = forecast.shares
    if forecast.sizes is None or shares is None:
        return (
            "With --households NUMBER, or --like and the table of an earlier round, the share "
            "of cells that will be usable is shown too."
        )
    return (
        f"Assume that {forecast.sizes.assumption}. Then of all cells {_share(shares.usable)} "
        f"will be usable and {_share(shares.reliable)} reliable."
    )


def _privacy(forecast: Forecast) -> str:
    round_ = forecast.round
    shared = round_.loss.for_person(SHARED_HOUSEHOLDS)
    pure = round_.mechanism is Mechanism.DISCRETE_LAPLACE
    at = "without a delta" if pure else f"at delta {round_.delta}"
    return (
        f"Privacy loss of a household: rho {round_.loss}, which is epsilon "
        f"{round_.epsilon_for():.2f} {at}. Of a person in {SHARED_HOUSEHOLDS} households: rho "
        f"{shared}, epsilon {round_.epsilon_for(SHARED_HOUSEHOLDS):.2f}; in m households m x m "
        "times the rho. Somebody who knew everything about all other households, and guessed "
        "from a council's answer whether one household was counted, would be right at most "
        f"{math.ceil(100 * round_.guess_rate())} times in 100; tossing a coin gives 50."
    )


def _budgets(forecast: Forecast) -> Table:
    assumed = forecast.shares is not None
    table = _table(
        "Loss", "rho", "epsilon", "Median\nerror", *(["Usable\ncells"] if assumed else [])
    )
    for one in forecast.budgets:
        row = [
            f"x {one.factor}",
            str(one.rho),
            f"{one.epsilon:.2f}",
            _households(one.standard_error),
            *([_share(one.usable)] if one.usable is not None else []),
        ]
        table.add_row(*row, style="bold" if one.factor == 1 else None)
    return table


def _advice(forecast: Forecast) -> list[str]:
    lines = [_remedy(one) for one in remedies(forecast)]
    objective = other_objective(forecast)
    if objective and len(forecast.marginals) > 1:  # a single one has the same plan either way
        lines.append(_objective(*objective))
    lines.append(_mechanism(forecast, other_mechanism(forecast)))
    return lines


def _remedy(one: Remedy) -> str:
    text = f"Of the cells by {_words(one.marginal)}, {_share(one.usable)} will be usable. "
    if one.rho is not None and one.epsilon is not None:
        text += f"For {_share(POOR)} it takes rho {one.rho} (epsilon {one.epsilon:.2f})"
    else:
        text += "No loss makes half of them so, for too many are expected to be empty"
    if one.coarser is None:
        return text + "."
    way = "summed to" if one.coarser.included else "asked by"
    return (
        f"{text}; {way} {_words(one.coarser.name)}, {_share(one.coarser.usable)} are at the "
        "loss asked for."
    )


def _objective(other: Objective, found: Comparison) -> str:
    if not found.better and not found.worse:
        return f'objective = "{other}" would give the same precision.'
    largest, median_ = found.largest, found.median
    return (
        f'objective = "{other}" would make {_count(len(found.better), "marginal")} more precise '
        f"and {len(found.worse)} less: the largest standard error {_households(largest[1])} "
        f"instead of {_households(largest[0])}, the median {_households(median_[1])} instead of "
        f"{_households(median_[0])}."
    )


def _mechanism(forecast: Forecast, other: OtherMechanism | None) -> str:
    if other is None:
        return (
            "The other mechanism cannot answer this question: discrete Laplace noise takes no "
            "nested attributes, and each needs enough loss for every part."
        )
    found = other.comparison
    if len(found.better) == len(forecast.marginals):
        verdict = "more precise throughout"
    elif len(found.worse) == len(forecast.marginals):
        verdict = "less precise throughout"
    else:
        verdict = " and ".join(
            f"{degree} precise by {_list(names)}"
            for degree, names in (("more", found.better), ("less", found.worse))
            if names
        )
    return (
        f"At the same epsilon, {other.epsilon:.2f}, {_MECHANISMS[other.mechanism]} would be "
        f"{verdict or 'as precise'}: the largest standard error "
        f"{_households(found.largest[1])} instead of {_households(found.largest[0])}. It would "
        f"cost rho {other.rho} in each council's ledger instead of {forecast.round.loss}."
    )


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(_words(name) for name in names[:_MAX_NAMES])
    return shown + (
        f" and {len(names) - _MAX_NAMES} more marginals" if len(names) > _MAX_NAMES else ""
    )


def _table(first: str, *others: str) -> Table:
    columns = (Column(name, justify="right", no_wrap=True) for name in others)
    return Table(Column(first, overflow="fold"), *columns)


def _name(marginal: str) -> str:
    """With spaces, so that a long one is broken between attributes."""
    return marginal.replace("*", " * ")


def _words(marginal: str) -> str:
    return marginal.replace("*", " and ")


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'s' * (number != 1)}"


def _households(value: float) -> str:
    """Two digits of what is small, whole numbers of what is not."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def _percent(value: float, digits: int = 0) -> str:
    if not digits and value < 0.001:
        return "< 0.1 %"
    if not digits and value < 0.1:
        digits = 1
    return f"{100 * value:.{digits}f} %"


def _share(share: float) -> str:
    """Whole per cent, rounded down, so that 100 % means all."""
    return f"{math.floor(100 * share + 1e-9)} %"
