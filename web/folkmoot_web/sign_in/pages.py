"""The pages for signing in and out, and for choosing a password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from pydantic import Field, StringConstraints
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from folkmoot_web.cookies import BROWSER, SESSION, Cookies
from folkmoot_web.database.connection import Database
from folkmoot_web.errors import WebProblem
from folkmoot_web.forms import Form, FormModel, browser_of, read_form
from folkmoot_web.permissions import PUBLIC, SIGNED_IN
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.settings import WebSettings
from folkmoot_web.sign_in import passwords
from folkmoot_web.sign_in.accounts import SET_UP, Account, Accounts
from folkmoot_web.sign_in.attempts import Attempts
from folkmoot_web.sign_in.openid import CALLBACK, OpenId
from folkmoot_web.sign_in.sessions import Sessions
from folkmoot_web.visitors import visitor_of

SIGN_IN = "/sign-in"
SIGN_OUT = "/sign-out"
_MAX_BYTES = 16 * 1024
_LONGEST_PATH = 500
_AsTyped = Annotated[str, StringConstraints(strip_whitespace=False, max_length=1000)]


class SignInForm(FormModel):
    """Name and password."""

    messages = {"password": "Enter your password", "name": "Enter your email address or user name"}

    name: Annotated[str, Field(max_length=254)]
    password: _AsTyped


class NewPasswordForm(FormModel):
    """A new password, typed twice."""

    messages = {"password.missing": "Enter a password", "again": "Enter the same password again"}

    password: _AsTyped
    again: _AsTyped


@dataclass(frozen=True, slots=True)
class SignIn:
    """What the pages need.

    Attributes:
        settings: Of the site.
        database: Its state.
        cookies: Its cookies.
        accounts: Its accounts.
        sessions: Its sessions.
        attempts: Limits on failing.
        openid: The provider, if there is one.
        home: The page for somebody who has just signed in.
    """

    settings: WebSettings
    database: Database
    cookies: Cookies
    accounts: Accounts
    sessions: Sessions
    attempts: Attempts
    openid: OpenId | None
    home: str

    def routes(self) -> Routes:
        """The pages."""
        routes = Routes()
        routes.get(SIGN_IN, permission=PUBLIC)(self._show_sign_in)
        if self.settings.sign_in.local:
            routes.post(SIGN_IN, permission=PUBLIC, max_bytes=_MAX_BYTES)(self._sign_in)
            routes.get(f"{SET_UP}/{{token}}", permission=PUBLIC)(self._show_set_up)
            routes.post(f"{SET_UP}/{{token}}", permission=PUBLIC, max_bytes=_MAX_BYTES)(
                self._set_up
            )
        if self.openid is not None:
            routes.get(f"{SIGN_IN}/openid", permission=PUBLIC)(self._begin_openid)
            routes.get(CALLBACK, permission=PUBLIC)(self._finish_openid)
        routes.get(SIGN_OUT, permission=PUBLIC)(self._show_sign_out)
        routes.post(SIGN_OUT, permission=SIGNED_IN)(self._sign_out)
        return routes

    def _show_sign_in(self, request: Request) -> Response:
        if visitor_of(request).is_signed_in:
            return RedirectResponse(self._leads_to(request), 303)
        return self._sign_in_page(request, Form())

    def _sign_in_page(
        self, request: Request, form: Form[SignInForm], status: int = 200
    ) -> Response:
        leads_to = self._leads_to(request)
        return render(
            request,
            "web/sign_in.html",
            status,
            form=form,
            local=self.settings.sign_in.local,
            openid=self.settings.sign_in.openid,
            leads_to="" if leads_to == self.home else f"?next={quote(leads_to, safe='/')}",
            ended="ended" in request.query_params,
        )

    def _sign_in(self, request: Request) -> Response:
        form = read_form(request, SignInForm)
        if form.value is None:
            return self._sign_in_page(request, form, 422)
        name, address = form.value.name, _address(request)
        if not self.attempts.reserve(name, address):
            raise WebProblem(
                429,
                "Too many attempts to sign in",
                f"Signing in failed too often in the last {self.attempts.minutes} minutes.",
                f"Wait {self.attempts.minutes} minutes, and try again. If you have forgotten your "
                "password, ask whoever runs this site for a new link.",
                headers={"Retry-After": str(self.attempts.minutes * 60)},
            )
        account = self.accounts.with_password(name, form.value.password)
        if account is None:
            self.attempts.note_failure(name, address)
            form.add_error("name", "The name or the password is wrong")
            return self._sign_in_page(request, form, 422)
        with self.database.writing() as session:
            self.attempts.clear(session, name, address)
            token = self.sessions.begin(session, account, "password", self._previous(request))
        return self._welcome(self._leads_to(request), token)

    async def _begin_openid(self, request: Request) -> Response:
        assert self.openid is not None
        browser = browser_of(request, self.cookies)
        return RedirectResponse(await self.openid.begin(browser, self._leads_to(request)), 303)

    async def _finish_openid(self, request: Request) -> Response:
        assert self.openid is not None
        browser = browser_of(request, self.cookies)
        who, leads_to = await self.openid.finish(browser, request.query_params)

        def begin() -> str | None:
            with self.database.writing() as session:
                account = self.accounts.of_provider(
                    session, who.issuer, who.subject, who.display_name, who.roles
                )
                if account is None:
                    return None
                return self.sessions.begin(session, account, who.issuer, self._previous(request))

        token = await run_in_threadpool(begin)
        if token is None:
            raise WebProblem(
                403, "Your account is disabled", "", "Ask whoever runs this site to enable it."
            )
        return self._welcome(_own_path(leads_to, self.home), token)

    def _show_set_up(self, request: Request, token: str) -> Response:
        return self._set_up_page(request, self._of_link(token), Form())

    def _set_up_page(
        self, request: Request, account: Account, form: Form[NewPasswordForm], status: int = 200
    ) -> Response:
        return render(
            request,
            "web/set_up.html",
            status,
            form=form,
            account=account,
            min_length=passwords.MIN_LENGTH,
        )

    def _set_up(self, request: Request, token: str) -> Response:
        account = self._of_link(token)
        form = read_form(request, NewPasswordForm)
        if form.value is not None:
            about = (account.name, account.display_name, self.settings.name, "folkmoot")
            if (fault := passwords.fault(form.value.password, about)) is not None:
                form.add_error("password", fault)
            elif form.value.password != form.value.again:
                form.add_error("again", "The two passwords differ")
        if form.value is None:
            return self._set_up_page(request, account, form, 422)
        if self.accounts.choose_password(token, form.value.password) is None:
            raise _used_link()
        return render(request, "web/password_chosen.html")

    def _of_link(self, token: str) -> Account:
        account = self.accounts.of_link(token)
        if account is None:
            raise _used_link()
        return account

    def _show_sign_out(self, request: Request) -> Response:
        if not visitor_of(request).is_signed_in:
            return RedirectResponse(SIGN_IN, 303)
        return render(request, "web/sign_out.html")

    def _sign_out(self, request: Request) -> Response:
        self.sessions.end(visitor_of(request))
        response = RedirectResponse(f"{SIGN_IN}?ended", 303)
        self.cookies.delete(response, SESSION)
        # The browser is asked to forget what it kept of pages.
        response.headers["Clear-Site-Data"] = '"cache"'
        return response

    def _welcome(self, leads_to: str, token: str) -> Response:
        response = RedirectResponse(leads_to, 303)
        self.cookies.set(response, SESSION, token)
        self.cookies.delete(response, BROWSER)
        return response

    def _previous(self, request: Request) -> str | None:
        return self.cookies.read(request, SESSION)

    def _leads_to(self, request: Request) -> str:
        return _own_path(request.query_params.get("next", ""), self.home)


def sign_in_address(request: Request) -> str:
    """The sign-in page that leads back to the page that was asked for."""
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method not in ("GET", "HEAD") or len(path) > _LONGEST_PATH or path == "/":
        return SIGN_IN
    return f"{SIGN_IN}?next={quote(path, safe='/')}"


def _own_path(path: str, instead: str) -> str:
    """A path of this site; a browser would read `//host` and backslashes as another site."""
    is_own = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    is_sign_in = path.startswith((SIGN_IN, SIGN_OUT, SET_UP))
    return path if is_own and "\\" not in path and not is_sign_in else instead


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _used_link() -> WebProblem:
    return WebProblem(
        404,
        "This link does not work any more",
        "It was used, has expired, or was replaced by a newer one.",
        "Ask whoever runs this site for a new link.",
    )
