"""The record of a case: contacts and notes, needs, plan and actions.

What is recorded is shown in an opened household only. Adding shows nothing: whoever has opened the
household once for the case can send what they typed, even if the time is over meanwhile.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field
from sqlalchemy import exists, select
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.cases.cases import Conflict
from folkmoot_node.casework.cases.record import KINDS, CaseRecord
from folkmoot_node.casework.cases.words import Channel, ContactOutcome
from folkmoot_node.casework.desk import Desk, desk_of
from folkmoot_node.casework.opening.models import OpeningRow
from folkmoot_node.casework.pages.case_changes import told
from folkmoot_node.casework.pages.case_steps import crumbs
from folkmoot_node.casework.pages.dates import date_parts, read_date, read_moment
from folkmoot_node.casework.pages.people import People
from folkmoot_node.casework.uk_time import uk_day, uk_moment, uk_time
from folkmoot_web.errors import WebProblem, problem_of_status
from folkmoot_web.forms import Form, FormModel, read_form
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of

LONGEST = 4_000
"""Of a text, in characters."""
_YEARS = datetime.timedelta(days=2 * 366)
"""How far back a contact and how far ahead an action can be."""


class ContactForm(FormModel):
    """A contact event."""

    messages: ClassVar[dict[str, str]] = {
        "channel": "Select how you tried to reach them",
        "outcome": "Select what came of it",
        "time.missing": "Enter the time, such as 14:30",
    }

    channel: Channel
    outcome: ContactOutcome
    on_day: str = ""
    on_month: str = ""
    on_year: str = ""
    time: str
    contact_text: Annotated[str, Field(title="what was said", max_length=LONGEST)] = ""


class NoteForm(FormModel):
    """A note."""

    note_text: Annotated[str, Field(title="the note", max_length=LONGEST)]


class AssessmentForm(FormModel):
    """Whether there is a need, and which."""

    messages: ClassVar[dict[str, str]] = {"found": "Select whether you found a need"}

    found: Literal["yes", "no"]
    needs: tuple[str, ...] = ()
    text: Annotated[str, Field(title="what you found", max_length=LONGEST)] = ""


class PlanForm(FormModel):
    """A plan."""

    version: Annotated[int, Field(ge=1, lt=2**31)]
    plan_text: Annotated[str, Field(title="the plan", max_length=LONGEST)]


class ActionForm(FormModel):
    """An action of the plan."""

    action_text: Annotated[str, Field(title="what is to be done", max_length=500)]
    due_day: str = ""
    due_month: str = ""
    due_year: str = ""


_DONE = {
    "contact": "The contact is recorded.",
    "note": "The note is recorded.",
    "needs": "The assessment is recorded.",
    "plan": "The plan is recorded.",
    "action": "The action is added to the plan.",
    "done": "The action is marked as done.",
    "not-done": "The action is marked as not done.",
    "removed": "The entry is taken out.",
}


def routes() -> Routes:
    """The pages."""
    routes = Routes()

    @routes.get("/cases/{case_id}/record", permission=Right.OPEN)
    def record(request: Request, case_id: str) -> Response:
        return _record(request, case_id)

    @routes.post("/cases/{case_id}/contacts", permission=Right.WORK)
    def contact(request: Request, case_id: str) -> Response:
        desk, visitor, form = _begin(request, case_id, ContactForm)
        today = uk_day(desk.clock())
        on = read_date(form, "on", "the date", earliest=today - _YEARS, latest=today)
        at = read_moment(form, on or today, "time", "The time") if form.typed("time") else None
        if at is not None and on is not None and at > desk.clock() + 60:
            form.add_error("time", "The time must not be in the future")
        if form.value is None or at is None:
            return _record(request, case_id, 422, form=form, contact_form=form)
        with desk.state.database.writing() as session:
            CaseRecord(desk.state).add_contact(
                session,
                case_id,
                visitor,
                happened_at=at,
                channel=form.value.channel,
                outcome=form.value.outcome,
                text=form.value.contact_text,
            )
        return _back(request, case_id, "record", "contact")

    @routes.post("/cases/{case_id}/notes", permission=Right.WORK)
    def note(request: Request, case_id: str) -> Response:
        desk, visitor, form = _begin(request, case_id, NoteForm)
        if form.value is None:
            return _record(request, case_id, 422, form=form, note_form=form)
        with desk.state.database.writing() as session:
            CaseRecord(desk.state).add_note(session, case_id, visitor, form.value.note_text)
        return _back(request, case_id, "record", "note")

    @routes.get("/cases/{case_id}/needs", permission=Right.OPEN)
    def needs(request: Request, case_id: str) -> Response:
        return _needs(request, case_id, Form[AssessmentForm]())

    @routes.post("/cases/{case_id}/needs", permission=Right.WORK)
    def assessed(request: Request, case_id: str) -> Response:
        desk, visitor, form = _begin(request, case_id, AssessmentForm)
        chosen = form.chosen("needs")
        if form.typed("found") == "yes" and not chosen:
            form.add_error("needs", "Select at least one need")
        elif form.typed("found") == "no" and chosen:
            form.add_error("needs", "Select needs only if you found one")
        elif any(one not in desk.known.policy.needs for one in chosen):
            form.add_error("needs", "Select needs from the list")
        if form.value is None:
            return _needs(request, case_id, form, 422)
        with desk.state.database.writing() as session:
            CaseRecord(desk.state).assess(session, case_id, visitor, chosen, form.value.text)
        return _back(request, case_id, "needs", "needs")

    @routes.get("/cases/{case_id}/plan", permission=Right.OPEN)
    def plan(request: Request, case_id: str) -> Response:
        return _plan(request, case_id)

    @routes.post("/cases/{case_id}/plan", permission=Right.WORK)
    def planned(request: Request, case_id: str) -> Response:
        desk, visitor, form = _begin(request, case_id, PlanForm)
        if form.value is None:
            return _plan(request, case_id, 422, form=form, plan_form=form)
        try:
            with desk.state.database.writing() as session:
                CaseRecord(desk.state).write_plan(
                    session, case_id, form.value.version, visitor, form.value.plan_text
                )
        except Conflict as conflict:
            changes = [told(one, People.of(desk)) for one in conflict.changes]
            return _plan(request, case_id, 409, plan_form=form, meanwhile=changes)
        return _back(request, case_id, "plan", "plan")

    @routes.post("/cases/{case_id}/actions", permission=Right.WORK)
    def action(request: Request, case_id: str) -> Response:
        desk, visitor, form = _begin(request, case_id, ActionForm)
        today = uk_day(desk.clock())
        due = read_date(form, "due", "the day it is due", earliest=today, latest=today + _YEARS)
        if form.value is None or due is None:
            return _plan(request, case_id, 422, form=form, action_form=form)
        with desk.state.database.writing() as session:
            CaseRecord(desk.state).add_action(
                session, case_id, visitor, form.value.action_text, due
            )
        return _back(request, case_id, "plan", "action")

    @routes.post("/cases/{case_id}/actions/{entry_id}/{mark}", permission=Right.WORK)
    def mark(request: Request, case_id: str, entry_id: str, mark: str) -> Response:
        desk, visitor = _may_add(request, case_id)
        if mark not in ("done", "not-done"):
            raise problem_of_status(404)
        with desk.state.database.writing() as session:
            CaseRecord(desk.state).mark(session, case_id, entry_id, visitor, is_done=mark == "done")
        return _back(request, case_id, "plan", mark)

    @routes.post("/cases/{case_id}/entries/{kind}/{entry_id}/remove", permission=Right.WORK)
    def remove(request: Request, case_id: str, kind: str, entry_id: str) -> Response:
        desk, visitor = _may_add(request, case_id)
        with desk.state.database.writing() as session:
            CaseRecord(desk.state).remove(session, kind, case_id, entry_id, visitor)
        page = {"assessment": "needs", "plan": "plan", "action": "plan"}.get(kind, "record")
        return _back(request, case_id, page, "removed")

    assert set(KINDS) == {"contact", "note", "assessment", "plan", "action"}
    return routes


def _begin(request: Request, case_id: str, model: type[Any]) -> tuple[Desk, Any, Form[Any]]:
    desk, visitor = _may_add(request, case_id)
    return desk, visitor, read_form(request, model)


def _may_add(request: Request, case_id: str) -> tuple[Desk, Any]:
    """Raises WebProblem, status 403, unless they have opened the household for the case once."""
    desk, visitor = desk_of(request), visitor_of(request)
    desk.cases.get(case_id)
    with desk.state.database.reading() as session:
        has_opened = session.scalar(
            select(
                exists().where(OpeningRow.case_id == case_id, OpeningRow.account == visitor.name)
            )
        )
    if not has_opened:
        raise WebProblem(
            403,
            "You have never opened this household",
            "Who records something about a household has opened it for the case before.",
            "Open the household for the case, and state why.",
        )
    return desk, visitor


def _back(request: Request, case_id: str, page: str, done: str) -> Response:
    """To the page on which an entry now is; to the case, if the household is open no longer."""
    if desk_of(request).openings.is_open(visitor_of(request), case_id):
        return RedirectResponse(f"/cases/{case_id}/{page}?done={done}", 303)
    return RedirectResponse(f"/cases/{case_id}?done=recorded", 303)


def _record(request: Request, case_id: str, status: int = 200, **values: Any) -> Response:
    now = uk_moment(desk_of(request).clock())
    begun: dict[str, str | list[str]] = {**date_parts("on", now.date()), "time": f"{now:%H:%M}"}
    forms = {"contact_form": Form[ContactForm](begun), "note_form": Form[NoteForm]()}
    choices = {
        "channels": [{"value": "", "text": "Select"}, *_items(Channel)],
        "outcomes": [{"value": "", "text": "Select"}, *_items(ContactOutcome)],
    }
    return _section(
        request, case_id, "record", "Contacts and notes", status, **{**forms, **choices, **values}
    )


def _needs(
    request: Request, case_id: str, form: Form[AssessmentForm], status: int = 200
) -> Response:
    listed = desk_of(request).known.policy.needs
    return _section(request, case_id, "needs", "Needs", status, form=form, needs=list(listed))


def _plan(request: Request, case_id: str, status: int = 200, **values: Any) -> Response:
    today = uk_day(desk_of(request).clock())
    forms = {"action_form": Form[ActionForm](), "today": today.isoformat()}
    return _section(request, case_id, "plan", "Plan and actions", status, **{**forms, **values})


def _section(
    request: Request, case_id: str, page: str, title: str, status: int, **values: Any
) -> Response:
    desk, visitor = desk_of(request), visitor_of(request)
    shown, until = None, ""
    # What was typed comes back even if the household is open no longer; what is recorded does not.
    if status == 200 or desk.openings.is_open(visitor, case_id):
        opened = desk.openings.look(visitor, case_id, page)
        shown, until = CaseRecord(desk.state).of(opened), uk_time(opened.ends_at)
    case = desk.cases.get(case_id)
    if page == "plan" and "plan_form" not in values:
        text = shown.plan.text if shown and shown.plan else ""
        values["plan_form"] = Form[PlanForm]({"plan_text": text})
    return render(
        request,
        f"casework/case_{page}.html",
        status,
        **{
            "case": case,
            "shown": shown,
            "until": until,
            "people": People.of(desk),
            "may_work": visitor.may(Right.WORK) and case.closed_at is None,
            "may_remove_all": visitor.may(Right.ASSIGN),
            "notification": _DONE.get(request.query_params.get("done", "")),
            "breadcrumbs": crumbs(case, title),
            **values,
        },
    )


def _items(choices: type[Channel] | type[ContactOutcome]) -> list[dict[str, str]]:
    return [{"value": str(one), "text": str(one).capitalize()} for one in choices]
