"""The catalogue: which rounds and series there are, and what each measures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from folkmoot_coordinator.membership.certificate_lives import authority_lives
from folkmoot_coordinator.viewer.permissions import PERMISSIONS, Right, may_see
from folkmoot_coordinator.viewer.region import Region, region_of
from folkmoot_coordinator.viewer.round_facts import RoundFacts, round_facts
from folkmoot_operator.certificate_lives import CertificateLife, Standing
from folkmoot_operator.problems import Problem
from folkmoot_web.paging import Pages
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import Visitor, visitor_of

_ON_A_PAGE = 15


@dataclass(frozen=True, slots=True)
class Entry:
    """A round by itself, or a series with its rounds.

    Attributes:
        newest: The round, or the newest of the series.
        rounds: Rounds of the series, newest first; empty for a round by itself.
    """

    newest: RoundFacts
    rounds: tuple[RoundFacts, ...] = ()


def routes() -> Routes:
    """The page."""
    routes = Routes()

    @routes.get("/", permission=Right.READ)
    def catalogue(request: Request, find: str = "", page: int = 1) -> Response:
        region, visitor = region_of(request), visitor_of(request)
        rounds = [
            one
            for one in round_facts(region.database)
            if region.sees(visitor, one.question.purpose)
        ]
        found = entries(one for one in rounds if _matches(one, find))
        pages = Pages.of(len(found), page, _ON_A_PAGE)
        return render(
            request,
            "viewer/catalogue.html",
            entries=found[pages.first : pages.last],
            any_rounds=bool(rounds),
            find=find,
            pagination=pages.links(request),
            readers=lambda purpose: readers(region, purpose),
            ending=ending_certificates(region, visitor),
        )

    return routes


def entries(rounds: Iterable[RoundFacts]) -> list[Entry]:
    """Rounds, those of one series together, in the order of the newest."""
    series: dict[str, list[RoundFacts]] = {}
    for one in rounds:
        series.setdefault(one.series_id or one.round_id, []).append(one)
    return [
        Entry(
            max(together, key=lambda one: one.position),
            tuple(sorted(together, key=lambda one: -one.position))
            if together[0].series_id is not None
            else (),
        )
        for together in series.values()
    ]


def ending_certificates(region: Region, visitor: Visitor) -> list[CertificateLife]:
    """The region's own certificates that end soon or have ended, for those who ask or approve.

    Readers cannot do anything about them. Councils' own are not the matter of this page.
    """
    if not {Right.ASK, Right.APPROVE} & set(visitor.permissions):
        return []
    try:
        lives = authority_lives(region.home, region.clock())
    except Problem:
        return []  # the coordinator says what is wrong with its files; results are none of them
    return [one for one in lives if one.standing is not Standing.FINE]


def readers(region: Region, purpose: str) -> str:
    """Who may see rounds of a purpose, in words."""
    roles = [role for role in PERMISSIONS.roles if may_see(region.settings.viewer, [role], purpose)]
    if len(roles) == len(PERMISSIONS.roles):
        return "Everybody with an account"
    return f"Roles: {', '.join(roles)}" if roles else "Nobody"


def _matches(one: RoundFacts, find: str) -> bool:
    words = find.casefold().split()
    text = f"{one.question.title} {one.question.purpose} {one.round_id}".casefold()
    return all(word in text for word in words)
