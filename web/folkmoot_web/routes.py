"""Routes, each with the permission that it needs.

    routes = Routes()

    @routes.get("/rounds/{number}", permission=Right.READ)
    def show_round(request: Request, number: int) -> Response:
        return render(request, "round.html", number=number)

Endpoints are FastAPI's. The permission is checked before anything else of a request is read.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute

from folkmoot_web.errors import API
from folkmoot_web.permissions import PUBLIC
from folkmoot_web.request_size import DEFAULT_MAX_BYTES

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class Guard(Protocol):
    """Decides whether a request reaches its endpoint; `app.state.guard`."""

    def __call__(
        self, request: Request, route: GuardedRoute, handler: Handler
    ) -> Awaitable[Response]:
        """The endpoint's answer, or why there is none."""


class GuardedRoute(APIRoute):
    """A route that says which permission it needs.

    Attributes:
        permission: A permission of the product, `PUBLIC` or `SIGNED_IN`.
        max_bytes: Of a request's body.
        is_identified: Whether it matters who asks; for files it does not.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        permission: str,
        max_bytes: int = DEFAULT_MAX_BYTES,
        is_identified: bool = True,
        **options: Any,
    ) -> None:
        """Options are those of FastAPI's `APIRoute`.

        Raises:
            ValueError: If there is no permission, or nobody would be identified who needs one.
        """
        if not permission:
            raise ValueError(f"route {path} names no permission")
        if not is_identified and permission != PUBLIC:
            raise ValueError(f"route {path} needs to know who asks")
        self.permission = str(permission)
        self.max_bytes = max_bytes
        self.is_identified = is_identified
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Handler:
        """FastAPI's handler behind the guard."""
        inner = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            guard: Guard = request.app.state.guard
            return await guard(request, self, inner)

        return guarded


class Routes:
    """Routes of a part of a site.

    Attributes:
        routes: In the order in which they were declared.
    """

    def __init__(self, prefix: str = "") -> None:
        """Begins an empty list.

        Args:
            prefix: What every path begins with, such as `/api/v1`.
        """
        self._prefix = prefix
        self.routes: list[GuardedRoute] = []

    def route(
        self, path: str, *, methods: Iterable[str], permission: str, **options: Any
    ) -> Callable[[Endpoint], Endpoint]:
        """Declares an endpoint; see `GuardedRoute` and FastAPI's `APIRoute` for the options."""
        whole = self._prefix + path
        is_api = whole.startswith(f"{API}/")
        defaults: dict[str, Any] = {
            "include_in_schema": is_api,
            "response_class": JSONResponse if is_api else HTMLResponse,
        }
        if not is_api:
            defaults["response_model"] = None

        def declare(endpoint: Endpoint) -> Endpoint:
            self.routes.append(
                GuardedRoute(
                    whole,
                    endpoint,
                    methods=sorted(methods),
                    permission=permission,
                    **(defaults | options),
                )
            )
            return endpoint

        return declare

    def get(self, path: str, *, permission: str, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """Declares an endpoint that only reads."""
        methods = ("GET",) if (self._prefix + path).startswith(f"{API}/") else ("GET", "HEAD")
        return self.route(path, methods=methods, permission=permission, **options)

    def post(self, path: str, *, permission: str, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """Declares an endpoint that changes something: its forms need `csrf_field()`."""
        return self.route(path, methods=("POST",), permission=permission, **options)

    def put(self, path: str, *, permission: str, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """Declares an endpoint for programs that replaces something."""
        return self.route(path, methods=("PUT",), permission=permission, **options)

    def delete(
        self, path: str, *, permission: str, **options: Any
    ) -> Callable[[Endpoint], Endpoint]:
        """Declares an endpoint for programs that deletes something."""
        return self.route(path, methods=("DELETE",), permission=permission, **options)


@dataclass(frozen=True, slots=True)
class DeclaredRoute:
    """A route and who may use it, for tests and documents.

    Attributes:
        path: With its parameters in braces.
        methods: HTTP methods.
        permission: None where the route was added without one.
    """

    path: str
    methods: tuple[str, ...]
    permission: str | None


def declared_routes(app: FastAPI) -> list[DeclaredRoute]:
    """Every route of an app, also those that were added to it by hand."""
    return list(_declared(app.router.routes))


def _declared(routes: Iterable[BaseRoute]) -> Iterator[DeclaredRoute]:
    for route in routes:
        methods = tuple(sorted(getattr(route, "methods", None) or ()))
        permission = route.permission if isinstance(route, GuardedRoute) else None
        yield DeclaredRoute(getattr(route, "path", repr(route)), methods, permission)


def require_permissions(app: FastAPI, known: Iterable[str]) -> None:
    """Checks that each route of an app names a permission there is.

    Raises:
        ValueError: Naming those that do not.
    """
    there = set(known)
    wrong = [
        f"{' '.join(route.methods)} {route.path}: {route.permission or 'no permission'}"
        for route in declared_routes(app)
        if route.permission is None or route.permission not in there
    ]
    if wrong:
        raise ValueError("routes without a permission that exists: " + "; ".join(wrong))
