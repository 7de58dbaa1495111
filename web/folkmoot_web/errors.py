"""Pages that say what went wrong, and nothing else.

A page says what is wrong, where, and how to fix it, with an id that is also in the log. The
message of an exception may hold anything, so it goes neither onto a page nor into the log: the
log has its type and the lines of code that it came through.

Under `/api` the answer is `application/problem+json` (RFC 9457).
"""

from __future__ import annotations

import secrets
import traceback
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, Protocol

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from folkmoot_operator.events import emit
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.unusable_files import UnusableFile
from folkmoot_web import events

API = "/api"
"""Where the pages for programs are."""
_ID: Final = "correlation_id"
_TYPED = {
    400: ("The address or the form is wrong", "Go back, check what you entered, and try again."),
    401: ("Sign in first", "Sign in, and try again."),
    403: ("You may not see this page", "Ask whoever runs this site for a role that may."),
    404: (
        "Page not found",
        "If you typed the address, check it. If you pasted it, check that you copied all of it.",
    ),
    405: ("The page cannot do that", "Go back, and use the links and buttons of the page."),
    413: ("What you sent is too long", "Send a smaller file or a shorter text."),
    422: ("The address or the form is wrong", "Go back, check what you entered, and try again."),
    429: ("Too many attempts", "Wait a few minutes, and try again."),
    503: ("This site cannot reach its database now", "Try again in a few minutes."),
}
_TYPED_FOR_PROGRAMS = {
    400: ("The request is wrong", "Compare it with the documentation."),
    401: (
        "There is no key, or it is not valid",
        "Send `Authorization: Bearer KEY` with a key that has neither expired nor been revoked.",
    ),
    403: ("The key may not do this", "Ask for a key that may, or for another role."),
    404: ("Not found", "Check the address: the documentation lists those there are."),
    405: ("The address does not take this method", "The header Allow lists those it takes."),
    413: ("The request is too long", "Send a shorter one."),
    422: ("The request is wrong", "Correct what `where` names."),
    429: ("Too many requests", "Wait as long as the header Retry-After says."),
}
_FAULT = ("There is a problem with this site", "Try again later.")
_SHOWN = {ExitCode.USAGE: 400, ExitCode.DATA: 400, ExitCode.REFUSED: 403}
"""Problems whose text is for whoever asked; those of others are for operators, and logged."""


