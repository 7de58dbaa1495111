"""Finding a household by its UPRN, and opening a case for one that no score has flagged."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.desk import desk_of
from folkmoot_node.casework.opening.reasons import Reason
from folkmoot_web.forms import Form, FormModel, read_form
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of

PATH = "/search"
Uprn = Annotated[int, Field(title="a UPRN", ge=1, le=999_999_999_999)]
"""A field of a form: unique property reference number."""
UPRN_MESSAGES = {
    "uprn": "Enter a UPRN: a number of up to 12 digits",
    "uprn.missing": "Enter a UPRN",
}
"""Of forms with such a field."""


class SearchForm(FormModel):
    """What is searched for, and why."""

    messages: ClassVar[dict[str, str]] = {
        **UPRN_MESSAGES,
        "reason.missing": "Enter why you search for this household",
    }

    uprn: Uprn
    reason: Reason


class NewCaseForm(FormModel):
    """Why a case is opened for a household that was found."""

    messages: ClassVar[dict[str, str]] = {
        "purpose.missing": "Enter what the case is for",
        "why.missing": "Enter why you open a case",
    }

    purpose: Annotated[str, Field(title="the purpose", min_length=3, max_length=100)]
    why: Reason


def routes() -> Routes:
    """The pages."""
    routes = Routes()

    @routes.get(PATH, permission=Right.LISTS)
    def ask(request: Request) -> Response:
        return _ask(request, Form[SearchForm]())

    @routes.post(PATH, permission=Right.LISTS)
    def search(request: Request) -> Response:
        form = read_form(request, SearchForm)
        if form.value is None:
            return _ask(request, form, 422)
        desk = desk_of(request)
        with desk.store() as store:
            is_scored = store.holds(form.value.uprn)
        search_id = desk.searches.search(
            visitor_of(request), form.value.uprn, form.value.reason, is_scored=is_scored
        )
        # The address of what was found holds no UPRN.
        return RedirectResponse(f"{PATH}/{search_id}", 303)

    @routes.get(PATH + "/{search_id}", permission=Right.LISTS)
    def found(request: Request, search_id: str) -> Response:
        purpose = desk_of(request).risk_policy().purpose
        return _found(request, search_id, Form[NewCaseForm]({"purpose": purpose}))

    @routes.post(PATH + "/{search_id}/case", permission=Right.DECIDE)
    def opened(request: Request, search_id: str) -> Response:
        form = read_form(request, NewCaseForm)
        if form.value is None:
            return _found(request, search_id, form, 422)
        desk = desk_of(request)
        case_id = desk.searches.open_case(
            desk.cases, visitor_of(request), search_id, form.value.purpose, form.value.why
        )
        return RedirectResponse(f"/cases/{case_id}", 303)

    return routes


def _ask(request: Request, form: Form[SearchForm], status: int = 200) -> Response:
    limit = desk_of(request).known.policy.openings.searches_per_day
    return render(
        request,
        "casework/search.html",
        status,
        form=form,
        limit=limit,
        breadcrumbs=[("Cases", "/"), ("Find", None)],
    )


def _found(
    request: Request, search_id: str, form: Form[NewCaseForm], status: int = 200
) -> Response:
    desk, visitor = desk_of(request), visitor_of(request)
    return render(
        request,
        "casework/found.html",
        status,
        found=desk.searches.found(visitor, search_id),
        form=form,
        breadcrumbs=[("Cases", "/"), ("Find", PATH), ("What was found", None)],
    )
