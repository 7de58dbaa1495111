"""Drafts: who is waited for and why, what was decided, and the buttons to decide with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from folkmoot.workload import Marginal
from folkmoot_coordinator.clock import HOUR
from folkmoot_coordinator.drafts.composing import QuestionForecast, forecast
from folkmoot_coordinator.drafts.decisions import (
    Action,
    Decision,
    approve,
    decisions_of,
    refuse,
    submit_draft,
    withdraw_draft,
)
from folkmoot_coordinator.drafts.drafts import Draft, DraftState, question_of, waiting_for
from folkmoot_coordinator.drafts.people import AccountKind, Person, check_second, needs_second
from folkmoot_coordinator.membership.known_councils import known_councils
from folkmoot_coordinator.rounds.objective import Objective
from folkmoot_coordinator.rounds.question import Question
from folkmoot_coordinator.rounds.round_making import PlannedRound, make_round
from folkmoot_coordinator.rounds.round_store import find_round
from folkmoot_coordinator.viewer.expected import Expected, expected
from folkmoot_coordinator.viewer.filters import round_choices
from folkmoot_coordinator.viewer.pages.ask import examples, title_of
from folkmoot_coordinator.viewer.permissions import Right
from folkmoot_coordinator.viewer.region import Region, region_of
from folkmoot_coordinator.viewer.seen_drafts import actor, is_own, note, seen_draft, seen_drafts
from folkmoot_coordinator.viewer.waiting_rounds import coming_up, open_rounds
from folkmoot_coordinator.viewer.words import capital, code_label, phrase, plural, table_title
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_web.forms import Form, FormModel, read_form
from folkmoot_web.paging import Pages
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import Visitor, visitor_of

_ON_A_PAGE = 20
STATES = {
    DraftState.DRAFT: ("Draft", "grey"),
    DraftState.WAITING: ("Waits for a second person", "yellow"),
    DraftState.APPROVED: ("Approved, to be opened", "blue"),
    DraftState.OPENED: ("Opened", "green"),
    DraftState.REFUSED: ("Refused", "red"),
    DraftState.WITHDRAWN: ("Withdrawn", "grey"),
}
"""Text and colour of a draft's tag."""
ACTIONS = {
    Action.SUBMITTED: "submitted it",
    Action.APPROVED: "approved it",
    Action.REFUSED: "refused it",
    Action.WITHDRAWN: "withdrew it",
    Action.OPENED: "opened the round",
}
OBJECTIVES = {
    Objective.SUM: "all figures together",
    Objective.MAXIMUM: "the least precise table",
}
"""What the privacy loss is shared out for."""
_DONE = {
    "saved": "The draft is saved. No council is asked yet.",
    "submitted": "The draft is submitted.",
    "approved": "You have approved the draft. The coordinator opens the round while it runs.",
    "refused": "You have refused the draft.",
    "withdrawn": "The draft is withdrawn.",
}
_DONE_STATES = {
    "saved": (DraftState.DRAFT,),
    "submitted": (DraftState.WAITING, DraftState.APPROVED),
    "approved": (DraftState.APPROVED,),
    "refused": (DraftState.REFUSED,),
    "withdrawn": (DraftState.WITHDRAWN,),
}
"""While a draft is in one of these, what an address says was done is still true."""


class ApproveForm(FormModel):
    """What the button to approve sends."""

    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class ReasonForm(FormModel):
    """Why a draft is refused."""

    messages: ClassVar[dict[str, str]] = {"reason.missing": "Enter a reason"}

    reason: Annotated[str, Field(title="the reason", max_length=500)]


class WithdrawForm(FormModel):
    """Why a draft is withdrawn."""

    why: Annotated[str, Field(title="the reason", max_length=500)] = ""