class WebProblem(Exception):
    """What a page says in place of what was asked for.

    Attributes:
        status: HTTP status, from 400.
        title: What is wrong, as a heading.
        problem: More about it; may be empty.
        remedy: How to fix it.
        where: Field, key or row; may be empty.
        headers: HTTP headers to add.
        is_general: Whether title and remedy are those of the status, as people read them.
    """

    def __init__(
        self,
        status: int,
        title: str,
        problem: str = "",
        remedy: str = "",
        *,
        where: str = "",
        headers: Mapping[str, str] | None = None,
        is_general: bool = False,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.problem = problem
        self.remedy = remedy
        self.where = where
        self.headers = dict(headers or {})
        self.is_general = is_general


def problem_of_status(
    status: int, problem: str = "", headers: Mapping[str, str] | None = None
) -> WebProblem:
    """What a page says where nothing is known but the HTTP status."""
    title, remedy = _TYPED.get(status, _FAULT if status >= 500 else (_phrase(status), ""))
    return WebProblem(status, title, problem, remedy, headers=headers, is_general=True)


def correlation_id(scope: Scope) -> str:
    """The id of a request, on its error page and in the log."""
    state = scope.setdefault("state", {})
    if _ID not in state:
        state[_ID] = secrets.token_hex(6)
    return str(state[_ID])


def is_api(scope: Scope) -> bool:
    """Whether a program asks, not a browser."""
    path = str(scope["path"])
    return path == API or path.startswith(f"{API}/")


class ErrorPage(Protocol):
    """Renders a problem as a page."""

    def __call__(self, request: Request, problem: WebProblem, correlation: str) -> Response:
        """The page."""


class Errors:
    """Answers requests that fail."""

    def __init__(self, page: ErrorPage) -> None:
        self._page = page

    def register(self, app: FastAPI) -> None:
        """Makes an app answer exceptions of the usual kinds."""

        async def http(request: Request, error: Exception) -> Response:
            assert isinstance(error, HTTPException)
            return self.response(request, problem_of_status(error.status_code, "", error.headers))

        async def typed(request: Request, error: Exception) -> Response:
            assert isinstance(error, WebProblem)
            return self.response(request, error)

        async def operators(request: Request, error: Exception) -> Response:
            assert isinstance(error, Problem)
            return self.response(request, self._of_operators(request, error))

        async def invalid(request: Request, error: Exception) -> Response:
            assert isinstance(error, RequestValidationError)
            places = (".".join(str(part) for part in one["loc"][1:]) for one in error.errors())
            where = ", ".join(sorted(set(places)))
            title, remedy = _TYPED[422]
            problem = WebProblem(422, title, "", remedy, where=where, is_general=True)
            return self.response(request, problem)

        app.add_exception_handler(HTTPException, http)
        app.add_exception_handler(WebProblem, typed)
        app.add_exception_handler(Problem, operators)
        app.add_exception_handler(RequestValidationError, invalid)

    def response(self, request: Request, problem: WebProblem) -> Response:
        """The page or the JSON document that states a problem."""
        correlation = correlation_id(request.scope)
        if is_api(request.scope):
            return _document(problem, correlation)
        response = self._page(request, problem, correlation)
        response.headers.update(problem.headers)
        return response

    def _of_operators(self, request: Request, error: Problem) -> WebProblem:
        status = _SHOWN.get(error.exit_code)
        if status is not None and not isinstance(error, UnusableFile):
            title, remedy = _TYPED[status]
            return WebProblem(
                status, title, error.problem, error.remedy or remedy, where=error.where
            )
        correlation = correlation_id(request.scope)
        emit(events.REQUEST_PROBLEM, request=correlation, problem=error)
        is_passing = isinstance(error, UnusableFile) or error.exit_code == ExitCode.UNREACHABLE
        return problem_of_status(503 if is_passing else 500)


class ErrorBoundary:
    """The outermost layer: no exception passes it, so no server logs the message of one."""

    def __init__(self, app: ASGIApp, *, errors: Errors) -> None:
        self._app = app
        self._errors = errors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            correlation = correlation_id(scope)
            emit(events.REQUEST_FAILED, request=correlation, trace=_trace(error))
            if begun:  # half an answer: only closing the connection shows that it is not whole
                raise ConnectionAbortedError(f"request {correlation} failed half-way") from None
            problem = problem_of_status(500)
            try:
                response = self._errors.response(Request(scope, receive), problem)
            except Exception as second:
                emit(events.PAGE_FAILED, request=correlation, trace=_trace(second))
                response = Response(f"{problem.title}. Id: {correlation}", 500)
            await response(scope, receive, send)


def _trace(error: Exception) -> str:
    """Type of an exception and of what caused it, and the code they came through."""
    parts: list[str] = []
    here: BaseException | None = error
    while here is not None and len(parts) < 5:
        frames = traceback.extract_tb(here.__traceback__)[-8:]
        lines = " > ".join(f"{frame.filename}:{frame.lineno}" for frame in frames)
        parts.append(f"{type(here).__module__}.{type(here).__qualname__} at {lines}")
        here = here.__cause__ or here.__context__
    return "; after ".join(parts)


def _document(problem: WebProblem, correlation: str) -> Response:
    title, remedy = problem.title, problem.remedy
    if problem.is_general:
        title, remedy = _TYPED_FOR_PROGRAMS.get(problem.status, (title, remedy))
    content = {
        "type": "about:blank",
        "title": title,
        "status": problem.status,
        "detail": problem.problem,
        "where": problem.where,
        "remedy": remedy,
        "instance": f"urn:request:{correlation}",
        "correlation_id": correlation,
    }
    return JSONResponse(
        {key: value for key, value in content.items() if value != ""},
        problem.status,
        headers=problem.headers,
        media_type="application/problem+json",
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase.capitalize()
    except ValueError:
        return "The request failed"
