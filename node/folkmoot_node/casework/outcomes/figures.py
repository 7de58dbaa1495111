"""The figures: how often there was a need, both kinds of misses, waits, and human decisions.

A figure about fewer than `SMALLEST` cases is not shown: within the council too, a table of few
households tells about each of them. Rows that are too small are taken together with others, or
left out where they could be computed from the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from folkmoot_node.casework.cases.words import View
from folkmoot_node.casework.outcomes.facts import CaseFact, Contested, DecisionFact, LookFact
from folkmoot_node.casework.outcomes.intervals import Share, share, waiting_quantiles
from folkmoot_node.equality.report import SMALLEST
from folkmoot_node.small_groups import NOT_KNOWN, pooled

NO_SCORE = "no score kept"
"""In place of a band."""
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table.

    Attributes:
        title: What its cases have in common.
        found: How many of them had a need; None if that is not shown.
    """

    title: str
    found: Share | None


@dataclass(frozen=True, slots=True)
class Table:
    """A table of hit rates.

    Attributes:
        title: By what.
        rows: In order.
        is_whole: Whether every case stands in exactly one row.
    """

    title: str
    rows: tuple[Row, ...]
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Waits:
    """Days from a flag to the first contact.

    Attributes:
        cases: Of households that were flagged.
        contacted: Those of them with a contact event.
        lower: Days after which a quarter had been contacted; None if fewer have been.
        median: The same for half of them.
        upper: The same for three quarters.
    """

    cases: int
    contacted: int
    lower: float | None
    median: float | None
    upper: float | None


@dataclass(frozen=True, slots=True)
class Looks:
    """First looks beside scores.

    Attributes:
        looks: How many there are.
        cannot_say: In how many somebody could not say.
        disagree: Of those that took a side and have a score: likely in need, and a band in the
            lower half; or not likely, and one in the upper half.
        likely_low: How many were thought likely, in the lower half.
        unlikely_high: How many were thought not likely, in the upper half.
    """

    looks: int
    cannot_say: Share | None
    disagree: Share | None
    likely_low: int
    unlikely_high: int


