"""What hotspots were found: in sentences, on a map and in rows of a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from folkmoot_coordinator.charts.area_classes import NO_CLASS, AreaClasses, no_figure_text
from folkmoot_coordinator.charts.choropleth import map_svg
from folkmoot_coordinator.charts.legend import legend_html
from folkmoot_coordinator.inference.hotspots import POWER
from folkmoot_coordinator.inference.lasting import Course
from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.viewer.finding_hotspots import Found
from folkmoot_coordinator.viewer.maps import name_of
from folkmoot_coordinator.viewer.words import (
    capital,
    households,
    percent,
    plural,
    rate_text,
    signed,
    span,
    whole,
)

KINDS = ("Neither", "Cold spot", "Hotspot")
FADING = "Fading"
COURSES = ("Neither", FADING, "New", "Lasting")
_COURSE_NUMBERS = {Course.NONE: 0, Course.FADING: 1, Course.NEW: 2, Course.LASTING: 3}
_HATCHED = (
    "Plain colour: more than noise. Pale with lines: the hotspot crossed the line, but noise alone "
    "may have moved it."
)
_COLOURS = {Course.NEW: "red", Course.LASTING: "orange", Course.FADING: "grey"}


@dataclass(frozen=True, slots=True)
class SpotRow:
    """A hotspot or cold spot in the table.

    Attributes:
        name: The area.
        code: Of it.
        council: GSS code.
        kind: What it is.
        colour: Of its tag.
        value: Its own figure, in words.
        interval: 95% interval of that.
        excess: By how much its neighbourhood exceeds the common mean, for each area.
        error: Standard error of that.
        rate: The lowest false discovery rate at which it would be listed, in words; empty if it is
            not a hotspot any more.
        lasted: For how many rounds, in words; empty for one round, and if it is none any more.
        change: Change of the neighbourhood since the round before; empty for one round.
        is_sure: Whether the course is more than noise.
    """

    name: str
    code: str
    council: str
    kind: str
    colour: str
    value: str
    interval: str
    excess: str
    error: str
    rate: str
    lasted: str = ""
    change: str = ""
    is_sure: bool = True


def lead(published: Published, found: Found) -> list[str]:
    """What was found, in a few sentences."""
    areas, hot, cold = len(found.figures), int(found.hot.sum()), int(found.cold.sum())
    of, what = plural(areas, "area"), found.chosen.what(published)
    if hot == 1:
        first = (
            f"Of {of}, 1 is a hotspot of {what}: together with the areas around it, it has more "
            "than chance and noise explain."
        )
    elif hot:
        first = (
            f"Of {of}, {hot:,} are hotspots of {what}: with the areas around them, they have more "
            "than chance and noise explain."
        )
    else:
        first = (
            f"None of {of} is a hotspot of {what}. That does not mean that there are none: an "
            "excess may be too small to stand out from noise."
        )
    said = [first]
    if found.courses is not None:
        said.append(_courses(found))
    if cold:
        are = "is a cold spot" if cold == 1 else "are cold spots"
        said.append(f"{plural(cold, 'area')} {are}, with less than chance and noise explain.")
    if hot or cold:
        said.append(
            f"{_by_chance(found)} An area may be listed for what its neighbours have, with no "
            "large figure of its own."
        )
    return said


def _by_chance(found: Found) -> str:
    """What the false discovery rates promise: one of hotspots, and another of cold spots."""
    cold = "of the cold spots that are listed"
    if not found.hot.any():
        return f"On average, no more than 1 in 20 {cold} is there by chance."
    hot = (
        "of the hotspots that are listed"
        if found.courses is None
        else f"of the hotspots of all {len(found.months)} rounds together"
    )
    also = f", and no more than 1 in 20 {cold}" if found.cold.any() else ""
    return f"On average, no more than 1 in 20 {hot} is there by chance{also}."


def _courses(found: Found) -> str:
    assert found.courses is not None
    counts = {
        kind: int((found.courses.course == kind).sum())
        for kind in (Course.NEW, Course.LASTING, Course.FADING)
    }
    sure = found.courses.certain
    unsure = int(((found.courses.course != Course.NONE) & ~sure).sum())
    text = (
        f"Since the round before, {counts[Course.NEW]:,} are new, {counts[Course.LASTING]:,} "
        f"have lasted and {counts[Course.FADING]:,} are fading."
    )
    if unsure:
        text += f" For {unsure:,} of the new and fading ones, noise alone may be the reason."
    return text


def noise_says(found: Found) -> list[str]:
    """What noise does to the search, in sentences."""
    reach = found.spots.detectable[np.isfinite(found.spots.detectable)]
    said = []
    if len(reach):
        middle = float(np.median(reach))
        least, most = float(reach.min()), float(reach.max())
        beside = (
            f" (for the area in the middle; {span(least, most)} over all areas)"
            if whole(least) != whole(most)
            else ""
        )
        said.append(
            f"The smallest excess that would have been found {POWER:.0%} of the time is "
            f"{households(middle)} in each area of a neighbourhood{beside}. Smaller hotspots may "
            "be there and not be listed."
        )
    share = found.noise_share
    said.append(
        f"{capital(percent(share))} of the variance between areas comes from noise, and the rest "
        "from the areas themselves. Apart from hotspots, an area has "
        f"{households(found.spots.background.mean)} on average."
    )
    said.append(
        "A council whose figures have more noise needs a larger excess. Noise alone seldom makes "
        "a hotspot: its size is known, and counted."
    )
    return said


def by_council(published: Published, found: Found) -> list[tuple[str, int, str, str]]:
    """For each council its areas, noise and smallest excess that would have been found."""
    known = found.figures
    rows = []
    for code in dict.fromkeys(known.councils):
        places = known.inside(code)
        reach = found.spots.detectable[places]
        reach = reach[np.isfinite(reach)]
        rows.append(
            (
                published.names.get(code, code),
                int(found.hot[places].sum()),
                households(float(np.median(known.standard_error[places]))),
                households(float(np.median(reach))) if len(reach) else "cannot be said",
            )
        )
    return rows


def spot_rows(found: Found) -> list[SpotRow]:
    """Hotspots, the largest excess first, then what is fading, then cold spots."""
    z = found.spots.sums.z
    fading = (
        found.courses.course == Course.FADING
        if found.courses is not None
        else np.zeros(len(z), dtype=bool)
    )
    hot = np.flatnonzero(found.hot)
    cold = np.flatnonzero(found.cold & ~fading)
    places = [
        *hot[np.argsort(-z[hot], kind="stable")].tolist(),
        *np.flatnonzero(fading).tolist(),
        *cold[np.argsort(z[cold], kind="stable")].tolist(),
    ]
    return [_row(found, at) for at in places]


def _row(found: Found, at: int) -> SpotRow:
    known, sums = found.figures, found.spots.sums
    is_cold = bool(found.cold[at]) and not found.hot[at]
    kind, colour = ("Cold spot", "blue") if is_cold else ("Hotspot", "red")
    adjusted = found.spots.cold.adjusted[at] if is_cold else found.spots.hot.adjusted[at]
    lasted = change = ""
    is_sure = True
    if found.courses is not None and not is_cold:
        courses = found.courses
        course = Course(courses.course[at])
        if course is not Course.NONE:
            kind, colour = course.value.capitalize(), _COLOURS[course]
        adjusted = courses.hot.adjusted[-1][at]
        if courses.lasted[at]:
            lasted = plural(int(courses.lasted[at]), "round")
        reach = known.quantile * float(courses.change_error[at])
        moved = float(courses.change[at])
        change = f"{signed(moved)} ({signed(moved - reach)} to {signed(moved + reach)})"
        is_sure = bool(courses.certain[at])
    return SpotRow(
        known.names[at],
        known.codes[at],
        known.councils[at],
        kind,
        colour,
        households(float(known.value[at])),
        span(float(known.lower[at]), float(known.upper[at])),
        signed(float(sums.excess[at])),
        f"{float(sums.error[at]):,.1f}",
        "" if kind == FADING else rate_text(float(adjusted)),
        lasted,
        change,
        is_sure,
    )


def hotspot_map(published: Published, found: Found) -> tuple[str, str]:
    """The map and its legend, as SVG and HTML."""
    known = found.figures
    missing = [name_of(published, found.chosen, code) for code in known.missing]
    labels: tuple[str, ...] = KINDS
    if found.courses is None:
        kinds = np.zeros(len(known), dtype=np.int64)
        kinds[found.cold] = 1
        kinds[found.hot] = 2
        certain, said = np.ones(len(known), dtype=bool), ""
    else:
        kinds = np.array([_COURSE_NUMBERS[Course(one)] for one in found.courses.course])
        labels, said = COURSES, _HATCHED
        certain = found.courses.certain | (kinds == 0)
    texts = [
        f"{known.names[at]}: {labels[kinds[at]].lower()}. {households(float(known.value[at]))}, "
        f"95% interval {span(float(known.lower[at]), float(known.upper[at]))}. Its "
        f"neighbourhood has {signed(float(found.spots.sums.excess[at]))} for each area "
        "against the mean"
        for at in range(len(known))
    ]
    areas = AreaClasses(
        classes=np.concatenate([kinds, np.full(len(missing), NO_CLASS)]).astype(np.int64),
        certain=np.concatenate([certain, np.zeros(len(missing), dtype=bool)]),
        texts=[*texts, *map(no_figure_text, missing)],
        labels=labels,
    )
    title = f"Hotspots of {found.chosen.what(published)} in {published.region}"
    description = (
        f"{int(found.hot.sum()):,} hotspots among {plural(len(known), 'area')}. The table lists "
        "them."
    )
    svg = map_svg(found.shapes, areas, title=title, description=description, element_id="hotspots")
    return svg, legend_html(areas, said)
