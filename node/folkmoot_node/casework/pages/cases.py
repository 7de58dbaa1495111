"""Cases: the list, and one case."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.desk import desk_of
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of


def routes() -> Routes:
    """The pages."""
    routes = Routes()

    @routes.get("/", permission=Right.LISTS)
    def cases(request: Request) -> Response:
        desk, visitor = desk_of(request), visitor_of(request)
        own = desk.cases.listed(worker=visitor.name)
        others = [one for one in desk.cases.listed() if one.worker != visitor.name]
        hidden = desk.restrictions.hidden_from(visitor)
        return render(request, "casework/cases.html", own=own, others=others, hidden=hidden)

    @routes.get("/cases/{case_id}", permission=Right.LISTS)
    def case(request: Request, case_id: str) -> Response:
        desk, visitor = desk_of(request), visitor_of(request)
        return render(
            request,
            "casework/case.html",
            case=desk.cases.get(case_id),
            is_open=desk.openings.is_open(visitor, case_id),
            breadcrumbs=[("Cases", "/"), ("Case", None)],
        )

    return routes
