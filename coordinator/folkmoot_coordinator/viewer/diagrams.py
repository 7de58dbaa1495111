"""The charts of a selection, as data that `charts` draws."""

from __future__ import annotations

from dataclasses import replace

from folkmoot_coordinator.charts.band_chart import BandChart, Bar
from folkmoot_coordinator.charts.chart import Chart
from folkmoot_coordinator.charts.interval_chart import (
    HIGHER,
    LOWER,
    NO_CLEAR_CHANGE,
    IntervalChart,
    IntervalRow,
    rank_intervals,
    ranked_areas,
)
from folkmoot_coordinator.inference.change import Direction
from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.viewer.comparing import Changed
from folkmoot_coordinator.viewer.figures import (
    Figure,
    Figures,
    figure_of,
    figures,
    without_areas,
)
from folkmoot_coordinator.viewer.selection import Selection
from folkmoot_coordinator.viewer.words import capital, code_label, marked_title, phrase

AXIS = "Households"
LARGEST = 20
"""Areas of a chart; all are in the table."""


def ranked(published: Published, chosen: Selection, *, narrow: bool = False) -> Chart | None:
    """The areas with the largest figures, with intervals; None if there are no figures."""
    found = figures(published, chosen)
    places = largest(found, chosen.place)
    if not places:
        return None
    rows = [
        (
            found.names[at],
            float(found.value[at]),
            float(found.lower[at]),
            float(found.upper[at]),
            bool(found.classes.certain[at]),
        )
        for at in places
    ]
    title = f"{capital(chosen.what(published))}: {_which(found, chosen, len(places))}"
    return _marked(published, ranked_areas(title, AXIS, rows, narrow=narrow))


def rank_chart(published: Published, chosen: Selection, *, narrow: bool = False) -> Chart | None:
    """The ranks of the same areas, with intervals that hold together."""
    found = figures(published, chosen)
    places = largest(found, chosen.place)
    if len(found) < 2 or not places:
        return None
    rows = [
        (
            found.names[at],
            int(found.ranks.rank[at]),
            int(found.ranks.best[at]),
            int(found.ranks.worst[at]),
        )
        for at in places
    ]
    title = f"Ranks among {len(found):,}: {_which(found, chosen, len(places))}"
    return _marked(published, rank_intervals(title, rows, narrow=narrow))


def change_chart(
    published: Published, chosen: Selection, changed: Changed, *, narrow: bool = False
) -> Chart | None:
    """The areas that changed most, with intervals."""
    found = figures(published, chosen)
    inside = set(found.inside(chosen.place))
    numbers = [n for n, at in enumerate(changed.places) if at in inside]
    numbers.sort(key=lambda n: -abs(float(changed.change.difference[n])))
    if not numbers:
        return None
    kinds = {
        Direction.HIGHER: HIGHER,
        Direction.LOWER: LOWER,
        Direction.UNDECIDED: NO_CLEAR_CHANGE,
    }
    rows = tuple(
        IntervalRow(
            found.names[changed.places[n]],
            float(changed.change.difference[n]),
            float(changed.change.lower[n]),
            float(changed.change.upper[n]),
            kinds[changed.change.direction[n]].label,
        )
        for n in sorted(numbers[:LARGEST], key=lambda n: -float(changed.change.difference[n]))
    )
    chart = IntervalChart(
        f"Change since {changed.earlier.stored.title}: the largest {len(rows)}",
        "Change in households",
        rows,
        # Words are corrected for all areas of the page, as those of the table are.
        "Dots are changes, lines are 95% intervals of each area alone",
        kinds=tuple(kinds.values()),
        zero=True,
        narrow=narrow,
    )
    return _marked(published, chart)


def distribution(published: Published, chosen: Selection) -> list[tuple[str, Figure]]:
    """How households are distributed over the codes of the table's first attribute.

    Returns:
        Each code in words with its figure, of the council that is looked at or of the region; empty
        if the round has no such figures.
    """
    if not chosen.attributes:
        return []
    statistic = without_areas(published, chosen)
    if statistic is None:
        return []
    first = chosen.attributes[0]
    names = published.stored.code_names.of(first.name)
    found = []
    for code in first.codes_of(None):
        one = replace(chosen, codes=(code, *chosen.codes[1:]))
        figure = figure_of(statistic, one)
        if figure is not None:
            found.append((code_label(first, code, names.get(code)), figure))
    return found


def band_chart(published: Published, chosen: Selection, *, narrow: bool = False) -> Chart | None:
    """The distribution as bars; None if there is none."""
    found = distribution(published, chosen)
    if not found:
        return None
    where = published.names.get(chosen.place, chosen.place) or published.region
    title = f"Households of {where} by {phrase(chosen.attributes[0].name)}"
    if len(chosen.attributes) > 1:
        title += f", with {', '.join(chosen.labels(published)[1:])}"
    bars = tuple(Bar(label, one.value, one.lower, one.upper) for label, one in found)
    return _marked(published, BandChart(title, AXIS, bars, narrow=narrow))


def largest(found: Figures, council: str) -> list[int]:
    """Places of the areas that a chart shows, the largest figure first."""
    inside = set(found.inside(council))
    return [at for at in found.descending if at in inside][:LARGEST]


def _which(found: Figures, chosen: Selection, shown: int) -> str:
    of = len(found.inside(chosen.place))
    return f"all {of:,}" if shown == of else f"the {shown} largest of {of:,}"


def _marked(published: Published, chart: IntervalChart | BandChart) -> Chart:
    """A chart of a result that was withdrawn says so, wherever it is pasted."""
    return replace(chart, title=marked_title(published.withdrawn, chart.title))
