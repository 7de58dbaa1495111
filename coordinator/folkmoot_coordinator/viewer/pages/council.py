"""One council as the region sees it: what it offers, how it answered, its newest figures."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from folkmoot.catalogue import Catalogue
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.rounds import RoundState
from folkmoot_coordinator.aggregation.statistic import GeographicLevel
from folkmoot_coordinator.membership.catalogues import catalogues_of
from folkmoot_coordinator.membership.councils import enrolled
from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.rounds.progress import CouncilResponse, council_responses
from folkmoot_coordinator.rounds.round_store import find_round
from folkmoot_coordinator.viewer.figures import Figure
from folkmoot_coordinator.viewer.pages.one_round import Answer, answer_of
from folkmoot_coordinator.viewer.pages.scoring import has_page
from folkmoot_coordinator.viewer.permissions import Right
from folkmoot_coordinator.viewer.region import Region, region_of
from folkmoot_coordinator.viewer.round_facts import RoundFacts, round_facts
from folkmoot_coordinator.viewer.words import capital, code_label, phrase, slug, table_title
from folkmoot_operator.problems import Problem
from folkmoot_web.errors import problem_of_status
from folkmoot_web.paging import Pages
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of

_ON_A_PAGE = 20
_LARGEST_TABLE = 40


@dataclass(frozen=True, slots=True)
class Asked:
    """A round that the council was invited to.

    Attributes:
        round: The round.
        answer: How the council answered.
    """

    round: RoundFacts
    answer: Answer


@dataclass(frozen=True, slots=True)
class CouncilTable:
    """Figures of the council in one table of a round.

    Attributes:
        title: Of the table.
        slug: Of the table.
        rows: What is counted, and the figure.
    """

    title: str
    slug: str
    rows: tuple[tuple[str, Figure], ...]


def routes() -> Routes:
    """The page."""
    routes = Routes()

    @routes.get("/councils/{code}", permission=Right.READ)
    def council(request: Request, code: str, page: int = 1) -> Response:
        region = region_of(request)
        try:
            council = GssCode(code)
        except ContractError:
            raise problem_of_status(404) from None
        asked = [
            one
            for one in round_facts(region.database, council=council)
            if region.sees(visitor_of(request), one.question.purpose)
        ]
        member = next(
            (one for one in enrolled(region.database, region.clock()) if one.code == council), None
        )
        if member is None and not asked and council not in region.names:
            raise problem_of_status(404)
        newest = _newest(region, asked, council)
        catalogue = catalogues_of(region.database, [council]).get(council)
        pages = Pages.of(len(asked), page, _ON_A_PAGE)
        return render(
            request,
            "viewer/council.html",
            code=council,
            name=region.council(council),
            breadcrumbs=[("Results", "/"), (region.council(council), None)],
            member=member,
            catalogue=catalogue,
            offered=_offered(catalogue),
            newest=newest,
            tables=[] if newest is None else council_tables(newest, council),
            maps=[] if newest is None else _maps(newest),
            asked=[_asked(region, one, council) for one in asked[pages.first : pages.last]],
            pagination=pages.links(request),
            has_scoring=has_page(region, council),
        )

    return routes


def council_tables(published: Published, council: GssCode) -> list[CouncilTable]:
    """The council's own figures: the tables of a round without areas."""
    found = []
    for marginal in published.round_.workload.marginals:
        statistic = published.statistic(marginal, GeographicLevel.COUNCIL, council)
        attributes = [published.round_.workload.attribute(one) for one in marginal.attributes]
        if statistic is None or any(one.is_area for one in attributes):
            continue
        if len(statistic) > _LARGEST_TABLE:
            continue
        columns = statistic.codes
        names = [published.stored.code_names.of(one.name) for one in attributes]
        figures = zip(
            statistic.value,
            statistic.standard_error,
            statistic.lower,
            statistic.upper,
            strict=True,
        )
        rows = []
        for at, figure in enumerate(figures):
            labels = [
                code_label(one, str(column[at]), known.get(str(column[at])))
                for one, column, known in zip(attributes, columns, names, strict=True)
            ]
            rows.append((capital(", ".join(labels)) or "All", Figure(*map(float, figure))))
        found.append(CouncilTable(table_title(marginal), slug(marginal), tuple(rows)))
    return found


def _asked(region: Region, facts: RoundFacts, council: GssCode) -> Asked:
    is_open = facts.state is RoundState.OPEN
    return Asked(facts, answer_of(region, _response(region, facts, council), is_open=is_open))


def _response(region: Region, facts: RoundFacts, council: GssCode) -> CouncilResponse:
    round_ = find_round(region.database, facts.round_id).round_
    responses = council_responses(region.database, round_)
    return next(one for one in responses if one.council == council)


def _newest(region: Region, asked: list[RoundFacts], council: GssCode) -> Published | None:
    """The newest result that the council is in and that stands; a series counts another thing."""
    for one in sorted(asked, key=lambda one: one.series_id is not None):
        if one.has_result and not one.withdrawal and _response(region, one, council).released:
            try:
                return region.rounds.find(one.round_id)
            except Problem:  # its counts are no longer kept
                continue
    return None


def _maps(published: Published) -> list[tuple[str, str]]:
    workload = published.round_.workload
    return [
        (table_title(one), slug(one))
        for one in workload.marginals
        if sum(workload.attribute(name).is_area for name in one.attributes) == 1
    ]


def _offered(catalogue: Catalogue | None) -> list[tuple[str, str]]:
    if catalogue is None:
        return []
    return [
        (
            capital(phrase(name)),
            ", ".join(codes) if codes else "areas, which the round names",
        )
        for name, codes in sorted(catalogue.attributes.items())
    ]