def routes() -> Routes:
    """The pages."""
    routes = Routes()

    @routes.get("/drafts", permission=Right.READ)
    def drafts(request: Request, page: int = 1) -> Response:
        region, visitor = region_of(request), visitor_of(request)
        found = seen_drafts(region, visitor)
        pages = Pages.of(len(found), page, _ON_A_PAGE)
        approvers = region.settings.rounds.approvers
        return render(
            request,
            "viewer/drafts.html",
            drafts=[
                (one, STATES[one.state], waiting_for(one, approvers))
                for one in found[pages.first : pages.last]
            ],
            pagination=pages.links(request),
            open_rounds=open_rounds(region, visitor),
            coming=coming_up(region, visitor),
            own=[one for one in found if _is_for(one, request)],
            breadcrumbs=[("Results", "/"), ("Questions", None)],
        )

    @routes.get("/drafts/{draft_id}", permission=Right.READ)
    def draft(request: Request, draft_id: str) -> Response:
        return _page(request, seen_draft(request, draft_id), Form())

    @routes.post("/drafts/{draft_id}/submit", permission=Right.ASK)
    def submit(request: Request, draft_id: str) -> Response:
        region, person = region_of(request), actor(request)
        second = needs_second(region.settings.rounds, person)

        def act(now: int) -> Draft:
            return submit_draft(region.drafts, draft_id, person, now, second_person=second)

        return _act(request, draft_id, Form(), "submit", "submitted", act)

    @routes.post("/drafts/{draft_id}/approve", permission=Right.APPROVE)
    def approved(request: Request, draft_id: str) -> Response:
        region = region_of(request)
        form = read_form(request, ApproveForm)

        def act(now: int) -> Draft:
            assert form.value is not None
            return approve(
                region.drafts,
                draft_id,
                actor(request),
                bytes.fromhex(form.value.digest),
                now,
                approvers=region.settings.rounds.approvers,
            )

        return _act(request, draft_id, form, "approve", "approved", act)

    @routes.post("/drafts/{draft_id}/refuse", permission=Right.APPROVE)
    def refused(request: Request, draft_id: str) -> Response:
        region = region_of(request)
        form = read_form(request, ReasonForm)

        def act(now: int) -> Draft:
            assert form.value is not None
            return refuse(region.drafts, draft_id, actor(request), form.value.reason, now)

        return _act(request, draft_id, form, "reason", "refused", act)

    @routes.post("/drafts/{draft_id}/withdraw", permission=Right.ASK)
    def withdrawn(request: Request, draft_id: str) -> Response:
        region = region_of(request)
        form = read_form(request, WithdrawForm)
        if not is_own(seen_draft(request, draft_id), actor(request)):
            form.add_error("why", "Only its author can withdraw a draft. An approver can refuse it")

        def act(now: int) -> Draft:
            assert form.value is not None
            return withdraw_draft(region.drafts, draft_id, actor(request), now, form.value.why)

        return _act(request, draft_id, form, "why", "withdrawn", act)

    return routes


def _act(
    request: Request,
    draft_id: str,
    form: Form[Any],
    field: str,
    done: str,
    act: Callable[[int], Draft],
) -> Response:
    """Does something to a draft, or says beside the field why that cannot be."""
    seen = seen_draft(request, draft_id)
    if form.errors:
        return _page(request, seen, form, status=422)
    try:
        draft = act(region_of(request).clock())
    except Problem as problem:
        if problem.exit_code not in (ExitCode.REFUSED, ExitCode.USAGE):
            raise
        is_word = problem.where == "reason" or problem.exit_code is ExitCode.USAGE
        text = problem.problem if is_word else f"This draft {problem.problem}"
        if problem.where == "draft":
            text = problem.problem
        form.add_error(field, f"{capital(text)}. {problem.remedy}")
        return _page(request, seen_draft(request, draft_id), form, status=409)
    reason = {"reason": draft.note} if draft.note else {}
    note(request, f"question {done}", draft, **reason)
    return RedirectResponse(f"/drafts/{draft.draft_id}?{done}=1", 303)


def _page(request: Request, draft: Draft, form: Form[Any], status: int = 200) -> Response:
    region, visitor = region_of(request), visitor_of(request)
    settings = region.settings.rounds
    decisions = decisions_of(region.drafts, draft.draft_id)
    question, asked, fault = _question(region, draft)
    like = request.query_params.get("like") or ""
    if question and "like" not in request.query_params:
        like = _example(region, visitor, question)
    found, at_fault = _expected(region, visitor, question, like) if question else (None, "")
    own = is_own(draft, actor(request))
    cannot_decide = _why_not(region, draft, actor(request)) if visitor.may(Right.APPROVE) else ""
    return render(
        request,
        "viewer/draft.html",
        status,
        draft=draft,
        state=STATES[draft.state],
        form=form,
        notification=None if form.errors else _done(request, draft, decisions),
        fault=fault,
        facts=_facts(region, asked) if asked else [],
        tables=[_table(asked, one) for one in asked.round_.workload.marginals] if asked else [],
        waits=waiting_for(draft, settings.approvers),
        is_mine=own,
        can_submit=own and draft.state is DraftState.DRAFT and visitor.may(Right.ASK),
        can_edit=own
        and draft.state in (DraftState.DRAFT, DraftState.WAITING, DraftState.REFUSED)
        and visitor.may(Right.ASK),
        can_withdraw=own
        and draft.state not in (DraftState.OPENED, DraftState.WITHDRAWN)
        and visitor.may(Right.ASK),
        can_decide=draft.state is DraftState.WAITING
        and visitor.may(Right.APPROVE)
        and not cannot_decide,
        cannot_decide=cannot_decide,
        second=needs_second(settings, draft.author),
        expected=found,
        expected_fault=at_fault,
        examples=round_choices(examples(region, visitor)),
        like=like,
        history=[_history(draft, one) for one in decisions],
        round_title=_round_title(region, draft),
        breadcrumbs=[("Results", "/"), ("Questions", "/drafts"), (draft.title or "Draft", None)],
    )


