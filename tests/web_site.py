"""A small site on the web kit, with every kind of page, for the kit's tests."""

from __future__ import annotations

import faulthandler
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar

import httpx2
import pytest
from fastapi import FastAPI
from jinja2 import DictLoader
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from folkmoot_web.forms import Form, FormModel, read_form
from folkmoot_web.permissions import PUBLIC, SIGNED_IN, Permissions
from folkmoot_web.rendering import Link, Look, Phase, render
from folkmoot_web.routes import Routes
from folkmoot_web.serving import Serving
from folkmoot_web.settings import WebSettings
from folkmoot_web.sign_in import passwords
from folkmoot_web.site import Product, State, build_site, site_of
from folkmoot_web.visitors import Visitor, visitor_of
from tests.ports import free_port

PASSWORD = "three odd lamps hum"
SECRET = "what nobody else may read"


class Right(StrEnum):
    READ = "read notes"
    WRITE = "write notes"


PERMISSIONS = Permissions(Right, {"reader": {Right.READ}, "writer": set(Right), "guest": ()})
"""Guests are signed in, and may do nothing else."""


class Note(FormModel):
    messages: ClassVar[dict[str, str]] = {"kinds": "Select at least one kind"}

    title: Annotated[str, Field(title="a title", max_length=20)]
    households: Annotated[int, Field(title="number of households", ge=1, le=100)]
    kinds: Annotated[tuple[str, ...], Field(min_length=1)]


TEMPLATES = {
    "start.html": """{% extends "web/layout.html" %}
{% block title %}Notes{% endblock %}
{% block page %}<h1 class="govuk-heading-l">Notes</h1>
<p class="govuk-body">Hello {{ visitor.display_name or "stranger" }}.</p>{% endblock %}""",
    "note.html": """{% extends "web/layout.html" %}
{% from "govuk_frontend_jinja/components/button/macro.html" import govukButton %}
{% from "govuk_frontend_jinja/components/checkboxes/macro.html" import govukCheckboxes %}
{% from "govuk_frontend_jinja/components/input/macro.html" import govukInput %}
{% block title %}New note{% endblock %}
{% block page %}<h1 class="govuk-heading-l">New note</h1>
<form method="post" action="/notes/new" novalidate>
{{ csrf_field() }}
{{ govukInput({"id": "title", "name": "title", "label": {"text": "Title"},
   "value": form.typed("title"), "errorMessage": form.error("title")}) }}
{{ govukInput({"id": "households", "name": "households", "label": {"text": "Households"},
   "inputmode": "numeric", "classes": "govuk-input--width-4",
   "value": form.typed("households"), "errorMessage": form.error("households")}) }}
{{ govukCheckboxes({"idPrefix": "kinds", "name": "kinds",
   "fieldset": {"legend": {"text": "Kinds"}}, "values": form.chosen("kinds"),
   "items": [{"value": "heat", "text": "Heat"}, {"value": "food", "text": "Food"}],
   "errorMessage": form.error("kinds")}) }}
{{ govukButton({"text": "Save"}) }}
</form>{% endblock %}""",
    "notes.html": """{% extends "web/layout.html" %}
{% block title %}{{ title or "All notes" }}{% endblock %}
{% block page %}<h1 class="govuk-heading-l">{{ title or "All notes" }}</h1>
<ul class="govuk-list govuk-list--bullet">
{% for note in notes %}<li>{{ note }}</li>{% endfor %}
</ul>
{% endblock %}""",
}


def routes() -> tuple[Routes, Routes]:
    pages, api = Routes(), Routes("/api/v1")
    notes: list[str] = []

    @pages.get("/", permission=PUBLIC)
    def start(request: Request) -> Response:
        return render(request, "start.html")

    @pages.get("/notes", permission=Right.READ)
    def show(request: Request, title: str = "") -> Response:
        crumbs = [("Start", "/"), ("Notes", None)]
        saved = "saved" in request.query_params
        return render(
            request, "notes.html", notes=notes, title=title, breadcrumbs=crumbs,
            notification="The note is saved" if saved else None,
        )  # fmt: skip

    @pages.get("/notes/new", permission=Right.WRITE)
    def new(request: Request) -> Response:
        return render(request, "note.html", form=Form[Note]())

    @pages.post("/notes/new", permission=Right.WRITE)
    def create(request: Request) -> Response:
        form = read_form(request, Note)
        if form.value is None:
            return render(request, "note.html", 422, form=form)
        notes.append(form.value.title)
        site = site_of(request)
        with site.database.writing() as session:
            site.audit.record(session, "note saved", visitor_of(request).name)
        return RedirectResponse("/notes?saved", 303)

    @pages.get("/mine", permission=SIGNED_IN)
    def mine(request: Request) -> Response:
        return render(request, "start.html")

    @pages.get("/broken", permission=PUBLIC)
    def broken(request: Request) -> Response:
        raise ValueError(SECRET)

    @api.get("/notes", permission=Right.READ)
    def listed() -> list[str]:
        return notes

    @api.get("/broken", permission=PUBLIC)
    def broken_too() -> Response:
        raise ValueError(SECRET)

    @api.post("/notes", permission=Right.WRITE)
    async def sent(request: Request) -> Response:
        return JSONResponse({"length": len(await request.body())})

    return pages, api


