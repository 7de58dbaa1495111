"""What residents ask for: the work list, recording, access, rectification, erasure."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.desk import Desk, desk_of
from folkmoot_node.casework.holders import RECORDS
from folkmoot_node.casework.opening.openings import Opened
from folkmoot_node.casework.pages.rights_forms import (
    ASKED,
    Erase,
    NewHold,
    NewRequest,
    Rectify,
    Review,
    Version,
    Why,
    date_of,
)
from folkmoot_node.casework.rights.access_folder import access_folder
from folkmoot_node.casework.rights.answerers import why_not_answer
from folkmoot_node.casework.rights.dossier import SHOWN, gather
from folkmoot_node.casework.rights.erasure import Erasure
from folkmoot_node.casework.rights.kinds import (
    Ground,
    ObjectionState,
    RequestKind,
    RequestState,
)
from folkmoot_node.casework.rights.notice import REGULATOR
from folkmoot_node.casework.rights.objections import Objection, Objections
from folkmoot_node.casework.rights.rectification import Rectification
from folkmoot_node.casework.rights.requests import Request as Asked
from folkmoot_node.casework.rights.requests import Requests
from folkmoot_node.casework.uk_time import uk_day
from folkmoot_web.errors import WebProblem, problem_of_status
from folkmoot_web.forms import Form, read_form
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of

FOLDER_MADE = "subject access folder made"
"""Action of the log."""
_LIST = ("Residents' rights", "/rights")
_DONE = {
    "recorded": "The request is recorded.",
    "reviewed": "Your review is stored. The folder has what you let through, and nothing else.",
    "answered": "The request is answered.",
    "refused": "The request is refused.",
    "rectified": "The text is corrected.",
    "erased": "The household is erased from casework.",
    "held": "Nothing about this household is deleted until the hold ends.",
    "lifted": "The hold is lifted.",
}


def routes() -> Routes:
    """The pages."""
    routes = Routes()
    _recording(routes)
    _answering(routes)
    _access(routes)
    _rectification(routes)
    _erasure(routes)
    return routes


def _recording(routes: Routes) -> None:
    @routes.get("/rights", permission=Right.RIGHTS)
    def work_list(request: Request) -> Response:
        desk = desk_of(request)
        objections, requests = Objections(desk), Requests(desk)
        waiting: list[Objection | Asked] = [
            *objections.listed(state=ObjectionState.OPEN),
            *requests.listed(state=RequestState.OPEN),
        ]
        every: list[Objection | Asked] = [*objections.listed(), *requests.listed()]
        answered = [
            one for one in every if one.state not in (ObjectionState.OPEN, RequestState.OPEN)
        ]
        return render(
            request,
            "casework/rights/list.html",
            waiting=sorted(waiting, key=lambda one: one.due_on),
            answered=sorted(answered, key=lambda one: one.received_on, reverse=True)[:50],
            today=uk_day(desk.clock()),
            hidden=desk.restrictions.hidden_cases(visitor_of(request)),
        )

    @routes.get("/rights/new", permission=Right.RIGHTS)
    def new(request: Request, kind: str = "") -> Response:
        return _new(request, Form[NewRequest]({"kind": kind}))

    for each in ASKED:
        _begin(routes, each)

    @routes.post("/rights/new", permission=Right.RIGHTS)
    def recorded(request: Request) -> Response:
        desk, visitor = desk_of(request), visitor_of(request)
        form = read_form(request, NewRequest)
        received = date_of(form, uk_day(desk.clock()), past=True)
        if form.value is None or received is None:
            return _new(request, form, 422)
        sent, requests = form.value, Requests(desk)
        case_id = requests.case_for(sent.uprn, f"A resident's {sent.kind}", visitor)
        if case_id is None:
            form.add_error(
                "uprn",
                "Nothing is held about a household with this UPRN. Check it; if it is right, "
                "answer the resident that nothing is held",
            )
            return _new(request, form, 422)
        if sent.kind == "objection":
            return RedirectResponse(f"/rights/cases/{case_id}/objections/new", 303)
        made = requests.record(
            case_id,
            kind=RequestKind(sent.kind),
            asked_by=sent.asked_by,
            received_on=received,
            by=visitor,
        )
        return RedirectResponse(f"/rights/requests/{made}?done=recorded", 303)


def _begin(routes: Routes, kind: str) -> None:
    if kind == "objection":
        return

    @routes.get(f"/rights/{kind}", permission=Right.RIGHTS)
    def begin(request: Request) -> Response:
        return RedirectResponse(f"/rights/new?kind={kind}", 303)


def _answering(routes: Routes) -> None:
    @routes.get("/rights/requests/{request_id}", permission=Right.RIGHTS)
    def one(request: Request, request_id: str) -> Response:
        return _one(request, request_id)

    @routes.post("/rights/requests/{request_id}/open", permission=Right.RIGHTS)
    def opened(request: Request, request_id: str) -> Response:
        desk = desk_of(request)
        found = Requests(desk).get(request_id)
        reason = f"Request for {found.kind}, {found.request_id}"
        desk.openings.open(visitor_of(request), found.case_id, reason)
        return RedirectResponse(f"/rights/requests/{request_id}", 303)

    @routes.post("/rights/requests/{request_id}/answer", permission=Right.RIGHTS)
    def answered(request: Request, request_id: str) -> Response:
        form = read_form(request, Version)
        if form.value is None:
            return _one(request, request_id, form, 422)
        Requests(desk_of(request)).answer(
            request_id, form.value.version, visitor_of(request), text=form.value.text
        )
        return RedirectResponse(f"/rights/requests/{request_id}?done=answered", 303)

    @routes.post("/rights/requests/{request_id}/refuse", permission=Right.RIGHTS)
    def refused(request: Request, request_id: str) -> Response:
        form = read_form(request, Why)
        if form.value is None:
            return _one(request, request_id, form, 422)
        Requests(desk_of(request)).answer(
            request_id,
            form.value.version,
            visitor_of(request),
            text=form.value.why,
            refused=True,
        )
        return RedirectResponse(f"/rights/requests/{request_id}?done=refused", 303)


def _access(routes: Routes) -> None:
    @routes.get("/rights/requests/{request_id}/review", permission=Right.RIGHTS)
    def review(request: Request, request_id: str) -> Response:
        desk = desk_of(request)
        found, shown = _looked(request, request_id, RequestKind.ACCESS, SHOWN)
        dossier = gather(desk, shown, RECORDS)
        return render(
            request,
            "casework/rights/review.html",
            asked=found,
            texts=list(dossier.to_review()),
            rooms=[(room.title, len(room.items)) for room in dossier.rooms],
            breadcrumbs=_crumbs(found, "Review"),
        )

    @routes.post("/rights/requests/{request_id}/review", permission=Right.RIGHTS)
    def reviewed(request: Request, request_id: str) -> Response:
        form = read_form(request, Review)
        if form.value is None:
            raise problem_of_status(422)
        sent = form.value
        Requests(desk_of(request)).review(
            request_id,
            sent.version,
            {*sent.show} & {*sent.every},
            {*sent.every} - {*sent.show},
            visitor_of(request),
        )
        return RedirectResponse(f"/rights/requests/{request_id}?done=reviewed", 303)

    @routes.post("/rights/requests/{request_id}/folder", permission=Right.RIGHTS)
    def folder(request: Request, request_id: str) -> Response:
        desk = desk_of(request)
        found, shown = _looked(request, request_id, RequestKind.ACCESS, SHOWN)
        dossier = gather(desk, shown, RECORDS)
        unseen = {ref for ref, *_ in dossier.to_review()} - found.shown - found.hidden
        if unseen and not _is_new_log_only(dossier, unseen):
            raise WebProblem(
                409,
                "Something was added since the review",
                f"{len(unseen)} texts have not been reviewed.",
                "Review the texts again, then make the folder.",
            )
        made = access_folder(dossier, found.shown)
        with desk.state.database.writing() as session:
            detail = {
                "request": request_id,
                "household": found.household,
                "shown": made.shown,
                "redacted": made.redacted,
            }
            desk.state.audit.record(session, FOLDER_MADE, visitor_of(request).name, detail)
        name = f"subject-access-{request_id}"
        return Response(
            made.zipped(name),
            media_type="application/zip",
            headers={"Content-Disposition": f'attachment; filename="{name}.zip"'},
        )


def _is_new_log_only(dossier: Any, unseen: set[str]) -> bool:
    """Whether only the log grew, as it does by each look: its texts stay kept back then."""
    known = {ref for ref, room, *_ in dossier.to_review() if room != _LOG_TITLE}
    return not unseen & known


_LOG_TITLE = "The log: who looked at what, and why"


def _rectification(routes: Routes) -> None:
    @routes.get("/rights/requests/{request_id}/texts", permission=Right.RIGHTS)
    def texts(request: Request, request_id: str) -> Response:
        found, shown = _looked(request, request_id, RequestKind.RECTIFICATION, "rectification")
        return render(
            request,
            "casework/rights/texts.html",
            asked=found,
            texts=Rectification(desk_of(request), RECORDS).texts(shown),
            notification=_DONE.get(request.query_params.get("done", "")),
            breadcrumbs=_crumbs(found, "What is wrong"),
        )

    @routes.get("/rights/requests/{request_id}/texts/{ref}", permission=Right.RIGHTS)
    def text(request: Request, request_id: str, ref: str) -> Response:
        return _text(request, request_id, ref, Form[Rectify]())

    @routes.post("/rights/requests/{request_id}/texts/{ref}", permission=Right.RIGHTS)
    def rectified(request: Request, request_id: str, ref: str) -> Response:
        form = read_form(request, Rectify)
        if form.value is None:
            return _text(request, request_id, ref, form, 422)
        _, shown = _looked(request, request_id, RequestKind.RECTIFICATION, "rectification")
        desk = desk_of(request)
        Rectification(desk, RECORDS).rectify(shown, ref, form.value.text, visitor_of(request))
        return RedirectResponse(f"/rights/requests/{request_id}/texts?done=rectified", 303)


def _erasure(routes: Routes) -> None:
    @routes.get("/rights/requests/{request_id}/erase", permission=Right.RIGHTS)
    def preview(request: Request, request_id: str) -> Response:
        return _erase(request, request_id, Form[Erase]())

    @routes.post("/rights/requests/{request_id}/erase", permission=Right.RIGHTS)
    def erased(request: Request, request_id: str) -> Response:
        form = read_form(request, Erase)
        if form.value is None:
            return _erase(request, request_id, form, 422)
        _, shown = _looked(request, request_id, RequestKind.ERASURE, "erasure")
        Erasure(desk_of(request), RECORDS).erase(
            shown,
            form.value.ground,
            visitor_of(request),
            request=(request_id, form.value.version),
        )
        return RedirectResponse(f"/rights/requests/{request_id}?done=erased", 303)

    @routes.post("/rights/requests/{request_id}/holds", permission=Right.RIGHTS)
    def held(request: Request, request_id: str) -> Response:
        desk = desk_of(request)
        form = read_form(request, NewHold)
        until = date_of(form, uk_day(desk.clock()), past=False)
        if form.value is None or until is None:
            return _erase(request, request_id, form, 422)
        _, shown = _looked(request, request_id, RequestKind.ERASURE, "legal hold")
        Erasure(desk, RECORDS).hold(shown, form.value.why, until, visitor_of(request))
        return RedirectResponse(f"/rights/requests/{request_id}/erase?done=held", 303)

    @routes.post("/rights/requests/{request_id}/holds/{hold_id}/lift", permission=Right.RIGHTS)
    def lifted(request: Request, request_id: str, hold_id: str) -> Response:
        _, shown = _looked(request, request_id, RequestKind.ERASURE, "legal hold")
        Erasure(desk_of(request), RECORDS).lift(shown, hold_id, visitor_of(request))
        return RedirectResponse(f"/rights/requests/{request_id}/erase?done=lifted", 303)


def _new(request: Request, form: Form[NewRequest], status: int = 200) -> Response:
    crumbs = [_LIST, ("Record a request", None)]
    return render(request, "casework/rights/new.html", status, form=form, breadcrumbs=crumbs)


def _one(
    request: Request, request_id: str, form: Form[Any] | None = None, status: int = 200
) -> Response:
    desk, visitor = desk_of(request), visitor_of(request)
    found = Requests(desk).get(request_id)
    return render(
        request,
        "casework/rights/request.html",
        status,
        asked=found,
        form=form or Form[Why](),
        is_open=desk.openings.is_open(visitor, found.case_id),
        why_not=why_not_answer(desk.state.database, visitor, found.household),
        today=uk_day(desk.clock()),
        regulator=REGULATOR,
        notification=_DONE.get(request.query_params.get("done", "")),
        breadcrumbs=[_LIST, (f"Request for {found.kind}", None)],
    )


def _text(
    request: Request, request_id: str, ref: str, form: Form[Rectify], status: int = 200
) -> Response:
    desk = desk_of(request)
    found, shown = _looked(request, request_id, RequestKind.RECTIFICATION, "rectification")
    wrong = next(
        (one for one in Rectification(desk, RECORDS).texts(shown) if one.reference == ref), None
    )
    if wrong is None:
        raise problem_of_status(404)
    return render(
        request,
        "casework/rights/text.html",
        status,
        asked=found,
        wrong=wrong,
        form=form,
        breadcrumbs=_crumbs(found, "Correct"),
    )


def _erase(request: Request, request_id: str, form: Form[Any], status: int = 200) -> Response:
    desk = desk_of(request)
    found, shown = _looked(request, request_id, RequestKind.ERASURE, "erasure")
    erasure = Erasure(desk, RECORDS)
    return render(
        request,
        "casework/rights/erase.html",
        status,
        asked=found,
        preview=erasure.preview(shown, request_id),
        holds=erasure.holds(shown),
        grounds=_GROUNDS,
        form=form,
        notification=_DONE.get(request.query_params.get("done", "")),
        breadcrumbs=_crumbs(found, "Erase"),
    )


_GROUNDS = [
    (Ground.NOT_NEEDED, "It is no longer needed for its purpose"),
    (Ground.WITHDRAWN, "Consent was withdrawn, and there is no other ground"),
    (Ground.OBJECTED, "The household objected, and nothing overrides that"),
    (Ground.UNLAWFUL, "It was held unlawfully"),
    (Ground.LEGAL_DUTY, "A law says that it has to be erased"),
]


def _looked(
    request: Request, request_id: str, kind: RequestKind, what: str
) -> tuple[Asked, Opened]:
    """A request of a kind, and its household, after the log has an entry of the look."""
    desk: Desk = desk_of(request)
    found = Requests(desk).get(request_id)
    if found.kind is not kind:
        raise problem_of_status(404)
    return found, desk.openings.look(visitor_of(request), found.case_id, what)


def _crumbs(asked: Asked, here: str) -> list[tuple[str, str | None]]:
    return [
        _LIST,
        (f"Request for {asked.kind}", f"/rights/requests/{asked.request_id}"),
        (here, None),
    ]
