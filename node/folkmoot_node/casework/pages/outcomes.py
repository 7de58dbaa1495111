"""What came of cases, and the file that takes it back to scoring."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.desk import desk_of
from folkmoot_node.casework.outcomes.door import outcomes_path, write_for_scoring
from folkmoot_node.casework.outcomes.measuring import measured
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of

PATH = "/outcomes"


def routes() -> Routes:
    """The pages."""
    routes = Routes()

    @routes.get(PATH, permission=Right.MEASURE)
    def outcomes(request: Request) -> Response:
        written = request.query_params.get("written", "")[:9]
        found, why_no_groups = measured(desk_of(request))
        return render(
            request,
            "casework/outcomes.html",
            figures=found,
            why_no_groups=why_no_groups,
            notification=f"The file is written. Rows: {written}" if written.isdecimal() else None,
            breadcrumbs=[("Cases", "/"), ("Outcomes", None)],
        )

    @routes.post(PATH + "/write", permission=Right.MEASURE)
    def write(request: Request) -> Response:
        desk = desk_of(request)
        path = outcomes_path(desk.config)
        rows = write_for_scoring(desk.state, path, visitor_of(request).name)
        return RedirectResponse(f"{PATH}?written={rows}", 303)

    return routes
