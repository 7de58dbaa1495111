"""Objections: recorded, answered with the scores with and without the input beside, undone."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.desk import Desk, desk_of
from folkmoot_node.casework.opening.openings import Opened
from folkmoot_node.casework.pages.rights_forms import Answer, Assign, NewObjection, Why, date_of
from folkmoot_node.casework.rights.comparison import Comparison, compare, disputable
from folkmoot_node.casework.rights.kinds import Effect, Kind
from folkmoot_node.casework.rights.notice import REGULATOR
from folkmoot_node.casework.rights.objections import Objection, Objections, Said, Upholding
from folkmoot_node.casework.uk_time import uk_day
from folkmoot_node.corrections.decisions import Stated
from folkmoot_node.corrections.values import value_of_text
from folkmoot_node.store.event_history import SUFFIX
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.schema import Field
from folkmoot_web.errors import WebProblem
from folkmoot_web.forms import Form, read_form
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of

_LIST = ("Residents' rights", "/rights")
_DONE = {
    "recorded": "The objection is recorded.",
    "assigned": "The objection is given to the person you chose.",
    "upheld": "The objection is upheld. Tell the household what is below.",
    "refused": "The objection is refused. Tell the household what is below.",
    "withdrawn": "The objection is withdrawn.",
    "ended": "The source is used again from the next scoring run.",
    "reopened": "The objection is open again.",
}


def routes() -> Routes:
    """The pages."""
    routes = Routes()
    _recording(routes)
    _answering(routes)
    _undoing(routes)
    return routes


def _recording(routes: Routes) -> None:
    @routes.get("/cases/{case_id}/objections", permission=Right.LISTS)
    def of_case(request: Request, case_id: str) -> Response:
        desk = desk_of(request)
        case = desk.cases.get(case_id)
        return render(
            request,
            "casework/rights/objections.html",
            case=case,
            objections=Objections(desk).listed(household=case.household),
            today=uk_day(desk.clock()),
            notification=_DONE.get(request.query_params.get("done", "")),
            breadcrumbs=[("Cases", "/"), ("Case", f"/cases/{case_id}"), ("Objections", None)],
        )

    @routes.get("/cases/{case_id}/objections/new", permission=Right.OPEN)
    def new(request: Request, case_id: str) -> Response:
        return _new(request, case_id, Form[NewObjection]())

    @routes.post("/cases/{case_id}/objections/new", permission=Right.OPEN)
    def recorded(request: Request, case_id: str) -> Response:
        return _record(request, case_id)

    # Residents are answered also after the policy's last day, when nobody may open cases.
    @routes.get("/rights/cases/{case_id}/objections/new", permission=Right.RIGHTS)
    def new_too(request: Request, case_id: str) -> Response:
        return _new(request, case_id, Form[NewObjection]())

    @routes.post("/rights/cases/{case_id}/objections/new", permission=Right.RIGHTS)
    def recorded_too(request: Request, case_id: str) -> Response:
        return _record(request, case_id)


def _record(request: Request, case_id: str) -> Response:
    desk, visitor = desk_of(request), visitor_of(request)
    form = read_form(request, NewObjection)
    received = date_of(form, uk_day(desk.clock()), past=True)
    if form.value is not None and form.value.field not in ("", *disputable(desk)):
        form.add_error("field", "Select an input that the policy uses")
    if form.value is None or received is None:
        return _new(request, case_id, form, 422)
    sent = form.value
    made = Objections(desk).record(
        case_id,
        kind=sent.kind,
        field=sent.field or None,
        said=sent.said,
        said_by=sent.said_by,
        received_on=received,
        by=visitor,
    )
    if visitor.may(Right.RIGHTS):
        return RedirectResponse(f"/rights/objections/{made}?done=recorded", 303)
    return RedirectResponse(f"/cases/{case_id}/objections?done=recorded", 303)


def _answering(routes: Routes) -> None:
    @routes.get("/rights/objections/{objection_id}", permission=Right.RIGHTS)
    def one(request: Request, objection_id: str) -> Response:
        return _one(request, objection_id)

    @routes.post("/rights/objections/{objection_id}/open", permission=Right.RIGHTS)
    def opened(request: Request, objection_id: str) -> Response:
        desk = desk_of(request)
        found = Objections(desk).get(objection_id)
        desk.openings.open(visitor_of(request), found.case_id, f"Objection {objection_id}")
        return RedirectResponse(f"/rights/objections/{objection_id}", 303)

    @routes.post("/rights/objections/{objection_id}/assign", permission=Right.RIGHTS)
    def assigned(request: Request, objection_id: str) -> Response:
        desk = desk_of(request)
        form = read_form(request, Assign)
        if form.value is not None and form.value.answerer not in _answerers(desk):
            form.add_error("answerer", "Select somebody who answers residents")
        if form.value is None:
            return _one(request, objection_id, form, 422)
        sent = form.value
        Objections(desk).assign(objection_id, sent.version, sent.answerer, visitor_of(request))
        return _back(objection_id, "assigned")

    @routes.post("/rights/objections/{objection_id}/answer", permission=Right.RIGHTS)
    def answered(request: Request, objection_id: str) -> Response:
        desk, visitor = desk_of(request), visitor_of(request)
        objections = Objections(desk)
        objection = objections.get(objection_id)
        shown = desk.openings.look(visitor, objection.case_id, "objection")
        said = objections.said(shown, objection_id)
        fields = disputable(desk)
        form = read_form(request, Answer)
        value = _value(form, said, fields)
        if form.value is not None and form.value.do == "answer" and len(form.value.answer) < 5:
            form.add_error("answer", "Enter what the household is answered, and why")
        if form.value is None:
            return _one(request, objection_id, form, 422)
        sent = form.value
        compared = _compared(desk, shown, said, value)
        if sent.do == "preview":
            return _one(request, objection_id, form, compared=compared)
        seen = {} if compared is None else compared.as_seen()
        if sent.effect is None:
            objections.refuse(shown, objection_id, sent.version, sent.answer, visitor, seen)
            return _back(objection_id, "refused")
        withholds = sent.withhold == "yes" or sent.effect is Effect.LEAVE_OUT
        what = Upholding(sent.effect, withholds, sent.answer, value, seen)
        try:
            objections.uphold(shown, objection_id, sent.version, what, visitor, fields)
        except Problem as problem:
            if problem.exit_code is not ExitCode.DATA:
                raise
            form.add_error("decision", f"{problem.problem[:1].upper()}{problem.problem[1:]}")
            return _one(request, objection_id, form, 422)
        return _back(objection_id, "upheld")


def _undoing(routes: Routes) -> None:
    def add(name: str, done: str) -> None:
        @routes.post(f"/rights/objections/{{objection_id}}/{name}", permission=Right.RIGHTS)
        def changed(request: Request, objection_id: str) -> Response:
            form = read_form(request, Why)
            if form.value is None:
                return _one(request, objection_id, form, 422)
            change = getattr(Objections(desk_of(request)), name)
            change(objection_id, form.value.version, form.value.why, visitor_of(request))
            return _back(objection_id, done)

    add("withdraw", "withdrawn")
    add("end", "ended")
    add("reopen", "reopened")


def _new(request: Request, case_id: str, form: Form[NewObjection], status: int = 200) -> Response:
    desk = desk_of(request)
    case = desk.cases.get(case_id)
    return render(
        request,
        "casework/rights/new_objection.html",
        status,
        case=case,
        form=form,
        inputs=[(name, name_of(field)) for name, field in disputable(desk).items()],
        kinds=[
            (Kind.OBJECTION, "To being scored at all, or to the use of an input"),
            (Kind.CONTEST, "The result, or that an input is wrong"),
        ],
        breadcrumbs=[("Cases", "/"), ("Case", f"/cases/{case_id}"), ("Record an objection", None)],
    )


def _one(
    request: Request,
    objection_id: str,
    form: Form[Any] | None = None,
    status: int = 200,
    compared: Comparison | None = None,
) -> Response:
    desk, visitor = desk_of(request), visitor_of(request)
    objections = Objections(desk)
    objection = objections.get(objection_id)
    said, fields = None, disputable(desk)
    if desk.openings.is_open(visitor, objection.case_id):
        shown = desk.openings.look(visitor, objection.case_id, "objection")
        said = objections.said(shown, objection_id)
        compared = compared or _compared(desk, shown, said, None)
    field = fields.get(said.field) if said is not None and said.field is not None else None
    return render(
        request,
        "casework/rights/objection.html",
        status,
        objection=objection,
        said=said,
        field=None if field is None else name_of(field),
        field_expects=None if field is None else field.unit,
        compared=compared,
        answerers=_answerers(desk),
        why_not=objections.why_not(visitor, objection),
        running_series=_running_series(desk),
        regulator=REGULATOR,
        form=form or Form[Answer]({"withhold": "yes"}),
        today=uk_day(desk.clock()),
        notification=_DONE.get(request.query_params.get("done", "")),
        breadcrumbs=[_LIST, (_title(objection), None)],
    )


def _value(form: Form[Answer], said: Said, fields: dict[str, Field]) -> Stated | None:
    """The value to which an input is corrected; the form gets an error if it is none."""
    sent = form.value
    if sent is None or sent.effect not in (Effect.CORRECT, Effect.SUPPRESS):
        return None
    if said.field is None or said.field not in fields:
        form.add_error("decision", "No input is in dispute: leave the household out, or refuse")
        return None
    if sent.effect is Effect.SUPPRESS:
        return None
    try:
        return value_of_text(fields[said.field], sent.value)
    except Problem as problem:
        form.add_error("value", problem.remedy or problem.problem)
        return None


def _compared(desk: Desk, shown: Opened, said: Said, value: Stated | None) -> Comparison | None:
    """Scores with and without; None if the household has no score, or no input is in dispute."""
    if said.field is None:
        return None
    try:
        if value is not None:
            return compare(desk, shown, instead={said.field: value})
        return compare(desk, shown, without=(said.field,))
    except (Problem, WebProblem):
        return None


def _answerers(desk: Desk) -> list[str]:
    """Names of the accounts that answer residents."""
    policy = desk.known.policy
    roles = {name for name, role in policy.roles.items() if Right.RIGHTS in role.may}
    accounts = desk.state.accounts.list()
    return [one.name for one in accounts if roles.intersection(one.roles) and not one.is_disabled]


def _running_series(desk: Desk) -> int:
    """How many series have a memory of households they have counted."""
    return len(list(desk.config.history_folder.glob(f"*{SUFFIX}")))


def name_of(field: Field) -> str:
    """A field as people call it."""
    return (field.description or field.name.replace("_", " ")).rstrip(".")


def _title(objection: Objection) -> str:
    return "Objection" if objection.kind is Kind.OBJECTION else "Contest"


def _back(objection_id: str, done: str) -> Response:
    return RedirectResponse(f"/rights/objections/{objection_id}?done={done}", 303)
