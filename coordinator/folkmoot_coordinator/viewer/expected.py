"""What a question is expected to give, in the words of a page."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from folkmoot_coordinator.charts.drawing import PictureKind
from folkmoot_coordinator.charts.precision_chart import ExpectedTable, PrecisionChart
from folkmoot_coordinator.drafts.composing import QuestionForecast
from folkmoot_coordinator.planning.advice import remedies
from folkmoot_coordinator.planning.forecast import Forecast, MarginalForecast
from folkmoot_coordinator.viewer.region import Region
from folkmoot_coordinator.viewer.words import capital, listed, percent, phrase, table_title

_MAX_DRAWN = 40


@dataclass(frozen=True, slots=True)
class ExpectedRow:
    """One table of a question.

    Attributes:
        title: For people.
        cells: Number of figures of a council, in words.
        margin: Half-width of the 95% interval of a council's figure, in words.
        region_margin: The same of the region's figures; empty where tables are by area, which lie
            in one council each.
        caution_from: Households from which a figure can be used with caution.
        reliable_from: Households from which it is reliable.
        usable: Share of figures that will be usable, in words; empty if sizes are not assumed.
        reliable: Share that will be reliable; likewise.
    """

    title: str
    cells: str
    margin: str
    region_margin: str
    caution_from: str
    reliable_from: str
    usable: str
    reliable: str


@dataclass(frozen=True, slots=True)
class LossRow:
    """What another privacy loss would give.

    Attributes:
        rho: The loss.
        is_asked: Whether it is the one asked for.
        epsilon: The same as epsilon at the question's delta, in words.
        margin: Standard error of the median table, in words.
        usable: Share of figures that will be usable, in words; empty if sizes are not assumed.
    """

    rho: str
    is_asked: bool
    epsilon: str
    margin: str
    usable: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What a question is expected to give.

    Attributes:
        lead: The sentence that says it.
        assumption: What is assumed of the size of cells; empty if nothing is.
        rows: Its tables.
        losses: Other losses beside the one asked for.
        privacy: What a household gives up, in sentences.
        advice: What would help tables of which most figures would be too uncertain.
        doubts: What will not be answered or may not be meant.
        pictures: The chart, wide and narrow, as addresses that hold the picture itself; none if
            there are too many tables.
        description: What the chart shows.
    """

    lead: str
    assumption: str
    rows: tuple[ExpectedRow, ...]
    losses: tuple[LossRow, ...]
    privacy: tuple[str, ...]
    advice: tuple[str, ...]
    doubts: tuple[str, ...]
    pictures: tuple[str, str] | None
    description: str


def expected(region: Region, found: QuestionForecast, like: str = "") -> Expected:
    """Puts a forecast into words and a picture.

    Args:
        region: Names of councils, and where pictures are kept.
        found: The forecast.
        like: Title of the round that is taken as an example; empty if none is.
    """
    forecast = found.forecast
    several = len(forecast.round.councils) > 1
    return Expected(
        lead=_lead(forecast),
        assumption=_assumption(forecast, like),
        rows=tuple(_row(forecast, one, several=several) for one in forecast.marginals),
        losses=tuple(
            LossRow(
                str(one.rho),
                one.factor == 1,
                f"{one.epsilon:.2g}",
                number(one.standard_error),
                percent(one.usable) if one.usable is not None else "",
            )
            for one in forecast.budgets
        ),
        privacy=_privacy(forecast),
        advice=_advice(forecast),
        doubts=tuple(_named(capital(text), region.names) for text in found.doubts),
        pictures=_pictures(region, forecast),
        description="Chart of the margin of error of each table"
        + (", and of the share of its figures that will be reliable" if forecast.sizes else "")
        + ". The table below has the same figures.",
    )


def _assumption(forecast: Forecast, like: str) -> str:
    if forecast.sizes is None:
        return ""
    if like:
        return (
            f"Figures are as large as those of “{like}”, and attributes are independent where that "
            "round does not say"
        )
    return capital(forecast.sizes.assumption)


