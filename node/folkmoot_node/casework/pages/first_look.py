"""The page on which a worker records a view before the score is shown."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.cases.first_look import FirstLooks
from folkmoot_node.casework.cases.words import VIEWS, View
from folkmoot_node.casework.desk import desk_of
from folkmoot_node.casework.homes import band_now
from folkmoot_node.casework.pages.case_steps import crumbs
from folkmoot_web.forms import Form, FormModel, read_form
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of


class FirstLookForm(FormModel):
    """What a worker thinks."""

    messages: ClassVar[dict[str, str]] = {
        "view": "Select what you think",
        "why": "Enter why you think so, in 5 to 500 characters",
    }

    view: View
    why: Annotated[str, Field(min_length=5, max_length=500)]


def routes() -> Routes:
    """The page."""
    routes = Routes()

    @routes.get("/cases/{case_id}/first-look", permission=Right.WORK)
    def first_look(request: Request, case_id: str) -> Response:
        desk_of(request).openings.look(visitor_of(request), case_id, "first look")
        return _page(request, case_id, Form[FirstLookForm]())

    @routes.post("/cases/{case_id}/first-look", permission=Right.WORK)
    def recorded(request: Request, case_id: str) -> Response:
        desk, visitor = desk_of(request), visitor_of(request)
        form = read_form(request, FirstLookForm)
        if form.value is None:
            return _page(request, case_id, form, 422)
        opened = desk.openings.look(visitor, case_id, "first look")
        band, is_upper = band_now(desk, opened)
        with desk.state.database.writing() as session:
            FirstLooks(desk.state, desk.known.policy).record(
                session, case_id, visitor, form.value.view, form.value.why, band, is_upper
            )
        return RedirectResponse(f"/cases/{case_id}/score", 303)

    return routes


def first_look_before(request: Request, case_id: str) -> Response | None:
    """The way to the first look, if it has to come before what was asked for; else None."""
    desk, visitor = desk_of(request), visitor_of(request)
    if not desk.openings.is_open(visitor, case_id):
        return None
    looks = FirstLooks(desk.state, desk.known.policy)
    with desk.state.database.reading() as session:
        if not looks.needs_first_look(session, case_id, visitor):
            return None
    return RedirectResponse(f"/cases/{case_id}/first-look", 303)


def _page(request: Request, case_id: str, form: Form[FirstLookForm], status: int = 200) -> Response:
    case = desk_of(request).cases.get(case_id)
    return render(
        request,
        "casework/first_look.html",
        status,
        case=case,
        form=form,
        views=[{"value": str(one), "text": text} for one, text in VIEWS.items()],
        breadcrumbs=crumbs(case, "First look"),
    )
