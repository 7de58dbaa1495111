"""One referral: what it hands over, its legal ground, sending it, and what comes back."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.pages.people import People
from folkmoot_node.casework.referrals.content import document
from folkmoot_node.casework.referrals.kinds import (
    ENDED,
    GROUNDS,
    OUTSIDE,
    URGENCIES,
    Ground,
    ReferralState,
    Way,
)
from folkmoot_node.casework.referrals.links import Link, reports
from folkmoot_node.casework.referring.room import Room, room_of
from folkmoot_web.errors import problem_of_status
from folkmoot_web.forms import Form, FormModel, read_form
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of

DONE = {
    "drafted": "The referral is written, and not sent yet. Check what it hands over.",
    "sent": "The referral is sent.",
    "queued": "The service has no place this week. The referral waits for one.",
    "asked": "The legal ground waits for a second person who may override.",
    "stated": "The legal ground is recorded. The referral can be sent.",
    "approved": "The legal ground is approved. The referral can be sent.",
    "refused": "The legal ground is refused. The referral is a draft again.",
    "link": "There is a new link with a new PIN. The one before ended.",
    "reported": "The referral is changed.",
    "revoked": "The referral is revoked.",
}
PATH = "/cases/{case_id}/referrals/{referral_id}"


class SendForm(FormModel):
    """How a referral is sent."""

    messages: ClassVar[dict[str, str]] = {"way": "Select how it is handed over"}

    way: Way
    why_first: Annotated[str, Field(title="the reason", min_length=5, max_length=500)] = ""


class GroundForm(FormModel):
    """A legal ground."""

    messages: ClassVar[dict[str, str]] = {
        "ground": "Select the legal ground",
        "reason.missing": "Enter why the legal ground holds",
    }

    ground: Ground
    reason: Annotated[str, Field(title="the reason", min_length=10, max_length=1_000)]


class DecisionForm(FormModel):
    """What a second person decides."""

    decision: Literal["approve", "refuse"]


class ReportForm(FormModel):
    """What a service has said."""

    messages: ClassVar[dict[str, str]] = {"report": "Select what the service has said"}

    report: ReferralState
    report_note: Annotated[str, Field(title="the note", max_length=1_000)] = ""


class RevokeForm(FormModel):
    """Why a referral is taken back."""

    messages: ClassVar[dict[str, str]] = {
        "revoke_note.missing": "Enter why the referral is revoked",
    }

    revoke_note: Annotated[str, Field(title="the reason", min_length=5, max_length=500)]


def routes() -> Routes:
    """The pages."""
    routes = Routes()

    @routes.get(PATH, permission=Right.LISTS)
    def referral(request: Request, case_id: str, referral_id: str, done: str = "") -> Response:
        return _page(request, case_id, referral_id, Form[SendForm](), done=done)

    @routes.post(PATH + "/send", permission=Right.REFER)
    def send(request: Request, case_id: str, referral_id: str) -> Response:
        form = read_form(request, SendForm)
        if form.value is None:
            return _page(request, case_id, referral_id, form, 422)
        room = room_of(request)
        state = room.referrals.send(
            case_id,
            referral_id,
            visitor_of(request),
            form.value.way,
            why_first=form.value.why_first,
        )
        room.postbox.send_due(referral_id)
        done = "sent" if state == ReferralState.SENT else "queued"
        return _back(case_id, referral_id, done)

    @routes.post(PATH + "/ground", permission=Right.REFER)
    def ground(request: Request, case_id: str, referral_id: str) -> Response:
        form = read_form(request, GroundForm)
        if form.value is None:
            return _page(request, case_id, referral_id, form, 422)
        holds = room_of(request).overrides.ask(
            case_id, referral_id, visitor_of(request), form.value.ground, form.value.reason
        )
        return _back(case_id, referral_id, "stated" if holds else "asked")

    @routes.post(PATH + "/decide", permission=Right.OVERRIDE)
    def decide(request: Request, case_id: str, referral_id: str) -> Response:
        form = read_form(request, DecisionForm)
        if form.value is None:
            raise problem_of_status(422)
        approve = form.value.decision == "approve"
        room_of(request).overrides.decide(
            case_id, referral_id, visitor_of(request), approve=approve
        )
        return _back(case_id, referral_id, "approved" if approve else "refused")

    @routes.post(PATH + "/link", permission=Right.REFER)
    def link(request: Request, case_id: str, referral_id: str) -> Response:
        room = room_of(request)
        room.referrals.renew_link(case_id, referral_id, visitor_of(request))
        room.postbox.send_due(referral_id)
        return _back(case_id, referral_id, "link")

    @routes.post(PATH + "/file", permission=Right.REFER)
    def file(request: Request, case_id: str, referral_id: str) -> Response:
        room, visitor = room_of(request), visitor_of(request)
        opened = room.desk.openings.look(visitor, case_id, "referral")
        items = room.referrals.take_file(opened, referral_id, visitor)
        found = room.referrals.get(referral_id, case_id)
        override = room.overrides.latest(referral_id) if found.is_overridden else None
        content = document(
            opened,
            referral_id=referral_id,
            council=room.desk.config.name,
            service=room.services.get(found.service_id),
            items=items,
            urgency=found.urgency,
            ground=override.ground if override else None,
            sent_at=found.sent_at or 0,
        )
        name = f'attachment; filename="referral-{referral_id}.json"'
        return JSONResponse(content, headers={"Content-Disposition": name})

    @routes.post(PATH + "/report", permission=Right.REFER)
    def report(request: Request, case_id: str, referral_id: str) -> Response:
        form = read_form(request, ReportForm)
        if form.value is not None and _lacks_reason(form.value):
            form.add_error("report_note", "Enter why the service rejects the referral")
        if form.value is None:
            return _page(request, case_id, referral_id, form, 422)
        room_of(request).referrals.report(
            case_id,
            referral_id,
            visitor_of(request),
            form.value.report,
            form.value.report_note,
        )
        return _back(case_id, referral_id, "reported")

    @routes.post(PATH + "/revoke", permission=Right.REFER)
    def revoke(request: Request, case_id: str, referral_id: str) -> Response:
        form = read_form(request, RevokeForm)
        if form.value is None:
            return _page(request, case_id, referral_id, form, 422)
        room = room_of(request)
        room.referrals.revoke(case_id, referral_id, visitor_of(request), form.value.revoke_note)
        room.postbox.send_due(referral_id)
        return _back(case_id, referral_id, "revoked")

    return routes


def _link(room: Room, referral_id: str, *, is_open: bool) -> Link | None:
    """The newest link; address and PIN only where the household is open: they lead to it."""
    found = room.links.latest(referral_id)
    return found if found is None or is_open else replace(found, path="", pin="")


def _lacks_reason(given: ReportForm) -> bool:
    return given.report == ReferralState.REJECTED and not given.report_note


def _back(case_id: str, referral_id: str, done: str) -> Response:
    return RedirectResponse(f"/cases/{case_id}/referrals/{referral_id}?done={done}", 303)


def _page(
    request: Request,
    case_id: str,
    referral_id: str,
    form: Form[SendForm] | Form[GroundForm] | Form[ReportForm] | Form[RevokeForm],
    status: int = 200,
    *,
    done: str = "",
) -> Response:
    room, visitor = room_of(request), visitor_of(request)
    found = room.referrals.get(referral_id, case_id)
    content = None
    if visitor.may(Right.REFER) and room.desk.openings.is_open(visitor, case_id):
        opened = room.desk.openings.look(visitor, case_id, "referral")
        content = room.referrals.content(opened, referral_id)
    reads_notes = visitor.may(Right.REFER) or visitor.may(Right.OVERRIDE)
    consents = room.consents.listed(case_id)
    override = room.overrides.latest(referral_id)
    places, left = room.referrals.order(found.service_id)
    following = [ReferralState.RECEIVED] if found.state == ReferralState.SENT else []
    return render(
        request,
        "casework/referral.html",
        status,
        referral=found,
        case=room.desk.cases.get(case_id),
        people=People.of(room.desk),
        service=room.services.get(found.service_id),
        content=content,
        reads_notes=reads_notes,
        consent=next((one for one in consents if one.consent_id == found.consent_id), None),
        override=override,
        may_decide=override is not None
        and found.state == ReferralState.APPROVAL
        and visitor.may(Right.OVERRIDE)
        and visitor.name not in (found.drafted_by, override.asked_by),
        grounds=list(GROUNDS.items()),
        ground_words=GROUNDS,
        urgency=URGENCIES[found.urgency],
        place=next((one for one in places if one.waiting.referral_id == referral_id), None),
        waiting=len(places),
        left=left,
        link=_link(room, referral_id, is_open=content is not None),
        origin=room.origin,
        mails=room.postbox.of_referral(referral_id),
        mail_is_on=room.postbox.is_on,
        history=room.referrals.history(referral_id),
        reports=[*following, *reports(found.state)],
        is_outside=found.state in OUTSIDE,
        is_ended=found.state in ENDED,
        form=form,
        now=room.desk.clock(),
        notification=DONE.get(done),
        breadcrumbs=[
            ("Cases", "/"),
            ("Case", f"/cases/{case_id}"),
            ("Referrals", f"/cases/{case_id}/referrals"),
            (f"Referral {referral_id}", None),
        ],
    )
