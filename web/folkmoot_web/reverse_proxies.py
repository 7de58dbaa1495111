"""Which connections a site takes behind a reverse proxy, and what it believes of them."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

_ANSWER = b"Connect to the reverse proxy, not to this address.\n"


class ReverseProxies:
    """Takes connections from the proxies alone, and learns the visitor's address from them."""

    def __init__(self, app: ASGIApp, *, proxies: Sequence[str]) -> None:
        """Prepares the list.

        Args:
            app: What is behind.
            proxies: IP addresses or networks.
        """
        self._networks = [ipaddress.ip_network(one) for one in proxies]
        # Its types are uvicorn's own, of the same shape.
        self._inner: ASGIApp = ProxyHeadersMiddleware(app, list(proxies))  # type: ignore[arg-type,assignment]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request."""
        if scope["type"] == "http" and not self._is_proxy(scope.get("client")):
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": _ANSWER})
            return
        await self._inner(scope, receive, send)

    def _is_proxy(self, client: tuple[str, int] | None) -> bool:
        try:
            address = ipaddress.ip_address(client[0] if client else "")
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None) or address
        return any(mapped in network for network in self._networks)