def read_key(request: Request) -> Visitor | None:
    """Keys of the tests: `Bearer reader` has that role."""
    role = request.headers["authorization"].removeprefix("Bearer ")
    if role not in PERMISSIONS.roles:
        return None
    return Visitor(
        name=f"key of a {role}", roles=(role,), permissions=PERMISSIONS.of((role,)),
        by_browser=False,
    )  # fmt: skip


def product(**changes: Any) -> Product:
    look = Look(
        "Notes on places",
        navigation=(
            Link("Notes", "/notes", Right.READ),
            Link("New note", "/notes/new", Right.WRITE),
        ),
        phase=Phase("Beta", "This is a new service."),
    )
    parts: dict[str, Any] = {
        "look": look,
        "permissions": PERMISSIONS,
        "routes": routes(),
        "templates": DictLoader(TEMPLATES),
        "read_key": read_key,
        **changes,
    }
    return Product(**parts)


@dataclass
class Clock:
    """A clock that tests set."""

    now: int = 1_800_000_000

    def __call__(self) -> int:
        return self.now


@dataclass
class RunningSite:
    """A site that listens on loopback.

    Attributes:
        address: Its origin.
        state: What it keeps.
        clock: Its time.
        app: The app.
    """

    address: str
    state: State
    clock: Clock
    app: FastAPI = field(repr=False)

    def add_account(self, name: str, role: str, password: str = PASSWORD) -> None:
        """Adds an account that has chosen its password."""
        accounts = self.state.accounts
        link = accounts.add(name, name.partition("@")[0].title(), [role], by="test")
        assert accounts.choose_password(link.rpartition("/")[2], password) is not None


@contextmanager
def running_site(home: Path, **settings: Any) -> Iterator[RunningSite]:
    """A site with real connections, served by a thread of this process until the end."""
    port = free_port()
    values = {"listen": f"127.0.0.1:{port}", "name": "Greater Exampleshire", **settings}
    with serving_site(WebSettings.model_validate(values), product(), home) as site:
        yield site


@contextmanager
def serving_site(settings: WebSettings, what: Product, home: Path) -> Iterator[RunningSite]:
    """Serves a site from a thread of this process until the end."""
    clock = Clock()
    app = build_site(settings, what, home=home, clock=clock)
    with listening(app, settings, home):
        yield RunningSite(settings.origin, app.state.site, clock, app)


@contextmanager
def light_passwords() -> Iterator[None]:
    """Argon2id with the least memory: a sign-in takes a fifth of a processor's second otherwise.

    What is kept of a password that a person chooses is in tests/unit/web/test_accounts.py.
    """
    with pytest.MonkeyPatch.context() as patch:
        light = Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1)
        patch.setattr(passwords, "_hashes", PasswordHash((light,)))
        patch.setattr(passwords, "_nobody", None)
        yield


@contextmanager
def listening(app: FastAPI, settings: WebSettings, home: Path) -> Iterator[None]:
    """Serves an app from a thread of this process until the end."""
    with light_passwords(), _listening(app, settings, home):
        yield


@contextmanager
def _listening(app: FastAPI, settings: WebSettings, home: Path) -> Iterator[None]:
    ready = threading.Event()
    serving = Serving(app, settings, home=home, ready=lambda _: ready.set())
    thread = threading.Thread(target=serving.run, daemon=True)
    thread.start()
    try:
        assert ready.wait(60), "the site does not start"
        yield
    finally:
        serving.stop()
        thread.join(120)  # a page that is being made is finished first
        if thread.is_alive():
            faulthandler.dump_traceback(sys.__stderr__)
            raise AssertionError("the site does not end; what its threads do is above")


class Browser(httpx2.Client):
    """A browser without scripts: keeps cookies, fills in the hidden field of forms."""

    def __init__(self, site: RunningSite, **options: Any) -> None:
        super().__init__(base_url=site.address, timeout=60, **options)

    def token(self, path: str) -> str:
        """The hidden token of the form on a page."""
        found = re.search(r'name="form_token" value="([^"]+)"', self.get(path).text)
        assert found is not None, path
        return found[1]

    def fill_in(self, path: str, form_of: str | None = None, **fields: Any) -> httpx2.Response:
        """Fills in the form on a page, and sends it."""
        token = self.token(form_of or path)
        return self.post(path, data={"form_token": token, **fields})

    def sign_in(self, name: str, password: str = PASSWORD) -> httpx2.Response:
        """Signs in as somebody whose account exists."""
        return self.fill_in("/sign-in", name=name, password=password)
