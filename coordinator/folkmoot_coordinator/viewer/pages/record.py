"""The region's own record: what it holds and for how long, what it asked, what that cost."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from folkmoot_coordinator.viewer.kept_record import PublicRecord
from folkmoot_coordinator.viewer.permissions import Right, everybody_may_see
from folkmoot_coordinator.viewer.region import Region, region_of
from folkmoot_operator.shown_values import shown
from folkmoot_web.paging import Pages
from folkmoot_web.permissions import PUBLIC
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.site import site_of
from folkmoot_web.visitors import Visitor, visitor_of

PATH = "/record"
_ON_A_PAGE = 50


def permission(*, is_public: bool) -> str:
    """What the page needs.

    Args:
        is_public: The setting `viewer.public_record`.
    """
    return PUBLIC if is_public else Right.READ


def routes(needs: str = Right.READ) -> Routes:
    """The page.

    Args:
        needs: The permission.
    """
    routes = Routes()

    @routes.get(PATH, permission=needs)
    def record(request: Request, page: int = 1) -> Response:
        region, visitor = region_of(request), visitor_of(request)
        found = record_of(request)
        pages = Pages.of(len(found.rounds), page, _ON_A_PAGE)
        return render(
            request,
            "viewer/record.html",
            record=found,
            rounds=[_shown(region, visitor, one) for one in found.rounds[pages.first : pages.last]],
            pagination=pages.links(request),
            breadcrumbs=[("Results", "/"), ("Record of the region", None)]
            if visitor.may(Right.READ)
            else [],
        )

    return routes


def record_of(request: Request) -> PublicRecord:
    """The record of the region behind the site."""
    region = region_of(request)
    return region.record.now(site_of(request).database, region.drafts)


def _shown(region: Region, visitor: Visitor, one: dict[str, Any]) -> dict[str, Any]:
    """A round; only that there was one, if not everybody who reads this may see its purpose."""
    purpose = one["purpose"]
    one = one | {"asked_on": shown(one["opened_at"][:10])}
    may = visitor.may(Right.READ) and region.sees(visitor, purpose)
    if may or everybody_may_see(region.settings.viewer, purpose):
        return one | {"is_shown": True, "has_page": may}
    kept = ("asked_on", "rho", "invited", "released", "refused", "state")
    return {name: one[name] for name in kept} | {"is_shown": False, "withdrawn": one["withdrawn"]}