def _about(share: float) -> str:
    text = percent(share)
    return text if text.startswith(("over", "under")) else f"about {text}"


def number(households: float) -> str:
    """An expected error, in households: two or three digits say enough."""
    if households >= 100:
        return f"{households:,.0f}"
    return f"{households:.1f}" if households >= 1 else f"{households:.2f}"


def _lead(forecast: Forecast) -> str:
    shares = forecast.shares
    if shares is not None:
        return (
            f"{capital(_about(shares.reliable))} of all figures will be reliable, and "
            f"{_about(shares.usable)} will be reliable or usable with caution."
        )
    finest = max(forecast.marginals, key=lambda one: one.cells[1])
    typical = finest.typical
    title = table_title(finest.marginal)
    return (
        f"A figure of “{title}” will be within {number(typical.half_width)} households of the "
        f"true number, 19 times in 20. It is reliable from {typical.reliable_from:,} households. "
        "Which share of the figures will be depends on how large they are: choose an earlier "
        "round as an example."
    )


def _row(forecast: Forecast, one: MarginalForecast, *, several: bool) -> ExpectedRow:
    typical, (fewest, most) = one.typical, one.cells
    workload = forecast.round.workload
    by_area = any(workload.attribute(name).is_area for name in one.marginal.attributes)
    return ExpectedRow(
        title=table_title(one.marginal),
        cells=f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}",
        margin=f"± {number(typical.half_width)}",
        region_margin=f"± {number(one.region.half_width)}" if several and not by_area else "",
        caution_from=f"{typical.usable_from:,}",
        reliable_from=f"{typical.reliable_from:,}",
        usable=percent(one.shares.usable) if one.shares else "",
        reliable=percent(one.shares.reliable) if one.shares else "",
    )


def _privacy(forecast: Forecast) -> tuple[str, ...]:
    round_ = forecast.round
    return (
        f"Each council is asked for a privacy loss of rho {round_.loss}, which is epsilon "
        f"{round_.epsilon_for():.2g} at delta {round_.delta}. It debits that from its budget, "
        "which does not come back.",
        "Somebody who knew everything but whether one household has a characteristic, and would "
        f"otherwise guess, would be right at most {round_.guess_rate():.0%} of the time.",
    )


def _advice(forecast: Forecast) -> tuple[str, ...]:
    if forecast.sizes is None:
        return ()
    titles = {one.marginal.name: table_title(one.marginal) for one in forecast.marginals}
    said = []
    for one in remedies(forecast):
        text = (
            f"Only {percent(one.usable)} of the figures of “{titles.get(one.marginal, '')}” "
            "would be usable."
        )
        if one.rho is not None:
            text += f" Half would be at a loss of rho {one.rho}."
        if one.coarser is not None:
            names = [] if one.coarser.name == "total" else one.coarser.name.split("*")
            coarser = listed([phrase(name.split("/")[-1]) for name in names]) or "the total alone"
            text += f" A coarser table, by {coarser}, would have {percent(one.coarser.usable)}"
            text += ", and comes with the answer anyway." if one.coarser.included else "."
        said.append(text)
    return tuple(said)


def _pictures(region: Region, forecast: Forecast) -> tuple[str, str] | None:
    if len(forecast.marginals) > _MAX_DRAWN:
        return None
    tables = tuple(
        ExpectedTable(
            table_title(one.marginal),
            one.typical.half_width,
            one.shares.reliable if one.shares else None,
        )
        for one in forecast.marginals
    )
    wide, narrow = (
        region.pictures.chart(
            PrecisionChart("What to expect of each table", tables, narrow=is_narrow),
            PictureKind.SVG,
        )
        for is_narrow in (False, True)
    )
    return _embedded(wide.content), _embedded(narrow.content)


def _embedded(svg: bytes) -> str:
    """A picture in an address: that of a question that nobody has stored has no other."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"


def _named(text: str, names: Mapping[str, str]) -> str:
    """A sentence with names of councils beside their codes."""
    for code, name in names.items():
        text = text.replace(code, f"{name} ({code})")
    return text if text.endswith(".") else f"{text}."
