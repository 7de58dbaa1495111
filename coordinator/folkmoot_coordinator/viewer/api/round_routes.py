"""Rounds for programs: the list, and one of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from folkmoot.rounds import RoundState
from folkmoot.workload import Marginal
from folkmoot_coordinator.publication.outcome_round import offered_groups, offered_outcomes
from folkmoot_coordinator.rounds.round_store import StoredRound
from folkmoot_coordinator.viewer.api.access import (
    count_request,
    may_read,
    require_parameters,
    stored_round,
)
from folkmoot_coordinator.viewer.api.answers import send_document
from folkmoot_coordinator.viewer.api.documents import RoundDocument, RoundList
from folkmoot_coordinator.viewer.api.figures_table import described
from folkmoot_coordinator.viewer.api.forms import TABLE_FORMS, Form, negotiate
from folkmoot_coordinator.viewer.api.openapi import PREFIX, problems
from folkmoot_coordinator.viewer.permissions import Right
from folkmoot_coordinator.viewer.region import region_of
from folkmoot_coordinator.viewer.round_facts import RoundFacts, round_facts
from folkmoot_coordinator.viewer.words import slug, table_title
from folkmoot_operator.moments import to_text
from folkmoot_web.paging import Pages
from folkmoot_web.routes import Routes

_JSON = (Form.JSON,)
_MOST_ON_A_PAGE = 200
_STATES = {state.name.lower(): state for state in RoundState}


def routes() -> Routes:
    """The routes."""
    routes = Routes(PREFIX)

    @routes.route(
        "/rounds",
        methods=("GET", "HEAD"),
        permission=Right.READ,
        dependencies=[Depends(count_request)],
        operation_id="listRounds",
        summary="List rounds",
        tags=["Rounds"],
        responses={
            200: {"model": RoundList, "description": "A page of the list"},
            **problems(401, 403, 406, 422, 429, 503),
        },
    )
    def list_rounds(
        request: Request,
        page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
        per_page: Annotated[int, Query(ge=1, le=_MOST_ON_A_PAGE)] = 50,
        purpose: Annotated[str | None, Query(max_length=63, description="An identifier")] = None,
        state: Literal["open", "complete", "partial", "void"] | None = None,
        series: Annotated[str | None, Query(max_length=32, description="Id of a series")] = None,
    ) -> Response:
        """Rounds that the key may read, newest first."""
        require_parameters(request, "page", "per_page", "purpose", "state", "series")
        negotiate(request.headers.get("accept", ""), _JSON)
        found = [
            one
            for one in round_facts(region_of(request).database, series=series)
            if may_read(request, one.round_id, one.question.purpose)
            and purpose in (None, one.question.purpose)
            and (state is None or one.state is _STATES[state])
        ]
        pages = Pages.of(len(found), page, per_page)
        shown = found[pages.first : pages.last] if page == pages.page else []
        content = {
            "rounds": [_line(one) for one in shown],
            "page": page,
            "pages": pages.pages,
            "entries": pages.entries,
            "next": _page(request, page + 1) if page < pages.pages else None,
            "previous": _page(request, min(page, pages.pages + 1) - 1) if page > 1 else None,
        }
        return send_document(request, content)

    @routes.route(
        "/rounds/{round_id}",
        methods=("GET", "HEAD"),
        permission=Right.READ,
        dependencies=[Depends(count_request)],
        operation_id="showRound",
        summary="Show a round",
        tags=["Rounds"],
        responses={
            200: {"model": RoundDocument, "description": "The round"},
            **problems(401, 403, 404, 406, 422, 429, 503),
        },
    )
    def show_round(request: Request, round_id: str) -> Response:
        """A round, its tables, and what `export` says of its figures: question, coverage, privacy.

        An id may be shortened to its first 8 characters or more.
        """
        require_parameters(request)
        negotiate(request.headers.get("accept", ""), _JSON)
        return send_document(request, _document(request, stored_round(request, round_id)))

    return routes


def table_address(round_id: str, marginal: Marginal | None, form: Form | None = None) -> str:
    """Where a table is.

    Args:
        round_id: The round's.
        marginal: What was counted; None for all tables in one.
        form: In which form; None for any.
    """
    place = f"{PREFIX}/rounds/{round_id}/statistics"
    if marginal is not None:
        place += f"/{slug(marginal)}"
    return place if form is None else f"{place}.{form}"


def forms_of(marginal: Marginal | None, areas: int) -> tuple[Form, ...]:
    """The forms of a table.

    Args:
        marginal: What was counted; None for all tables in one.
        areas: How many kinds of areas it counts by.
    """
    return TABLE_FORMS if marginal is None or areas > 1 else (*TABLE_FORMS, Form.GEOJSON)


def _document(request: Request, stored: StoredRound) -> dict[str, Any]:
    region = region_of(request)
    round_ = stored.round_
    (facts,) = round_facts(region.database, round_id=round_.round_id)
    published = region.published(request, round_.round_id) if facts.has_result else None
    tables = []
    if published is not None:
        for marginal in round_.workload.marginals:
            areas = sum(round_.workload.attribute(one).is_area for one in marginal.attributes)
            tables.append(
                {
                    "table": slug(marginal),
                    "title": table_title(marginal),
                    "marginal": marginal.name,
                    "attributes": list(marginal.attributes),
                    "links": _links(round_.round_id, marginal, forms_of(marginal, areas)),
                }
            )
    return {
        "round": _line(facts),
        "policy_digest": round_.policy_digest.hex(),
        "tables": tables,
        "all_tables": _links(round_.round_id, None, TABLE_FORMS) if published else {},
        "outcomes": [
            {
                "outcome": one.name,
                "groups": list(one.groups),
                "link": f"{PREFIX}/rounds/{round_.round_id}/outcome?outcome={one.name}",
            }
            for one in (offered_outcomes(round_) if published else ())
        ],
        "equality": [
            {"by": one, "link": f"{PREFIX}/rounds/{round_.round_id}/equality?by={one}"}
            for one in (offered_groups(round_) if published else ())
        ],
        "metadata": None if published is None else described(published),
    }


def _links(round_id: str, marginal: Marginal | None, forms: tuple[Form, ...]) -> dict[str, str]:
    return {str(form): table_address(round_id, marginal, form) for form in forms}


def _line(one: RoundFacts) -> dict[str, Any]:
    return {
        "round_id": one.round_id,
        "title": one.question.title,
        "purpose": one.question.purpose,
        "state": one.state.name.lower(),
        "opened_at": to_text(one.opened_at),
        "deadline": to_text(one.deadline),
        "closed_at": None if one.closed_at is None else to_text(one.closed_at),
        "coverage": one.coverage,
        "has_result": one.has_result,
        "withdrawn": None if one.withdrawal is None else one.withdrawal.facts(),
        "series_id": one.series_id,
        "position": one.position or None,
        "link": f"{PREFIX}/rounds/{one.round_id}",
    }


def _page(request: Request, page: int) -> str:
    kept = [(key, value) for key, value in request.query_params.multi_items() if key != "page"]
    return f"{request.url.path}?{urlencode([*kept, ('page', page)])}"
