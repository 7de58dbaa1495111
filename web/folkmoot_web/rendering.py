"""Pages from templates, on GOV.UK Frontend's components.

A product's template begins with `{% extends "web/layout.html" %}` and fills the blocks `title`
and `page`. Everything is escaped unless a template says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import BaseLoader, ChainableUndefined, ChoiceLoader, Environment, PackageLoader
from jinja2 import PrefixLoader as Prefixed
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from folkmoot_operator.moments import day_text, to_text
from folkmoot_web.cookies import Cookies
from folkmoot_web.errors import WebProblem
from folkmoot_web.forms import TOKEN_FIELD, token_for
from folkmoot_web.permissions import PUBLIC
from folkmoot_web.settings import WebSettings
from folkmoot_web.static_files import StaticFiles
from folkmoot_web.visitors import NOBODY, visitor_of


@dataclass(frozen=True, slots=True)
class Link:
    """A link that only those see who may follow it.

    Attributes:
        text: What it says.
        path: Where it leads: `/rounds`.
        permission: What its page needs.
    """

    text: str
    path: str
    permission: str = PUBLIC


@dataclass(frozen=True, slots=True)
class Phase:
    """The phase banner.

    Attributes:
        tag: `Alpha` or `Beta`.
        text: What it says beside the tag.
    """

    tag: str
    text: str


@dataclass(frozen=True, slots=True)
class Look:
    """What is on every page of a site.

    Attributes:
        service: Name of the service.
        navigation: Links under the masthead.
        footer: Links in the footer, besides the statements.
        phase: The phase banner, if there is one.
        logo: Name of the logo among the static files.
        home: Where the organisation's name in the masthead leads.
    """

    service: str
    navigation: Sequence[Link] = ()
    footer: Sequence[Link] = ()
    phase: Phase | None = None
    logo: str | None = None
    home: str = "/"


class Renderer:
    """Makes pages."""

    def __init__(
        self,
        settings: WebSettings,
        look: Look,
        static: StaticFiles,
        cookies: Cookies,
        product: BaseLoader | None,
    ) -> None:
        """Prepares the templates.

        Args:
            settings: Of the site.
            look: What is on every page.
            static: Its files.
            cookies: For the tokens of forms.
            product: Where the product's templates are.
        """
        self._look = look
        self._cookies = cookies
        kit = Prefixed(
            {
                "web": PackageLoader("folkmoot_web"),
                "govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja"),
            }
        )
        self.environment = Environment(
            loader=ChoiceLoader([kit, product] if product else [kit]),
            autoescape=True,
            undefined=ChainableUndefined,  # the components ask for parameters of parameters
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.globals.update(
            organisation=settings.name, look=look, contact=settings.contact, static=static.url
        )
        self.environment.filters.update(moment=to_text, day=day_text)

    @property
    def navigation(self) -> Sequence[Link]:
        """The links under the masthead, those that a visitor may not follow among them."""
        return self._look.navigation

    def page(
        self,
        request: Request,
        template: str,
        values: Mapping[str, Any],
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """A page; see `render`."""
        visitor = visitor_of(request)

        def csrf_field() -> Markup:
            token = token_for(request, self._cookies)
            return Markup('<input type="hidden" name="{}" value="{}">').format(TOKEN_FIELD, token)

        path = request.url.path
        context = {
            "visitor": visitor,
            "csrf_field": csrf_field,
            "path": path,
            "navigation": _links(self._look.navigation, visitor.permissions, path),
            "footer_links": _links(self._look.footer, visitor.permissions, path),
            **values,
        }
        text = self.environment.get_template(template).render(context)
        return HTMLResponse(text, status, headers=dict(headers or {}))

    def error_page(self, request: Request, problem: WebProblem, correlation: str) -> Response:
        """The page of a problem."""
        if not hasattr(request.state, "visitor"):
            request.state.visitor = NOBODY
        values = {"problem": problem, "correlation": correlation}
        return self.page(request, "web/error.html", values, status=problem.status)


def render(
    request: Request,
    template: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> Response:
    """A page from a template.

    Args:
        request: That asked for it.
        template: Its name.
        status: HTTP status.
        headers: HTTP headers, such as `Cache-Control` (by default `no-store`).
        values: What the template shows. The layout takes `breadcrumbs` (pairs of text and path;
            the last one is the page itself), `notification` (a text in a banner) and
            `form` (a `Form`, whose errors it summarises).
    """
    renderer: Renderer = request.app.state.renderer
    return renderer.page(request, template, values, status=status, headers=headers)


def _links(links: Iterable[Link], permissions: frozenset[str], path: str) -> list[dict[str, Any]]:
    """Links for the service navigation; the one that leads nearest to the page is marked."""
    seen = [link for link in links if str(link.permission) in permissions]
    leading = [link for link in seen if _is_under(path, link.path)]
    nearest = max(leading, key=lambda link: len(link.path), default=None)
    return [{"text": link.text, "href": link.path, "active": link is nearest} for link in seen]


def _is_under(path: str, parent: str) -> bool:
    return path == parent or (parent != "/" and path.startswith(f"{parent.rstrip('/')}/"))
