"""Who has a case and where it stands: its page, its buttons, and two people at once."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Annotated, Any, ClassVar

from pydantic import Field
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from folkmoot_node.casework.cases.cases import Case, CaseState, Conflict, locked_case
from folkmoot_node.casework.cases.handling import NEEDED, Handling, Step, why_not
from folkmoot_node.casework.cases.record import CaseRecord
from folkmoot_node.casework.cases.words import CASE_OUTCOMES, CaseOutcome
from folkmoot_node.casework.cohorts.listing import cohort_of_case
from folkmoot_node.casework.desk import Desk, desk_of
from folkmoot_node.casework.pages.case_changes import told
from folkmoot_node.casework.pages.dates import read_date
from folkmoot_node.casework.pages.people import People, team_items
from folkmoot_node.casework.pages.template_helpers import date_text
from folkmoot_node.casework.referrals.transitions import unsent
from folkmoot_node.casework.referring.closing import close_case
from folkmoot_node.casework.rights.objections import Objections
from folkmoot_node.casework.uk_time import uk_day
from folkmoot_web.forms import Form, FormModel, read_form
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import Visitor, visitor_of

_YEARS = datetime.timedelta(days=2 * 366)
"""How far ahead a review can be."""


class StepForm(FormModel):
    """What every button of a case sends."""

    version: Annotated[int, Field(ge=1, lt=2**31)]


class AssignForm(StepForm):
    """Who gets a case; what is as it was when the page was made is not changed."""

    worker: str = ""
    team: str = ""
    worker_was: str = ""
    team_was: str = ""


class ReviewForm(StepForm):
    """When a case is looked at again."""

    review_day: str = ""
    review_month: str = ""
    review_year: str = ""


class CloseForm(StepForm):
    """With what a case ends."""

    messages: ClassVar[dict[str, str]] = {"outcome": "Select how the case ended"}

    outcome: CaseOutcome


DONE: dict[str, tuple[str, Callable[[Case, Visitor], bool]]] = {
    "claim": (
        "You have the case now. If you took it by mistake, release it.",
        lambda case, visitor: case.worker == visitor.name,
    ),
    "release": ("The case is released.", lambda case, _: case.worker is None),
    "assign": ("The case is given out.", lambda case, _: bool(case.worker or case.team)),
    "review": ("The review date is set.", lambda case, _: case.review_on is not None),
    "noreview": ("The case has no review date now.", lambda case, _: case.review_on is None),
    "close": (
        "The case is closed. If that was a mistake, reopen it.",
        lambda case, _: case.state is CaseState.CLOSED,
    ),
    "reopen": ("The case is open again.", lambda case, _: case.state is CaseState.OPEN),
    "connect": (
        "The case is about the other UPRN now. State again why you open the household.",
        lambda *_: True,
    ),
    "recorded": (
        "What you entered is recorded. To see it, open the household again.",
        lambda case, _: case.state is CaseState.OPEN,
    ),
}
"""What an address says was done, as long as it is still true."""


def routes() -> Routes:
    """The buttons of a case."""
    routes = Routes()

    @routes.post("/cases/{case_id}/claim", permission=NEEDED[Step.CLAIM])
    def claim(request: Request, case_id: str) -> Response:
        form, desk, visitor = read_form(request, StepForm), desk_of(request), visitor_of(request)
        return _step(
            request,
            case_id,
            Step.CLAIM,
            form,
            lambda session, version: Handling(desk.state).claim(session, case_id, version, visitor),
        )

    @routes.post("/cases/{case_id}/release", permission=NEEDED[Step.RELEASE])
    def release(request: Request, case_id: str) -> Response:
        form, desk, visitor = read_form(request, StepForm), desk_of(request), visitor_of(request)
        return _step(
            request,
            case_id,
            Step.RELEASE,
            form,
            lambda session, version: Handling(desk.state).release(
                session, case_id, version, visitor
            ),
        )

    @routes.post("/cases/{case_id}/reopen", permission=NEEDED[Step.REOPEN])
    def reopen(request: Request, case_id: str) -> Response:
        form, desk, visitor = read_form(request, StepForm), desk_of(request), visitor_of(request)
        return _step(
            request,
            case_id,
            Step.REOPEN,
            form,
            lambda session, version: Handling(desk.state).reopen(
                session, case_id, version, visitor
            ),
        )

    @routes.post("/cases/{case_id}/assign", permission=NEEDED[Step.ASSIGN])
    def assign(request: Request, case_id: str) -> Response:
        form, desk, visitor = read_form(request, AssignForm), desk_of(request), visitor_of(request)
        people, team = People.of(desk), form.typed("team")
        worker = people.numbered(form.typed("worker"))
        if form.typed("worker") and worker not in people.workers:
            form.add_error("worker", "Select somebody who works on cases")
        if team and team not in desk.known.policy.teams:
            form.add_error("team", "Select a team of the casework policy")
        has_worker = form.typed("worker") != form.typed("worker_was")
        has_team = team != form.typed("team_was")
        if not has_worker and not has_team:
            form.add_error("worker", "Select another worker or another team")

        def act(session: Session, version: int) -> Case:
            now = locked_case(session, case_id)
            to = (worker.name if worker else None) if has_worker else now.worker
            by_team = (team or None) if has_team else now.team
            return Handling(desk.state).assign(
                session, case_id, version, visitor, worker=to, team=by_team
            )

        wanted = [("Worker", worker.display_name if worker else "nobody")] * has_worker
        wanted += [("Team", team or "none")] * has_team
        return _step(request, case_id, Step.ASSIGN, form, act, wanted)

    @routes.post("/cases/{case_id}/review", permission=NEEDED[Step.REVIEW])
    def review(request: Request, case_id: str) -> Response:
        form, desk, visitor = read_form(request, ReviewForm), desk_of(request), visitor_of(request)
        today = uk_day(desk.clock())
        on = read_date(
            form,
            "review",
            "the review date",
            earliest=today,
            latest=today + _YEARS,
            is_required=False,
        )
        return _step(
            request,
            case_id,
            Step.REVIEW,
            form,
            lambda session, version: Handling(desk.state).review(
                session, case_id, version, visitor, on
            ),
            [("Review on", date_text(on.isoformat()) if on else "no day")],
            done="review" if on else "noreview",
        )

    @routes.post("/cases/{case_id}/close", permission=NEEDED[Step.CLOSE])
    def close(request: Request, case_id: str) -> Response:
        form, desk, visitor = read_form(request, CloseForm), desk_of(request), visitor_of(request)

        def act(session: Session, version: int) -> Case:
            assert form.value is not None
            outcome = form.value.outcome
            return close_case(desk.state, session, case_id, version, visitor, outcome)

        return _step(
            request,
            case_id,
            Step.CLOSE,
            form,
            act,
            [("Outcome", form.value.outcome)] if form.value else [],
        )

    return routes


def _step(
    request: Request,
    case_id: str,
    step: Step,
    form: Form[Any],
    act: Callable[[Session, int], Case],
    typed: list[tuple[str, str]] | None = None,
    *,
    done: str = "",
) -> Response:
    desk = desk_of(request)
    if form.value is None:
        return case_page(request, case_id, 422, form=form, **{f"{step}_form": form})
    try:
        with desk.state.database.writing() as session:
            act(session, form.value.version)
    except Conflict as conflict:
        return _conflict(request, step, form, conflict, typed or [])
    return RedirectResponse(f"/cases/{case_id}?done={done or step}", 303)


def _conflict(
    request: Request, step: Step, form: Form[Any], conflict: Conflict, typed: list[tuple[str, str]]
) -> Response:
    """Who changed what meanwhile, with what was typed, which can be applied to the newer state."""
    case = conflict.case
    assert form.value is not None
    people = People.of(desk_of(request))
    kept = [
        (name, form.typed(name))
        for name in type(form.value).model_fields
        if name != "version" and form.typed(name)
    ]
    return render(
        request,
        "casework/conflict.html",
        409,
        case=case,
        step=step,
        typed=typed,
        kept=kept,
        changes=[told(one, people) for one in conflict.changes],
        reason=why_not(step, case, visitor_of(request)),
        breadcrumbs=crumbs(case, "Changed meanwhile"),
    )


def case_page(request: Request, case_id: str, status: int = 200, **values: Any) -> Response:
    """The page of a case, for who may see lists.

    Args:
        request: That asked for it.
        case_id: The case.
        status: HTTP status.
        values: Forms as they were sent, `NAME_form`, and the one that the page summarises, `form`.
    """
    desk, visitor = desk_of(request), visitor_of(request)
    case = desk.cases.get(case_id)
    with desk.state.database.reading() as session:
        not_sent = len(unsent(session, case_id))
    people = People.of(desk)
    asked = request.query_params.get("done", "")
    text, is_true = DONE.get(asked, ("", lambda *_: False))
    review = Form[ReviewForm](_review_parts(case))
    worker = people.accounts.get(case.worker or "")
    has = {"worker": str(worker.id) if worker else "", "team": case.team or ""}
    forms: dict[str, Any] = {
        "assign_form": Form[AssignForm](
            {**has, "worker_was": has["worker"], "team_was": has["team"]}
        ),
        "review_form": review,
        "close_form": Form[CloseForm](),
    }
    return render(
        request,
        "casework/case.html",
        status,
        **{
            **forms,
            "case": case,
            "can": {str(step) for step in Step if not why_not(step, case, visitor)},
            "people": people,
            "cohort": cohort_of_case(desk.cohorts, case_id, visitor),
            "objections": Objections(desk).listed(household=case.household),
            "not_sent": not_sent,
            "counts": CaseRecord(desk.state).counts(case_id),
            "history": [told(one, people) for one in desk.cases.history(case_id)],
            "workers": people.worker_items("Nobody"),
            "teams": _teams(desk, case),
            "outcomes": [{"value": str(one), "text": text} for one, text in CASE_OUTCOMES.items()],
            "is_open": desk.openings.is_open(visitor, case_id),
            "today": uk_day(desk.clock()).isoformat(),
            "notification": text if text and is_true(case, visitor) else None,
            "breadcrumbs": crumbs(case),
            **values,
        },
    )


def crumbs(case: Case, here: str = "") -> list[tuple[str, str | None]]:
    """The way to a page of a case."""
    whole: list[tuple[str, str | None]] = [("Cases", "/"), ("Case", f"/cases/{case.case_id}")]
    return [*whole, (here, None)] if here else [whole[0], ("Case", None)]


def _teams(desk: Desk, case: Case) -> list[dict[str, str]]:
    items = team_items(desk, "None")
    if case.team and case.team not in desk.known.policy.teams:
        gone = f"{case.team} (no longer in the policy)"
        items.append({"value": case.team, "text": gone})
    return items


def _review_parts(case: Case) -> dict[str, str | list[str]]:
    if case.review_on is None:
        return {}
    year, month, day = (str(int(part)) for part in case.review_on.split("-"))
    return {"review_day": day, "review_month": month, "review_year": year}
