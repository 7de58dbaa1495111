"""The notice of a household, to be read, printed and handed over."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.desk import desk_of
from folkmoot_node.casework.pages.first_look import first_look_before
from folkmoot_node.casework.rights.notice import make_notice
from folkmoot_node.casework.rights.texts import LANGUAGES
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of


def routes() -> Routes:
    """The page."""
    routes = Routes()

    @routes.get("/cases/{case_id}/notice", permission=Right.OPEN)
    def notice(request: Request, case_id: str, language: str = "en", size: str = "") -> Response:
        desk = desk_of(request)
        if first := first_look_before(request, case_id):
            return first  # the notice says what the score rests on
        shown = desk.openings.look(visitor_of(request), case_id, "notice")
        return render(
            request,
            "casework/rights/notice.html",
            case=desk.cases.get(case_id),
            notice=make_notice(desk, shown, language),
            languages=LANGUAGES,
            large=size == "large",
            sensitive=shown.sources & frozenset(desk.known.policy.sensitive_sources),
            breadcrumbs=[("Cases", "/"), ("Case", f"/cases/{case_id}"), ("Notice", None)],
        )

    return routes
