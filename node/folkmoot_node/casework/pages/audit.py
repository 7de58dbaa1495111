"""For the auditor: who looked at what, when and why, and what is unusual about it."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable
from typing import Annotated, ClassVar

from pydantic import Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.desk import desk_of
from folkmoot_node.casework.opening.log import COLUMNS, Choice
from folkmoot_node.casework.opening.reasons import Reason
from folkmoot_node.casework.opening.unusual import unusual_reading
from folkmoot_node.casework.pages.exports import as_file
from folkmoot_node.casework.pages.search import UPRN_MESSAGES, Uprn
from folkmoot_node.casework.uk_time import uk_midnight
from folkmoot_operator.hash_chain import Head
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_web.forms import Form, FormModel, read_form
from folkmoot_web.paging import Pages
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of

PATH = "/audit"
_ON_A_PAGE = 50
_DATE = "Enter a date as year, month and day: 2027-01-31"
_KEY = 10  # characters of what stands for a person in an address
_LENGTHS = {"person": _KEY, "action": 100, "case": 16, "household": 16}
_NAMES = (*_LENGTHS, "first", "last")


class ChoiceForm(FormModel):
    """Which entries are shown, and why a file of them is made."""

    messages: ClassVar[dict[str, str]] = {"first": _DATE, "last": _DATE}

    person: Annotated[str, Field(max_length=_KEY)] = ""
    action: Annotated[str, Field(max_length=100)] = ""
    case: Annotated[str, Field(title="the id of the case", max_length=16)] = ""
    household: Annotated[str, Field(title="the id of the household", max_length=16)] = ""
    first: datetime.date | None = None
    last: datetime.date | None = None

    def choice(self, people: Iterable[str]) -> Choice:
        """As the log takes it; dates are those of the UK.

        Args:
            people: Names of accounts that are in the log.
        """
        # A key that fits nobody chooses nobody, not everybody.
        by = next((one for one in people if key_of(one) == self.person), self.person)
        after = None if self.last is None else self.last + datetime.timedelta(days=1)
        return Choice(
            by,
            self.case,
            self.household,
            self.action,
            None if self.first is None else uk_midnight(self.first),
            None if after is None else uk_midnight(after),
        )


class FileForm(ChoiceForm):
    """Why a file of the log is made."""

    messages: ClassVar[dict[str, str]] = {
        **ChoiceForm.messages,
        "reason.missing": "Enter why you need the file",
    }

    reason: Reason


class LookUpForm(FormModel):
    """Which household a complaint is about, and why it is looked up."""

    messages: ClassVar[dict[str, str]] = {
        **UPRN_MESSAGES,
        "reason.missing": "Enter why you look this household up",
    }

    uprn: Uprn
    reason: Reason


class VerifyForm(FormModel):
    """A head that was noted earlier."""

    expected: Annotated[str, Field(title="the head", max_length=100)] = ""


def key_of(name: str) -> str:
    """What stands for a person in an address, which has no names."""
    return hashlib.sha256(name.encode()).hexdigest()[:_KEY]


def routes() -> Routes:
    """The pages."""
    routes = Routes()

    @routes.get(PATH, permission=Right.AUDIT)
    def log(request: Request) -> Response:
        return _log(request, _asked(request))

    @routes.post(PATH + "/export", permission=Right.AUDIT)
    def export(request: Request) -> Response:
        form = read_form(request, FileForm)
        if form.value is None:
            typed = {name: form.typed(name) for name in _NAMES}
            return _log(request, _form(typed), form, 422)
        desk = desk_of(request)
        choice = form.value.choice(desk.log.names()[0])
        made = desk.exports.of_log(visitor_of(request), COLUMNS, form.value.reason)
        rows = (one.row() for one in desk.log.entries(choice))
        return as_file(made, made.content(rows))

    @routes.get(PATH + "/unusual", permission=Right.AUDIT)
    def unusual(request: Request) -> Response:
        desk = desk_of(request)
        policy = desk.known.policy.unusual
        return render(
            request,
            "casework/audit_unusual.html",
            findings=unusual_reading(desk.log, policy, desk.clock()),
            policy=policy,
            key_of=key_of,
            breadcrumbs=[("Audit", PATH), ("Unusual reading", None)],
        )

    @routes.get(PATH + "/chain", permission=Right.AUDIT)
    def chain(request: Request) -> Response:
        return _chain(request, Form[VerifyForm]())

    @routes.post(PATH + "/chain", permission=Right.AUDIT)
    def verify(request: Request) -> Response:
        form = read_form(request, VerifyForm)
        if form.value is None:
            return _chain(request, form, 422)
        try:
            noted = [Head.parse(form.value.expected)] if form.value.expected else []
        except Problem:
            form.add_error(
                "expected", "Enter the head as it was shown: a number, a colon, 64 digits"
            )
            return _chain(request, form, 422)
        try:
            head = desk_of(request).log.verify(visitor_of(request), noted)
        except Problem as problem:
            if problem.exit_code != ExitCode.VERIFICATION:
                raise
            return _chain(request, form, broken=problem)
        return _chain(request, form, verified=head)

    @routes.get(PATH + "/household", permission=Right.AUDIT)
    def ask_household(request: Request) -> Response:
        return _look_up(request, Form[LookUpForm]())

    @routes.post(PATH + "/household", permission=Right.AUDIT)
    def household(request: Request) -> Response:
        form = read_form(request, LookUpForm)
        if form.value is None:
            return _look_up(request, form, 422)
        found = desk_of(request).log.household(
            visitor_of(request), form.value.uprn, form.value.reason
        )
        if found is None:
            form.add_error("uprn", "Nobody has had to do with a household with this UPRN")
            return _look_up(request, form, 404)
        return RedirectResponse(f"{PATH}?household={found}", 303)

    return routes


def _asked(request: Request) -> Form[ChoiceForm]:
    return _form({name: request.query_params.get(name, "").strip() for name in _NAMES})


def _form(typed: dict[str, str]) -> Form[ChoiceForm]:
    form = Form[ChoiceForm](typed)
    dates: dict[str, datetime.date | None] = {"first": None, "last": None}
    for name in dates:
        try:
            dates[name] = datetime.date.fromisoformat(typed[name]) if typed[name] else None
        except ValueError:
            form.add_error(name, _DATE)
    if not form.errors:
        texts = {name: typed[name][:length] for name, length in _LENGTHS.items()}
        form.value = ChoiceForm.model_validate({**texts, **dates})
    return form


def _log(
    request: Request,
    form: Form[ChoiceForm],
    file_form: Form[FileForm] | None = None,
    status: int = 200,
) -> Response:
    desk = desk_of(request)
    people, actions = desk.log.names()
    choice = form.value.choice(people) if form.value is not None else Choice()
    entries = desk.log.count(choice) if form.value is not None else 0
    number = request.query_params.get("page", "1")
    pages = Pages.of(entries, int(number) if number.isdecimal() else 1, _ON_A_PAGE)
    found = desk.log.page(choice, pages.first, _ON_A_PAGE) if entries else []
    shown = form if file_form is None else file_form
    return render(
        request,
        "casework/audit.html",
        422 if form.errors else status,
        form=shown,
        entries=found,
        total=entries,
        pages=pages,
        pagination=pages.links(request),
        people=[{"value": key_of(one), "text": one} for one in people],
        actions=actions,
        chosen={name: form.typed(name) for name in _NAMES if form.typed(name)},
        head=desk.log.head(),
        breadcrumbs=[("Audit", None)],
    )


def _chain(
    request: Request,
    form: Form[VerifyForm],
    status: int = 200,
    *,
    verified: Head | None = None,
    broken: Problem | None = None,
) -> Response:
    return render(
        request,
        "casework/audit_chain.html",
        status,
        form=form,
        head=desk_of(request).log.head(),
        verified=verified,
        broken=broken,
        breadcrumbs=[("Audit", PATH), ("Verify the log", None)],
    )


def _look_up(request: Request, form: Form[LookUpForm], status: int = 200) -> Response:
    crumbs = [("Audit", PATH), ("Find a household", None)]
    return render(request, "casework/audit_household.html", status, form=form, breadcrumbs=crumbs)
