"""The referrals of a case, and a new one: which service, what is handed over."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.opening.openings import Opened
from folkmoot_node.casework.pages.first_look import first_look_before
from folkmoot_node.casework.pages.people import People
from folkmoot_node.casework.referrals.consents import AGREED
from folkmoot_node.casework.referrals.content import LONGEST, chosen_items
from folkmoot_node.casework.referrals.kinds import FIELDS, URGENCIES, Urgency, agreed_name
from folkmoot_node.casework.referring.room import room_of
from folkmoot_web.forms import Form, FormModel, read_form
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of

DONE = {
    "consent": "Consent is recorded. You can refer now.",
    "withdrawn": "Consent is withdrawn. Referrals that rested on it are revoked.",
}
NO_CONSENT = "none"
TYPED = tuple(field for field in FIELDS if field != "uprn")
"""Fields that somebody types; records know the others."""
LONG = ("address", "needs", "background", "safe_contact")
"""Those of several lines."""
Value = Annotated[str, Field(max_length=LONGEST)]


class DraftForm(FormModel):
    """What the form sends; an empty field is not handed over."""

    messages: ClassVar[dict[str, str]] = {
        "consent": "Select the consent, or that there is none",
        "urgency": "Select what happens while the household waits",
    }

    consent: Annotated[str, Field(min_length=1, max_length=16)]
    name: Annotated[Value, Field(title="the name")] = ""
    address: Annotated[Value, Field(title="the address")] = ""
    telephone: Annotated[Value, Field(title="the telephone number")] = ""
    email: Annotated[Value, Field(title="the email address")] = ""
    language: Annotated[Value, Field(title="language and format")] = ""
    safe_contact: Annotated[Value, Field(title="how to get in touch safely")] = ""
    needs: Annotated[Value, Field(title="what help is needed")] = ""
    background: Annotated[Value, Field(title="what the service has to know")] = ""
    records: tuple[str, ...] = ()
    urgency: Urgency


def routes() -> Routes:
    """The pages."""
    routes = Routes()

    @routes.get("/cases/{case_id}/referrals", permission=Right.LISTS)
    def referrals(request: Request, case_id: str, done: str = "") -> Response:
        room = room_of(request)
        return render(
            request,
            "casework/case_referrals.html",
            case=room.desk.cases.get(case_id),
            referrals=room.referrals.listed(case_id=case_id),
            consents=room.consents.listed(case_id),
            services={one.service_id: one for one in room.services.listed(retired=True)},
            people=People.of(room.desk),
            notification=DONE.get(done),
            breadcrumbs=[("Cases", "/"), ("Case", f"/cases/{case_id}"), ("Referrals", None)],
        )

    @routes.get("/cases/{case_id}/referrals/new", permission=Right.REFER)
    def new(request: Request, case_id: str, service: str = "") -> Response:
        room = room_of(request)
        if not service:
            return render(
                request,
                "casework/referral_service.html",
                case=room.desk.cases.get(case_id),
                services=[one for one in room.services.listed() if one.takes_referrals],
                breadcrumbs=_crumbs(case_id),
            )
        if first := first_look_before(request, case_id):
            return first
        opened = room.desk.openings.look(visitor_of(request), case_id, "referral")
        consents = room.consents.listed(case_id, service)
        newest = consents[0].consent_id if consents else ""
        return _page(request, opened, service, Form[DraftForm]({"consent": newest}))

    @routes.post("/cases/{case_id}/referrals/new", permission=Right.REFER)
    def draft(request: Request, case_id: str, service: str) -> Response:
        room, visitor = room_of(request), visitor_of(request)
        if first := first_look_before(request, case_id):
            return first
        opened = room.desk.openings.look(visitor, case_id, "referral")
        form = read_form(request, DraftForm)
        if form.value is None:
            return _page(request, opened, service, form, 422)
        known = room.records(opened)
        typed = {field: getattr(form.value, field) for field in TYPED}
        chosen = [field for field in TYPED if typed[field]]
        chosen += [one.field for one in known if one.field in form.value.records]
        if not chosen:
            form.add_error("name", "Enter at least one thing that the service has to know")
        consents = {one.consent_id: one for one in room.consents.listed(case_id, service)}
        consent_id = None if form.value is None else form.value.consent
        if consent_id is not None and consent_id != NO_CONSENT:
            if consent_id not in consents:
                form.add_error("consent", "Select a consent that holds")
            else:
                agreed = consents[consent_id].fields
                for field in chosen:
                    covered = agreed_name(field)
                    if covered not in agreed:
                        where = field if field in TYPED else "records"
                        words = f"The consent does not cover {AGREED[covered]}: leave it out"
                        form.add_error(where, words)
        if form.errors:
            return _page(request, opened, service, form, 422)
        referral_id = room.referrals.draft(
            opened,
            visitor,
            service_id=service,
            items=chosen_items(known, chosen, typed),
            urgency=form.value.urgency,
            consent_id=None if consent_id == NO_CONSENT else consent_id,
        )
        return RedirectResponse(f"/cases/{case_id}/referrals/{referral_id}?done=drafted", 303)

    return routes


def _page(
    request: Request, opened: Opened, service_id: str, form: Form[DraftForm], status: int = 200
) -> Response:
    room = room_of(request)
    return render(
        request,
        "casework/referral_draft.html",
        status,
        case=room.desk.cases.get(opened.case_id),
        service=room.services.get(service_id),
        consents=room.consents.listed(opened.case_id, service_id),
        records=room.records(opened),
        fields=[(field, FIELDS[field], field in LONG) for field in TYPED],
        urgencies=list(URGENCIES.items()),
        form=form,
        breadcrumbs=_crumbs(opened.case_id),
    )


def _crumbs(case_id: str) -> list[tuple[str, str | None]]:
    return [
        ("Cases", "/"),
        ("Case", f"/cases/{case_id}"),
        ("Referrals", f"/cases/{case_id}/referrals"),
        ("New referral", None),
    ]
