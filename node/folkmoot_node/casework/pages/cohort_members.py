"""The members of a run, page by page, and the decisions about them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.cohorts.assessments import assessments
from folkmoot_node.casework.cohorts.deciding import (
    MAX_IN_BULK,
    Decided,
    decide,
    decisions_about,
    look_at,
    note_list,
)
from folkmoot_node.casework.cohorts.forms import whole
from folkmoot_node.casework.cohorts.listing import beside
from folkmoot_node.casework.cohorts.models import MemberRow
from folkmoot_node.casework.cohorts.runs import (
    MAX_MEMBERS,
    Run,
    Standing,
    get_run,
    is_newest,
    members,
)
from folkmoot_node.casework.cohorts.seen import seen_run
from folkmoot_node.casework.cohorts.words import GONE
from folkmoot_node.casework.desk import Desk, desk_of
from folkmoot_node.casework.opening.restrictions import not_visible
from folkmoot_node.casework.pages.cohorts import scores_fault
from folkmoot_node.casework.pages.people import People
from folkmoot_web.forms import Form, FormModel, read_form
from folkmoot_web.paging import Pages, address_with
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of

ON_A_PAGE = 50
OPEN, NOT = "open", "not"
STANDING = {Standing.NEW: ("New", "blue"), Standing.UNCHANGED: ("Unchanged", "grey")}
_SHOWN = {
    "": (Standing.NEW, Standing.UNCHANGED),
    "new": (Standing.NEW,),
    "unchanged": (Standing.UNCHANGED,),
    "gone": (Standing.GONE,),
}


class DecisionForm(FormModel):
    """A decision about one household."""

    messages: ClassVar[dict[str, str]] = {
        "decision": "Select what you decide",
        "why.missing": "Enter why you decide so",
    }

    decision: Annotated[Literal["open", "not"], Field(title="a decision")]
    why: Annotated[str, Field(title="the reason", min_length=5, max_length=500)]
    team: Annotated[str, Field(max_length=100)] = ""


class BulkForm(DecisionForm):
    """One decision about several households of the list."""

    messages: ClassVar[dict[str, str]] = DecisionForm.messages | {
        "household": "Select at least one household",
        "household.too_long": f"Select at most {MAX_IN_BULK} households",
    }

    household: Annotated[tuple[str, ...], Field(min_length=1, max_length=MAX_IN_BULK)]


def routes() -> Routes:
    """The pages."""
    routes = Routes()

    @routes.get("/cohorts/{cohort_id}/runs/{run_id}", permission=Right.LISTS)
    def listed(
        request: Request, cohort_id: str, run_id: str, page: int = 1, show: str = ""
    ) -> Response:
        return _list(request, cohort_id, run_id, Form[BulkForm](), page, show)

    @routes.post("/cohorts/{cohort_id}/runs/{run_id}", permission=Right.DECIDE)
    def decided_in_bulk(
        request: Request, cohort_id: str, run_id: str, page: int = 1, show: str = ""
    ) -> Response:
        form = read_form(request, BulkForm)
        if form.value is None:
            return _list(request, cohort_id, run_id, form, page, show, 422)
        desk, visitor = desk_of(request), visitor_of(request)
        for household in desk.restrictions.hidden_from(visitor, form.value.household):
            desk.openings.refuse(visitor, household, "several members of a cohort")
            raise not_visible()
        result = _decide(request, run_id, form.value.household, form.value, in_bulk=True)
        return RedirectResponse(_list_address(cohort_id, run_id, result, page, show), 303)

    @routes.get("/cohorts/{cohort_id}/runs/{run_id}/{household}", permission=Right.DECIDE)
    def member(request: Request, cohort_id: str, run_id: str, household: str) -> Response:
        return _member(request, cohort_id, run_id, household, Form[DecisionForm]())

    @routes.post("/cohorts/{cohort_id}/runs/{run_id}/{household}", permission=Right.DECIDE)
    def decided(request: Request, cohort_id: str, run_id: str, household: str) -> Response:
        form = read_form(request, DecisionForm)
        if form.value is None:
            return _member(request, cohort_id, run_id, household, form, 422)
        result = _decide(request, run_id, (household,), form.value)
        if result.left:
            form.add_error("decision", f"Nothing was decided: {result.left[household]}")
            return _member(request, cohort_id, run_id, household, form, 409)
        return RedirectResponse(_list_address(cohort_id, run_id, result), 303)

    return routes


def _decide(
    request: Request,
    run_id: str,
    households: tuple[str, ...],
    form: DecisionForm,
    *,
    in_bulk: bool = False,
) -> Decided:
    desk = desk_of(request)
    teams = desk.known.policy.teams
    return decide(
        desk.cohorts,
        desk.cases,
        run_id,
        list(dict.fromkeys(households)),
        opens_case=form.decision == OPEN,
        why=form.why,
        by=visitor_of(request),
        assess=lambda uprns: assessments(desk.config, desk.plugins, desk.today(), uprns),
        in_bulk=in_bulk,
        team=form.team if form.team in teams else None,
    )


def _list_address(
    cohort_id: str, run_id: str, result: Decided, page: int = 1, show: str = ""
) -> str:
    done = f"opened={len(result.cases)}&against={len(result.against)}&left={len(result.left)}"
    kept = (f"&page={page}" if page > 1 else "") + (f"&show={show}" if show in _SHOWN else "")
    return f"/cohorts/{cohort_id}/runs/{run_id}?{done}{kept}"


def _list(
    request: Request,
    cohort_id: str,
    run_id: str,
    form: Form[BulkForm],
    page: int,
    show: str,
    status: int = 200,
) -> Response:
    desk, visitor = desk_of(request), visitor_of(request)
    standing = _SHOWN.get(show, _SHOWN[""])
    hidden = desk.cohorts.hidden(visitor)
    with desk.state.database.reading() as session:
        seen = seen_run(desk.cohorts, session, get_run(session, run_id, cohort_id), visitor)
        run = seen.run
        first = (min(max(page, 1), MAX_MEMBERS) - 1) * ON_A_PAGE

        def listed(first: int) -> tuple[int, list[MemberRow]]:
            return members(
                session,
                run_id,
                standing=standing,
                first=first,
                size=ON_A_PAGE,
                without=hidden,
                by_score=seen.shows_bands,
            )

        count, rows = listed(first)
        pages = Pages.of(count, page, ON_A_PAGE)
        if pages.first != first:  # a page that there is not: the last one is shown
            _, rows = listed(pages.first)
        now = beside(session, run, [row.household_id for row in rows])
        newest = is_newest(session, run)
    note_list(desk.cohorts, run, visitor, pages.page)
    return render(
        request,
        "casework/cohort_members.html",
        status,
        run=run,
        shows_bands=seen.shows_bands,
        rows=[(row, STANDING.get(Standing(row.standing)), now[row.household_id]) for row in rows],
        pages=pages,
        pagination=pages.links(request),
        show=show if show in _SHOWN else "",
        shows=_shows(request, run),
        gone=GONE,
        cannot=_cannot(desk, run, newest=newest),
        teams=_teams(desk),
        form=form,
        address=address_with(request, opened=None, against=None, left=None),
        notification=_notification(request) if status == 200 else None,
        breadcrumbs=_crumbs(run, "Members"),
    )


def _member(
    request: Request,
    cohort_id: str,
    run_id: str,
    household: str,
    form: Form[DecisionForm],
    status: int = 200,
) -> Response:
    desk, visitor = desk_of(request), visitor_of(request)
    with desk.state.database.reading() as session:
        run = get_run(session, run_id, cohort_id)
        newest = is_newest(session, run)
    shown = look_at(desk.cohorts, run, household, visitor)
    with desk.state.database.reading() as session:
        now = beside(session, run, [household])[household]
        history = decisions_about(session, cohort_id, household)
    cannot = _cannot(desk, run, newest=newest)
    if shown.standing is Standing.GONE:
        cannot = f"This household is not in the run: {GONE.get(shown.why_gone or '', '')}."
    elif now.case_id:
        cannot = "This household is in a case for the same purpose."
    return render(
        request,
        "casework/cohort_member.html",
        status,
        run=run,
        shown=shown,
        standing=STANDING.get(shown.standing, ("Gone", "grey")),
        beside=now,
        history=history,
        people=People.of(desk),
        cannot=cannot,
        teams=_teams(desk),
        form=form,
        list_address=f"/cohorts/{cohort_id}/runs/{run_id}?page={shown.place // ON_A_PAGE + 1}",
        breadcrumbs=_crumbs(run, "Decide", f"/cohorts/{cohort_id}/runs/{run_id}"),
    )


def _cannot(desk: Desk, run: Run, *, newest: bool) -> str:
    """Why nobody can decide on a run now; empty if a permitted person can."""
    ends = desk.cohorts.get(run.cohort_id).definition.ends
    if not newest:
        return "There is a newer run of this cohort: decide there."
    if desk.today() > ends:
        return f"The cohort ended on {ends:%-d %B %Y}: it can be read, and nothing is decided."
    if desk.today() > desk.known.policy.sunset:
        return "The casework policy has ended: the cohort can be read, and nothing is decided."
    return scores_fault(desk)


def _shows(request: Request, run: Run) -> list[tuple[str, str, str]]:
    """Links to parts of the list: value, text, address."""
    counts = run.standing
    texts = {
        "": f"All members ({counts['new'] + counts['unchanged']:,})",
        "new": f"New ({counts['new']:,})",
        "unchanged": f"Unchanged ({counts['unchanged']:,})",
        "gone": f"Gone ({counts['gone']:,})",
    }
    plain = {"page": None, "opened": None, "against": None, "left": None}
    return [
        (value, text, address_with(request, show=value or None, **plain))
        for value, text in texts.items()
    ]


def _notification(request: Request) -> str | None:
    """What was decided, from the address: how many, never who."""
    names = ("opened", "against", "left")
    opened, against, left = (whole(request.query_params.get(name, "")) for name in names)
    if opened is None or against is None or left is None:
        return None
    parts = []
    if opened:
        parts.append("One case was opened." if opened == 1 else f"{opened} cases were opened.")
    if against:
        parts.append(
            "Your decision to open no case is recorded"
            + (f", for {against} households." if against > 1 else ".")
        )
    if left:
        parts.append(
            f"Nothing was decided about {'one household' if left == 1 else f'{left} households'}: "
            "in a case already, hidden from you, objected, or not in the run any more."
        )
    return " ".join(parts) or None


def _teams(desk: Desk) -> list[dict[str, Any]]:
    none = {"value": "", "text": "No team yet"}
    return [none, *({"value": one, "text": one} for one in desk.known.policy.teams)]


def _crumbs(run: Run, last: str, members: str = "") -> list[tuple[str, str | None]]:
    crumbs: list[tuple[str, str | None]] = [
        ("Cases", "/"),
        ("Cohorts", "/cohorts"),
        (run.definition.title, f"/cohorts/{run.cohort_id}"),
    ]
    if members:
        crumbs.append(("Members", members))
    return [*crumbs, (last, None)]
