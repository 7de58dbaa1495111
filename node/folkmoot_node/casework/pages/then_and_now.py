"""What a case began with and what is known now; a home whose UPRN has changed."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.cases.cases import Conflict
from folkmoot_node.casework.desk import desk_of
from folkmoot_node.casework.homes import connect, moves, score_at_opening, why_not_connect
from folkmoot_node.casework.opened import Opened
from folkmoot_node.casework.opening.sensitive import NOT_SHOWN
from folkmoot_node.casework.pages.case_changes import told
from folkmoot_node.casework.pages.case_steps import crumbs
from folkmoot_node.casework.pages.first_look import first_look_before
from folkmoot_node.casework.pages.people import People
from folkmoot_node.casework.uk_time import uk_time
from folkmoot_operator.problems import Problem
from folkmoot_web.errors import WebProblem
from folkmoot_web.forms import Form, FormModel, read_form
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of

THEN_AND_NOW = "score then and now"
"""What was looked at, for the log."""


class ConnectForm(FormModel):
    """The UPRN that a household has now."""

    messages: ClassVar[dict[str, str]] = {
        "uprn": "Enter the UPRN, a number of 1 to 12 digits",
        "why.missing": "Enter how you know that the UPRN has changed",
    }

    version: Annotated[int, Field(ge=1, lt=2**31)]
    uprn: Annotated[int, Field(ge=1, lt=10**12)]
    why: Annotated[str, Field(title="the reason", min_length=5, max_length=500)]


SEARCH = "To connect a case with another UPRN"
"""Why the log says that a home was searched for."""


def routes() -> Routes:
    """The pages."""
    routes = Routes()

    @routes.get("/cases/{case_id}/then-and-now", permission=Right.OPEN)
    def then_and_now(request: Request, case_id: str) -> Response:
        if first := first_look_before(request, case_id):
            return first
        opened = desk_of(request).openings.look(visitor_of(request), case_id, THEN_AND_NOW)
        return _page(request, opened, Form[ConnectForm]())

    @routes.post("/cases/{case_id}/connect", permission=Right.DECIDE)
    def connected(request: Request, case_id: str) -> Response:
        desk, visitor = desk_of(request), visitor_of(request)
        if first := first_look_before(request, case_id):
            return first
        form = read_form(request, ConnectForm)
        opened = desk.openings.look(visitor, case_id, THEN_AND_NOW)
        if form.value is None:
            return _page(request, opened, form, 422)
        # What is wrong with a UPRN tells of its home: it counts as a search, and is noted as one.
        with desk.store() as store:
            is_scored = store.holds(form.value.uprn)
        desk.searches.search(visitor, form.value.uprn, SEARCH, is_scored=is_scored)
        if why_not := why_not_connect(desk, visitor, opened, form.value.uprn):
            form.add_error("uprn", why_not)
            return _page(request, opened, form, 422)
        try:
            with desk.state.database.writing() as session:
                connect(
                    desk.state,
                    session,
                    opened,
                    form.value.version,
                    visitor,
                    uprn=form.value.uprn,
                    reason=form.value.why,
                )
        except Conflict as conflict:
            return _page(request, opened, form, 409, conflict)
        except WebProblem as problem:
            form.add_error("uprn", problem.problem or problem.title)
            return _page(request, opened, form, problem.status)
        return RedirectResponse(f"/cases/{case_id}?done=connect", 303)

    return routes


def _page(
    request: Request,
    opened: Opened,
    form: Form[ConnectForm],
    status: int = 200,
    conflict: Conflict | None = None,
) -> Response:
    desk = desk_of(request)
    case = desk.cases.get(opened.case_id)
    people = People.of(desk)
    with desk.store() as store:
        is_gone = not store.holds(opened.uprn)
        scored_on = store.run.reference_date
    now, why_not = None, ""
    if not is_gone:
        try:
            now = desk.explanation(opened).as_json()
        except Problem as problem:  # the policy may have changed since the run
            why_not = problem.problem
    return render(
        request,
        "casework/then_and_now.html",
        status,
        case=case,
        uprn=opened.uprn,
        until=uk_time(opened.ends_at),
        then=score_at_opening(desk.state, opened, desk.known.policy.sensitive_sources),
        now=now,
        why_not=why_not,
        is_gone=is_gone,
        HIDDEN=NOT_SHOWN,
        scored_on=scored_on.isoformat(),
        moves=moves(desk.state, opened),
        meanwhile=[told(one, people) for one in conflict.changes] if conflict else [],
        may_connect=visitor_of(request).may(Right.DECIDE),
        form=form,
        breadcrumbs=crumbs(case, "Then and now"),
    )
