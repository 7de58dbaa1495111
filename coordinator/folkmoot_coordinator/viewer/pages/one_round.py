"""One round: what it asked, who answered, and its tables."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from folkmoot.rounds import RoundState
from folkmoot_coordinator.rounds.progress import CouncilResponse, council_responses
from folkmoot_coordinator.rounds.round_store import StoredRound
from folkmoot_coordinator.viewer.pages.catalogue import readers
from folkmoot_coordinator.viewer.permissions import Right
from folkmoot_coordinator.viewer.region import Region, region_of
from folkmoot_coordinator.viewer.round_facts import round_facts
from folkmoot_coordinator.viewer.words import STATE_MEANS, phrase, slug, table_title
from folkmoot_operator.moments import day_text
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes


@dataclass(frozen=True, slots=True)
class Answer:
    """Where a council stands.

    Attributes:
        code: GSS code.
        name: For people.
        text: What it did.
        colour: Of its tag.
        detail: Why, or since when.
    """

    code: str
    name: str
    text: str
    colour: str
    detail: str


def routes() -> Routes:
    """The page."""
    routes = Routes()

    @routes.get("/rounds/{round_id}", permission=Right.READ)
    def one_round(request: Request, round_id: str) -> Response:
        region = region_of(request)
        stored = region.stored(request, round_id)
        round_ = stored.round_
        (facts,) = round_facts(region.database, round_id=round_.round_id)
        return render(
            request,
            "viewer/round.html",
            stored=stored,
            facts=facts,
            base=f"/rounds/{round_.round_id}",
            breadcrumbs=[("Results", "/"), (stored.title, None)],
            has_result=facts.has_result,
            tables=[(table_title(one), slug(one)) for one in round_.workload.marginals],
            by_area=any(one.is_area for one in round_.workload.attributes),
            means=STATE_MEANS[stored.state],
            answers=answers_of(region, stored),
            released=facts.released,
            is_open=stored.state is RoundState.OPEN,
            readers=readers(region, round_.purpose),
            overdue=stored.state is RoundState.OPEN and round_.deadline <= region.clock(),
        )

    return routes


def answers_of(region: Region, stored: StoredRound) -> list[Answer]:
    """Where each invited council stands in a round, in words, in order of their codes."""
    is_open = stored.state is RoundState.OPEN
    return [
        answer_of(region, one, is_open=is_open)
        for one in council_responses(region.database, stored.round_)
    ]


def answer_of(region: Region, one: CouncilResponse, *, is_open: bool) -> Answer:
    """Where a council stands in a round, in words."""
    if one.released:
        text, colour = "Released", "green"
        detail = f"on {day_text(one.answered_at)}" if one.answered_at else ""
    elif one.refusal is not None:
        text, colour = "Refused", "orange"
        about = f" ({phrase(one.refused_attribute)})" if one.refused_attribute else ""
        detail = f"{one.refusal.meaning}{about}"
    elif is_open:
        text, colour = "Waited for", "blue"
        detail = _why_waiting(one)
    else:
        text, colour, detail = "No answer", "grey", _why_waiting(one)
    return Answer(one.council, region.council(one.council), text, colour, detail)


def _why_waiting(one: CouncilResponse) -> str:
    if not one.enrolled:
        return "it has not enrolled"
    if one.last_seen is None:
        return "its node has never called"
    return f"its node called last on {day_text(one.last_seen)}"