def _done(request: Request, draft: Draft, decisions: Sequence[Decision]) -> str | None:
    """What whoever asks has just done; None where it is no longer so, or somebody else did it."""
    name = next((name for name in _DONE if name in request.query_params), None)
    if name is None or draft.state not in _DONE_STATES[name]:
        return None
    if name == "saved":
        return _DONE[name] if is_own(draft, actor(request)) else None
    [*_, last] = decisions
    return _DONE[name] if last.person.is_same(actor(request)) else None


def _question(region: Region, draft: Draft) -> tuple[Question | None, PlannedRound | None, str]:
    """What a draft asks, and what is wrong with that: a sentence, or empty."""
    try:
        question = question_of(region.drafts, draft)
        return question, make_round(question, (), region.clock()), ""
    except Problem as problem:
        # For example because its deadline has passed, or somebody changed the database.
        return None, None, f"{capital(problem.problem)}. {problem.remedy}."


def _expected(
    region: Region, visitor: Visitor, question: Question, like: str
) -> tuple[Expected | None, str]:
    """What to expect, and why that cannot be said: a sentence, or empty."""
    if question.file.series is not None:
        return None, (
            "It is the first round of a series, whose rounds do not err like one alone. An "
            "operator sees what to expect with the command series plan."
        )
    known = {one.round_id for one in examples(region, visitor)}
    try:
        found: QuestionForecast = forecast(
            question,
            region.database,
            known_councils(region.home),
            region.clock(),
            like=like if like in known else None,
        )
    except Problem as problem:
        if problem.exit_code not in (ExitCode.REFUSED, ExitCode.SETTINGS):
            raise
        return None, f"{capital(problem.problem)}. {problem.remedy}."
    return expected(region, found, title_of(region, like) if like in known else ""), ""


def _example(region: Region, visitor: Visitor, question: Question) -> str:
    """The newest round of the same purpose, whose figures may be as large; empty if none."""
    purpose = question.file.purpose
    found = (one for one in examples(region, visitor) if one.question.purpose == purpose)
    return next((one.round_id for one in found), "")


def _facts(region: Region, asked: PlannedRound) -> list[tuple[str, str]]:
    """What the question says, besides its tables."""
    round_ = asked.round_
    hours = (round_.deadline - round_.opened_at) / HOUR
    days = f"{hours / 24:g} days" if hours >= 48 else plural(round(hours), "hour")
    return [
        ("Purpose", phrase(round_.purpose)),
        (
            "Councils",
            f"{', '.join(region.council(code) for code in round_.councils)}; at least "
            f"{round_.minimum_councils} must answer",
        ),
        ("Time to answer", f"{days} from when it opens"),
        (
            "Privacy loss",
            f"rho {round_.loss} of each council, which is epsilon {round_.epsilon_for():.2g} at "
            f"delta {round_.delta}",
        ),
        ("Precision for", OBJECTIVES[asked.planning.objective]),
        ("Policy", round_.policy_digest.hex()),
        *(
            [("Series", f"the first of {round_.series.length} rounds")]
            if round_.series is not None
            else []
        ),
    ]


def _table(asked: PlannedRound, marginal: Marginal) -> dict[str, Any]:
    codes = []
    for name in marginal.attributes:
        one = asked.round_.workload.attribute(name)
        if one.is_area:
            areas = sum(len(own) for own in one.by_council.values())
            codes.append(f"{capital(phrase(name))}: {plural(areas, 'area')}")
        else:
            known = asked.code_names.of(name)
            labels = [code_label(one, code, known.get(code)) for code in one.codes_of(None)]
            codes.append(f"{capital(phrase(name))}: {', '.join(labels)}")
    return {"title": table_title(marginal), "codes": codes}


def _history(draft: Draft, one: Decision) -> dict[str, Any]:
    return {
        "at": one.at,
        "who": str(one.person) if one.person.kind is not AccountKind.PROGRAM else "The coordinator",
        "what": ACTIONS[one.action],
        "reason": one.reason,
        "is_this": one.digest == draft.digest,
    }


def _round_title(region: Region, draft: Draft) -> str:
    if draft.round_id is None:
        return ""
    try:
        return find_round(region.database, draft.round_id).title
    except Problem:
        return ""


def _why_not(region: Region, draft: Draft, person: Person) -> str:
    """Why somebody with the role cannot approve a draft that waits; else empty."""
    if draft.state is not DraftState.WAITING:
        return ""
    try:
        check_second(person, draft.author, region.settings.rounds.approvers)
    except Problem as problem:
        return f"{capital(problem.problem)}. {problem.remedy}."
    return ""


def _is_for(draft: Draft, request: Request) -> bool:
    """Whether a draft waits for whoever asks."""
    region, visitor, person = region_of(request), visitor_of(request), actor(request)
    if draft.state is DraftState.WAITING:
        return visitor.may(Right.APPROVE) and not _why_not(region, draft, person)
    return draft.state is DraftState.DRAFT and is_own(draft, person) and visitor.may(Right.ASK)
