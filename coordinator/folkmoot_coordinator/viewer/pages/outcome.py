"""How well bands found need: precision and recall by an outcome, of the region and by council."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from folkmoot_coordinator.publication.outcome_round import BAND
from folkmoot_coordinator.publication.outcome_validation import RegionalValidation
from folkmoot_coordinator.publication.outcome_words import (
    agreement_says,
    apart,
    difference_says,
)
from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.viewer.caching import headers_of, not_changed, page_tag
from folkmoot_coordinator.viewer.judging import (
    BY,
    OUTCOME,
    OutcomeChoice,
    choose_outcome,
    judged,
    lead,
    names_of,
    not_judged,
    rate_cells,
)
from folkmoot_coordinator.viewer.permissions import Right
from folkmoot_coordinator.viewer.region import Region, region_of
from folkmoot_coordinator.viewer.words import capital, phrase
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes


def routes() -> Routes:
    """The page."""
    routes = Routes()

    @routes.get("/rounds/{round_id}/outcome", permission=Right.READ)
    def outcome(request: Request, round_id: str) -> Response:
        region = region_of(request)
        published = region.published(request, round_id)
        chosen = choose_outcome(published, request.query_params)
        tag = page_tag(request, published)
        if (same := not_changed(request, tag)) is not None:
            return same
        found = judged(published, chosen)
        return render(
            request,
            "viewer/outcome.html",
            headers=headers_of(tag),
            published=published,
            chosen=chosen,
            found=found,
            base=f"/rounds/{published.round_.round_id}",
            filters=_filters(chosen),
            breadcrumbs=[
                ("Results", "/"),
                (published.stored.title, f"/rounds/{published.round_.round_id}"),
                ("How well bands found need", None),
            ],
            **_shown(region, published, chosen, found),
        )

    return routes


def _shown(
    region: Region, published: Published, chosen: OutcomeChoice, found: RegionalValidation
) -> dict[str, Any]:
    bands = names_of(published, BAND)
    groups = names_of(published, chosen.by) if chosen.by else {}
    return {
        "band_names": [bands[code] for code in found.bands],
        "lead": lead(published, chosen, found),
        "rows": [("", rate_cells(found.region, bands))],
        "councils": [
            (region.council(code), rate_cells(rates, bands))
            for code, rates in found.councils.items()
        ],
        "groups": [
            (capital(groups[code]), rate_cells(rates, bands))
            for code, rates in found.groups.items()
        ],
        "agreement": agreement_says(found.agreement, "council"),
        "apart": [
            difference_says(one, region.council(one.place), f"{one.about} of {bands[one.band]}")
            for one in apart(found.agreement)
        ],
        "between_groups": agreement_says(found.between_groups, "group"),
        "groups_apart": [
            difference_says(one, capital(groups[one.place]), f"{one.about} of {bands[one.band]}")
            for one in apart(found.between_groups)
        ],
        "not_judged": not_judged(found, region.names, bands, groups),
        "missing": [region.council(code) for code in _missing(published)],
    }


def _missing(published: Published) -> list[str]:
    covered = published.coverage
    return sorted([*covered.missing, *(code for code, _ in covered.refused)])


def _filters(chosen: OutcomeChoice) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {
            "name": OUTCOME,
            "label": "Outcome",
            "items": [
                {"value": one.name, "text": capital(phrase(one.name))} for one in chosen.offered
            ],
            "value": chosen.outcome.name,
        }
    ]
    if chosen.outcome.groups:
        groups = [{"value": one, "text": capital(phrase(one))} for one in chosen.outcome.groups]
        found.append(
            {
                "name": BY,
                "label": "By group",
                "items": [{"value": "", "text": "None"}, *groups],
                "value": chosen.by or "",
            }
        )
    return found
