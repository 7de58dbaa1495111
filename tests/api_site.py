"""The region's site on loopback, with accounts and keys, for tests of what programs read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx
from fastapi import FastAPI

from folkmoot_coordinator.viewer.keys.api_keys import ApiKeys
from folkmoot_coordinator.viewer.settings import site_settings
from folkmoot_coordinator.viewer.site import build_viewer
from folkmoot_web.site import State
from tests.viewer_region import ViewerRegion
from tests.web_site import PASSWORD, listening

API = "/api/v1"


@dataclass
class ApiSite:
    """A site that listens.

    Attributes:
        app: The app.
        region: What it shows.
        client: Sends requests without a key.
    """

    app: FastAPI
    region: ViewerRegion
    client: httpx.Client

    @property
    def state(self) -> State:
        """What the site keeps."""
        state = self.app.state.site
        assert isinstance(state, State)
        return state

    @property
    def keys(self) -> ApiKeys:
        """Its keys."""
        return ApiKeys(self.state)

    def key(self, **limits: Any) -> str:
        """A new key, which belongs to nobody unless `account` names somebody."""
        return self.keys.add("test", **{"account": None, "by": "test", **limits})[0]

    def account(self, name: str, *roles: str) -> str:
        """An account that has chosen its password."""
        link = self.state.accounts.add(name, name, roles, by="test")
        assert self.state.accounts.choose_password(link.rpartition("/")[2], PASSWORD) is not None
        return name

    @contextmanager
    def signed_in(self, name: str) -> Iterator[httpx.Client]:
        """A browser in which an account has signed in."""
        with httpx.Client(base_url=self.client.base_url) as browser:
            page = browser.get("/sign-in").text
            sent = {"name": name, "password": PASSWORD, "form_token": token_in(page)}
            answer = browser.post("/sign-in", data=sent)
            assert answer.status_code == 303, answer.text
            yield browser

    def get(self, path: str, key: str, method: str = "GET", **headers: str) -> httpx.Response:
        """Asks with a key; the path goes on from `/api/v1`, underscores of headers are hyphens."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        sent = {"Authorization": f"Bearer {key}", **named}
        return self.client.request(method, API + path, headers=sent)

    def statistics(self, name: str, table: str, key: str, **headers: str) -> httpx.Response:
        """A table of a round; see `get`."""
        return self.get(f"/rounds/{self.region.id(name)}/statistics{table}", key, **headers)


def token_in(page: str) -> str:
    """The token of the form on a page."""
    return page.split('name="form_token" value="')[1].split('"')[0]


@contextmanager
def api_site(region: ViewerRegion) -> Iterator[ApiSite]:
    """Serves the site of a region from a thread of this process until the end."""
    settings = site_settings(region.home, region.home.settings())
    app = build_viewer(region.home, clock=region.clock)
    with (
        listening(app, settings, region.home.path),
        httpx.Client(base_url=settings.origin, timeout=60) as client,
    ):
        yield ApiSite(app, region, client)
