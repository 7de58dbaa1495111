"""A page for a committee: one statistic on one sheet of A4, as PDF."""

from __future__ import annotations

from threading import BoundedSemaphore
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from folkmoot_coordinator.charts.committee_pdf import print_page
from folkmoot_coordinator.charts.drawing import PictureKind
from folkmoot_coordinator.charts.picture_cache import Picture
from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.viewer.caching import headers_of, not_changed, page_tag
from folkmoot_coordinator.viewer.diagrams import band_chart
from folkmoot_coordinator.viewer.figures import Figures, figures
from folkmoot_coordinator.viewer.filters import code_filters, council_filter
from folkmoot_coordinator.viewer.maps import areas_name, draw_map
from folkmoot_coordinator.viewer.noted_downloads import note_download
from folkmoot_coordinator.viewer.permissions import Right
from folkmoot_coordinator.viewer.region import Region, region_of
from folkmoot_coordinator.viewer.selection import Selection, select
from folkmoot_coordinator.viewer.sentences import lead
from folkmoot_coordinator.viewer.words import (
    RELIABILITY,
    slug,
    span,
    table_title,
    whole,
)
from folkmoot_operator.moments import day_text
from folkmoot_web.errors import WebProblem
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes

_FEWER_ROWS = (8, 5, 2)
"""Rows of the table on the sheet: the first number with which all fits."""
_PRINTING = BoundedSemaphore(2)
"""A sheet with 1,800 areas takes seconds: more at one time would keep pages waiting."""
_AGAIN = 20  # seconds


def routes() -> Routes:
    """The form that chooses, and the sheet."""
    routes = Routes()

    @routes.get("/rounds/{round_id}/committee", permission=Right.READ)
    def committee(request: Request, round_id: str, table: str = "") -> Response:
        region = region_of(request)
        published = region.published(request, round_id)
        chosen = select(published, table or _first(published), request.query_params)
        tag = page_tag(request, published)
        if (same := not_changed(request, tag)) is not None:
            return same
        return render(
            request,
            "viewer/committee.html",
            headers=headers_of(tag),
            base=f"/rounds/{published.round_.round_id}",
            breadcrumbs=[
                ("Results", "/"),
                (published.stored.title, f"/rounds/{published.round_.round_id}"),
                ("A page for a committee", None),
            ],
            filters=_filters(region, published, chosen),
            query=f"table={slug(chosen.marginal)}&{chosen.query}".rstrip("&"),
            slug=slug(chosen.marginal),
            picture_query=chosen.query,
            **sheet(region, published, chosen),
        )

    @routes.get("/rounds/{round_id}/committee.pdf", permission=Right.READ)
    def printed(request: Request, round_id: str, table: str = "") -> Response:
        region = region_of(request)
        published = region.published(request, round_id)
        chosen = select(published, table or _first(published), request.query_params)
        tag = page_tag(request, published)
        if (same := not_changed(request, tag)) is not None:
            return same
        name = f"{published.round_.round_id[:12]}-{slug(chosen.marginal)}.pdf"
        disposition = f'inline; filename="{name}"'
        content = pdf(request, region, published, chosen)
        note_download(request, published.round_.round_id, slug(chosen.marginal), "committee.pdf")
        return Response(
            content,
            headers=headers_of(tag, {"Content-Disposition": disposition}),
            media_type="application/pdf",
        )

    return routes


