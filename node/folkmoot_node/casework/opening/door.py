"""The door before every page of a case: nobody passes from whom its household is hidden.

It stands in the site's guard, so that a page that somebody adds later has it too.
"""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from folkmoot_node.casework.opening.openings import Openings
from folkmoot_node.casework.opening.restrictions import Restrictions, not_visible
from folkmoot_web.routes import Guard, GuardedRoute, Handler
from folkmoot_web.visitors import visitor_of

CASE_ID = "case_id"
"""The parameter of an address by which pages of a case are known."""


class CaseDoor:
    """The site's guard, and behind it the door."""

    def __init__(self, guard: Guard, openings: Openings, restrictions: Restrictions) -> None:
        self._guard = guard
        self._openings = openings
        self._restrictions = restrictions

    async def __call__(self, request: Request, route: GuardedRoute, handler: Handler) -> Response:
        """The endpoint's answer, or why there is none.

        Raises:
            WebProblem: As the guard; 403 if the household of the case is hidden from whoever asks.
        """

        async def behind(request: Request) -> Response:
            case_id = request.path_params.get(CASE_ID)
            if case_id is not None:
                await run_in_threadpool(self._require, request, str(case_id), route.path)
            return await handler(request)

        return await self._guard(request, route, behind)

    def _require(self, request: Request, case_id: str, page: str) -> None:
        visitor = visitor_of(request)
        if not self._restrictions.may_see_case(visitor, case_id):
            self._openings.refuse(visitor, case_id, page)
            raise not_visible()
