"""Work lists: referrals by state, and the order of those who wait for a service."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.pages.people import People
from folkmoot_node.casework.referrals.kinds import ENDED, ReferralState
from folkmoot_node.casework.referring.room import Room, room_of
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import Visitor, visitor_of

WHAT = {
    ReferralState.APPROVAL: "A second person who may override decides about the legal ground.",
    ReferralState.DRAFTED: "Written, and not sent.",
    ReferralState.QUEUED: "The service has no place this week.",
    ReferralState.SENT: "The service has not opened them.",
    ReferralState.RECEIVED: "The service has opened them, and not said whether it accepts.",
    ReferralState.ACCEPTED: "The service works on them.",
}
"""States of the work list, in its order."""


def routes() -> Routes:
    """The pages."""
    routes = Routes()

    @routes.get("/referrals", permission=Right.LISTS)
    def referrals(request: Request, mine: bool = False, ended: bool = False) -> Response:
        room, visitor = room_of(request), visitor_of(request)
        states = ENDED if ended else frozenset(WHAT)
        found = room.referrals.listed(states=states)
        if mine:
            found = [one for one in found if one.drafted_by == visitor.name]
        order = sorted(ENDED) if ended else list(WHAT)
        return render(
            request,
            "casework/referrals.html",
            groups=[(state, [one for one in found if one.state == state]) for state in order],
            what=WHAT,
            services={one.service_id: one for one in room.services.listed(retired=True)},
            people=People.of(room.desk),
            hidden=room.desk.restrictions.hidden_from(visitor),
            mine=mine,
            ended=ended,
            failed=room.postbox.failed(),
            cases={one.referral_id: one.case_id for one in found},
            now=room.desk.clock(),
        )

    @routes.get("/services/{service_id}/order", permission=Right.LISTS)
    def order(request: Request, service_id: str) -> Response:
        room = room_of(request)
        service = room.services.get(service_id)
        places, left = room.referrals.order(service_id)
        return render(
            request,
            "casework/order.html",
            service=service,
            places=places,
            left=left,
            shows_band=room.desk.cohorts.shows_bands(visitor_of(request)),
            hidden_cases=_hidden_cases(room, visitor_of(request), service_id),
            breadcrumbs=[
                ("Services", "/services"),
                (service.name, f"/services/{service_id}"),
                ("Who comes first", None),
            ],
        )

    return routes


def _hidden_cases(room: Room, visitor: Visitor, service_id: str) -> set[str]:
    hidden = room.desk.restrictions.hidden_from(visitor)
    waiting = room.referrals.listed(service_id=service_id, states=[ReferralState.QUEUED])
    return {one.case_id for one in waiting if one.household in hidden}