def pdf(request: Request, region: Region, published: Published, chosen: Selection) -> bytes:
    """The sheet as a PDF file; kept as long as the round's result is.

    Raises:
        WebProblem: Status 503, if it is not kept and others are being printed.
    """

    def make() -> bytes:
        if not _PRINTING.acquire(blocking=False):
            raise WebProblem(
                503,
                "Other pages are being printed",
                "",
                "Try again in a minute.",
                headers={"Retry-After": str(_AGAIN)},
            )
        try:
            return printed()
        finally:
            _PRINTING.release()

    def printed() -> bytes:
        values = sheet(region, published, chosen)
        environment = request.app.state.renderer.environment
        template = environment.get_template("viewer/sheet.html")
        pictures: dict[str, Picture] = {}
        chart = band_chart(published, chosen, narrow=True)
        if chart is not None:
            pictures["bands"] = region.pictures.chart(chart, PictureKind.PNG)
        # A long title, reason or note takes room from the table: it is one sheet all the same.
        for rows in _FEWER_ROWS:
            html = template.render(values | {"rows": values["rows"][:rows]})
            page = print_page(html, pictures, style=_STYLE)
            if page.pages == 1:
                break
        return page.content

    found = published.kept(
        ("pdf", *chosen.key, chosen.place, published.digest, region.boundaries_stamp()), make
    )
    assert isinstance(found, bytes)
    return found


def sheet(region: Region, published: Published, chosen: Selection) -> dict[str, Any]:
    """What is on the sheet, for its template."""
    found = figures(published, chosen)
    drawn = draw_map(region, published, chosen)
    labels = chosen.labels(published)
    title = table_title(chosen.marginal)
    stored = published.stored
    return {
        "published": published,
        "heading": f"{title}: {', '.join(labels)}" if labels else title,
        "where": region.council(chosen.place) if chosen.place else published.region,
        "lead": lead(published, chosen, found),
        "map": drawn,
        "map_svg": Markup(drawn.svg),  # noqa: S704 - names in it are escaped by `charts.markup`
        "legend": Markup(drawn.legend),  # noqa: S704
        "notes": drawn.notes,
        "has_bands": band_chart(published, chosen) is not None,
        "rows": _rows(found, chosen),
        "areas": areas_name(chosen, found.codes, len(found.inside(chosen.place))),
        "closed": day_text(stored.closed_at) if stored.closed_at else "",
    }


def _rows(found: Figures, chosen: Selection) -> list[dict[str, str]]:
    inside = set(found.inside(chosen.place))
    rows = []
    for at in [at for at in found.descending if at in inside][: _FEWER_ROWS[0]]:
        best, worst = int(found.ranks.best[at]), int(found.ranks.worst[at])
        rows.append(
            {
                "name": found.names[at],
                "value": whole(float(found.value[at])),
                "interval": span(float(found.lower[at]), float(found.upper[at])),
                "rank": f"{best:,} to {worst:,}" if best != worst else f"{best:,}",
                "reliability": RELIABILITY[found.reliability[at]],
            }
        )
    return rows


def _first(published: Published) -> str:
    """The table that a committee most likely wants: the first with one attribute of areas."""
    workload = published.round_.workload
    for one in workload.marginals:
        if sum(workload.attribute(name).is_area for name in one.attributes) <= 1:
            return slug(one)
    return slug(workload.marginals[0])


def _filters(region: Region, published: Published, chosen: Selection) -> list[dict[str, Any]]:
    tables = [
        {"value": slug(one), "text": table_title(one)}
        for one in published.round_.workload.marginals
    ]
    found: list[dict[str, Any]] = [
        {"name": "table", "label": "Table", "items": tables, "value": slug(chosen.marginal)}
    ]
    found += code_filters(published, chosen)
    if chosen.area is not None:
        found.append(council_filter(region, published, chosen))
    return found


_STYLE = """
.sheet__map { width: 62%; float: left; }
.sheet__beside { margin-left: 64%; }
.sheet__beside img { margin-top: 3mm; max-height: 56mm; }
.sheet__after { clear: both; }
svg.folkmoot-map { max-height: 92mm; width: 100%; }
.sheet__bands { width: 60%; }
.sheet__withdrawn { border: 1mm solid #d4351c; padding: 2mm; font-weight: bold; }
.sheet__rows td { white-space: nowrap; }
.lead { font-size: 11pt; }
"""
