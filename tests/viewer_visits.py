"""Visits to the region's site without a browser: sign in, read pages, send their forms.

The site listens on loopback, in a thread of the tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser

from fastapi import FastAPI
from httpx2 import Client, Response

from folkmoot_coordinator.home import Home
from folkmoot_coordinator.viewer.permissions import PERMISSIONS
from folkmoot_coordinator.viewer.settings import site_settings
from folkmoot_coordinator.viewer.site import build_viewer
from folkmoot_web.site import open_state
from tests.viewer_region import ViewerRegion
from tests.web_site import PASSWORD, listening


@dataclass
class Visit:
    """Somebody with a browser's cookies, and no JavaScript.

    Attributes:
        client: Sends requests.
    """

    client: Client

    def get(self, path: str, expect: int = 200) -> str:
        """Text of a page."""
        response = self.client.get(path)
        assert response.status_code == expect, (path, response.status_code, plain(response.text))
        return response.text

    def send(
        self, page: str, path: str, fields: Mapping[str, str | Sequence[str]], expect: int = 303
    ) -> Response:
        """Sends a form of a page as it stands there, but for these fields."""
        token = re.search(r'name="form_token" value="([^"]+)"', self.get(page))
        assert token, page
        data = {"form_token": token[1], **fields}
        response = self.client.post(path, data=data)
        assert response.status_code == expect, (path, response.status_code, plain(response.text))
        return response


class _Form(HTMLParser):
    """What a browser would send of a page's form with an action."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self._action, self._inside, self._select = action, False, ""
        self.fields: dict[str, list[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        name, value = known.get("name") or "", known.get("value") or ""
        if tag == "form":
            self._inside = known.get("action") == self._action
        elif self._inside and tag == "input" and name:
            if known.get("type") not in ("checkbox", "radio") or "checked" in known:
                self.fields.setdefault(name, []).append(value)
        elif self._inside and tag == "select":
            self._select = name
        elif self._inside and tag == "option" and "selected" in known:
            self.fields[self._select] = [value]

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "form"


def fields_of(page: str, action: str) -> dict[str, list[str]]:
    """What a browser would send of the form of a page as it stands."""
    form = _Form(action)
    form.feed(page)
    return form.fields


def plain(page: str) -> str:
    """The text of a page, in one line."""
    page = re.sub(r"<(script|style|svg).*?</\1>", " ", page, flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


@dataclass
class ViewerSite:
    """A region's site.

    Attributes:
        app: The site.
        home: The coordinator's folder.
        address: Its origin.
        visits: Who has signed in.
    """

    app: FastAPI
    home: Home
    address: str
    visits: list[Visit] = field(default_factory=list)

    def add_account(self, name: str, roles: Sequence[str]) -> None:
        """An account that has chosen its password."""
        accounts = self.app.state.site.accounts
        link = accounts.add(name, name.title(), list(roles), by="test")
        assert accounts.choose_password(link.rpartition("/")[2], PASSWORD) is not None

    def visit(self, name: str, roles: Sequence[str]) -> Visit:
        """Somebody who has an account with these roles, and has signed in."""
        self.add_account(name, roles)
        visit = Visit(Client(base_url=self.address, timeout=60))
        self.visits.append(visit)
        visit.send("/sign-in", "/sign-in", {"name": name, "password": PASSWORD})
        return visit


@contextmanager
def viewer_site(region: ViewerRegion) -> Iterator[ViewerSite]:
    """The site of a region, listening."""
    app = build_viewer(region.home, clock=region.clock)
    web = site_settings(region.home, region.home.settings())
    site = ViewerSite(app, region.home, web.origin)
    with listening(app, web, region.home.path):
        try:
            yield site
        finally:
            for visit in site.visits:
                visit.client.close()


def add_account(home: Home, name: str, roles: Sequence[str]) -> None:
    """Adds an account that has chosen its password, to a site of another process."""
    state = open_state(site_settings(home, home.settings()), PERMISSIONS, home=home.path)
    state.database.prepare()
    link = state.accounts.add(name, name.title(), list(roles), by="test")
    assert state.accounts.choose_password(link.rpartition("/")[2], PASSWORD) is not None
    state.database.close()
