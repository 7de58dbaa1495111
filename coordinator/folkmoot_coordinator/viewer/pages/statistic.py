"""One statistic: its map, ranks, distribution, change and table, and whether two areas differ."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from folkmoot_coordinator.aggregation.cumulative import Measure
from folkmoot_coordinator.inference.change import Direction
from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.viewer.area_table import area_table
from folkmoot_coordinator.viewer.caching import headers_of, not_changed, page_tag
from folkmoot_coordinator.viewer.comparing import (
    Changed,
    Pair,
    changes_since,
    compare_areas,
    earlier_rounds,
    find_area,
)
from folkmoot_coordinator.viewer.diagrams import distribution
from folkmoot_coordinator.viewer.figures import Figures, figures
from folkmoot_coordinator.viewer.filters import code_filters, council_filter, round_choices
from folkmoot_coordinator.viewer.maps import areas_name, draw_map
from folkmoot_coordinator.viewer.permissions import Right
from folkmoot_coordinator.viewer.region import Region, region_of
from folkmoot_coordinator.viewer.round_facts import RoundFacts
from folkmoot_coordinator.viewer.selection import Selection, select
from folkmoot_coordinator.viewer.sentences import lead
from folkmoot_coordinator.viewer.words import slug, table_title
from folkmoot_web.forms import Form
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of


def routes() -> Routes:
    """The page."""
    routes = Routes()

    @routes.get("/rounds/{round_id}/statistics/{table}", permission=Right.READ)
    def statistic(request: Request, round_id: str, table: str) -> Response:
        region = region_of(request)
        published = region.published(request, round_id)
        chosen = select(published, table, request.query_params)
        offered = earlier_rounds(region, visitor_of(request), published, chosen)
        tag = page_tag(request, published, [one.round_id for one in offered])
        if (same := not_changed(request, tag)) is not None:
            return same
        since = request.query_params.get("since", "")
        changed = changes_since(region, published, chosen, offered, since)
        found = figures(published, chosen)
        form, pair = _compared(request, found)
        areas = areas_name(chosen, found.codes)
        return render(
            request,
            "viewer/statistic.html",
            headers=headers_of(tag),
            table=area_table(request, region, chosen, found, changed, areas),
            areas=areas,
            kept=_kept(request),
            **_shown(region, published, chosen, found),
            **_comparing(found, form, pair, changed, offered, since),
        )

    return routes


def _shown(
    region: Region, published: Published, chosen: Selection, found: Figures
) -> dict[str, Any]:
    title = table_title(chosen.marginal)
    labels = chosen.labels(published)
    drawn = draw_map(region, published, chosen)
    heading = f"{title}: {', '.join(labels)}" if labels else title
    return {
        "published": published,
        "chosen": chosen,
        "figures": found,
        "heading": heading,
        "breadcrumbs": [
            ("Results", "/"),
            (published.stored.title, f"/rounds/{published.round_.round_id}"),
            (title, None),
        ],
        "lead": lead(published, chosen, found),
        "map": drawn,
        "map_svg": Markup(drawn.svg),  # noqa: S704 - names in it are escaped by `charts.markup`
        "legend": Markup(drawn.legend),  # noqa: S704
        "distribution": distribution(published, chosen),
        "filters": _filters(region, published, chosen),
        "picture_query": chosen.query,
        "slug": slug(chosen.marginal),
    }


def _comparing(
    found: Figures,
    form: Form[Any],
    pair: Pair | None,
    changed: Changed | None,
    offered: list[RoundFacts],
    since: str,
) -> dict[str, Any]:
    return {
        "form": form,
        "pair": pair,
        "changed": changed,
        "offered": round_choices(offered) if offered else [],
        "since": since,
        "undecided": Direction.UNDECIDED.value,
        "directions": {one.name.lower(): changed.count(one) for one in Direction}
        if changed
        else {},
    }


def _kept(request: Request) -> list[tuple[str, str]]:
    """Parameters that the forms of the page repeat, but for those that they ask for."""
    return [pair for pair in request.query_params.multi_items() if pair[1] and pair[0] != "page"]


def _filters(region: Region, published: Published, chosen: Selection) -> list[dict[str, Any]]:
    """What the form at the top offers: select boxes."""
    found = code_filters(published, chosen)
    measures = [one.measure for one in published.moments if one.month == chosen.about.month]
    if len(measures) > 1:
        words = {Measure.CUMULATIVE: "All so far", Measure.NEW: "New since the round before"}
        found.append(
            {
                "name": "measure",
                "label": "Households",
                "items": [{"value": one.value, "text": words[one]} for one in measures if one],
                "value": chosen.about.measure.value if chosen.about.measure else "",
            }
        )
    if chosen.area is not None:
        found.append(council_filter(region, published, chosen))
    return found


def _compared(request: Request, found: Figures) -> tuple[Form[Any], Pair | None]:
    typed = {name: request.query_params.get(name, "") for name in ("a", "b")}
    form: Form[Any] = Form(typed)
    if not any(text.strip() for text in typed.values()):
        return form, None
    places = {}
    for name, text in typed.items():
        place, fault = find_area(found, text)
        if place is None:
            # A link in the table names the first area alone: the second is not wrong, it is next.
            if name in request.query_params:
                form.add_error(name, fault or "Enter the name or the code of an area")
        else:
            places[name] = place
    if len(places) == 2 and places["a"] == places["b"]:
        form.add_error("b", "Enter another area than the first")
    if form.errors or len(places) < 2:
        return form, None
    return form, compare_areas(found, places["a"], places["b"])
