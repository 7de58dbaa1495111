"""The accessibility statement and the cookie statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from folkmoot_web.cookies import BROWSER, SESSION, Cookies
from folkmoot_web.permissions import PUBLIC
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.settings import WebSettings


@dataclass(frozen=True, slots=True)
class Accessibility:
    """What a product states about its accessibility.

    Attributes:
        known_faults: Parts that are not fully accessible, each as one sentence.
        tested: How it is tested.
    """

    known_faults: Sequence[str] = ()
    tested: str = (
        "The developers test every page of each version in a browser: with a keyboard alone, "
        "without JavaScript, at the width of a phone, and with the program axe against the rules "
        "of the guidelines that a program can check. Other rules need people; tell us what they "
        "would have found."
    )


def statements(settings: WebSettings, cookies: Cookies, accessibility: Accessibility) -> Routes:
    """The pages, linked in the footer of every page."""
    routes = Routes()

    @routes.get("/accessibility", permission=PUBLIC)
    def accessibility_statement(request: Request) -> Response:
        return render(request, "web/accessibility.html", statement=accessibility)

    @routes.get("/cookies", permission=PUBLIC)
    def cookie_statement(request: Request) -> Response:
        names = {"session": cookies.name(SESSION), "browser": cookies.name(BROWSER)}
        return render(request, "web/cookies.html", cookies=names, session=settings.session)

    return routes
