"""Opening the household of a case, keeping it open, closing it, and its score."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from fastapi import FastAPI
from pydantic import AfterValidator, Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.desk import desk_of
from folkmoot_node.casework.opening.openings import NotOpen
from folkmoot_node.casework.opening.reasons import (
    MAX_REASON,
    MIN_REASON,
    whole_reason,
    without_identifiers,
)
from folkmoot_node.casework.opening.sensitive import withheld
from folkmoot_node.casework.opening.words import value_text
from folkmoot_node.casework.pages.first_look import first_look_before
from folkmoot_node.casework.rights.objections import Objections
from folkmoot_node.casework.uk_time import uk_time
from folkmoot_web.forms import Form, FormModel, read_form
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of

_PAGE_OF_CASE = re.compile(r"/[a-z]+(?:[/-][a-z]+)*")
_SCORE = "/score"


class OpeningForm(FormModel):
    """Why a household is opened: chosen, in own words, or both."""

    messages: ClassVar[dict[str, str]] = {}

    choice: str = ""
    reason: Annotated[
        str, Field(title="the reason", max_length=MAX_REASON), AfterValidator(without_identifiers)
    ] = ""
    then: str = ""


def routes() -> Routes:
    """The pages."""
    routes = Routes()

    @routes.get("/cases/{case_id}/open", permission=Right.OPEN)
    def ask(request: Request, case_id: str, then: str = "") -> Response:
        return _ask(request, case_id, Form[OpeningForm]({"then": then}))

    @routes.post("/cases/{case_id}/open", permission=Right.OPEN)
    def opened(request: Request, case_id: str) -> Response:
        form = read_form(request, OpeningForm)
        sent = form.value
        if sent is not None:
            if sent.choice and sent.choice not in desk_of(request).known.policy.openings.reasons:
                form.add_error("choice", "Select a reason from the list")
            elif not sent.choice and len(sent.reason) < MIN_REASON:
                form.add_error("reason", "Enter why you open this household")
        if sent is None or form.value is None:
            return _ask(request, case_id, form, 422)
        reason = whole_reason(sent.choice, sent.reason)
        desk_of(request).openings.open(visitor_of(request), case_id, reason)
        return RedirectResponse(f"/cases/{case_id}{_page(sent.then)}", 303)

    @routes.post("/cases/{case_id}/close-household", permission=Right.OPEN)
    def closed(request: Request, case_id: str) -> Response:
        desk_of(request).openings.close(visitor_of(request), case_id)
        return RedirectResponse(f"/cases/{case_id}", 303)

    @routes.get("/cases/{case_id}/score", permission=Right.OPEN)
    def score(request: Request, case_id: str) -> Response:
        desk = desk_of(request)
        if first := first_look_before(request, case_id):
            return first
        shown = desk.openings.look(visitor_of(request), case_id, "score")
        explanation = desk.explanation(shown)
        return render(
            request,
            "casework/score.html",
            case=desk.cases.get(case_id),
            shown=shown,
            until=uk_time(shown.ends_at),
            explanation=explanation,
            withheld=withheld(explanation),
            value_text=value_text,
            objections=Objections(desk).listed(household=shown.household),
            breadcrumbs=[("Cases", "/"), ("Case", f"/cases/{case_id}"), ("Score", None)],
        )

    return routes


def ask_for_reasons(app: FastAPI) -> None:
    """Lets every page of a household that is not open ask for the reason."""

    def asked(request: Request, error: Exception) -> Response:
        assert isinstance(error, NotOpen)
        prefix = f"/cases/{error.case_id}"
        then = request.url.path.removeprefix(prefix)
        form = Form[OpeningForm]({"then": then})
        return _ask(request, error.case_id, form, error.status, was_open=error.was_open)

    app.add_exception_handler(NotOpen, asked)


def _ask(
    request: Request,
    case_id: str,
    form: Form[OpeningForm],
    status: int = 200,
    *,
    was_open: bool = False,
) -> Response:
    desk, visitor = desk_of(request), visitor_of(request)
    opening = desk.openings.opening(visitor, case_id)
    return render(
        request,
        "casework/open.html",
        status,
        case=desk.cases.get(case_id),
        form=form,
        then=_page(form.typed("then")),
        reasons=desk.known.policy.openings.reasons,
        minutes=desk.known.policy.openings.minutes,
        until=None if opening is None else uk_time(opening.ends_at),
        was_open=was_open,
        breadcrumbs=[("Cases", "/"), ("Case", f"/cases/{case_id}"), ("Open the household", None)],
    )


def _page(path: str) -> str:
    """A page of the case, after the address of the case; its score if that is none."""
    return path if _PAGE_OF_CASE.fullmatch(path) and path != "/open" else _SCORE
