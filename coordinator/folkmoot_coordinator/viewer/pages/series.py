"""A series: its rounds, and how households were counted round after round."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from folkmoot_coordinator.aggregation.cumulative import Measure
from folkmoot_coordinator.aggregation.statistic import GeographicLevel
from folkmoot_coordinator.charts.chart import Chart
from folkmoot_coordinator.charts.drawing import PictureKind
from folkmoot_coordinator.charts.interval_chart import MAX_ROWS, IntervalChart, IntervalRow
from folkmoot_coordinator.publication.estimable import Moment
from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.viewer.caching import file_tag, headers_of, not_changed
from folkmoot_coordinator.viewer.diagrams import AXIS
from folkmoot_coordinator.viewer.figures import Figure, figure_of, figures
from folkmoot_coordinator.viewer.filters import code_filters
from folkmoot_coordinator.viewer.pages.catalogue import readers
from folkmoot_coordinator.viewer.permissions import Right
from folkmoot_coordinator.viewer.region import Region, region_of
from folkmoot_coordinator.viewer.round_facts import RoundFacts, round_facts
from folkmoot_coordinator.viewer.selection import Selection, select
from folkmoot_coordinator.viewer.sentences import covered
from folkmoot_coordinator.viewer.words import (
    between,
    capital,
    households,
    marked_title,
    slug,
    table_title,
)
from folkmoot_operator.moments import day_text
from folkmoot_web.errors import problem_of_status
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of

_MEASURES = {Measure.CUMULATIVE: "All so far", Measure.NEW: "New since the round before"}


def routes() -> Routes:
    """The page and its chart."""
    routes = Routes()

    @routes.get("/series/{series_id}", permission=Right.READ)
    def series(request: Request, series_id: str) -> Response:
        region = region_of(request)
        rounds = _rounds(request, region, series_id)
        published = _newest(region, rounds)
        chosen = None if published is None else _chosen(request, published)
        counted = [] if published is None or chosen is None else by_round(published, chosen)
        one = rounds[0].question
        return render(
            request,
            "viewer/series.html",
            title=one.title,
            event=one.event,
            rounds=rounds,
            length=one.length,
            breadcrumbs=[("Results", "/"), (one.title, None)],
            readers=readers(region, one.purpose),
            purpose=one.purpose,
            published=published,
            chosen=chosen,
            note=_of_other_councils(published, chosen, counted) if published and chosen else "",
            lead=_lead(published, chosen, counted) if published and chosen else "",
            rows=[(label, figure) for _, label, figure in counted],
            filters=_filters(published, chosen) if published and chosen else [],
            chart=_chart_address(request),
            base=f"/series/{series_id}",
        )

    @routes.get("/series/{series_id}/{file}", permission=Right.READ)
    def chart(request: Request, series_id: str, file: str, narrow: str = "") -> Response:
        name, _, ending = file.partition(".")
        region = region_of(request)
        published = _newest(region, _rounds(request, region, series_id))
        if published is None or name != "rounds" or ending not in list(PictureKind):
            raise problem_of_status(404)
        made = round_chart(published, _chosen(request, published), narrow=bool(narrow))
        if made is None:
            raise problem_of_status(404)
        drawn = region.pictures.chart(made, PictureKind(ending))
        tag = file_tag(request, drawn.digest)
        if (same := not_changed(request, tag)) is not None:
            return same
        return Response(drawn.content, headers=headers_of(tag), media_type=drawn.media_type)

    return routes


def by_round(published: Published, chosen: Selection) -> list[tuple[Moment, str, Figure]]:
    """A selection's figure for the whole region, round by round.

    Args:
        published: The newest round of the series with a result.
        chosen: Table, codes and measure.
    """
    level = GeographicLevel.ALL_AREAS if chosen.area else GeographicLevel.REGION
    found = []
    for about in published.moments:
        if about.measure is not chosen.about.measure:
            continue
        statistic = published.statistic(chosen.marginal, level, about=about)
        figure = figure_of(statistic, chosen)
        if figure is not None:
            found.append((about, _label(published, about), figure))
    return found


def round_chart(published: Published, chosen: Selection, *, narrow: bool = False) -> Chart | None:
    """The figures round by round, with intervals; None if there are none."""
    counted = by_round(published, chosen)
    if not counted:
        return None
    title = marked_title(
        published.withdrawn, f"{capital(chosen.what(published))} in {published.region}"
    )
    rows = tuple(
        IntervalRow(label, one.value, one.lower, one.upper) for _, label, one in counted[-MAX_ROWS:]
    )
    subtitle = "Dots are estimates, lines are 95% intervals"
    return IntervalChart(title, AXIS, rows, subtitle, zero=True, narrow=narrow)


def _rounds(request: Request, region: Region, series_id: str) -> list[RoundFacts]:
    visitor = visitor_of(request)
    found = [
        one
        for one in round_facts(region.database, series=series_id)
        if region.sees(visitor, one.question.purpose)
    ]
    if not found:
        raise problem_of_status(404, "There is no such series, or you may not see it.")
    return sorted(found, key=lambda one: one.position)


def _newest(region: Region, rounds: list[RoundFacts]) -> Published | None:
    """The newest round with a result; None while one is open, or if there is none."""
    closed = [one for one in rounds if one.has_result]
    return region.rounds.find(closed[-1].round_id) if closed else None


def _chosen(request: Request, published: Published) -> Selection:
    asked = dict(request.query_params)
    table = asked.get("table") or slug(published.round_.workload.marginals[-1])
    measure = asked.pop("measure", "")
    chosen = select(published, table, asked)
    wanted = next((one for one in Measure if one.value == measure), Measure.CUMULATIVE)
    return replace(chosen, about=Moment(chosen.about.month, wanted), place="")


def _filters(published: Published, chosen: Selection) -> list[dict[str, object]]:
    tables = [
        {"value": slug(one), "text": table_title(one)}
        for one in published.round_.workload.marginals
        if sum(published.round_.workload.attribute(name).is_area for name in one.attributes) < 2
    ]
    measures = [{"value": one.value, "text": text} for one, text in _MEASURES.items()]
    found: list[dict[str, object]] = [
        {"name": "table", "label": "Table", "items": tables, "value": slug(chosen.marginal)},
        {
            "name": "measure",
            "label": "Households",
            "items": measures,
            "value": chosen.about.measure.value if chosen.about.measure else "",
        },
    ]
    found += code_filters(published, chosen)
    return found


def _lead(
    published: Published, chosen: Selection, counted: list[tuple[Moment, str, Figure]]
) -> str:
    if not counted:
        return "There are no figures for this choice yet."
    about, label, figure = counted[-1]
    count = households(figure.value).replace(
        "household", "new household" if chosen.about.measure is Measure.NEW else "household"
    )
    labels = " with ".join(["", *chosen.labels(published)][:2]).strip()
    of = covered(published, figures(published, replace(chosen, about=about)))
    return (
        f"{label}: about {count}{' ' + labels if labels else ''} in {published.region}, in "
        f"{of}. Without the noise, the councils' count is "
        f"{between(figure.lower, figure.upper)}, with 95% certainty."
    )


def _of_other_councils(
    published: Published, chosen: Selection, counted: list[tuple[Moment, str, Figure]]
) -> str:
    """That rounds are not of the same councils; empty where they are."""
    councils = {
        frozenset(figures(published, replace(chosen, about=about)).councils)
        for about, _, _ in counted
    }
    if len(councils) < 2:
        return ""
    return (
        "Not all of these figures count the same councils: part of a rise or fall comes from that."
    )


def _label(published: Published, about: Moment) -> str:
    result = published.result
    rounds = getattr(result, "rounds", {})
    stored = rounds.get(about.month)
    day = day_text(stored.closed_at) if stored is not None and stored.closed_at else ""
    return f"Round {about.month}, {day}" if day else f"Round {about.month}"


def _chart_address(request: Request) -> str:
    pairs = [pair for pair in request.query_params.multi_items() if pair[1]]
    return urlencode(pairs)