@dataclass(frozen=True, slots=True)
class Decisions:
    """Decisions about households of cohorts.

    Attributes:
        decisions: How many there are.
        quick: Those taken in under `quick_seconds`, of those whose time is known.
        quick_seconds: As the policy sets it.
        unseen: Those taken without ever seeing what was known of the household.
        in_bulk: Those taken together with others.
        as_scored: Those that are what the score proposed.
    """

    decisions: int
    quick: Share | None
    quick_seconds: int
    unseen: Share | None
    in_bulk: Share | None
    as_scored: Share | None

    @property
    def never_differ(self) -> bool:
        """Whether no decision was other than the score proposed."""
        return self.as_scored is not None and self.as_scored.hits == self.as_scored.of


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of cases.

    A share is None if it would be about fewer than `SMALLEST`.

    Attributes:
        cases: All cases.
        flagged: Those of households that were in a cohort.
        assessed: Those in which somebody said whether there is a need.
        hits: Need found, of the flagged ones that were assessed.
        false_flags: No need found, of the same: the first kind of miss.
        missed: Need found, of those opened for other reasons that were assessed: the second.
        waits: From flag to contact; None if about fewer than `SMALLEST`.
        contested: Households that objected, of those with a case.
        overturned: Those for which the council changed its mind, of those that objected.
        looks: First looks; None if about fewer than `SMALLEST`.
        decisions: Decisions; None if about fewer than `SMALLEST`.
        tables: By band, by factor, by protected group.
        smallest: Figures about fewer are not shown.
    """

    cases: int
    flagged: int
    assessed: int
    hits: Share | None
    false_flags: Share | None
    missed: Share | None
    waits: Waits | None
    contested: Share | None
    overturned: Share | None
    looks: Looks | None
    decisions: Decisions | None
    tables: tuple[Table, ...]
    smallest: int


def figures(
    cases: Sequence[CaseFact],
    looks: Sequence[LookFact],
    decisions: Sequence[DecisionFact],
    contested: Contested,
    *,
    bands: Sequence[str],
    groups: Mapping[str, tuple[Sequence[str], Mapping[str, str]]],
    quick_seconds: int,
    now: int,
    smallest: int = SMALLEST,
) -> Figures:
    """Computes all figures.

    Args:
        cases: All cases.
        looks: All first looks.
        decisions: All decisions.
        contested: Objections.
        bands: Names of the policy's bands, ascending.
        groups: By the title of a protected characteristic: its groups in order, and the group of
            each household, by its id.
        quick_seconds: Decisions taken in less are quick.
        now: Seconds since 1970-01-01T00:00:00Z.
        smallest: Figures about fewer are not shown.
    """
    assessed = [one for one in cases if one.need_found is not None]
    flagged = [one for one in assessed if one.is_flagged]
    others = [one for one in assessed if not one.is_flagged]
    households = {one.household for one in cases}
    objected = households & contested.households
    of_band = [(one.band or NO_SCORE, bool(one.need_found)) for one in flagged]
    tables = [
        _whole("By band", of_band, [*bands, NO_SCORE], smallest),
        _by_factor(flagged, smallest),
    ]
    for title, (names, group_of) in groups.items():
        by = [(group_of.get(one.household, NOT_KNOWN), bool(one.need_found)) for one in flagged]
        tables.append(_whole(title, by, [*names, NOT_KNOWN], smallest))
    found = sum(bool(one.need_found) for one in flagged)
    return Figures(
        len(cases),
        sum(one.is_flagged for one in cases),
        len(assessed),
        _shown(found, len(flagged), smallest),
        _shown(len(flagged) - found, len(flagged), smallest),
        _shown(sum(bool(one.need_found) for one in others), len(others), smallest),
        _waits([one for one in cases if one.is_flagged], now, smallest),
        _shown(len(objected), len(households), smallest),
        _shown(len(objected & contested.overturned), len(objected), smallest),
        _looks(looks, smallest),
        _decisions(decisions, quick_seconds, smallest),
        tuple(one for one in tables if one.rows),
        smallest,
    )


def _shown(hits: int, of: int, smallest: int) -> Share | None:
    return share(hits, of) if of >= smallest else None


def _whole(
    title: str, cases: Iterable[tuple[str, bool]], order: Sequence[str], smallest: int
) -> Table:
    """A table in which each case stands in one row; small rows are taken together."""
    listed = list(cases)
    if len(listed) < smallest:
        return Table(title, ())  # the name of a row would tell where those few stand
    known = list(dict.fromkeys([*order, *(name for name, _ in listed)]))
    count = Counter(name for name, _ in listed)
    hits = Counter(name for name, is_found in listed if is_found)
    numbers = np.array([count[name] for name in known], dtype=np.int64)
    rows = []
    for pool in pooled(numbers, smallest):
        names = [known[at] for at in pool]
        of = sum(count[name] for name in names)
        found = _shown(sum(hits[name] for name in names), of, smallest)
        rows.append(Row(", ".join(names) + (" together" if len(names) > 1 else ""), found))
    return Table(title, tuple(rows))


def _by_factor(cases: Sequence[CaseFact], smallest: int) -> Table:
    """A row for each factor that added points; a case stands in as many as it has factors.

    A factor that too few have, or that too few have not, has no row: its name alone would tell that
    somebody has it, also where it rests on a sensitive source.
    """
    scored = [one for one in cases if one.factors is not None]
    titles = {name: title for one in scored for name, title in (one.factors or {}).items()}
    rows = []
    for name, title in sorted(titles.items(), key=lambda one: one[1]):
        having = [one for one in scored if name in (one.factors or {})]
        without = len(scored) - len(having)
        # The rest could be computed from the row and from the total, so it must not be small.
        is_shown = len(having) >= smallest and (without == 0 or without >= smallest)
        if is_shown:
            hits = sum(bool(one.need_found) for one in having)
            rows.append(Row(title, share(hits, len(having))))
    return Table("By factor", tuple(rows), is_whole=False)


def _waits(cases: Sequence[CaseFact], now: int, smallest: int) -> Waits | None:
    if len(cases) < smallest:
        return None
    waits = [
        (
            max(0, (one.first_contact_at or one.closed_at or now) - one.began_at) / _DAY,
            one.first_contact_at is not None,
        )
        for one in cases
    ]
    lower, median, upper = waiting_quantiles(waits, (0.25, 0.5, 0.75))
    return Waits(len(cases), sum(had for _, had in waits), lower, median, upper)


def _looks(looks: Sequence[LookFact], smallest: int) -> Looks | None:
    if len(looks) < smallest:
        return None
    sided = [one for one in looks if one.view is not View.CANNOT_SAY and one.is_upper is not None]
    likely_low = sum(one.view is View.LIKELY and not one.is_upper for one in sided)
    unlikely_high = sum(one.view is View.UNLIKELY and bool(one.is_upper) for one in sided)
    return Looks(
        len(looks),
        share(sum(one.view is View.CANNOT_SAY for one in looks), len(looks)),
        _shown(likely_low + unlikely_high, len(sided), smallest),
        likely_low,
        unlikely_high,
    )


def _decisions(
    decisions: Sequence[DecisionFact], quick_seconds: int, smallest: int
) -> Decisions | None:
    if len(decisions) < smallest:
        return None
    timed = [one.seconds for one in decisions if one.seconds is not None]
    of = len(decisions)
    return Decisions(
        of,
        _shown(sum(seconds < quick_seconds for seconds in timed), len(timed), smallest),
        quick_seconds,
        share(of - len(timed), of),
        share(sum(one.in_bulk for one in decisions), of),
        share(sum(one.follows_score for one in decisions), of),
    )
