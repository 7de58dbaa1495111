"""Consent: recorded for a service, and withdrawn."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.pages.dates import date_parts, read_date
from folkmoot_node.casework.referrals.consents import AGREED
from folkmoot_node.casework.referrals.kinds import ConsentBy, ConsentHow
from folkmoot_node.casework.referring.room import room_of
from folkmoot_node.casework.uk_time import uk_day
from folkmoot_web.errors import problem_of_status
from folkmoot_web.forms import Form, FormModel, read_form
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of


class ConsentForm(FormModel):
    """What the form sends."""

    messages: ClassVar[dict[str, str]] = {
        "service": "Select the service to which they agreed to be referred",
        "how": "Select how consent was given",
        "given_by": "Select who gave consent",
        "fields": "Select what may be handed over",
    }

    service: Annotated[str, Field(min_length=1, max_length=16)]
    how: ConsentHow
    given_by: ConsentBy
    fields: Annotated[tuple[str, ...], Field(min_length=1)]
    given_on_day: str = ""
    given_on_month: str = ""
    given_on_year: str = ""
    note: Annotated[str, Field(title="the note", max_length=1_000)] = ""


def routes() -> Routes:
    """The pages."""
    routes = Routes()

    @routes.get("/cases/{case_id}/consents/new", permission=Right.REFER)
    def new(request: Request, case_id: str, service: str = "") -> Response:
        begun = date_parts("given_on", uk_day(room_of(request).desk.clock()))
        return _page(request, case_id, Form[ConsentForm]({"service": service, **begun}))

    @routes.post("/cases/{case_id}/consents/new", permission=Right.REFER)
    def record(request: Request, case_id: str) -> Response:
        form = read_form(request, ConsentForm)
        room = room_of(request)
        today = uk_day(room.desk.clock())
        given_on = read_date(form, "given_on", "the day of consent", latest=today)
        offered = {one.service_id for one in room.services.listed()}
        if form.value is not None and form.value.service not in offered:
            form.add_error("service", "Select a service from the list")
        if form.value is not None and not set(form.value.fields) <= set(AGREED):
            form.add_error("fields", "Select what may be handed over from the list")
        if form.value is None or given_on is None:
            return _page(request, case_id, form, 422)
        room.consents.record(
            case_id,
            form.value.service,
            visitor_of(request),
            how=form.value.how,
            given_by=form.value.given_by,
            fields=form.value.fields,
            given_on=given_on,
            note=form.value.note,
        )
        return RedirectResponse(f"/cases/{case_id}/referrals?done=consent", 303)

    @routes.get("/cases/{case_id}/consents/{consent_id}/withdraw", permission=Right.REFER)
    def ask(request: Request, case_id: str, consent_id: str) -> Response:
        room = room_of(request)
        found = [one for one in room.consents.listed(case_id) if one.consent_id == consent_id]
        if not found:
            raise problem_of_status(404)
        resting = [
            one for one in room.referrals.listed(case_id=case_id) if one.consent_id == consent_id
        ]
        return render(
            request,
            "casework/withdraw.html",
            case=room.desk.cases.get(case_id),
            consent=found[0],
            service=room.services.get(found[0].service_id),
            resting=resting,
            breadcrumbs=_crumbs(case_id, "Withdraw consent"),
        )

    @routes.post("/cases/{case_id}/consents/{consent_id}/withdraw", permission=Right.REFER)
    def withdraw(request: Request, case_id: str, consent_id: str) -> Response:
        room = room_of(request)
        for referral_id in room.consents.withdraw(case_id, consent_id, visitor_of(request)):
            room.postbox.send_due(referral_id)
        return RedirectResponse(f"/cases/{case_id}/referrals?done=withdrawn", 303)

    return routes


def _page(request: Request, case_id: str, form: Form[ConsentForm], status: int = 200) -> Response:
    room = room_of(request)
    return render(
        request,
        "casework/consent.html",
        status,
        case=room.desk.cases.get(case_id),
        services=[one for one in room.services.listed() if one.takes_referrals],
        agreed=AGREED,
        hows=[(one, one.capitalize()) for one in ConsentHow],
        givers=[(one, one[0].upper() + one[1:]) for one in ConsentBy],
        form=form,
        breadcrumbs=_crumbs(case_id, "Record consent"),
    )


def _crumbs(case_id: str, last: str) -> list[tuple[str, str | None]]:
    return [
        ("Cases", "/"),
        ("Case", f"/cases/{case_id}"),
        ("Referrals", f"/cases/{case_id}/referrals"),
        (last, None),
    ]
