"""Each role on each route, and sites whose routes say nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

from folkmoot_operator.problems import Problem
from folkmoot_web.permissions import PUBLIC, SIGNED_IN, Permissions
from folkmoot_web.routes import Routes, declared_routes
from folkmoot_web.settings import WebSettings
from folkmoot_web.site import build_site
from tests.web_site import PERMISSIONS, Browser, Right, RunningSite, product

SETTINGS = WebSettings(name="Greater Exampleshire")
WHO = ("nobody", "guest", "reader", "writer")
TABLE = {
    # route: the answer to each of WHO; 303 leads to the sign-in page
    "GET /": (200, 200, 200, 200),
    "GET /mine": (303, 200, 200, 200),
    "GET /notes": (303, 403, 200, 200),
    "GET /notes/new": (303, 403, 403, 200),
    "POST /notes/new": (303, 403, 403, 422),
    "GET /broken": (500, 500, 500, 500),
    "GET /api/v1/notes": (401, 403, 200, 200),
    "GET /api/v1/broken": (500, 500, 500, 500),
    "POST /api/v1/notes": (401, 403, 403, 200),
    "GET /health": (200, 200, 200, 200),
    "GET /accessibility": (200, 200, 200, 200),
    "GET /cookies": (200, 200, 200, 200),
    "GET /static/{digest}/{name:path}": (404, 404, 404, 404),
    "GET /set-up/{token}": (404, 404, 404, 404),
    "POST /set-up/{token}": (404, 404, 404, 404),
}
ABOUT_SIGNING_IN = {"GET /sign-in", "POST /sign-in", "GET /sign-out", "POST /sign-out"}
"""Their answers depend on more than the role; `test_sign_in` has them."""


def test_the_table_has_every_route(site: RunningSite) -> None:
    declared = {
        f"{method} {route.path}"
        for route in declared_routes(site.app)
        for method in route.methods
        if method != "HEAD"
    }
    assert declared == set(TABLE) | ABOUT_SIGNING_IN


@pytest.fixture(scope="module")
def browsers(site: RunningSite) -> Iterator[dict[str, Browser]]:
    signed_in = {who: Browser(site) for who in WHO}
    for who in WHO[1:]:
        assert signed_in[who].sign_in(f"{who}@example.gov.uk").status_code == 303
    yield signed_in
    for client in signed_in.values():
        client.close()


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("route", TABLE)
def test_each_role_on_each_route(route: str, who: str, browsers: dict[str, Browser]) -> None:
    method, path = route.split()
    browser = browsers[who]
    headers = {}
    if method == "POST":
        page = "/sign-in" if who == "nobody" else "/sign-out"
        headers["X-Form-Token"] = browser.token(page)
    answer = browser.request(method, path, headers=headers)
    assert answer.status_code == TABLE[route][WHO.index(who)]


@pytest.mark.parametrize("who", WHO)
def test_links_lead_only_where_somebody_may_go(who: str, browsers: dict[str, Browser]) -> None:
    page = browsers[who].get("/").text
    assert ('href="/notes"' in page) == (who in ("reader", "writer"))
    assert ('href="/notes/new"' in page) == (who == "writer")


@pytest.mark.parametrize("path", ["/notes", "/notes/new"])
def test_one_link_is_marked(path: str, browsers: dict[str, Browser]) -> None:
    page = browsers["writer"].get(path).text
    marked = re.findall(r'<a [^>]*href="([^"]+)"\s+aria-current="true"', page)
    assert marked == [path]


@pytest.mark.parametrize(
    ("key", "status"), [("reader", 200), ("guest", 403), ("nobody-knows-this", 401)]
)
def test_programs_are_judged_by_their_key(key: str, status: int, browser: Browser) -> None:
    answer = browser.get("/api/v1/notes", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == status
    if status != 200:
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_key_needs_no_form_and_a_cookie_does(writer: Browser) -> None:
    assert writer.post("/api/v1/notes", content=b"x").status_code == 403
    with_key = writer.post("/api/v1/notes", headers={"Authorization": "Bearer writer"})
    assert with_key.status_code == 200


def endpoint(request: Request) -> Response:
    return Response("")


def test_a_site_with_a_permission_that_does_not_exist_is_not_built(tmp_path: Path) -> None:
    routes = Routes()
    routes.get("/", permission="read everything")(endpoint)
    with pytest.raises(ValueError, match="GET HEAD /: read everything"):
        build_site(SETTINGS, product(routes=(routes,)), home=tmp_path)


def test_a_route_without_a_permission_is_none() -> None:
    with pytest.raises(TypeError):
        Routes().get("/")  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="names no permission"):
        Routes().get("/", permission="")(endpoint)
    with pytest.raises(ValueError, match="who asks"):
        Routes().get("/", permission=SIGNED_IN, is_identified=False)(endpoint)


def test_a_site_does_not_start_with_a_route_that_was_added_by_hand(tmp_path: Path) -> None:
    app = build_site(SETTINGS, product(), home=tmp_path)
    app.get("/forgotten")(endpoint)
    app.router.add_route("/also", endpoint)
    assert {r.path for r in declared_routes(app) if r.permission is None} == {
        "/forgotten", "/also"
    }  # fmt: skip

    async def start() -> None:
        async with app.router.lifespan_context(app):
            pass

    with pytest.raises(ValueError, match="/forgotten: no permission"):
        asyncio.run(start())


def test_roles_hold_only_what_there_is() -> None:
    with pytest.raises(ValueError, match="'reader' holds unknown permissions"):
        Permissions(Right, {"reader": {"read everything"}})
    assert PERMISSIONS.of(["reader"]) == {PUBLIC, SIGNED_IN, Right.READ}
    assert PERMISSIONS.of(["a role of an earlier version"]) == {PUBLIC, SIGNED_IN}


def test_a_misspelt_role_is_named_with_the_nearest() -> None:
    with pytest.raises(Problem, match=r"'raeder'; did you mean 'reader'\?") as caught:
        PERMISSIONS.require_roles(["raeder"])
    assert "guest, reader, writer" in caught.value.remedy
