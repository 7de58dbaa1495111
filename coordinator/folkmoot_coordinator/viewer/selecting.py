"""Who is selected, by group: the figures of a page, made once for each result, and its chart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from folkmoot_coordinator.charts.chart import Chart
from folkmoot_coordinator.charts.interval_chart import MAX_ROWS, IntervalChart, IntervalRow
from folkmoot_coordinator.publication.outcome_round import BAND, JudgedRound, offered_groups
from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.publication.selection_rates import SelectionRates, selection_rates
from folkmoot_coordinator.viewer.judging import BY, missing_choice, names_of
from folkmoot_coordinator.viewer.words import marked_title, phrase
from folkmoot_web.errors import problem_of_status

CHART = "selection"
"""Name of the picture."""


def choose_group(published: Published, asked: Mapping[str, str]) -> str:
    """The attribute of the groups that an address asks for; the first where it does not say.

    Raises:
        WebProblem: Status 404, if the round counts bands by no attribute, or not by this one.
    """
    offered = offered_groups(published.round_)
    if not offered:
        raise problem_of_status(404, "This round does not count bands by a group of households.")
    by = asked.get(BY) or offered[0]
    if by not in offered:
        raise missing_choice("group", offered)
    return by


def rates_by_group(published: Published, by: str) -> SelectionRates:
    """What `folkmoot-coordinator equality` finds."""

    def make() -> SelectionRates:
        asked = JudgedRound(published.stored, published.coverage, published.releases())
        return selection_rates(asked, by)

    found = published.kept(("selection", by), make)
    assert isinstance(found, SelectionRates)
    # A result may have been withdrawn since.
    return replace(found, asked=replace(found.asked, stored=published.stored))


def selection_chart(published: Published, by: str, *, narrow: bool = False) -> Chart | None:
    """Shares of the region's groups from each band upwards; None without a figure."""
    found = rates_by_group(published, by)
    bands, groups = names_of(published, BAND), names_of(published, by)
    rows = [
        IntervalRow(f"{bands[band]}, {groups[name]}", rate.value, *rate.noise, outer=rate.chance)
        for at, band in enumerate(found.bands)
        for name, rates in found.region.rates.items()
        if (rate := rates[at]).value is not None and rate.noise is not None
    ]
    if not rows:
        return None
    return IntervalChart(
        marked_title(published.withdrawn, f"Who is selected, by {phrase(by)}"),
        "Share of the group in the band or a higher one",
        tuple(rows[-MAX_ROWS:]),
        "Thick lines hold the noise, thin lines chance too (95%)",
        share=True,
        narrow=narrow,
    )
