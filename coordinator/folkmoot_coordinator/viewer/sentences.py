"""The sentences that say a statistic in plain English."""

from __future__ import annotations

from collections import Counter

from folkmoot.precision import Reliability
from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.viewer.figures import Figures, figure_of, without_areas
from folkmoot_coordinator.viewer.maps import areas_name
from folkmoot_coordinator.viewer.selection import Selection
from folkmoot_coordinator.viewer.words import RELIABILITY, between, households, plural, span, whole


def lead(published: Published, chosen: Selection, found: Figures) -> list[str]:
    """What the figures say, in a few sentences.

    Args:
        published: The round.
        chosen: What of it.
        found: Its figures.
    """
    said = []
    what = chosen.what(published)
    labels = what.removeprefix("new ").removeprefix("households").strip()
    where = published.names.get(chosen.place, chosen.place) or published.region
    total = figure_of(without_areas(published, chosen), chosen) if chosen.place else found.total
    if total is not None:
        new = "new " if what.startswith("new ") else ""
        count = households(total.value)
        if new:
            count = count.replace(" household", " new household")
        counted = "council's" if chosen.place else "councils'"
        said.append(
            f"{_said_of(published, chosen, found, where, f'{count} {labels}'.strip())}. "
            f"Without the noise, the {counted} count is {between(total.lower, total.upper)}, "
            "with 95% certainty."
        )
    if len(found) > 1:
        said.append(_largest(chosen, found))
        said.append(_reliable(chosen, found))
    return said


def _said_of(
    published: Published, chosen: Selection, found: Figures, where: str, count: str
) -> str:
    """Who has that many households: never the whole region where councils are missing."""
    inside, invited = len(set(found.councils)), published.coverage.invited
    if chosen.place:
        return f"{where} has about {count}"
    if inside == invited:
        return f"{where} has about {count}, in {covered(published, found)}"
    if inside == 1:
        return f"One of the {invited:,} councils of {where} has about {count}"
    return f"Together, {inside:,} of the {invited:,} councils of {where} have about {count}"


def covered(published: Published, found: Figures) -> str:
    """Councils that are in figures: new households are known of those alone that answered twice."""
    return f"{len(set(found.councils))} of {plural(published.coverage.invited, 'council')}"


def _largest(chosen: Selection, found: Figures) -> str:
    inside = set(found.inside(chosen.place))
    [first, *_] = [at for at in found.descending if at in inside]
    best, worst = int(found.ranks.best[first]), int(found.ranks.worst[first])
    of = areas_name(chosen, found.codes, len(inside))
    if (best, worst) == (1, len(found)):
        return f"The noise is too large to say which of the {of} has the most households."
    if best == worst:
        where = f"it surely has rank {best:,}"
        if len(inside) < len(found):
            where += f" of all {len(found):,}"
    else:
        every = "both" if len(found) == 2 else f"all {len(found):,}"
        where = f"among {every}, its true rank is anywhere from {best:,} to {worst:,}"
    interval = span(float(found.lower[first]), float(found.upper[first]))
    return (
        f"Of the {of}, {found.names[first]} has the largest estimate, "
        f"{whole(float(found.value[first]))} ({interval}); {where}."
    )


def _reliable(chosen: Selection, found: Figures) -> str:
    inside = found.inside(chosen.place)
    counts = Counter(found.reliability[at] for at in inside)
    parts = [
        f"{counts[kind]:,} {'is' if counts[kind] == 1 else 'are'} {RELIABILITY[kind].lower()}"
        if kind is not Reliability.CAUTION
        else f"{counts[kind]:,} need{'s' if counts[kind] == 1 else ''} caution"
        for kind in Reliability
        if counts[kind]
    ]
    if len(parts) == 1:
        [kind] = counts
        says = {
            Reliability.RELIABLE: "are reliable",
            Reliability.CAUTION: "need caution",
            Reliability.UNRELIABLE: "are too uncertain to use by themselves",
        }
        every = "Both" if len(inside) == 2 else f"All {len(inside):,}"
        return f"{every} figures {says[kind]}."
    return f"Of these figures, {', '.join(parts[:-1])} and {parts[-1]}."
