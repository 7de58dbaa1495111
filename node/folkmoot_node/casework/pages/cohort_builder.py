"""Building a cohort: conditions are added one by one, counted, and then saved."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.cohorts.cohorts import Cohort
from folkmoot_node.casework.cohorts.definition import ALWAYS_LEFT_OUT, Mark
from folkmoot_node.casework.cohorts.evaluate import Counted
from folkmoot_node.casework.cohorts.forms import (
    Builder,
    Typed,
    as_it_was,
    beginning,
    sent,
    whole,
)
from folkmoot_node.casework.cohorts.seen import rough
from folkmoot_node.casework.cohorts.words import MARKS
from folkmoot_node.casework.desk import desk_of
from folkmoot_node.casework.pages.cohorts import scores_fault, sentence
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_web.forms import sent_form
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of

ADD, COUNT, SAVE = "add", "count", "save"
"""What the buttons send; `remove-N` besides."""
_REMOVE = re.compile(r"remove-([0-9]{1,2})")


def routes() -> Routes:
    """The pages; before those of one cohort, whose addresses would take `/cohorts/new`."""
    routes = Routes()

    @routes.get("/cohorts/new", permission=Right.COHORTS)
    def new(request: Request) -> Response:
        return _page(request, _builder(request, beginning(visitor_of(request).display_name)))

    @routes.post("/cohorts/new", permission=Right.COHORTS)
    def built(request: Request) -> Response:
        return _act(request, None)

    @routes.get("/cohorts/{cohort_id}/change", permission=Right.COHORTS)
    def change(request: Request, cohort_id: str) -> Response:
        cohort = desk_of(request).cohorts.get(cohort_id)
        fresh = _builder(request, {})
        typed = as_it_was(cohort.definition, fresh.subjects)
        typed["version"] = str(cohort.version)
        return _page(request, _builder(request, typed), cohort)

    @routes.post("/cohorts/{cohort_id}/change", permission=Right.COHORTS)
    def changed(request: Request, cohort_id: str) -> Response:
        return _act(request, desk_of(request).cohorts.get(cohort_id))

    return routes


def _builder(request: Request, typed: Typed) -> Builder:
    """The form, with what somebody may ask about; nothing if there are no scores."""
    desk = desk_of(request)
    if scores_fault(desk):
        return Builder(typed, [])
    return Builder(typed, desk.cohorts.subjects(visitor_of(request)))


def _act(request: Request, cohort: Cohort | None) -> Response:
    """Does what a button says: nothing is kept before the cohort is saved."""
    form = sent_form(request)
    action = str(form.get("action", COUNT))
    builder = _builder(request, sent(form))
    if action == ADD:
        builder = builder.with_subject(builder.form.typed("add"))
        return _page(request, builder, cohort, 422 if builder.form.errors else 200)
    removed = _REMOVE.fullmatch(action)
    if removed:
        return _page(request, builder.without(int(removed[1])), cohort)
    return _count(request, builder, cohort, saves=action == SAVE)


def _count(request: Request, builder: Builder, cohort: Cohort | None, *, saves: bool) -> Response:
    desk, visitor = desk_of(request), visitor_of(request)
    fault = scores_fault(desk)
    if fault:
        builder.form.add_error("add", fault)
        return _page(request, builder, cohort, 422)
    purpose = builder.purpose()
    conditions = builder.conditions()
    if conditions is None or builder.form.errors:
        return _page(request, builder, cohort, 422)
    cohort_id = cohort.cohort_id if cohort else None
    try:
        counted = desk.cohorts.count(conditions, visitor, purpose, cohort_id)
    except Problem as problem:
        return _refused(request, builder, cohort, problem)
    digest = f"{conditions.digest} {purpose}"
    if not saves:
        return _page(request, builder, cohort, counted=counted, digest=digest)
    if builder.form.typed("counted") != digest:
        builder.form.add_error(
            "save", "You have changed the conditions since you counted. See the new count, "
            "then save",
        )  # fmt: skip
        return _page(request, builder, cohort, 422, counted=counted, digest=digest)
    definition = builder.definition(conditions)
    if definition is None:
        return _page(request, builder, cohort, 422, counted=counted, digest=digest)
    try:
        if cohort is None:
            cohort_id = desk.cohorts.save(definition, visitor)
        else:
            version = whole(builder.form.typed("version")) or 0
            desk.cohorts.change(cohort.cohort_id, version, definition, visitor)
    except Problem as problem:
        return _refused(request, builder, cohort, problem, counted, digest)
    done = "changed" if cohort else "saved"
    return RedirectResponse(f"/cohorts/{cohort_id}?done={done}", 303)


def _refused(
    request: Request,
    builder: Builder,
    cohort: Cohort | None,
    problem: Problem,
    counted: Counted | None = None,
    digest: str = "",
) -> Response:
    if problem.exit_code not in (ExitCode.REFUSED, ExitCode.DATA, ExitCode.SETTINGS):
        raise problem
    field = "ends_day" if problem.where == "ends" else "add"
    text = sentence(problem)
    if field == "ends_day":
        text = f"The cohort {text[:1].lower()}{text[1:]}"
    builder.form.add_error(field, text)
    return _page(request, builder, cohort, 422, counted=counted, digest=digest)


def _page(
    request: Request,
    builder: Builder,
    cohort: Cohort | None = None,
    status: int = 200,
    *,
    counted: Counted | None = None,
    digest: str = "",
) -> Response:
    desk = desk_of(request)
    fault = scores_fault(desk)
    deaths = None if fault else desk.cohorts.table.scores().deaths
    marks = [one for one in Mark if one is not ALWAYS_LEFT_OUT]
    if deaths is None:
        marks.remove(Mark.DEATH_REPORTED)
    return render(
        request,
        "casework/cohort_builder.html",
        status,
        builder=builder,
        form=builder.form,
        rows=builder.rows(),
        choices=builder.choices(),
        marks=[{"value": str(one), "text": _LEFT_OUT[one]} for one in marks],
        mark_words=MARKS,
        cohort=cohort,
        counted=rough(counted) if counted else None,
        digest=digest or builder.form.typed("counted"),
        fault=fault,
        breadcrumbs=[
            ("Cases", "/"),
            ("Cohorts", "/cohorts"),
            ("Change a cohort" if cohort else "Build a cohort", None),
        ],
    )


_LEFT_OUT = {
    Mark.IN_CASE: "Households in a case for the same purpose",
    Mark.SUPPORTED: "Households that were supported lately for the same purpose",
    Mark.DEATH_REPORTED: "Households where a death was reported",
    Mark.DECIDED_AGAINST: "Households of which it was decided to open no case",
}
