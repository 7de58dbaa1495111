"""Whether the sources of a run can be believed: what a person must accept before it counts.

No value of a household depends on these figures. They decide whether the run's scores replace
the last ones, or a person looks first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from folkmoot_node.policies.acceptance import Acceptance
from folkmoot_node.scoring.area_types import unstated_area
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.settings.sources import SourceSettings
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_node.store.source_summary import SourceSummary
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.geography import COUNTRIES
from folkmoot_sdk.source import REPEATED

_FEW = 20
"""Below as many records, shares and changes say nothing."""
_MANY_AT_ONE_HOME = 10
_SHARE_AT_ONE_HOME = 0.1
_SHARE_REPEATED = 0.1
_SHARE_ROUNDED = 0.001
"""One UPRN in 100,000 ends so by nature; this is a hundred times as many."""
_SOME_ROUNDED = 3


class Doubt(Enum):
    """Why a source may not be what it seems."""

    EMPTY = "empty"
    NONE_LINKED = "none_linked"
    FEW_LINKED = "few_linked"
    FEW_COUNTED = "few_counted"
    REPEATED = "repeated"
    ONE_HOME = "one_home"
    ROUNDED = "rounded"
    NO_AREA = "no_area"
    UNSTATED_AREAS = "unstated_areas"
    FOREIGN_AREAS = "foreign_areas"
    RECORDS_CHANGED = "records_changed"
    SUM_CHANGED = "sum_changed"
    SHARE_CHANGED = "share_changed"


@dataclass(frozen=True, slots=True)
class SourceFinding:
    """Something about one source that a person should know.

    Attributes:
        source: Its name.
        doubt: What kind of thing.
        problem: In words, without figures from records.
        figures: The same with figures, for the terminal and the encrypted summary.
        remedy: What can be done.
        stops: Whether the run stops unless a person has accepted it.
    """

    source: str
    doubt: Doubt
    problem: str
    figures: str
    remedy: str
    stops: bool = True


def source_findings(
    config: NodeConfig, run: RunSummary, last: RunSummary | None
) -> tuple[SourceFinding, ...]:
    """What is to be said of the sources of a run.

    Args:
        config: The node's configuration, with the limits.
        run: The run.
        last: The run before; None if there is none.
    """
    settings = {one.name: one for one in config.sources}
    before = {one.name: one for one in last.sources} if last else {}
    found: list[SourceFinding] = []
    for source in run.sources:
        found += _itself(config, settings[source.name], source, run.households)
        earlier = before.get(source.name)
        if earlier is not None and earlier.data_set == source.data_set:
            found += _changes(settings[source.name], source, earlier)
    return tuple(found)


def require_accepted(findings: Iterable[SourceFinding], accepted: Mapping[str, Acceptance]) -> None:
    """Stops a run whose sources nobody has accepted.

    Args:
        findings: Of the run.
        accepted: What people have accepted, by source.

    Raises:
        Problem: Exit code DATA. Its texts hold no figure from records; `for_operator` does.
    """
    open_ = [one for one in findings if one.stops and one.source not in accepted]
    if not open_:
        return
    names = list(dict.fromkeys(one.source for one in open_))
    remedies = list(dict.fromkeys(one.remedy for one in open_))
    single = len(open_) == 1
    raise Problem(
        f"{open_[0].problem}; the last good scores stay"
        if single
        else "\n".join(f"source {one.source}: {one.problem}" for one in open_),
        where=f"source {names[0]}" if single else "sources; the last good scores stay",
        remedy=f"{'. '.join(remedies)}. If it is right as it is: `folkmoot-node sources accept "
        f"{' '.join(names)} --reason TEXT --until DATE`",
        exit_code=ExitCode.DATA,
        for_operator=[f"{one.source}: {one.figures}" for one in open_],
    )


def with_findings(
    run: RunSummary, findings: Iterable[SourceFinding], accepted: Mapping[str, Acceptance]
) -> RunSummary:
    """The summary of a run with what was found about its sources, and who accepted it."""
    found = list(findings)

    def noted(source: SourceSummary) -> SourceSummary:
        own = [one for one in found if one.source == source.name]
        by = accepted.get(source.name) if any(one.stops for one in own) else None
        doubts = tuple(one.figures for one in own)
        return source.model_copy(update={"doubts": doubts, "accepted": by})

    return run.model_copy(update={"sources": tuple(map(noted, run.sources))})


def _itself(
    config: NodeConfig, settings: SourceSettings, source: SourceSummary, households: int
) -> Iterator[SourceFinding]:
    name, all_ = source.name, source.records + source.lost
    is_frame = name == config.frame
    key = "the area" if source.about_areas else "the UPRN"
    if not source.records:
        yield SourceFinding(
            name,
            Doubt.EMPTY,
            "holds no record, and a household without one may read as one without need",
            f"no record; {source.lost:,} could not be read, {sum(source.left_out.values()):,} "
            "were left out",
            "Check that the extract is whole, and the conditions of its mapping",
        )
        return
    if source.about_areas:
        yield from _areas(config, settings, source, households)
    elif not is_frame and not source.linked + source.communal:
        yield SourceFinding(
            name,
            Doubt.NONE_LINKED,
            *_none_linked(source, key, all_),
        )
    elif not is_frame and source.trusts_absence:
        minimum = settings.linkage.minimum_share or config.linkage.minimum_share
        if source.share_linked < minimum:
            yield SourceFinding(
                name,
                Doubt.FEW_LINKED,
                "too few of its records have found a household, so that a household without one "
                f"cannot be taken for one without need (minimum_share {minimum:g})",
                f"{source.share_linked:.1%} of {all_:,} records have found a household "
                f"({source.no_uprn:,} came without a UPRN, {source.not_in_frame:,} have one that "
                f"is not in the frame, {source.lost:,} could not be read)",
                "Link the others by address (`[linkage.addresses]`), review those that wait, or "
                "correct the extract",
            )
        elif source.share_counted < minimum:
            yield SourceFinding(
                name,
                Doubt.FEW_COUNTED,
                "too many of its records are linked by person, which rounds do not count: they "
                f"would count these households as without need (minimum_share {minimum:g})",
                f"{source.share_counted:.1%} of {all_:,} records have found a household otherwise "
                f"than by person ({source.by_person:,} by person)",
                "Have its UPRNs or addresses in the extract, or leave its fields out of what the "
                "release policy offers",
            )
    if is_frame:
        for field, without in source.homes_without_area.items():
            if without == households:
                yield _no_area(name, field, without, households, stops=True)
            elif without > (1 - config.linkage.minimum_share) * households:
                yield _no_area(name, field, without, households, stops=False)
        yield from _foreign_areas(config, source)
    if not source.about_areas:
        yield from _repeated(source)
        yield from _ruined_uprns(source)


def _left_out_again(source: SourceSummary) -> int:
    """How many records were left out because an earlier one is identical."""
    return sum(n for reason, n in source.left_out.items() if reason.startswith(REPEATED))


def _repeated(source: SourceSummary) -> Iterator[SourceFinding]:
    again = _left_out_again(source)
    all_ = source.records + source.lost + again
    if all_ >= _FEW and again > _SHARE_REPEATED * all_:
        yield SourceFinding(
            source.name,
            Doubt.REPEATED,
            "many of its records are identical to an earlier one, which counts once",
            f"{again:,} of {all_:,} records are identical to an earlier one ({again / all_:.0%})",
            "Look whether two extracts overlap, or a spreadsheet has rounded the UPRNs",
        )


def _none_linked(source: SourceSummary, key: str, records: int) -> tuple[str, str, str]:
    """What is said of a source without a linked record: problem, figures and remedy."""
    if source.ambiguous:
        return (
            "none of its records has found a household, and some wait for a person",
            f"none of {records:,} records has found a household; {source.ambiguous:,} wait for "
            "a person",
            "Answer the files that `folkmoot-node linkage review` lists, or correct the columns "
            "of UPRN and address in the mapping",
        )
    if source.records and source.no_uprn == source.records:
        return (
            "none of its records has a UPRN, or has found a household without one",
            f"none of {records:,} records has found a household",
            "Correct the columns of the UPRN, or of names, dates of birth and addresses, in the "
            "mapping; or link by them (docs/linkage.md)",
        )
    return (
        f"none of its records is in the frame; is {key} in the right column?",
        f"none of {records:,} records is in the frame",
        "Correct the column of the UPRN in the mapping, or the frame",
    )


def _ruined_uprns(source: SourceSummary) -> Iterator[SourceFinding]:
    most, records = source.most_at_one_home, source.records
    if most > _MANY_AT_ONE_HOME and most > _SHARE_AT_ONE_HOME * records:
        yield SourceFinding(
            source.name,
            Doubt.ONE_HOME,
            "one UPRN has a large part of its records",
            f"one UPRN has {most:,} of {records:,} records ({most / records:.0%})",
            "Look whether a spreadsheet has rounded the UPRNs, or one stands for all that are not "
            "known; mark communal establishments in the frame",
        )
    # Homes that were rounded to one UPRN are often identical rows, of which one is left. Those
    # left out may also belong to other homes, so that they cannot make a share that is small large.
    again = _left_out_again(source) if source.rounded else 0
    is_more_than_chance = source.rounded > 0 and source.rounded >= _SHARE_ROUNDED * records
    if is_more_than_chance and source.rounded + again >= _SOME_ROUNDED:
        yield SourceFinding(
            source.name,
            Doubt.ROUNDED,
            "UPRNs end in 00000, as a spreadsheet leaves them when it has rounded them",
            f"{source.rounded:,} of {records:,} records have a UPRN that ends in 00000"
            + (f"; {again:,} more are identical to an earlier record" if again else ""),
            "Export the file again with the UPRN as text",
        )


def _areas(
    config: NodeConfig, settings: SourceSettings, source: SourceSummary, households: int
) -> Iterator[SourceFinding]:
    if source.unstated_areas:
        problem, remedy = unstated_area(source.name, source.unstated_areas)
        yield SourceFinding(
            source.name, Doubt.UNSTATED_AREAS, problem, problem, remedy, stops=False
        )
    without = sum(source.homes_without_area.values())
    minimum = settings.linkage.minimum_share or config.linkage.minimum_share
    if households and without > (1 - minimum) * households:
        yield _no_area(
            source.name,
            settings.area_field or "",
            without,
            households,
            stops=without == households or source.trusts_absence,
        )


def _foreign_areas(config: NodeConfig, source: SourceSummary) -> Iterator[SourceFinding]:
    for field, codes in source.foreign_areas.items():
        where = sorted({COUNTRIES[code[0]] for code in codes})
        ours = COUNTRIES.get(config.council[0], "another country")
        yield SourceFinding(
            source.name,
            Doubt.FOREIGN_AREAS,
            f"areas {field!r} belong to another country than the council",
            f"some areas {field!r} are in {' and '.join(where)}, such as {codes[0]}; the council "
            f"is in {ours}",
            "Look whether the extract is this council's, and how its areas were found",
            stops=False,
        )


def _no_area(
    source: str, field: str, without: int, households: int, *, stops: bool
) -> SourceFinding:
    return SourceFinding(
        source,
        Doubt.NO_AREA,
        f"homes have no area {field!r} here, or one of which there is no record",
        f"areas {field!r} were found for {households - without:,} of {households:,} homes",
        "Check that the areas are those of this region, level and year",
        stops,
    )


def _changes(
    settings: SourceSettings, now: SourceSummary, before: SourceSummary
) -> Iterator[SourceFinding]:
    limits, name = settings.change, now.name
    if max(now.records, before.records) < _FEW:
        return
    check = "Look whether the extract is whole and of the right month"
    if _change(now.records, before.records) > limits.records:
        yield SourceFinding(
            name,
            Doubt.RECORDS_CHANGED,
            f"the number of its records has changed by more than {limits.records:.0%} since the "
            "last run",
            f"{before.records:,} records in the last run, {now.records:,} now",
            check,
        )
    for field in now.sums.keys() & before.sums.keys():
        if _change(now.sums[field], before.sums[field]) > limits.sums:
            yield SourceFinding(
                name,
                Doubt.SUM_CHANGED,
                f"the sum of {field!r} has changed by more than {limits.sums:.0%} since the last "
                "run",
                f"{field} added up to {before.sums[field]:,.2f} in the last run, to "
                f"{now.sums[field]:,.2f} now",
                check,
            )
    points = abs(now.share_linked - before.share_linked)
    if not now.about_areas and points > limits.linked:
        yield SourceFinding(
            name,
            Doubt.SHARE_CHANGED,
            "the share of its records that have found a household has changed by more than "
            f"{limits.linked * 100:g} points since the last run",
            f"{before.share_linked:.1%} had found a household in the last run, "
            f"{now.share_linked:.1%} now",
            check,
        )


def _change(now: float, before: float) -> float:
    """Relative change; 0 if nothing was there before and nothing is now."""
    if now == before:
        return 0.0
    return abs(now - before) / abs(before) if before else float("inf")
