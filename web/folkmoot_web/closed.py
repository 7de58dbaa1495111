"""A site that is closed for a while: every page says so, with the reason, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from folkmoot_web.errors import Errors, WebProblem

_OPEN = ("/static/", "/health")
"""Paths that are served all the same: what the page itself needs, and what watches the site."""
_RETRY_SECONDS = 600


class ClosedSite:
    """The layer that answers instead of the pages while the site is closed."""

    def __init__(self, app: ASGIApp, *, why: Callable[[], str | None], errors: Errors) -> None:
        """Lays itself around an app.

        Args:
            app: The pages.
            why: Since when and why the site is closed, for people; None while it is open. Called
                for each request.
            errors: Makes the page.
        """
        self._app = app
        self._why = why
        self._errors = errors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request."""
        if scope["type"] != "http" or str(scope["path"]).startswith(_OPEN):
            await self._app(scope, receive, send)
            return
        why = await run_in_threadpool(self._why)
        if why is None:
            await self._app(scope, receive, send)
            return
        problem = WebProblem(
            503,
            "This service is paused",
            f"It has been paused {why}.",
            "Nothing you have saved is lost. Come back later.",
            headers={"Retry-After": str(_RETRY_SECONDS)},
        )
        response = self._errors.response(Request(scope, receive), problem)
        await response(scope, receive, send)
