"""Counts requests by the pattern of their address, which names no page, no search and nobody."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

OTHER = "other"
"""The pattern of an address that no page has."""


class CountedRequests:
    """A layer around a site that tells the pattern of each request and the class of its status."""

    def __init__(self, app: ASGIApp, *, seen: Callable[[str, str], None]) -> None:
        """Wraps a site.

        Args:
            app: The site.
            seen: Told the pattern, such as `/rounds/{round_id}`, and `2xx` to `5xx`.
        """
        self._app = app
        self._seen = seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            pattern = getattr(scope.get("route"), "path", None)
            self._seen(pattern if isinstance(pattern, str) else OTHER, f"{status // 100}xx")
