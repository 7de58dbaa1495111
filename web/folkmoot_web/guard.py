"""What every request passes before its endpoint: size, who asks, permission, own form."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from folkmoot_web.cookies import BROWSER, SESSION, Cookies
from folkmoot_web.errors import WebProblem, is_api, problem_of_status
from folkmoot_web.forms import browser_cookie, require_own_form
from folkmoot_web.permissions import Permissions
from folkmoot_web.request_size import limited
from folkmoot_web.routes import GuardedRoute, Handler
from folkmoot_web.sign_in.pages import sign_in_address
from folkmoot_web.sign_in.sessions import Sessions
from folkmoot_web.visitors import NOBODY, Visitor

ReadKey = Callable[[Request], Visitor | None]
"""Who sent a request under `/api` with an `Authorization` header; None if its key is not valid. It
is called in a thread, and gives a `Visitor` with `by_browser=False`."""
_READS = ("GET", "HEAD", "OPTIONS")


class SiteGuard:
    """Decides whether a request reaches its endpoint."""

    def __init__(
        self,
        sessions: Sessions,
        cookies: Cookies,
        read_key: ReadKey | None,
        permissions: Permissions,
    ) -> None:
        self._permissions = permissions
        self._sessions = sessions
        self._cookies = cookies
        self._read_key = read_key

    async def __call__(self, request: Request, route: GuardedRoute, handler: Handler) -> Response:
        """The endpoint's answer, or why there is none.

        Raises:
            WebProblem: If the request is too long, comes from another site, or may not.
        """
        request = limited(request, route.max_bytes)
        visitor = request.state.visitor = await self._identify(request, route)
        if not visitor.may(route.permission):
            return self._refuse(request, visitor, route.permission)
        if request.method not in _READS and visitor.by_browser:
            await require_own_form(request, self._cookies)
        try:
            response = await handler(request)
        finally:
            await request.close()
        if (value := browser_cookie(request)) is not None:
            self._cookies.set(response, BROWSER, value)
        return response

    async def _identify(self, request: Request, route: GuardedRoute) -> Visitor:
        if not route.is_identified:
            return NOBODY
        # A page is for browsers: what a proxy in front may want in this header is not for it.
        is_key = is_api(request.scope) and "authorization" in request.headers
        if self._read_key is not None and is_key:
            found = await run_in_threadpool(self._read_key, request)
            if found is None:
                raise _unknown()
            if found.by_browser:
                raise TypeError("a visitor with a key is not by_browser")
            return found
        token = self._cookies.read(request, SESSION)
        if token is None:
            return NOBODY
        return await run_in_threadpool(self._sessions.find, token) or NOBODY

    def _refuse(self, request: Request, visitor: Visitor, permission: str) -> Response:
        if visitor.is_signed_in:
            why = self._permissions.why_refused(permission)
            raise problem_of_status(403) if why is None else WebProblem(403, *why)
        if is_api(request.scope):
            raise _unknown()
        return RedirectResponse(sign_in_address(request), 303)


def _unknown() -> WebProblem:
    return problem_of_status(401, headers={"WWW-Authenticate": "Bearer"})
