"""A site: settings, a product, and what the kit adds to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from jinja2 import BaseLoader
from sqlalchemy import URL
from starlette.concurrency import run_in_threadpool
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from folkmoot_operator.network_addresses import split_address
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.sql_migrations import Tables
from folkmoot_web.audit import Audit
from folkmoot_web.clock import Clock, system_clock
from folkmoot_web.closed import ClosedSite
from folkmoot_web.cookies import Cookies
from folkmoot_web.database.connection import Database
from folkmoot_web.errors import ErrorBoundary, Errors
from folkmoot_web.guard import ReadKey, SiteGuard
from folkmoot_web.permissions import PUBLIC, Permissions
from folkmoot_web.rendering import Look, Renderer
from folkmoot_web.reverse_proxies import ReverseProxies
from folkmoot_web.routes import Routes, require_permissions
from folkmoot_web.security_headers import SecurityHeaders
from folkmoot_web.settings import WebSettings
from folkmoot_web.sign_in.accounts import Accounts
from folkmoot_web.sign_in.attempts import Attempts
from folkmoot_web.sign_in.openid import OpenId
from folkmoot_web.sign_in.pages import SignIn
from folkmoot_web.sign_in.sessions import Sessions
from folkmoot_web.statements import Accessibility, statements
from folkmoot_web.static_files import OWN, StaticFiles

DATABASE_FILE = "site.sqlite"
"""The database in a product's folder, unless the settings name another."""
_LOGOS = (".svg", ".png")
_COMPRESSED_FROM = 1000  # bytes
_COMPRESSION = 5  # a map of 250 KB in a few milliseconds
_COMPRESSED_ALREADY = (
    *DEFAULT_EXCLUDED_CONTENT_TYPES,
    "application/pdf",
    "application/vnd.apache.parquet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)

_NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
    "exclude": lambda _: True,
}
"""FastAPI would hand messages of exceptions, and addresses with tokens in them, to whatever
OpenTelemetry exporter another library or the environment has set up."""


@dataclass(frozen=True, slots=True)
class Product:
    """What a product's site is made of.

    Attributes:
        look: Its name, and what is on every page.
        permissions: Its permissions and roles.
        routes: Its pages; one has the path of `start`.
        templates: Where its templates are.
        static: Folder of its own static files.
        tables: Its own tables in the site's database.
        read_key: Who sends a key in an `Authorization` header under `/api`, where programs may.
        start: The page for somebody who has just signed in.
        accessibility: What its accessibility statement says.
        checks: Each raises a Problem while the site cannot answer, in addition to its own database.
        closed: Since when and why every page is closed, for people; None while they are open.
        version: For the OpenAPI document.
        key: With which its database, a file of SQLite, is encrypted, 32 bytes; None: it is not.
    """

    look: Look
    permissions: Permissions
    routes: Sequence[Routes]
    templates: BaseLoader | None = None
    static: Path | None = None
    tables: Sequence[Tables] = ()
    read_key: ReadKey | None = None
    start: str = "/"
    accessibility: Accessibility = field(default_factory=Accessibility)
    checks: Sequence[Callable[[], None]] = ()
    closed: Callable[[], str | None] | None = None
    version: str = "1"
    key: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class State:
    """What a site keeps: for its pages and for a product's commands.

    Attributes:
        database: Its database; `prepare` makes the tables.
        audit: Its audit log.
        accounts: Its accounts.
        clock: The time.
    """

    database: Database
    audit: Audit
    accounts: Accounts
    clock: Clock


def open_state(
    settings: WebSettings,
    permissions: Permissions,
    *,
    home: Path,
    tables: Sequence[Tables] = (),
    clock: Clock = system_clock,
    key: bytes | None = None,
) -> State:
    """Opens a site's state without the site, as commands about accounts do.

    Args:
        settings: Of the site.
        permissions: The product's.
        home: The product's folder.
        tables: The product's own tables.
        clock: The time.
        key: With which its database, a file of SQLite, is encrypted; None for a plain one.

    Raises:
        Problem: Exit code SETTINGS, if the database's URL is wrong.
    """
    url = settings.database.url or URL.create("sqlite", database=str(home / DATABASE_FILE))
    database = Database(url, tables, key)
    audit = Audit(database, clock)
    accounts = Accounts(database, audit, permissions, settings, clock)
    return State(database, audit, accounts, clock)


