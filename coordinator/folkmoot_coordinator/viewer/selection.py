"""What of a round a page shows: a table, one code of each attribute, areas or districts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from folkmoot.attributes import Attribute
from folkmoot.workload import Marginal
from folkmoot_coordinator.aggregation.cumulative import Measure
from folkmoot_coordinator.planning.question_checks import BAND
from folkmoot_coordinator.publication.estimable import Moment
from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.viewer.words import code_label, listed, phrase, slug
from folkmoot_web.errors import WebProblem

PLACE, MEASURE = "place", "measure"
"""Parameters of an address, besides one for each attribute."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What a page shows.

    Attributes:
        marginal: The table.
        area: The attribute whose codes are the areas; None for districts.
        attributes: The other attributes of the table.
        codes: The code chosen of each of them, in their order.
        about: Of a series, which figures.
        place: GSS code of the council to look at; empty for the whole region.
    """

    marginal: Marginal
    area: Attribute | None
    attributes: tuple[Attribute, ...]
    codes: tuple[str, ...]
    about: Moment
    place: str = ""

    @property
    def cell(self) -> dict[str, str]:
        """By attribute the code that was chosen."""
        return {one.name: code for one, code in zip(self.attributes, self.codes, strict=True)}

    @property
    def key(self) -> tuple[object, ...]:
        """What the figures depend on; the council that is looked at does not change them."""
        return self.marginal.name, self.codes, self.about

    @property
    def query(self) -> str:
        """The selection as parameters of an address."""
        pairs = [*self.cell.items()]
        if self.about.measure is not None:
            pairs.append((MEASURE, self.about.measure.value))
        if self.place:
            pairs.append((PLACE, self.place))
        return urlencode(pairs)

    def labels(self, published: Published) -> list[str]:
        """Each code that was chosen, in words: `band high`."""
        names = published.stored.code_names
        return [
            f"{phrase(one.name)} {code_label(one, code, names.of(one.name).get(code))}"
            for one, code in zip(self.attributes, self.codes, strict=True)
        ]

    def what(self, published: Published) -> str:
        """What is counted, in words: `households in band high`."""
        new = "new " if self.about.measure is Measure.NEW else ""
        labels = self.labels(published)
        return f"{new}households" + (f" with {listed(labels)}" if labels else "")


def select(published: Published, name: str, asked: Mapping[str, str]) -> Selection:
    """What an address asks for; what it leaves out is the highest band, and else the first code.

    Codes of bands ascend, so that the last is the one of highest need. Those of other attributes
    often end with `unknown`, which nobody looks for first.

    Args:
        published: The round.
        name: The table, as `words.slug` writes it.
        asked: The address's parameters.

    Raises:
        WebProblem: Status 404, if there is no such table, code, council or measure.
    """
    workload = published.round_.workload
    marginal = next((one for one in workload.marginals if slug(one) == name), None)
    if marginal is None:
        raise _missing("table", "The round's page lists its tables.")
    attributes = [workload.attribute(one) for one in marginal.attributes]
    areas = [one for one in attributes if one.is_area]
    if len(areas) > 1:
        raise WebProblem(
            404,
            "This table has no page",
            f"It counts by {listed([phrase(one.name) for one in areas])} at once.",
            "Download the round's table, which has its figures.",
        )
    others = tuple(one for one in attributes if not one.is_area)
    codes = []
    for one in others:
        known = one.codes_of(None)
        code = asked.get(one.name) or one.codes[-1 if one.name == BAND else 0]
        if code not in known:
            raise _missing(phrase(one.name), f"Choose from: {', '.join(known)}.")
        codes.append(code)
    place = asked.get(PLACE, "")
    if place and place not in published.coverage.released:
        raise _missing("council in these figures", "Choose one on the page of the round.")
    return Selection(
        marginal,
        areas[0] if areas else None,
        others,
        tuple(codes),
        _about(published, asked.get(MEASURE, "")),
        place,
    )


def choices(published: Published, attribute: Attribute) -> list[dict[str, str]]:
    """Codes of an attribute for a select box."""
    names = published.stored.code_names.of(attribute.name)
    return [
        {"value": code, "text": code_label(attribute, code, names.get(code))}
        for code in attribute.codes_of(None)
    ]


def _about(published: Published, measure: str) -> Moment:
    latest = published.latest
    if not measure or latest.month is None:
        return latest
    for one in published.moments:
        if one.month == latest.month and one.measure == measure:
            return one
    raise _missing("measure", "Choose cumulative or new.")


def _missing(what: str, remedy: str) -> WebProblem:
    return WebProblem(404, f"There is no such {what}", "", remedy)
