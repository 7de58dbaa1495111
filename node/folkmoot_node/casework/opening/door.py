"""The door before every page of a household: nobody passes from whom it is hidden.

It stands in the site's guard, so that a page that somebody adds later has it too. It knows a
household by parameters of the address: a case, an objection or a request is about one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from folkmoot_node.casework.opening.openings import Openings
from folkmoot_node.casework.opening.restrictions import Restrictions, not_visible
from folkmoot_web.routes import Guard, GuardedRoute, Handler
from folkmoot_web.visitors import visitor_of

HouseholdOf = Callable[[Session, str], str | None]
"""The id of the household that something of an address is about; None if there is no such thing."""


class HouseholdDoor:
    """The site's guard, and behind it the door."""

    def __init__(
        self,
        guard: Guard,
        openings: Openings,
        restrictions: Restrictions,
        parameters: Mapping[str, HouseholdOf],
    ) -> None:
        """Puts the door behind a guard.

        Args:
            guard: The site's.
            openings: For the log.
            restrictions: What is hidden from whom.
            parameters: By name, the parameters of addresses that are about a household.
        """
        self._guard = guard
        self._openings = openings
        self._restrictions = restrictions
        self._parameters = parameters

    async def __call__(self, request: Request, route: GuardedRoute, handler: Handler) -> Response:
        """The endpoint's answer, or why there is none.

        Raises:
            WebProblem: As the guard; 403 if the household is hidden from whoever asks; what
                `parameters` raise of what is not there any more.
        """

        async def behind(request: Request) -> Response:
            for name, household_of in self._parameters.items():
                value = request.path_params.get(name)
                if value is not None:
                    await run_in_threadpool(
                        self._require, request, household_of, str(value), route.path
                    )
            return await handler(request)

        return await self._guard(request, route, behind)

    def _require(self, request: Request, household_of: HouseholdOf, value: str, page: str) -> None:
        visitor = visitor_of(request)
        household = self._restrictions.hidden_household(visitor, household_of, value)
        if household is not None:
            self._openings.refuse(visitor, household, page)
            raise not_visible()
