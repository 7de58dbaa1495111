"""The page of a case."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.pages.case_steps import case_page
from folkmoot_web.routes import Routes


def routes() -> Routes:
    """The page."""
    routes = Routes()

    @routes.get("/cases/{case_id}", permission=Right.LISTS)
    def case(request: Request, case_id: str) -> Response:
        return case_page(request, case_id)

    return routes
