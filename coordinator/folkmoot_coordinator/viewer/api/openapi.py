"""The OpenAPI 3.1 description of the API, and its page of documentation."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from folkmoot_coordinator.viewer.api.answers import send_document
from folkmoot_coordinator.viewer.api.documents import ProblemDocument
from folkmoot_coordinator.viewer.keys.api_keys import Scope
from folkmoot_web.permissions import PUBLIC
from folkmoot_web.rendering import render
from folkmoot_web.routes import GuardedRoute, Routes

VERSION = "1"
PREFIX = f"/api/v{VERSION}"
_SCHEME = "key"
_PROBLEM = "application/problem+json"
_DESCRIPTION = (
    "Rounds and their statistics. Every figure is an estimate with noise that protects households: "
    "it comes with its standard error, 95% interval and reliability, and must not be shown "
    "without them. A result that was withdrawn is marked in every form. Send a key as "
    "`Authorization: Bearer KEY`; an analyst makes one on the page Keys. Errors are documents "
    "as RFC 9457 describes them."
)
_MEANINGS = {
    401: "There is no key, or it is not valid",
    403: "The key may not do this",
    404: "There is no such round or table, or the key may not read it",
    405: "The address does not take this method",
    406: "It cannot be had in this form",
    409: "The round has no result",
    413: "The request is too long",
    422: "A parameter is wrong",
    429: "Too many requests; the header Retry-After says when to try again",
    500: "There is a fault in the site",
    503: "The site is busy, or cannot reach its database; try again later",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route says of its errors."""
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {
        status: {"description": _MEANINGS[status], "content": {_PROBLEM: {"schema": schema}}}
        for status in statuses
    }


def routes() -> Routes:
    """The description and the page."""
    routes = Routes()

    @routes.route(
        f"{PREFIX}/openapi.json",
        methods=("GET", "HEAD"),
        permission=PUBLIC,
        is_identified=False,
        include_in_schema=False,
    )
    def description(request: Request) -> Response:
        return send_document(request, openapi(request.app))

    @routes.route(PREFIX, methods=("GET", "HEAD"), permission=PUBLIC, include_in_schema=False)
    def documentation(request: Request) -> Response:
        return render(
            request,
            "viewer/api.html",
            description=openapi(request.app),
            operations=_operations,
            meanings=_MEANINGS,
            origin=str(request.base_url).rstrip("/"),
        )

    return routes


def openapi(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of an app's routes for programs; made once."""
    known = getattr(app.state, "openapi", None)
    if known is None:
        known = app.state.openapi = _made(app)
    assert isinstance(known, dict)
    return known


def _made(app: FastAPI) -> dict[str, Any]:
    described = []
    for route in app.router.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            one = copy.copy(route)
            one.methods = (one.methods or set()) - {"HEAD"}  # every GET takes it too
            described.append(one)
    document = get_openapi(
        title=app.title, version=app.version, description=_DESCRIPTION, routes=described
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["ProblemDocument"] = ProblemDocument.model_json_schema(
        ref_template="#/components/schemas/{model}"
    )
    components["securitySchemes"] = {
        _SCHEME: {"type": "http", "scheme": "bearer", "description": "An API key"}
    }
    permissions = {one.path: one.permission for one in described if isinstance(one, GuardedRoute)}
    for path, methods in document["paths"].items():
        if permissions[path] != PUBLIC:
            for operation in methods.values():
                operation["security"] = [{_SCHEME: [str(Scope.READ_STATISTICS)]}]
    return document


def _operations(description: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """For the page: path, parameters and answers of each operation."""
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield {"path": path, "method": method.upper(), **operation}
