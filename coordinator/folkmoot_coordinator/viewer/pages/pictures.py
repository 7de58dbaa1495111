"""Pictures of a statistic as files: SVG and PNG, wide and for a phone."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from folkmoot_coordinator.charts.chart import Chart
from folkmoot_coordinator.charts.drawing import PictureKind
from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.viewer import judging, selecting
from folkmoot_coordinator.viewer.caching import file_tag, headers_of, not_changed, page_tag
from folkmoot_coordinator.viewer.comparing import changes_since, earlier_rounds
from folkmoot_coordinator.viewer.diagrams import band_chart, change_chart, rank_chart, ranked
from folkmoot_coordinator.viewer.maps import draw_map, picture_of_map
from folkmoot_coordinator.viewer.permissions import Right
from folkmoot_coordinator.viewer.region import Region, region_of
from folkmoot_coordinator.viewer.selection import Selection, select
from folkmoot_web.errors import problem_of_status
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of

CHARTS: dict[str, Callable[..., Chart | None]] = {
    "ranked": ranked,
    "ranks": rank_chart,
    "bands": band_chart,
}
"""By the name in an address what makes the chart of a selection."""


def routes() -> Routes:
    """The pictures."""
    routes = Routes()

    @routes.get("/rounds/{round_id}/pictures/{file}", permission=Right.READ)
    def picture(
        request: Request, round_id: str, file: str, table: str = "", narrow: str = ""
    ) -> Response:
        name, _, ending = file.partition(".")
        try:
            kind = PictureKind(ending)
        except ValueError:
            raise problem_of_status(404) from None
        region = region_of(request)
        published = region.published(request, round_id)
        if name in judging.CHARTS:
            asked = judging.choose_outcome(published, request.query_params)
            shown = judging.outcome_chart(published, asked, name, narrow=bool(narrow))
            return _send(request, region, shown, kind)
        if name == selecting.CHART:
            by = selecting.choose_group(published, request.query_params)
            picture_of = selecting.selection_chart(published, by, narrow=bool(narrow))
            return _send(request, region, picture_of, kind)
        chosen = select(published, table, request.query_params)
        if name == "map":
            return _map(request, region, published, chosen, kind)
        chart = _chart(request, region, published, chosen, name, is_narrow=bool(narrow))
        return _send(request, region, chart, kind)

    return routes


def _send(request: Request, region: Region, chart: Chart | None, kind: PictureKind) -> Response:
    if chart is None:
        raise problem_of_status(404, "There are no figures for this picture.")
    drawn = region.pictures.chart(chart, kind)
    tag = file_tag(request, drawn.digest)
    if (same := not_changed(request, tag)) is not None:
        return same
    return Response(drawn.content, headers=headers_of(tag), media_type=drawn.media_type)


def _chart(
    request: Request,
    region: Region,
    published: Published,
    chosen: Selection,
    name: str,
    *,
    is_narrow: bool,
) -> Chart | None:
    if name in CHARTS:
        return CHARTS[name](published, chosen, narrow=is_narrow)
    if name == "change":
        offered = earlier_rounds(region, visitor_of(request), published, chosen)
        since = request.query_params.get("since", "")
        changed = changes_since(region, published, chosen, offered, since)
        if changed is not None:
            return change_chart(published, chosen, changed, narrow=is_narrow)
    raise problem_of_status(404)


def _map(
    request: Request, region: Region, published: Published, chosen: Selection, kind: PictureKind
) -> Response:
    tag = page_tag(request, published)
    if (same := not_changed(request, tag)) is not None:
        return same
    drawn = draw_map(region, published, chosen)
    if not drawn.svg:
        raise problem_of_status(404, "There is no map: the region has set no boundaries.")
    svg = picture_of_map(published, chosen, drawn)
    content = svg.encode() if kind is PictureKind.SVG else region.pictures.png(svg).content
    return Response(content, headers=headers_of(tag), media_type=kind.media_type)
