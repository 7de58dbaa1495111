"""Lists of cases as files, for those who may export."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.desk import desk_of
from folkmoot_node.casework.opening.exports import Export
from folkmoot_node.casework.opening.reasons import Reason
from folkmoot_web.forms import Form, FormModel, read_form
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of

PATH = "/exports"


class ExportForm(FormModel):
    """Which list, and why."""

    messages: ClassVar[dict[str, str]] = {
        "name.missing": "Select which list you need",
        "reason.missing": "Enter why you need the file",
    }

    name: Annotated[str, Field(title="which list you need")]
    reason: Reason


def routes() -> Routes:
    """The page."""
    routes = Routes()

    @routes.get(PATH, permission=Right.EXPORT)
    def exports(request: Request) -> Response:
        return _page(request, Form[ExportForm]())

    @routes.post(PATH, permission=Right.EXPORT)
    def export(request: Request) -> Response:
        form = read_form(request, ExportForm)
        desk = desk_of(request)
        if form.value is not None and form.value.name not in desk.known.policy.exports:
            form.add_error("name", "Select a list of the casework policy")
        if form.value is None:
            return _page(request, form, 422)
        made, rows = desk.exports.of_cases(
            visitor_of(request), form.value.name, desk.cases.listed(), form.value.reason
        )
        return as_file(made, made.content(rows))

    return routes


def as_file(export: Export, content: bytes) -> Response:
    """The file for whoever asked; nothing of it stays here."""
    headers = {
        "Content-Disposition": f'attachment; filename="{export.name}"',
        "Cache-Control": "no-store",
    }
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


def _page(request: Request, form: Form[ExportForm], status: int = 200) -> Response:
    policy = desk_of(request).known.policy
    return render(
        request,
        "casework/exports.html",
        status,
        form=form,
        exports=policy.exports,
        limit=policy.openings.exports_per_day,
        breadcrumbs=[("Cases", "/"), ("Exports", None)],
    )
