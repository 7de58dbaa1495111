"""How a round's figures were made, and what their intervals do not cover."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from folkmoot.precision import Precision, precision
from folkmoot.rounds import Mechanism, Round
from folkmoot.series import SeriesRow, cumulative_weights, variance_factor
from folkmoot_coordinator.publication.privacy_statement import privacy_statement, series_statement
from folkmoot_coordinator.publication.round_result import coverage
from folkmoot_coordinator.rounds.policies import plugins_of, policy_of
from folkmoot_coordinator.rounds.round_store import StoredRound
from folkmoot_coordinator.viewer.pages.one_round import answers_of
from folkmoot_coordinator.viewer.permissions import Right
from folkmoot_coordinator.viewer.region import Region, region_of
from folkmoot_coordinator.viewer.round_facts import round_facts
from folkmoot_coordinator.viewer.words import listed, table_title
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes

NOT_COVERED = (
    "Records that a council does not have: a household that no service knows is not counted.",
    "Records that are wrong, old or matched to the wrong household.",
    "How well the policy's factors and weights find households that are vulnerable. A band is a "
    "rule, and not a measurement of need.",
    "A household that two councils both count, or that moved between them.",
    "Councils that are not in the figures: nothing was put in their place.",
    "Changes of the policy, of software or of sources between two rounds.",
)
"""What the 95% intervals leave out; they cover the noise, and the noise alone."""


@dataclass(frozen=True, slots=True)
class Noise:
    """How much noise a table's cells have, over the councils.

    Attributes:
        title: The table.
        least: Standard error of a cell of the council with the least noise, households.
        most: The same of the council with the most.
        reliable_from: Fewest households of a cell that every council's figure is reliable for.
    """

    title: str
    least: float
    most: float
    reliable_from: int


def routes() -> Routes:
    """The page."""
    routes = Routes()

    @routes.get("/rounds/{round_id}/method", permission=Right.READ)
    def method(request: Request, round_id: str) -> Response:
        region = region_of(request)
        stored = region.stored(request, round_id)
        round_ = stored.round_
        covered = coverage(region.database, stored)
        state = privacy_statement if round_.series is None else series_statement
        (facts,) = round_facts(region.database, round_id=round_.round_id)
        return render(
            request,
            "viewer/method.html",
            stored=stored,
            facts=facts,
            base=f"/rounds/{round_.round_id}",
            breadcrumbs=[
                ("Results", "/"),
                (stored.title, f"/rounds/{round_.round_id}"),
                ("How the figures were made", None),
            ],
            tables=[table_title(one) for one in round_.workload.marginals],
            policy=policy_of(region.database, round_.policy_digest),
            digest=round_.policy_digest.hex(),
            plugins=_plugins(region, stored),
            covered=covered,
            answers=answers_of(region, stored),
            statement=state(round_, len(covered.released)).split("\n\n"),
            noise=noise(round_),
            mechanism=_MECHANISMS[round_.mechanism],
            not_covered=NOT_COVERED,
        )

    return routes


def noise(round_: Round) -> list[Noise]:
    """How much noise each table of a round has; of a series, its first round's."""
    found = []
    factor = 1.0 if round_.series is None else _first_of_series(round_)
    plans = [round_.plan(council) for council in round_.councils]
    for marginal in round_.workload.marginals:
        each: list[Precision] = [precision(plan, marginal.attributes, factor) for plan in plans]
        found.append(
            Noise(
                table_title(marginal),
                min(one.standard_error for one in each),
                max(one.standard_error for one in each),
                max(one.reliable_from for one in each),
            )
        )
    return found


_MECHANISMS = {
    Mechanism.DISCRETE_GAUSSIAN: "discrete Gaussian noise",
    Mechanism.DISCRETE_LAPLACE: "discrete Laplace noise",
}


def _first_of_series(round_: Round) -> float:
    assert round_.series is not None
    [weights] = cumulative_weights([SeriesRow(1, 1)], round_.series.length)
    return variance_factor(weights, round_.series.length)


def _plugins(region: Region, stored: StoredRound) -> list[tuple[str, str, str]]:
    """Name, version and councils of each plugin that councils say they score with."""
    found = plugins_of(region.database, stored.round_.councils)
    return [
        (one.name, one.version, listed([region.council(council) for council in councils]))
        for one, councils in found.items()
    ]
