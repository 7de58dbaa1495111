"""Work lists, and giving out several cases at once."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.cases.cases import Conflict, locked_case
from folkmoot_node.casework.cases.handling import Handling
from folkmoot_node.casework.cases.worklists import FILTERS, Filter, WorkLists
from folkmoot_node.casework.desk import desk_of
from folkmoot_node.casework.opening.restrictions import not_visible
from folkmoot_node.casework.pages.case_changes import Told, told
from folkmoot_node.casework.pages.people import People, team_items
from folkmoot_node.casework.pages.template_helpers import many
from folkmoot_web.errors import WebProblem
from folkmoot_web.forms import Form, FormModel, read_form
from folkmoot_web.paging import Pages, address_with
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of

ON_A_PAGE = 25
MINE, NOBODY = "me", "nobody"
"""Of whom a list is, in its address; else an account's number, or empty for all."""


class AssignForm(FormModel):
    """Which cases are given to whom."""

    messages: ClassVar[dict[str, str]] = {"chosen": "Select at least one case"}

    chosen: Annotated[tuple[str, ...], Field(min_length=1, max_length=ON_A_PAGE)]
    worker: str = ""
    team: str = ""


def routes() -> Routes:
    """The pages."""
    routes = Routes()

    @routes.get("/", permission=Right.LISTS)
    def work_list(request: Request, assigned: int = 0) -> Response:
        done = f"You have given out {many(assigned, 'case')}." if assigned > 0 else None
        return _list(request, Form[AssignForm](), notification=done)

    @routes.post("/", permission=Right.ASSIGN)
    def assign(request: Request) -> Response:
        desk, visitor = desk_of(request), visitor_of(request)
        form = read_form(request, AssignForm)
        people = People.of(desk)
        worker = people.numbered(form.typed("worker"))
        if form.typed("worker") and worker not in people.workers:
            form.add_error("worker", "Select somebody who works on cases")
        team = form.typed("team")
        if team and team not in desk.known.policy.teams:
            form.add_error("team", "Select a team of the casework policy")
        if not team and worker is None:
            form.add_error("worker", "Select a worker, a team or both")
        if form.value is None:
            return _list(request, form, status=422)
        handling, given = Handling(desk.state), 0
        left: list[tuple[str, str, list[Told]]] = []
        for chosen in form.value.chosen:
            case_id, _, version = chosen.partition(":")
            if not version.isdecimal() or len(version) > 9:
                continue
            try:
                with desk.state.database.writing() as session:
                    case = locked_case(session, case_id)
                    if desk.restrictions.is_hidden(session, visitor, case.household_id):
                        raise not_visible()
                    handling.assign(
                        session,
                        case_id,
                        int(version),
                        visitor,
                        worker=case.worker if worker is None else worker.name,
                        team=team or case.team,
                    )
                given += 1
            except Conflict as conflict:
                changes = [told(one, people) for one in conflict.changes]
                left.append((case_id, "Somebody has changed it meanwhile.", changes))
            except WebProblem as problem:
                left.append((case_id, problem.problem or problem.title, []))
        if left:
            again = Form[AssignForm](
                {
                    "chosen": [case_id for case_id, _, _ in left],
                    "worker": form.typed("worker"),
                    "team": team,
                }
            )
            return _list(request, again, status=409, given=given, left=left)
        return RedirectResponse(address_with(request, assigned=str(given)), 303)

    return routes


def _list(
    request: Request,
    form: Form[AssignForm],
    *,
    status: int = 200,
    notification: str | None = None,
    given: int = 0,
    left: list[tuple[str, str, list[Told]]] | None = None,
) -> Response:
    desk, visitor = desk_of(request), visitor_of(request)
    people, lists = People.of(desk), WorkLists(desk.state)
    asked = request.query_params
    shown = next((one for one in Filter if one == asked.get("show")), Filter.OPEN)
    whose = asked.get("whose")
    if whose is None:  # those who have cases begin with their own
        whose = MINE if not left and lists.count(Filter.OPEN, worker=visitor.name) else ""
    team = asked.get("team", "")
    worker = visitor.name if whose == MINE else None
    if whose == NOBODY:
        shown = Filter.UNASSIGNED
    elif whose != MINE and (account := people.numbered(whose)):
        worker = account.name
    entries = lists.count(shown, worker=worker, team=team or None)
    number = asked.get("page", "1")
    pages = Pages.of(entries, int(number[:9]) if number.isdecimal() else 1, ON_A_PAGE)
    items = lists.page(shown, worker=worker, team=team or None, first=pages.first, size=ON_A_PAGE)
    ticked = {one.partition(":")[0] for one in form.chosen("chosen")}
    free = lists.count(Filter.UNASSIGNED)
    return render(
        request,
        "casework/work_list.html",
        status,
        items=items,
        entries=entries,
        pages=pages,
        pagination=pages.links(request),
        people=people,
        shown=shown,
        whose=whose,
        team=team,
        worker=worker,
        whose_items=[
            {"value": "", "text": "Everybody's"},
            {"value": MINE, "text": "Mine"},
            *people.worker_items("")[1:],
        ],
        show_items=[{"value": str(one), "text": text} for one, text in FILTERS.items()],
        teams=team_items(desk, "Every team"),
        worker_choices=people.worker_items("Leave as it is"),
        team_choices=team_items(desk, "Leave as it is"),
        can_assign=visitor.may(Right.ASSIGN) and shown is not Filter.CLOSED,
        ticked=ticked,
        hidden=desk.restrictions.hidden_from(visitor),
        form=form,
        free=free,
        none_yet=not (items or lists.count(Filter.OPEN) or lists.count(Filter.CLOSED)),
        can_begin=visitor.may(Right.COHORTS) or visitor.may(Right.DECIDE),
        here=address_with(request, assigned=None),
        free_address=address_with(request, whose="", show=str(Filter.UNASSIGNED), page=None),
        given=given,
        left=left or [],
        notification=notification,
    )
