"""Cohorts: the list, one cohort with its runs, and running it again."""

from __future__ import annotations

from fastapi.responses import PlainTextResponse
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.cohorts.cohorts import Cohort
from folkmoot_node.casework.cohorts.definition import Condition
from folkmoot_node.casework.cohorts.runs import last_runs, run_cohort, runs_of
from folkmoot_node.casework.cohorts.seen import seen_run
from folkmoot_node.casework.cohorts.words import MARKS, condition_text
from folkmoot_node.casework.desk import Desk, desk_of
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_web.forms import Form, FormModel
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of

_DONE = {
    "saved": "The cohort is saved. Nobody is listed until you run it.",
    "changed": "The change is saved. It counts from the next run; earlier runs stay as they were.",
    "ran": "The cohort was run. The newest run is below.",
}
_FAULTS = (ExitCode.REFUSED, ExitCode.DATA, ExitCode.SETTINGS)


def routes() -> Routes:
    """The pages."""
    routes = Routes()

    @routes.get("/cohorts", permission=Right.LISTS)
    def cohorts(request: Request) -> Response:
        desk = desk_of(request)
        with desk.state.database.reading() as session:
            by = visitor_of(request)
            runs = {
                one: seen_run(desk.cohorts, session, run, by).run
                for one, run in last_runs(session).items()
            }
        return render(
            request,
            "casework/cohorts.html",
            cohorts=desk.cohorts.listed(),
            runs=runs,
            today=desk.today(),
            fault=scores_fault(desk),
            breadcrumbs=[("Cases", "/"), ("Cohorts", None)],
        )

    @routes.get("/cohorts/{cohort_id}", permission=Right.LISTS)
    def cohort(request: Request, cohort_id: str, done: str = "") -> Response:
        return _page(request, desk_of(request).cohorts.get(cohort_id), done=_DONE.get(done))

    @routes.post("/cohorts/{cohort_id}/run", permission=Right.COHORTS)
    def ran(request: Request, cohort_id: str) -> Response:
        cohorts = desk_of(request).cohorts
        try:
            run_cohort(cohorts, cohort_id, visitor_of(request))
        except Problem as problem:
            if problem.exit_code not in _FAULTS:
                raise
            form = Form[FormModel]()
            form.add_error("run", sentence(problem))
            return _page(request, cohorts.get(cohort_id), form, status=422)
        return RedirectResponse(f"/cohorts/{cohort_id}?done=ran", 303)

    @routes.get("/cohorts/{cohort_id}/file", permission=Right.COHORTS)
    def file(request: Request, cohort_id: str) -> Response:
        found = desk_of(request).cohorts.get(cohort_id)
        name = f'attachment; filename="cohort-{cohort_id}.toml"'
        return PlainTextResponse(found.definition.as_toml(), headers={"Content-Disposition": name})

    return routes


def _page(
    request: Request,
    cohort: Cohort,
    form: Form[FormModel] | None = None,
    *,
    done: str | None = None,
    status: int = 200,
) -> Response:
    desk = desk_of(request)
    definition = cohort.definition
    with desk.state.database.reading() as session:
        seen = [
            seen_run(desk.cohorts, session, run, visitor_of(request))
            for run in runs_of(session, cohort.cohort_id)
        ]
    fault, conditions = _conditions(desk, cohort)
    return render(
        request,
        "casework/cohort.html",
        status,
        cohort=cohort,
        definition=definition,
        runs=[one.run for one in seen],
        newest_is_whole=not seen or seen[0].is_whole,
        conditions=conditions,
        left_out=[MARKS[one] for one in definition.leave_out],
        mark_words=MARKS,
        ended=definition.ends < desk.today(),
        fault=fault,
        form=form or Form[FormModel](),
        notification=done,
        breadcrumbs=[("Cases", "/"), ("Cohorts", "/cohorts"), (definition.title, None)],
    )


def _conditions(desk: Desk, cohort: Cohort) -> tuple[str, list[str]]:
    """What is wrong with a cohort now, and its conditions in words."""
    try:
        scores = desk.cohorts.table.scores()
    except Problem as problem:
        _raise_unless_shown(problem)
        return sentence(problem), [_plain(one) for one in cohort.definition.conditions]
    faults, texts = [], []
    for one in cohort.definition.conditions:
        try:
            [subject] = scores.of([one])
        except Problem as problem:
            faults.append(sentence(problem))
            texts.append(_plain(one))
        else:
            texts.append(condition_text(one, subject))
    return " ".join(faults), texts


def _plain(condition: Condition) -> str:
    """A condition of which nothing more is known than its file says."""
    keys = condition.as_json()
    return ", ".join(f"{key} {value}" for key, value in keys.items())


def scores_fault(desk: Desk) -> str:
    """Why cohorts can neither be counted nor run now; empty if they can."""
    try:
        desk.cohorts.table.scores()
    except Problem as problem:
        _raise_unless_shown(problem)
        return sentence(problem)
    return ""


def sentence(problem: Problem) -> str:
    """A problem for a page: what is wrong, where, and what to do."""
    where = f"{problem.where}: " if problem.where.startswith("condition") else ""
    text = f"{where}{problem.problem}. {problem.remedy}"
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "."


def _raise_unless_shown(problem: Problem) -> None:
    if problem.exit_code not in _FAULTS:
        raise problem
