"""Statistics for programs: a table of a round, or all of them in one, in every form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from folkmoot.workload import Marginal
from folkmoot_coordinator.geography.shapes import Shapes
from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.viewer.api.access import count_request, key_of, published_round
from folkmoot_coordinator.viewer.api.answers import send_document, send_table, tag_of
from folkmoot_coordinator.viewer.api.csv_metadata import csv_metadata
from folkmoot_coordinator.viewer.api.documents import StatisticDocument
from folkmoot_coordinator.viewer.api.figures_table import FiguresTable, choose, standing
from folkmoot_coordinator.viewer.api.forms import (
    TABLE_FORMS,
    Form,
    ending_of,
    negotiate,
    not_offered,
)
from folkmoot_coordinator.viewer.api.openapi import PREFIX, problems
from folkmoot_coordinator.viewer.api.round_routes import forms_of, table_address
from folkmoot_coordinator.viewer.api.spreadsheet import MOST_ROWS, as_xlsx
from folkmoot_coordinator.viewer.api.written_tables import (
    area_codes,
    area_rows,
    as_csv,
    as_geojson,
    as_json,
    as_parquet,
)
from folkmoot_coordinator.viewer.noted_downloads import note_download
from folkmoot_coordinator.viewer.permissions import Right
from folkmoot_coordinator.viewer.region import Region, region_of
from folkmoot_coordinator.viewer.words import slug
from folkmoot_web.errors import WebProblem
from folkmoot_web.routes import Routes

_ROWS_BY = (
    "Rows can be chosen by parameters of the address: `level` (`council`, `region`, `all_areas`), "
    "`place`, one for each attribute, such as `band=high`, and in a series `month` and `measure`. "
    "A parameter that is repeated chooses rows with either value."
)
_FORM = (
    "The form is chosen by an ending (`.json`, `.csv`, `.csv-metadata.json`, `.parquet`, `.xlsx`, "
    "for tables by area or by none also `.geojson`) or by the header Accept."
)
_FORM_OF_ALL = (
    "The form is chosen by an ending (`.json`, `.csv`, `.csv-metadata.json`, `.parquet`, `.xlsx`) "
    "or by the header Accept."
)
_CHOICE = {
    "name": "choice",
    "in": "query",
    "required": False,
    "style": "form",
    "explode": True,
    "description": _ROWS_BY,
    "schema": {"type": "object", "additionalProperties": {"type": "string"}},
}


def routes() -> Routes:
    """The routes."""
    routes = Routes(PREFIX)
    options: dict[str, Any] = {
        "methods": ("GET", "HEAD"),
        "permission": Right.READ,
        "dependencies": [Depends(count_request)],
        "tags": ["Statistics"],
    }
    failures = problems(401, 403, 404, 406, 409, 422, 429, 503)
    shown = {200: _found((*TABLE_FORMS, Form.GEOJSON)), 304: {"description": "Not changed"}}

    @routes.route(
        "/rounds/{round_id}/statistics",
        operation_id="showAllStatistics",
        summary="All tables of a round in one",
        description=f"The table that `export` writes. {_FORM_OF_ALL} {_ROWS_BY}",
        responses={**shown, 200: _found(TABLE_FORMS), **failures},
        openapi_extra={"parameters": [_CHOICE]},
        **options,
    )
    def show_all(request: Request, round_id: str) -> Response:
        return _send(request, round_id, None, None)

    def in_form(form: Form) -> Callable[..., Response]:
        def show_all_in_form(request: Request, round_id: str) -> Response:
            return _send(request, round_id, None, form)

        return show_all_in_form

    for form in TABLE_FORMS:
        path = f"/rounds/{{round_id}}/statistics.{form}"
        routes.route(path, include_in_schema=False, **options)(in_form(form))

    @routes.route(
        "/rounds/{round_id}/statistics/{table}",
        operation_id="showStatistic",
        summary="One table of a round",
        description="`table` is attribute names joined by dots, or `total`; the round lists its "
        f"tables. {_FORM} {_ROWS_BY}",
        responses={**shown, **failures},
        openapi_extra={"parameters": [_CHOICE]},
        **options,
    )
    def show_one(request: Request, round_id: str, table: str) -> Response:
        return _send(request, round_id, *ending_of(table), whole=table)

    return routes


def _send(
    request: Request, round_id: str, name: str | None, form: Form | None, whole: str = ""
) -> Response:
    """A table in a form.

    Args:
        request: That asked for it.
        round_id: Of a round.
        name: The table without the ending of a form; None for all tables in one.
        form: That of the ending; None if there is none.
        whole: The table with its ending, which may be no form but part of its name.
    """
    published = published_round(request, round_id)
    marginal = None
    if name is not None:
        marginal, form = _marginal(published, name, form, whole)
    table = choose(published, marginal, request.query_params.multi_items())
    about_areas = area_rows(table)
    offered = forms_of(marginal, 0 if about_areas else 2)
    if form is None:
        form = negotiate(request.headers.get("accept", ""), offered)
    elif form not in offered:
        raise not_offered(offered, "GeoJSON is for tables by one kind of area, or by none.")
    return _Table(request, published, table, form).sent()


def _marginal(
    published: Published, name: str, form: Form | None, whole: str
) -> tuple[Marginal, Form | None]:
    by_slug = {slug(one): one for one in published.round_.workload.marginals}
    if name in by_slug:
        return by_slug[name], form
    if whole in by_slug:  # an attribute has the name of a form
        return by_slug[whole], None
    raise WebProblem(
        404,
        "There is no such table",
        f"The round has: {', '.join(list(by_slug)[:20])}.",
        "Its document lists all of its tables.",
    )


class _Table:
    """A table that is about to be sent."""

    def __init__(
        self, request: Request, published: Published, table: FiguresTable, form: Form
    ) -> None:
        self._request = request
        self._region: Region = region_of(request)
        self._published = published
        self._table = table
        self._form = form

    def sent(self) -> Response:
        """The answer."""
        if self._form is Form.CSV_METADATA:
            return self._metadata()
        stamp: Any = None
        if self._form is Form.GEOJSON:
            column, rows = self._areas()
            shapes = self._shapes()
            stamp = hash((shapes.paths, shapes.names, shapes.scale))
        if self._form is Form.XLSX and self._table.rows > MOST_ROWS:
            raise not_offered(
                (Form.PARQUET, Form.CSV, Form.JSON),
                f"The table has {self._table.rows:,} rows, and a workbook at most {MOST_ROWS:,}.",
            )

        def make() -> Iterator[bytes]:
            match self._form:
                case Form.CSV:
                    return as_csv(self._table)
                case Form.PARQUET:
                    return as_parquet(self._table, self._region.home.viewer_cache)
                case Form.XLSX:
                    return as_xlsx(self._table, self._region.home.viewer_cache)
                case Form.GEOJSON:
                    return as_geojson(rows, column, shapes)
                case _:
                    return as_json(self._table)

        tag = tag_of(
            self._request, self._published.digest, standing(self._published), self._form, stamp
        )
        more = {}
        if self._form is Form.CSV:
            described = table_address(self._round_id, self._table.marginal, Form.CSV_METADATA)
            query = f"?{self._request.url.query}" if self._request.url.query else ""
            more["Link"] = (
                f'<{described}{query}>; rel="describedby"; type="{Form.CSV_METADATA.media_type}"'
            )
        name = f"round-{self._round_id[:12]}-{self._name}"
        return send_table(self._request, tag, self._form, name, make, self._note, more)

    @property
    def _round_id(self) -> str:
        return self._published.round_.round_id

    @property
    def _name(self) -> str:
        return "all" if self._table.marginal is None else slug(self._table.marginal)

    def _metadata(self) -> Response:
        address = table_address(self._round_id, self._table.marginal, Form.CSV).rpartition("/")[2]
        if query := self._request.url.query:
            address += f"?{query}"
        content = csv_metadata(self._table, address)
        return send_document(self._request, content, Form.CSV_METADATA.media_type)

    def _areas(self) -> tuple[str, FiguresTable]:
        found = area_rows(self._table)
        assert found is not None
        return found

    def _shapes(self) -> Shapes:
        marginal = self._table.marginal
        assert marginal is not None
        codes = area_codes(self._published, marginal)
        column, _ = self._areas()
        year = self._published.stored.code_names.vintages.get(column, "")
        shapes = self._region.atlas.shapes(codes, year)
        if shapes is None:
            raise not_offered(
                TABLE_FORMS, "The region has set no boundaries, which GeoJSON is made of."
            )
        return shapes

    def _note(self) -> None:
        key = key_of(self._request)
        more = {"key": key.key_id} if key else {}
        note_download(self._request, self._round_id, self._name, str(self._form), **more)


def _found(forms: tuple[Form, ...]) -> dict[str, Any]:
    """What an OpenAPI description says of a table."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    content: dict[str, Any] = {form.media_type: binary for form in forms}
    content[Form.CSV.media_type] = {"schema": {"type": "string"}}
    for form in (Form.CSV_METADATA, Form.GEOJSON):
        if form in forms:
            content[form.media_type] = {"schema": {"type": "object"}}
    del content[Form.JSON.media_type]
    return {"model": StatisticDocument, "content": content, "description": "The table"}
