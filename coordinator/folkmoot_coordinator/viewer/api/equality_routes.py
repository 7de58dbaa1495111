"""Who is selected, by group, for programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from folkmoot_coordinator.viewer.api.access import (
    count_request,
    published_round,
    require_parameters,
)
from folkmoot_coordinator.viewer.api.answers import send_figures
from folkmoot_coordinator.viewer.api.documents import SelectionDocument
from folkmoot_coordinator.viewer.api.forms import Form, negotiate
from folkmoot_coordinator.viewer.api.openapi import PREFIX, problems
from folkmoot_coordinator.viewer.judging import BY
from folkmoot_coordinator.viewer.permissions import Right
from folkmoot_coordinator.viewer.selecting import choose_group, rates_by_group
from folkmoot_web.routes import Routes


def routes() -> Routes:
    """The route."""
    routes = Routes(PREFIX)

    @routes.route(
        "/rounds/{round_id}/equality",
        methods=("GET", "HEAD"),
        permission=Right.READ,
        dependencies=[Depends(count_request)],
        operation_id="showEquality",
        summary="Selection rates by group",
        tags=["Statistics"],
        responses={
            200: {"model": SelectionDocument, "description": "The figures"},
            **problems(401, 403, 404, 406, 409, 422, 429, 503),
        },
    )
    def show_equality(
        request: Request,
        round_id: str,
        by: Annotated[
            str,
            Query(
                min_length=1,
                max_length=63,
                description="An attribute that the round counts by band",
            ),
        ] = "",
    ) -> Response:
        """What `equality --json` says: shares from each band upwards, with both intervals.

        `by` is an attribute of groups, by default the first; a round names them in `equality`.
        """
        require_parameters(request, BY)
        negotiate(request.headers.get("accept", ""), (Form.JSON,))
        published = published_round(request, round_id)
        found = rates_by_group(published, choose_group(published, {BY: by}))
        return send_figures(request, published, f"equality {found.by}", found.facts())

    return routes
