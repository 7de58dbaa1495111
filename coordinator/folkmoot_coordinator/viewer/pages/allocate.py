"""Allocate: shares out a quantity by estimated need, alternatives beside each other."""

from __future__ import annotations

import hashlib
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from folkmoot_coordinator.charts.drawing import PictureKind
from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.viewer.allocating import (
    RULES,
    AllocateForm,
    Shared,
    allocation_chart,
    allocation_csv,
    area_rows,
    by_units,
    district_rows,
    lead,
    read_allocation,
    share_out,
)
from folkmoot_coordinator.viewer.caching import file_tag, headers_of, not_changed
from folkmoot_coordinator.viewer.filters import statistic_filters, usable_tables
from folkmoot_coordinator.viewer.noted_downloads import note_download
from folkmoot_coordinator.viewer.permissions import Right
from folkmoot_coordinator.viewer.region import Region, region_of
from folkmoot_coordinator.viewer.selection import Selection, select
from folkmoot_coordinator.viewer.words import capital, slug
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_web.errors import problem_of_status
from folkmoot_web.forms import Form
from folkmoot_web.paging import Pages
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes

_ON_A_PAGE = 50


def routes() -> Routes:
    """The page, its picture and its file."""
    routes = Routes()

    @routes.get("/rounds/{round_id}/allocate", permission=Right.ALLOCATE)
    def allocate(request: Request, round_id: str, table: str = "", page: int = 1) -> Response:
        region = region_of(request)
        published = region.published(request, round_id)
        chosen = _chosen(request, published, table)
        form = read_allocation(request)
        shared = _shared(published, chosen, form)
        return _page(request, region, published, chosen, form, shared, page)

    @routes.get("/rounds/{round_id}/allocate/{file}", permission=Right.ALLOCATE)
    def allocated(
        request: Request, round_id: str, file: str, table: str = "", narrow: str = ""
    ) -> Response:
        region = region_of(request)
        published = region.published(request, round_id)
        chosen = _chosen(request, published, table)
        shared = _shared(published, chosen, read_allocation(request))
        name, _, ending = file.partition(".")
        if shared is None:
            raise problem_of_status(404, "There is nothing shared out at this address.")
        if file == "allocation.csv":
            content = allocation_csv(published, shared)
            tag = file_tag(request, hashlib.sha256(content).hexdigest())
            named = f'attachment; filename="allocation-{published.round_.round_id[:12]}.csv"'
            note_download(request, published.round_.round_id, slug(chosen.marginal), file)
            return Response(
                content,
                headers=headers_of(tag, {"Content-Disposition": named}),
                media_type="text/csv; charset=utf-8",
            )
        if name != "shares" or ending not in list(PictureKind):
            raise problem_of_status(404)
        chart = allocation_chart(published, chosen, shared, narrow=bool(narrow))
        drawn = region.pictures.chart(chart, PictureKind(ending))
        tag = file_tag(request, drawn.digest)
        if (same := not_changed(request, tag)) is not None:
            return same
        return Response(drawn.content, headers=headers_of(tag), media_type=drawn.media_type)

    return routes


def _chosen(request: Request, published: Published, table: str) -> Selection:
    tables = usable_tables(published)
    if not tables:
        raise problem_of_status(404, "This round has no table with places to share between.")
    return select(published, table or slug(tables[0]), request.query_params)


def _shared(published: Published, chosen: Selection, form: Form[AllocateForm]) -> Shared | None:
    """What is shared out; None if nothing was asked for yet, or it cannot be."""
    if form.value is None:
        return None
    try:
        return share_out(published, chosen, form.value)
    except Problem as problem:
        if problem.exit_code is not ExitCode.REFUSED:
            raise
        field = "need" if "threshold" in problem.problem else "quantity"
        form.add_error(field, f"{capital(problem.problem)}: {problem.remedy}")
        return None


def _page(
    request: Request,
    region: Region,
    published: Published,
    chosen: Selection,
    form: Form[AllocateForm],
    shared: Shared | None,
    page: int,
) -> Response:
    round_id = published.round_.round_id
    places = by_units(shared, chosen.place) if shared else []
    pages = Pages.of(len(places), page, _ON_A_PAGE)
    asked = [pair for pair in request.query_params.multi_items() if pair[1] and pair[0] != "page"]
    return render(
        request,
        "viewer/allocate.html",
        422 if form.errors else 200,
        published=published,
        chosen=chosen,
        base=f"/rounds/{round_id}",
        slug=slug(chosen.marginal),
        what=chosen.what(published),
        form=form,
        filters=statistic_filters(region, published, chosen, usable_tables(published)),
        shared=shared,
        lead=lead(published, chosen, shared) if shared else [],
        rules=[RULES[one.rule][0] for one in shared.alternatives] if shared else [],
        alternatives=[
            (
                RULES[one.rule][0],
                one,
                int((one.areas.units > 0).sum()),
                int((one.areas.under_served > 0.5).sum()),
                int((one.areas.over_served > 0.5).sum()),
            )
            for one in shared.alternatives
        ]
        if shared
        else [],
        districts=district_rows(published, shared) if shared and chosen.area else [],
        areas=area_rows(shared, places[pages.first : pages.last]) if shared else [],
        council=region.council,
        pagination=pages.links(request, "areas"),
        pages=pages,
        query=urlencode(asked),
        breadcrumbs=[
            ("Results", "/"),
            (published.stored.title, f"/rounds/{round_id}"),
            ("Allocate", None),
        ],
    )
