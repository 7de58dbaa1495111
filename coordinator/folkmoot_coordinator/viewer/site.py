"""The region's site: its pages, and what is on each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from jinja2 import PackageLoader
from starlette.concurrency import run_in_threadpool

from folkmoot_coordinator.clock import Clock, system_clock
from folkmoot_coordinator.database.pauses import PauseWatch
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.signals.metrics import SITE_REQUESTS
from folkmoot_coordinator.viewer import words
from folkmoot_coordinator.viewer.api import (
    equality_routes,
    openapi,
    outcome_routes,
    round_routes,
    statistic_routes,
)
from folkmoot_coordinator.viewer.api.access import read_key
from folkmoot_coordinator.viewer.api.request_limits import RequestLimits
from folkmoot_coordinator.viewer.keys.models import API_KEYS
from folkmoot_coordinator.viewer.pages import (
    allocate,
    ask,
    catalogue,
    committee,
    council,
    drafts,
    equality,
    hotspots,
    keys,
    method,
    one_round,
    outcome,
    pictures,
    record,
    scoring,
    series,
    statistic,
)
from folkmoot_coordinator.viewer.permissions import PERMISSIONS, Right
from folkmoot_coordinator.viewer.region import open_region
from folkmoot_coordinator.viewer.settings import site_settings
from folkmoot_operator.metrics import count
from folkmoot_operator.moments import to_text
from folkmoot_operator.problems import Problem
from folkmoot_web.counted_requests import CountedRequests
from folkmoot_web.rendering import Link, Look
from folkmoot_web.site import Product, build_site

SERVICE = "Regional vulnerability statistics"
PAGES = (
    catalogue,
    one_round,
    statistic,
    pictures,
    method,
    council,
    series,
    committee,
    ask,
    drafts,
    allocate,
    hotspots,
    outcome,
    equality,
    keys,
    scoring,
)
"""Modules of pages; each has `routes()`."""
API = (openapi, round_routes, statistic_routes, outcome_routes, equality_routes)
"""Modules of what programs read, in the same way."""
NAVIGATION = (
    Link("Results", "/", Right.READ),
    Link("Questions", "/drafts", Right.READ),
    Link("Ask", "/ask", Right.ASK),
    Link("Keys", keys.PATH, Right.KEYS),
    Link("How councils score", scoring.PATH),
)
"""Links under the masthead, for those who may follow them."""


def _count_request(route: str, status: str) -> None:
    count(SITE_REQUESTS, route=route, status=status)


def build_viewer(home: Home, *, clock: Clock = system_clock) -> FastAPI:
    """Builds the region's site; nothing listens yet.

    Args:
        home: The coordinator's folder.
        clock: The time.

    Raises:
        Problem: If the settings are wrong, something is not installed, or there is no region.
    """
    settings = home.settings()
    web = site_settings(home, settings)
    region = open_region(home, settings, clock)
    to_record = record.permission(is_public=settings.viewer.public_record)
    product = Product(
        look=Look(
            SERVICE,
            navigation=NAVIGATION,
            footer=(
                Link("Data for programs", openapi.PREFIX),
                Link("Record of the region", record.PATH, to_record),
            ),
        ),
        permissions=PERMISSIONS,
        routes=(
            *(module.routes() for module in (*PAGES, *API)),
            record.routes(to_record),
        ),
        templates=PackageLoader("folkmoot_coordinator.viewer"),
        static=Path(__file__).parent / "static",
        tables=(API_KEYS,),
        read_key=read_key,
        checks=(region.check,),
        closed=_why_closed(PauseWatch(region.database)),
        version=version("folkmoot-coordinator"),
    )
    app = build_site(web, product, home=home.path, clock=clock)
    if not settings.metrics.are_off:
        app.add_middleware(CountedRequests, seen=_count_request)
    app.state.region = region
    app.state.api_limits = RequestLimits(settings.viewer.api.requests_per_minute)
    _add_words(app)
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # The file of drafts is that of accounts, which the site makes when it starts.
        async with inner(app):
            await run_in_threadpool(region.drafts.bring_up_to_date)
            yield
        region.close()

    app.router.lifespan_context = lifespan
    return app


def _why_closed(pauses: PauseWatch) -> Callable[[], str | None]:
    """Asks whether people have stopped the coordinator, since when and why."""

    def why() -> str | None:
        try:
            pause = pauses.pause()
        except Problem:  # a page says so, if it needs the database
            return None
        return None if pause is None else f"since {to_text(pause.at)}: {pause.reason}"

    return why


def _add_words(app: FastAPI) -> None:
    """Gives templates the words of `viewer.words`."""
    environment = app.state.renderer.environment
    environment.globals.update(
        {
            name: getattr(words, name)
            for name in (
                "STATES", "STATE_MEANS", "RELIABILITY", "RELIABILITY_MEANS", "RELIABILITY_COLOUR",
            )
        }
    )  # fmt: skip
    environment.filters.update(
        phrase=words.phrase,
        capital=words.capital,
        listed=words.listed,
        whole=words.whole,
        households=words.households,
        percent=words.percent,
        minute=words.minute_text,
    )
