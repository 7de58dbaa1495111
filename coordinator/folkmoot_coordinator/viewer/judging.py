"""Bands judged by an outcome: the figures of a page, made once for each result, and its charts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from folkmoot_coordinator.charts.chart import Chart
from folkmoot_coordinator.charts.interval_chart import MAX_ROWS, IntervalChart, IntervalRow
from folkmoot_coordinator.inference.validation import COMPARED, BandRates, Figure, Rate
from folkmoot_coordinator.publication.outcome_round import (
    BAND,
    JudgedRound,
    OfferedOutcome,
    offered_outcomes,
    with_outcome,
)
from folkmoot_coordinator.publication.outcome_validation import RegionalValidation, validate
from folkmoot_coordinator.publication.outcome_words import (
    EVERY_EVENT,
    TOO_FEW,
    unjudged,
)
from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.viewer.words import (
    capital,
    code_label,
    listed,
    marked_title,
    phrase,
    share,
    share_span,
)
from folkmoot_web.errors import WebProblem, problem_of_status

OUTCOME, BY = "outcome", "by"
"""Parameters of an address."""
CHARTS = {about.value: about for about in COMPARED}
"""By the name of a picture what it shows."""


@dataclass(frozen=True, slots=True)
class OutcomeChoice:
    """What a page judges bands by.

    Attributes:
        offered: All that the round can be judged by.
        outcome: The one that was chosen.
        by: Attribute of the groups; None to leave groups out.
    """

    offered: tuple[OfferedOutcome, ...]
    outcome: OfferedOutcome
    by: str | None

    @property
    def query(self) -> str:
        """The choice as parameters of an address, without groups."""
        return urlencode({OUTCOME: self.outcome.name})


def choose_outcome(published: Published, asked: Mapping[str, str]) -> OutcomeChoice:
    """What an address asks for; the first outcome, and no groups, where it does not say.

    Raises:
        WebProblem: Status 404, if the round has no outcome, or not this one.
    """
    offered = offered_outcomes(published.round_)
    if not offered:
        raise problem_of_status(404, "This round does not count bands by an outcome.")
    name = asked.get(OUTCOME) or offered[0].name
    outcome = next((one for one in offered if one.name == name), None)
    if outcome is None:
        raise missing_choice("outcome", (one.name for one in offered))
    by = asked.get(BY) or None
    if by is not None and by not in outcome.groups:
        raise missing_choice("group", outcome.groups)
    return OutcomeChoice(offered, outcome, by)


def judged(published: Published, chosen: OutcomeChoice) -> RegionalValidation:
    """What `folkmoot-coordinator validate` finds."""

    def make() -> RegionalValidation:
        asked = JudgedRound(published.stored, published.coverage, published.releases())
        return validate(with_outcome(asked, chosen.outcome.name), chosen.by)

    found = published.kept(("validation", chosen.outcome.name, chosen.by), make)
    assert isinstance(found, RegionalValidation)
    # A result may have been withdrawn since.
    return replace(found, asked=replace(found.asked, stored=published.stored))


def names_of(published: Published, name: str) -> dict[str, str]:
    """Codes of an attribute for people."""
    attribute = published.round_.workload.attribute(name)
    names = published.stored.code_names.of(name)
    return {code: code_label(attribute, code, names.get(code)) for code in attribute.codes_of(None)}


def lead(published: Published, chosen: OutcomeChoice, found: RegionalValidation) -> list[str]:
    """What the figures say, in a few sentences."""
    event = phrase(chosen.outcome.name)
    top = found.region[-1]
    band = names_of(published, BAND)[top.band]
    said = []
    if top.precision.value is None or top.recall.value is None:
        said.append(f"There are too few households to judge band {band} by {event}.")
    else:
        said.append(
            f"Of the households in band {band}, {share(top.precision.value)} had the event "
            f"({event}){_from_to(top.precision)}. The band holds {share(top.recall.value)} of all "
            f"events{_from_to(top.recall)}."
        )
    said.append(f"The figures cover {published.coverage}, and households whose outcome is known.")
    return said


def _from_to(rate: Rate) -> str:
    """What others like these households would show, 19 times in 20; empty if nobody can say."""
    if rate.chance is None:
        return ""
    low, high = rate.chance
    return f", {share(low)} to {share(high)} with noise and chance"


def rate_cells(rates: Sequence[BandRates], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Rows of a table: by band what is said of precision and recall."""
    return [
        {
            "band": capital(names[one.band]),
            "precision": rate_cell(one.precision),
            # The lowest band and all others hold every event, without noise.
            "recall": rate_cell(one.recall)
            if at
            else {"value": EVERY_EVENT, "noise": "", "chance": ""},
        }
        for at, one in enumerate(rates)
    ]


def rate_cell(rate: Rate) -> dict[str, str]:
    """A rate in a table, with both intervals; these are empty if there are too few households."""
    if rate.value is None or rate.noise is None or rate.chance is None:
        return {"value": capital(TOO_FEW), "noise": "", "chance": ""}
    return {
        "value": share(rate.value),
        "noise": share_span(rate.noise),
        "chance": share_span(rate.chance),
    }


def not_judged(
    found: RegionalValidation,
    councils: Mapping[str, str],
    bands: Mapping[str, str],
    groups: Mapping[str, str],
) -> list[str]:
    """What the figures cannot say: for each place the bands with too few households.

    Args:
        found: The figures.
        councils: Names by GSS code.
        bands: Names of bands by code.
        groups: Names of groups by code.
    """
    places = [
        (found.asked.known.region, found.region),
        *((councils.get(code, code), rates) for code, rates in found.councils.items()),
        *(
            (f"{phrase(found.by or '')} {groups[code]}", rates)
            for code, rates in found.groups.items()
        ),
    ]
    return [
        f"{capital(place)}: {listed(missing)}"
        for place, rates in places
        if (missing := unjudged(rates, bands))
    ]


def outcome_chart(
    published: Published, chosen: OutcomeChoice, name: str, *, narrow: bool = False
) -> Chart | None:
    """Precision or recall by band, of the region or of its groups; None without a figure.

    Args:
        published: The round.
        chosen: What bands are judged by.
        name: A key of `CHARTS`.
        narrow: Whether the chart is for a phone.
    """
    found, about = judged(published, chosen), CHARTS[name]
    names = names_of(published, BAND)
    groups = names_of(published, chosen.by) if chosen.by else {}
    places = found.groups or {"": found.region}
    rows = []
    for at, band in enumerate(found.bands):
        if about is Figure.RECALL and at == 0:
            continue
        for place, rates in places.items():
            rate = rates[at].figure(about)
            if rate.value is None or rate.noise is None:
                continue
            label = f"{names[band]}, {groups[place]}" if place else names[band]
            rows.append(IntervalRow(label, rate.value, *rate.noise, outer=rate.chance))
    if not rows:
        return None
    title = f"{capital(about)} by band: {phrase(chosen.outcome.name)}"
    if chosen.by:
        title += f", by {phrase(chosen.by)}"
    return IntervalChart(
        marked_title(published.withdrawn, title),
        "Share of the band with the event"
        if about is Figure.PRECISION
        else "Share of all events in the band or a higher one",
        tuple(rows[-MAX_ROWS:]),
        "Thick lines hold the noise, thin lines chance too (95%)",
        share=True,
        narrow=narrow,
    )


def missing_choice(what: str, known: Iterable[str]) -> WebProblem:
    """Status 404, naming what can be chosen instead."""
    remedy = f"Choose from: {', '.join(known) or 'none'}."
    return WebProblem(404, f"There is no such {what}", "", remedy)
