"""One case: where it stands, opening its household, its score."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.desk import desk_of
from folkmoot_node.casework.pages.case_steps import case_page
from folkmoot_node.casework.pages.first_look import first_look_before
from folkmoot_web.forms import Form, FormModel, read_form
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of


class ReasonForm(FormModel):
    """Why a household is opened."""

    messages: ClassVar[dict[str, str]] = {
        "reason.missing": "Enter why you open this household",
    }

    reason: Annotated[str, Field(title="the reason", min_length=5, max_length=300)]


def routes() -> Routes:
    """The pages."""
    routes = Routes()

    @routes.get("/cases/{case_id}", permission=Right.LISTS)
    def case(request: Request, case_id: str) -> Response:
        return _case(request, case_id, Form[ReasonForm]())

    @routes.post("/cases/{case_id}/open", permission=Right.OPEN)
    def opened(request: Request, case_id: str) -> Response:
        form = read_form(request, ReasonForm)
        if form.value is None:
            return _case(request, case_id, form, 422)
        desk_of(request).openings.open(visitor_of(request), case_id, form.value.reason)
        return RedirectResponse(f"/cases/{case_id}/score", 303)

    @routes.get("/cases/{case_id}/score", permission=Right.OPEN)
    def score(request: Request, case_id: str) -> Response:
        desk = desk_of(request)
        if first := first_look_before(request, case_id):
            return first
        shown = desk.openings.look(visitor_of(request), case_id, "score")
        return render(
            request,
            "casework/score.html",
            case=desk.cases.get(case_id),
            shown=shown,
            explanation=desk.explanation(shown),
            breadcrumbs=[("Cases", "/"), ("Case", f"/cases/{case_id}"), ("Score", None)],
        )

    return routes


def _case(request: Request, case_id: str, form: Form[ReasonForm], status: int = 200) -> Response:
    return case_page(request, case_id, status, reason_form=form, form=form)
