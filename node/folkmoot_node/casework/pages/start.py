"""Where whoever has signed in begins: the first page that their roles let them see."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from folkmoot_web.permissions import SIGNED_IN
from folkmoot_web.rendering import Renderer
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of

PATH = "/start"


def routes() -> Routes:
    """The page, which only leads on: the work list is not for everybody, such as an auditor."""
    routes = Routes()

    @routes.get(PATH, permission=SIGNED_IN)
    def start(request: Request) -> Response:
        renderer: Renderer = request.app.state.renderer
        visitor = visitor_of(request)
        seen = (link.path for link in renderer.navigation if visitor.may(str(link.permission)))
        # Who may see nothing is told why by the page that refuses them.
        return RedirectResponse(next(seen, "/"), 303)

    return routes