def build_site(
    settings: WebSettings, product: Product, *, home: Path, clock: Clock = system_clock
) -> FastAPI:
    """Builds a site; nothing listens yet, and its tables are made when it starts.

    Args:
        settings: Of the site.
        product: What it shows.
        home: The product's folder; paths in the settings are relative to it.
        clock: The time.

    Raises:
        Problem: Exit code SETTINGS, if the settings name what is not there.
        ValueError: If a route names no permission, or one that the product does not have.
    """
    state = open_state(
        settings,
        product.permissions,
        home=home,
        tables=product.tables,
        clock=clock,
        key=product.key,
    )
    cookies = Cookies(settings)
    openid = settings.sign_in.openid
    if openid is not None:
        for group, roles in openid.roles.items():
            _require_roles(product.permissions, roles, f"sign_in.openid.roles.{group}")
    static, logo = _static(settings, product, home)
    look = Look(
        product.look.service,
        product.look.navigation,
        product.look.footer,
        product.look.phase,
        logo or product.look.logo,
    )
    renderer = Renderer(settings, look, static, cookies, product.templates)
    errors = Errors(renderer.error_page)
    sessions = Sessions(state.database, state.audit, product.permissions, settings.session, clock)
    sign_in = SignIn(
        settings=settings,
        database=state.database,
        cookies=cookies,
        accounts=state.accounts,
        sessions=sessions,
        attempts=Attempts(state.database, state.audit, settings.attempts, clock),
        openid=OpenId(openid, settings.origin, home, clock) if openid else None,
        home=product.start,
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # Again, in case that a route was added to the app by hand.
        require_permissions(app, product.permissions.known)
        await run_in_threadpool(state.database.prepare)
        yield
        state.database.close()

    app = FastAPI(
        title=look.service,
        version=product.version,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        telemetry=_NO_TELEMETRY,
    )
    app.state.guard = SiteGuard(sessions, cookies, product.read_key, product.permissions)
    app.state.renderer = renderer
    app.state.site = state
    parts = (
        static.routes(),
        _health((state.database.check, *product.checks)),
        sign_in.routes(),
        statements(settings, cookies, product.accessibility),
        *product.routes,
    )
    # `include_router` would make routes of its own, without their permissions.
    for part in parts:
        app.router.routes.extend(part.routes)
    require_permissions(app, product.permissions.known)
    errors.register(app)
    if product.closed is not None:
        app.add_middleware(ClosedSite, why=product.closed, errors=errors)
    _wrap(app, settings, errors)
    return app


def site_of(request: Request) -> State:
    """The state of the site that serves a request."""
    state = request.app.state.site
    assert isinstance(state, State)
    return state


def _wrap(app: FastAPI, settings: WebSettings, errors: Errors) -> None:
    """Adds the layers around the pages, from the inside out."""
    listened, _ = split_address(settings.listen)
    hosts = {listened, urlsplit(settings.origin).hostname or listened}
    app.add_middleware(
        GZipMiddleware,
        minimum_size=_COMPRESSED_FROM,
        compresslevel=_COMPRESSION,
        exclude_content_types=_COMPRESSED_ALREADY,
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=sorted(hosts), www_redirect=False)
    if settings.proxies:
        app.add_middleware(ReverseProxies, proxies=settings.proxies)
    app.add_middleware(ErrorBoundary, errors=errors)
    app.add_middleware(SecurityHeaders, is_secure=settings.is_secure)


def _health(checks: Sequence[Callable[[], None]]) -> Routes:
    """Whether the site can answer, for whatever watches it. Why not is in the log of pages."""
    routes = Routes()

    @routes.get("/health", permission=PUBLIC, is_identified=False)
    def health() -> Response:
        try:
            for check in checks:
                check()
        except Problem:
            return JSONResponse({"status": "not ok"}, 503)
        return JSONResponse({"status": "ok"})

    return routes


def _static(settings: WebSettings, product: Product, home: Path) -> tuple[StaticFiles, str | None]:
    folders = (OWN,) if product.static is None else (OWN, product.static)
    if settings.logo is None:
        return StaticFiles(folders), None
    path = home / settings.logo
    if path.suffix.lower() not in _LOGOS or not path.is_file():
        raise Problem(
            "the logo is missing, or is neither an SVG nor a PNG file",
            where=str(path),
            remedy="Correct logo in the settings, or leave it out",
            exit_code=ExitCode.SETTINGS,
        )
    name = f"logo{path.suffix.lower()}"
    return StaticFiles(folders, [(name, path)]), name


def _require_roles(permissions: Permissions, roles: Sequence[str], where: str) -> None:
    try:
        permissions.require_roles(roles, where)
    except Problem as problem:
        raise Problem(
            problem.problem,
            where=where,
            remedy=problem.remedy,
            exit_code=ExitCode.SETTINGS,
        ) from None
