"""The two cookies of a site: one for a session, one for forms before sign-in."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from folkmoot_web.settings import WebSettings

_LONGEST = 200
SESSION = "session"
BROWSER = "browser"


class Cookies:
    """Reads and sets them.

    Behind TLS their names begin with `__Host-`: a browser then takes them from this host alone,
    over TLS alone, for all paths. Neither outlives the browser's own session.
    """

    def __init__(self, settings: WebSettings) -> None:
        self._secure = settings.is_secure
        self._prefix = "__Host-folkmoot-" if settings.is_secure else "folkmoot-"

    def name(self, which: str) -> str:
        """The name of `SESSION` or `BROWSER` as the browser has it."""
        return self._prefix + which

    def read(self, request: Request, which: str) -> str | None:
        """The value of `SESSION` or `BROWSER`; None if there is none of a sensible length."""
        value = request.cookies.get(self.name(which))
        return value if value and len(value) <= _LONGEST else None

    def set(self, response: Response, which: str, value: str) -> None:
        """Gives the browser a value."""
        response.set_cookie(
            self.name(which),
            value,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )

    def delete(self, response: Response, which: str) -> None:
        """Takes the value from the browser."""
        response.delete_cookie(
            self.name(which), path="/", secure=self._secure, httponly=True, samesite="lax"
        )
