"""Who is selected, by group: shares from each band upwards, of the region and by council."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from folkmoot_coordinator.publication.outcome_round import BAND, offered_groups
from folkmoot_coordinator.publication.outcome_words import (
    agreement_says,
    apart,
    difference_says,
)
from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.publication.selection_rates import Selected, SelectionRates
from folkmoot_coordinator.viewer.caching import headers_of, not_changed, page_tag
from folkmoot_coordinator.viewer.judging import BY, names_of, rate_cell
from folkmoot_coordinator.viewer.permissions import Right
from folkmoot_coordinator.viewer.region import region_of
from folkmoot_coordinator.viewer.selecting import choose_group, rates_by_group
from folkmoot_coordinator.viewer.words import capital, phrase
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes


def routes() -> Routes:
    """The page."""
    routes = Routes()

    @routes.get("/rounds/{round_id}/equality", permission=Right.READ)
    def equality(request: Request, round_id: str) -> Response:
        region = region_of(request)
        published = region.published(request, round_id)
        by = choose_group(published, request.query_params)
        tag = page_tag(request, published)
        if (same := not_changed(request, tag)) is not None:
            return same
        found = rates_by_group(published, by)
        groups = offered_groups(published.round_)
        return render(
            request,
            "viewer/equality.html",
            headers=headers_of(tag),
            published=published,
            by=by,
            base=f"/rounds/{published.round_.round_id}",
            filter={
                "name": BY,
                "items": [{"value": one, "text": capital(phrase(one))} for one in groups],
                "value": by,
            },
            places=[
                _place(published, found, found.region, published.region),
                *(
                    _place(published, found, place, region.council(code))
                    for code, place in found.councils.items()
                ),
            ],
            breadcrumbs=[
                ("Results", "/"),
                (published.stored.title, f"/rounds/{published.round_.round_id}"),
                ("Who is selected", None),
            ],
        )

    return routes


def _place(
    published: Published, found: SelectionRates, place: Selected, name: str
) -> dict[str, Any]:
    bands, groups = names_of(published, BAND), names_of(published, found.by)
    return {
        "name": name,
        "rows": [
            {
                "band": capital(bands[band]),
                "group": capital(groups[code]),
                "rate": rate_cell(rates[at]),
            }
            for at, band in enumerate(found.bands)
            for code, rates in place.rates.items()
        ],
        "says": agreement_says(place.differences, "group", found.offered),
        "apart": [
            difference_says(one, capital(groups[one.place]), f"from {bands[one.band]} upwards")
            for one in apart(place.differences)
        ],
    }
