"""Restricted households, and people who may not see a household."""

from __future__ import annotations

import datetime
from typing import Annotated, ClassVar

from pydantic import Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.desk import desk_of
from folkmoot_node.casework.opening.reasons import Reason
from folkmoot_node.casework.opening.restrictions import RestrictionKind
from folkmoot_node.casework.pages.search import UPRN_MESSAGES, Uprn
from folkmoot_node.casework.uk_time import uk_day
from folkmoot_web.forms import Form, FormModel, read_form
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of

PATH = "/restrictions"
_DONE = {
    "restricted": "The household is restricted",
    "barred": "The person may not see the household any more",
    "lifted": "The restriction is lifted",
    "bar_lifted": "The person may see the household again",
}


class RestrictForm(FormModel):
    """Which household is restricted, why and until when."""

    messages: ClassVar[dict[str, str]] = {
        **UPRN_MESSAGES,
        "kind": "Select why the household is restricted",
        "ends_on": "Enter the last day as year, month and day: 2027-03-31",
        "reason.missing": "Enter why the household is restricted",
    }

    uprn: Uprn
    kind: RestrictionKind
    reason: Reason
    ends_on: Annotated[datetime.date, Field(title="the last day")]


class BarForm(FormModel):
    """Which person may not see which household, and why."""

    messages: ClassVar[dict[str, str]] = {
        **UPRN_MESSAGES,
        "account.missing": "Enter with what name the person signs in",
        "reason.missing": "Enter why the person may not see the household",
    }

    uprn: Uprn
    account: Annotated[str, Field(title="the name", max_length=254)]
    reason: Reason


class LiftForm(FormModel):
    """Why a restriction or a bar ends."""

    messages: ClassVar[dict[str, str]] = {"reason.missing": "Enter why it ends"}

    reason: Reason


def routes() -> Routes:
    """The pages."""
    routes = Routes()

    @routes.get(PATH, permission=Right.RESTRICT)
    def restrictions(request: Request, done: str = "") -> Response:
        desk = desk_of(request)
        restricted, bars = desk.restrictions.listed()
        return render(
            request,
            "casework/restrictions.html",
            restricted=restricted,
            bars=bars,
            hidden=desk.restrictions.hidden_from(visitor_of(request)),
            notification=_DONE.get(done),
            breadcrumbs=[("Cases", "/"), ("Restrictions", None)],
        )

    @routes.get(PATH + "/new", permission=Right.RESTRICT)
    def ask(request: Request) -> Response:
        return _restrict(request, Form[RestrictForm]())

    @routes.post(PATH + "/new", permission=Right.RESTRICT)
    def restrict(request: Request) -> Response:
        form = read_form(request, RestrictForm)
        desk = desk_of(request)
        if form.value is not None and form.value.ends_on < uk_day(desk.clock()):
            form.add_error("ends_on", "The last day must be today or later")
        sent = form.value
        if sent is None:
            return _restrict(request, form, 422)
        desk.restrictions.restrict(
            visitor_of(request), sent.uprn, sent.kind, sent.reason, sent.ends_on
        )
        return RedirectResponse(f"{PATH}?done=restricted", 303)

    @routes.get(PATH + "/people/new", permission=Right.RESTRICT)
    def ask_person(request: Request) -> Response:
        return _bar(request, Form[BarForm]())

    @routes.post(PATH + "/people/new", permission=Right.RESTRICT)
    def bar(request: Request) -> Response:
        form = read_form(request, BarForm)
        sent = form.value
        if sent is None:
            return _bar(request, form, 422)
        desk_of(request).restrictions.bar(visitor_of(request), sent.uprn, sent.account, sent.reason)
        return RedirectResponse(f"{PATH}?done=barred", 303)

    @routes.get(PATH + "/{restriction_id}/lift", permission=Right.RESTRICT)
    def ask_lift(request: Request, restriction_id: str) -> Response:
        return _lift(request, f"{PATH}/{restriction_id}/lift", Form[LiftForm]())

    @routes.post(PATH + "/{restriction_id}/lift", permission=Right.RESTRICT)
    def lift(request: Request, restriction_id: str) -> Response:
        form = read_form(request, LiftForm)
        if form.value is None:
            return _lift(request, f"{PATH}/{restriction_id}/lift", form, 422)
        desk_of(request).restrictions.lift(visitor_of(request), restriction_id, form.value.reason)
        return RedirectResponse(f"{PATH}?done=lifted", 303)

    @routes.get(PATH + "/people/{bar_id}/lift", permission=Right.RESTRICT)
    def ask_lift_bar(request: Request, bar_id: str) -> Response:
        return _lift(request, f"{PATH}/people/{bar_id}/lift", Form[LiftForm]())

    @routes.post(PATH + "/people/{bar_id}/lift", permission=Right.RESTRICT)
    def lift_bar(request: Request, bar_id: str) -> Response:
        form = read_form(request, LiftForm)
        if form.value is None:
            return _lift(request, f"{PATH}/people/{bar_id}/lift", form, 422)
        desk_of(request).restrictions.lift_bar(visitor_of(request), bar_id, form.value.reason)
        return RedirectResponse(f"{PATH}?done=bar_lifted", 303)

    return routes


def _restrict(request: Request, form: Form[RestrictForm], status: int = 200) -> Response:
    crumbs = [("Cases", "/"), ("Restrictions", PATH), ("Restrict a household", None)]
    return render(
        request,
        "casework/restrict.html",
        status,
        form=form,
        kinds=list(RestrictionKind),
        breadcrumbs=crumbs,
    )


def _bar(request: Request, form: Form[BarForm], status: int = 200) -> Response:
    crumbs = [("Cases", "/"), ("Restrictions", PATH), ("Bar a person", None)]
    return render(request, "casework/bar.html", status, form=form, breadcrumbs=crumbs)


def _lift(request: Request, address: str, form: Form[LiftForm], status: int = 200) -> Response:
    crumbs = [("Cases", "/"), ("Restrictions", PATH), ("End it", None)]
    return render(
        request, "casework/lift.html", status, form=form, address=address, breadcrumbs=crumbs
    )
