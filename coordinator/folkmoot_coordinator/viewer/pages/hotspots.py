"""Hotspots: a map and a table of areas whose neighbourhood has more than noise explains."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from folkmoot_coordinator.inference.classes import CERTAIN_FROM
from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.viewer.caching import headers_of, not_changed, page_tag
from folkmoot_coordinator.viewer.filters import statistic_filters, usable_tables
from folkmoot_coordinator.viewer.finding_hotspots import Found, find_hotspots
from folkmoot_coordinator.viewer.hotspot_words import (
    by_council,
    hotspot_map,
    lead,
    noise_says,
    spot_rows,
)
from folkmoot_coordinator.viewer.likeness_words import likeness_says, unlike
from folkmoot_coordinator.viewer.permissions import Right
from folkmoot_coordinator.viewer.region import Region, region_of
from folkmoot_coordinator.viewer.selection import select
from folkmoot_coordinator.viewer.words import slug
from folkmoot_web.errors import problem_of_status
from folkmoot_web.paging import Pages
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes

_ON_A_PAGE = 50


def routes() -> Routes:
    """The page."""
    routes = Routes()

    @routes.get("/rounds/{round_id}/hotspots", permission=Right.READ)
    def hotspots(request: Request, round_id: str, table: str = "", page: int = 1) -> Response:
        region = region_of(request)
        published = region.published(request, round_id)
        tables = usable_tables(published, by_area=True)
        if not tables:
            raise problem_of_status(404, "This round has no table by area.")
        tag = page_tag(request, published)
        if (same := not_changed(request, tag)) is not None:
            return same
        chosen = select(published, table or slug(tables[0]), request.query_params)
        if chosen.area is None:
            raise problem_of_status(404, "Hotspots need a table by area.")
        chosen = replace(chosen, place="")
        found = find_hotspots(region, published, chosen)
        shown = (
            {"why": found}
            if isinstance(found, str)
            else _shown(request, region, published, found, page)
        )
        return render(
            request,
            "viewer/hotspots.html",
            headers=headers_of(tag),
            published=published,
            chosen=chosen,
            base=f"/rounds/{published.round_.round_id}",
            filters=statistic_filters(region, published, chosen, tables, with_place=False),
            slug=slug(chosen.marginal),
            breadcrumbs=[
                ("Results", "/"),
                (published.stored.title, f"/rounds/{published.round_.round_id}"),
                ("Hotspots", None),
            ],
            **shown,
        )

    return routes


def _shown(
    request: Request,
    region: Region,
    published: Published,
    found: Found,
    page: int,
) -> dict[str, Any]:
    svg, legend = hotspot_map(published, found)
    rows = spot_rows(found)
    pages = Pages.of(len(rows), page, _ON_A_PAGE)
    return {
        "found": found,
        "lead": lead(published, found),
        "noise": noise_says(found),
        "councils": by_council(published, found),
        "likeness": likeness_says(found),
        "unlike": unlike(found),
        "sure_from": f"{CERTAIN_FROM:.0%}",
        "map_svg": Markup(svg),  # noqa: S704 - names in it are escaped by `charts.markup`
        "legend": Markup(legend),  # noqa: S704
        "notes": found.notes,
        "rows": rows[pages.first : pages.last],
        "council": region.council,
        "pagination": pages.links(request, "spots"),
    }
