"""How well the bands of a round found need, for programs."""

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
from folkmoot_coordinator.viewer.api.documents import ValidationDocument
from folkmoot_coordinator.viewer.api.forms import Form, negotiate
from folkmoot_coordinator.viewer.api.openapi import PREFIX, problems
from folkmoot_coordinator.viewer.judging import BY, OUTCOME, choose_outcome, judged
from folkmoot_coordinator.viewer.permissions import Right
from folkmoot_web.routes import Routes

_Name = Annotated[str, Query(min_length=1, max_length=63, description="An attribute of the round")]


def routes() -> Routes:
    """The route."""
    routes = Routes(PREFIX)

    @routes.route(
        "/rounds/{round_id}/outcome",
        methods=("GET", "HEAD"),
        permission=Right.READ,
        dependencies=[Depends(count_request)],
        operation_id="showOutcome",
        summary="Precision and recall of bands by an outcome",
        tags=["Statistics"],
        responses={
            200: {"model": ValidationDocument, "description": "The figures"},
            **problems(401, 403, 404, 406, 409, 422, 429, 503),
        },
    )
    def show_outcome(
        request: Request, round_id: str, outcome: _Name = "", by: _Name = ""
    ) -> Response:
        """What `validate --json` says: by region, council and group, with both intervals.

        `outcome` is an attribute with the codes `no` and `yes` that the round counts by band, by
        default the first; `by` is an attribute of groups. A round names them in `outcomes`.
        """
        require_parameters(request, OUTCOME, BY)
        negotiate(request.headers.get("accept", ""), (Form.JSON,))
        published = published_round(request, round_id)
        chosen = choose_outcome(published, {OUTCOME: outcome, BY: by})
        found = judged(published, chosen).facts()
        return send_figures(request, published, f"outcome {chosen.outcome.name}", found)

    return routes
