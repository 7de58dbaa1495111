"""API keys of one's own: made, shown once, revoked."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from folkmoot_coordinator.viewer.keys.api_keys import (
    DEFAULT_DAYS,
    LONGEST_DAYS,
    MAX_NAME,
    ApiKeys,
    Scope,
)
from folkmoot_coordinator.viewer.permissions import Right
from folkmoot_coordinator.viewer.region import region_of
from folkmoot_coordinator.viewer.round_facts import round_facts
from folkmoot_operator.problems import Problem
from folkmoot_web.errors import WebProblem
from folkmoot_web.forms import Form, FormModel, read_form
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.site import site_of
from folkmoot_web.visitors import visitor_of

PATH = "/keys"


class NewKey(FormModel):
    """What the form sends."""

    messages: ClassVar[dict[str, str]] = {
        "days": f"Enter how many days the key works, from 1 to {LONGEST_DAYS}",
        "name.missing": "Enter which program uses the key",
    }

    name: Annotated[str, Field(title="the name of the program", max_length=MAX_NAME)]
    days: Annotated[int, Field(ge=1, le=LONGEST_DAYS)]
    purposes: tuple[str, ...] = ()


def routes() -> Routes:
    """The page."""
    routes = Routes()

    @routes.get(PATH, permission=Right.KEYS)
    def keys(request: Request) -> Response:
        return _page(request, Form[NewKey]({"days": str(DEFAULT_DAYS)}))

    @routes.post(PATH, permission=Right.KEYS)
    def make(request: Request) -> Response:
        form = read_form(request, NewKey)
        offered = _purposes(request)
        if form.value is not None and not set(form.value.purposes) <= set(offered):
            form.add_error("purposes", "Select purposes from the list")
        if form.value is None:
            return _page(request, form, status=422)
        visitor = visitor_of(request)
        try:
            key, made = ApiKeys(site_of(request)).add(
                form.value.name,
                account=visitor.name,
                by=visitor.name,
                days=form.value.days,
                purposes=form.value.purposes,
            )
        except Problem as problem:
            form.add_error(problem.where, f"The {problem.where} {problem.problem}")
            return _page(request, form, status=422)
        # Shown now and never again: the answer to a reload of a redirect could not have it.
        return render(request, "viewer/key_made.html", key=key, made=made)

    @routes.post(PATH + "/{key_id}/revoke", permission=Right.KEYS)
    def revoke(request: Request, key_id: str) -> Response:
        visitor = visitor_of(request)
        try:
            ApiKeys(site_of(request)).revoke(key_id, by=visitor.name, account=visitor.name)
        except Problem:
            raise WebProblem(
                404, "There is no such key", "", "Your keys are on the page Keys."
            ) from None
        return RedirectResponse(f"{PATH}?revoked", 303)

    return routes


def _page(request: Request, form: Form[NewKey], status: int = 200) -> Response:
    site = site_of(request)
    return render(
        request,
        "viewer/keys.html",
        status,
        form=form,
        keys=ApiKeys(site).list(visitor_of(request).name),
        now=site.clock(),
        purposes=_purposes(request),
        scopes=list(Scope),
        longest=LONGEST_DAYS,
        notification="The key is revoked" if "revoked" in request.query_params else None,
    )


def _purposes(request: Request) -> list[str]:
    """Purposes of the rounds that whoever asks may see."""
    region, visitor = region_of(request), visitor_of(request)
    found = {one.question.purpose for one in round_facts(region.database)}
    return sorted(one for one in found if region.sees(visitor, one))
