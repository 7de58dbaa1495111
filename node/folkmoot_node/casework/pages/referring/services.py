"""The directory of services: list, one service, what the council knows of it itself."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.referring.room import room_of
from folkmoot_web.forms import Form, FormModel, read_form
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of

DONE = {
    "changed": "The service is changed.",
    "retired": "The service is retired: nobody is referred to it any more.",
    "restored": "The service takes referrals again.",
}


def _email(value: str) -> str:
    name, at, host = value.partition("@")
    if not (name and at and "." in host) or any(one.isspace() for one in value):
        raise ValueError("Enter an email address, like name@example.gov.uk")
    return value


class ServiceForm(FormModel):
    """What the council knows of a service itself."""

    messages: ClassVar[dict[str, str]] = {
        "capacity": "Enter how many referrals it takes in a week, from 0 to 10,000, or nothing",
    }

    version: int
    contact_name: Annotated[str, Field(title="the contact's name", max_length=200)] = ""
    contact_email: Annotated[
        str, Field(title="the email address", max_length=254), AfterValidator(_email)
    ] = ""
    contact_telephone: Annotated[str, Field(title="the telephone number", max_length=50)] = ""
    capacity: Annotated[int | None, Field(title="the capacity", ge=0, le=10_000)] = None


def routes() -> Routes:
    """The pages."""
    routes = Routes()

    @routes.get("/services", permission=Right.LISTS)
    def services(request: Request) -> Response:
        every = room_of(request).services.listed(retired=True)
        return render(
            request,
            "casework/services.html",
            services=[one for one in every if one.retired_at is None],
            retired=[one for one in every if one.retired_at is not None],
        )

    @routes.get("/services/{service_id}", permission=Right.LISTS)
    def service(request: Request, service_id: str, done: str = "") -> Response:
        return _page(request, service_id, None, done=done)

    @routes.post("/services/{service_id}", permission=Right.SERVICES)
    def change(request: Request, service_id: str) -> Response:
        form = read_form(request, ServiceForm)
        if form.value is None:
            return _page(request, service_id, form, 422)
        given = form.value
        room_of(request).services.change(
            service_id,
            given.version,
            visitor_of(request).name,
            contact_name=given.contact_name,
            contact_email=given.contact_email,
            contact_telephone=given.contact_telephone,
            capacity=given.capacity,
        )
        return RedirectResponse(f"/services/{service_id}?done=changed", 303)

    @routes.post("/services/{service_id}/retire", permission=Right.SERVICES)
    def retire(request: Request, service_id: str) -> Response:
        room_of(request).services.retire(service_id, visitor_of(request).name)
        return RedirectResponse(f"/services/{service_id}?done=retired", 303)

    @routes.post("/services/{service_id}/restore", permission=Right.SERVICES)
    def restore(request: Request, service_id: str) -> Response:
        room_of(request).services.retire(service_id, visitor_of(request).name, undo=True)
        return RedirectResponse(f"/services/{service_id}?done=restored", 303)

    return routes


def _page(
    request: Request,
    service_id: str,
    form: Form[ServiceForm] | None,
    status: int = 200,
    *,
    done: str = "",
) -> Response:
    room = room_of(request)
    service = room.services.get(service_id)
    if form is None:
        form = Form(
            {
                "version": str(service.version),
                "contact_name": service.contact_name,
                "contact_email": service.contact_email,
                "contact_telephone": service.contact_telephone,
                "capacity": "" if service.capacity is None else str(service.capacity),
            }
        )
    places, left = room.referrals.order(service_id)
    return render(
        request,
        "casework/service.html",
        status,
        service=service,
        form=form,
        waiting=len(places),
        left=left,
        notification=DONE.get(done),
        breadcrumbs=[("Services", "/services"), (service.name, None)],
    )
