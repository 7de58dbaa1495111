"""The equality audit of the last scoring run, in words, as tables and as JSON."""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from rich.table import Column, Table

from folkmoot_node.equality.proxy import (
    LOOK,
    MAX_HOUSEHOLDS,
    NOTHING,
    Progress,
    ProxyCheck,
    Sample,
    require_libraries,
)
from folkmoot_node.equality.statistics import (
    CharacteristicFigures,
    EqualitySums,
    GroupFigures,
)
from folkmoot_node.intervals import Interval
from folkmoot_node.store.reader import HouseholdStore
from folkmoot_operator.problems import ExitCode, Problem

SMALLEST = 10
"""Groups of fewer households are not shown, unless the operator says otherwise."""


@dataclass(frozen=True, slots=True)
class EqualityReport:
    """What the audit found.

    Attributes:
        policy: Name of the risk stratification policy.
        policy_sha256: Digest of its file, hexadecimal.
        reference_date: Date on which ages and durations were computed.
        households: Households scored.
        smallest: Groups of fewer households are not shown.
        figures: By audited field.
        proxy: By audited field, in the same order.
        not_held: Fields that the policy would audit and that no source provides.
    """

    policy: str
    policy_sha256: str
    reference_date: datetime.date
    households: int
    smallest: int
    figures: tuple[CharacteristicFigures, ...]
    proxy: tuple[ProxyCheck, ...]
    not_held: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values; undefined numbers are null."""
        found: dict[str, Any] = _plain(dataclasses.asdict(self))
        return found

    def exceeding(self, auc: float) -> tuple[str, ...]:
        """Fields whose AUC is above `auc` with confidence."""
        return tuple(check.field for check in self.proxy if check.evident > auc)


def audit_equality(
    store: HouseholdStore,
    *,
    smallest: int = SMALLEST,
    most: int = MAX_HOUSEHOLDS,
    progress: Progress,
) -> EqualityReport:
    """Audits the scores in a store. Reads them once, part by part.

    Args:
        store: The scored households.
        smallest: Groups of fewer households are not shown.
        most: Households that the proxy check looks at, at most; drawn with a fixed seed.
        progress: Called as the work advances.

    Raises:
        Problem: If the libraries are not installed, or the policy audits nothing.
    """
    require_libraries()
    run = store.run
    if not run.audited and not run.not_held:
        raise Problem(
            "the policy by which the households were scored names no field to audit",
            where=f"policy {run.policy_name}",
            remedy='Add tables such as [[equality]] with field = "ethnic_group" to the policy, '
            "and run `folkmoot-node score` again",
            exit_code=ExitCode.SETTINGS,
        )
    sums = {field: EqualitySums(field, audit, run) for field, audit in run.audited.items()}
    sample = Sample(run, most)
    done = 0
    for part in store.audited():
        progress("households", done, run.households)
        for one in sums.values():
            one.add(part)
        sample.add(part)
        done += part.height
    progress("households", done, run.households)
    return EqualityReport(
        policy=run.policy_name,
        policy_sha256=run.policy_sha256,
        reference_date=run.reference_date,
        households=run.households,
        smallest=smallest,
        figures=tuple(one.figures(smallest) for one in sums.values()),
        proxy=tuple(sample.check(field, progress) for field in sums),
        not_held=run.not_held,
    )


def as_renderables(report: EqualityReport) -> Iterator[RenderableType]:
    """Paragraphs and tables for a Rich console."""
    yield (
        f"Equality audit of {report.households:,} households, scored under {report.policy!r} "
        f"on {report.reference_date.isoformat()}. All others are the other known groups. "
        "Intervals are at 95 %."
    )
    for figures, proxy in zip(report.figures, report.proxy, strict=True):
        audit = figures.audit
        yield ""
        yield f"{figures.field}: {audit.description or audit.characteristic}"
        yield f"A household's group is {audit.rule}, from source {audit.source}."
        if figures.groups:
            yield _groups(figures)
            yield _bands(figures)
            yield _factors(figures)
        if figures.together:
            yield (
                f"Taken together, because some are fewer than {report.smallest} households: "
                f"{', '.join(figures.together)}."
            )
        if figures.suppressed:
            yield (
                f"Not shown, because they are fewer than {report.smallest} households: "
                f"{', '.join(figures.suppressed)}."
            )
        if figures.test is not None:
            test = figures.test
            caution = "" if test.approximate else " (too few households for the probability)"
            yield (
                f"Band and group: {test.words}. Cramér's V {test.cramers_v:.3f}; chi-squared "
                f"{test.statistic:.1f} at {test.degrees} degrees of freedom, "
                f"p {_p_value(test.p_value)}{caution}."
            )
        yield from _proxy(proxy)
    if report.not_held:
        yield ""
        yield f"Not audited, because no source provides them: {', '.join(report.not_held)}."
    yield ""
    yield (
        "A difference is not in itself unfair: need may genuinely differ between groups. Ask of "
        "each difference whether need explains it. This report is for people at the council; it "
        "does not leave this machine by itself, and small shares in it may point to few households."
    )


def _groups(figures: CharacteristicFigures) -> RenderableType:
    table = Table(
        Column("Group", overflow="fold"),
        Column("Households", justify="right"),
        Column("Mean score", justify="right"),
        Column("Less all others", justify="right"),
        Column("95 %", justify="right"),
        Column("Ratio", justify="right"),
    )
    for group in figures.groups:
        table.add_row(
            group.group,
            f"{group.households:,}",
            f"{group.mean_score:.1f}",
            _number(group.difference, "+.1f"),
            _interval(group.difference_interval, "+.1f"),
            _number(group.ratio, ".2f"),
        )
    return table


def _bands(figures: CharacteristicFigures) -> RenderableType:
    """Groups within each band, the highest band first."""
    table = Table(
        Column("Band", no_wrap=True),
        Column("Group", overflow="fold"),
        Column("Share", justify="right"),
        Column("95 %", justify="right"),
        Column("Less all others, points", justify="right"),
        Column("95 %", justify="right"),
        Column("Ratio", justify="right"),
    )
    bands = [band.band for band in figures.groups[0].bands]
    for at, band in reversed(list(enumerate(bands))):
        table.add_section()
        for group in figures.groups:
            share = group.bands[at]
            table.add_row(
                band if group is figures.groups[0] else "",
                group.group,
                f"{share.share:.1%}",
                _interval(share.interval, ".1%"),
                _number(100 * share.difference, "+.1f"),
                _interval(share.difference_interval.times(100), "+.1f"),
                _number(share.ratio, ".2f"),
            )
    return table


def _factors(figures: CharacteristicFigures) -> RenderableType:
    table = Table(
        Column("Mean points (less all others)", overflow="fold"),
        *(Column(group.group, justify="right") for group in figures.groups),
    )
    for at, factor in enumerate(figures.groups[0].factors):
        table.add_row(factor.factor, *(_factor(group, at) for group in figures.groups))
    return table


def _factor(group: GroupFigures, at: int) -> str:
    factor = group.factors[at]
    text = f"{_number(factor.mean, '.2f')} ({_number(factor.difference, '+.2f')})"
    return f"{text}\n{factor.unknown:.0%} unknown" if factor.unknown >= 0.005 else text


def _proxy(check: ProxyCheck) -> Iterator[RenderableType]:
    if check.left_out:
        yield (
            "The policy scores fields that state the characteristic itself, and gives its "
            f"reason: {', '.join(check.left_out)}. They are left out of the proxy check."
        )
    if check.impossible:
        yield f"No proxy check: {check.impossible}."
        return
    table = Table(
        Column("Predicted from the inputs", overflow="fold"),
        Column("Sampled", justify="right"),
        Column("AUC", justify="right"),
        Column("95 %", justify="right"),
        Column("What it means", overflow="fold"),
    )
    for group in check.groups:
        table.add_row(
            group.group,
            f"{group.households:,}",
            f"{group.auc:.2f}",
            _interval(group.interval, ".2f"),
            group.words,
        )
    yield table
    yield (
        f"AUC: how often the inputs put a household of the group before one of the rest. 0.5 is "
        f"chance and says nothing; from {NOTHING} they say something; from {LOOK} look at the "
        "inputs named: do they measure need, or the characteristic?"
    )
    yield (
        f"Skill over the base rates: {check.skill:.1%} ({_interval(check.skill_interval, '.1%')}), "
        f"from {check.sampled:,} households sampled."
    )
    if check.carriers:
        named = ", ".join(f"{one.field} ({one.loss:.3f})" for one in check.carriers)
        yield f"Carried by (how far the AUC falls without each; alike inputs share it): {named}."
    else:
        yield "No single input carries it."


def _interval(interval: Interval, form: str) -> str:
    return f"{_number(interval.low, form)} to {_number(interval.high, form)}"


def _number(value: float | None, form: str) -> str:
    return "-" if value is None or math.isnan(value) else format(value, form)


def _p_value(value: float) -> str:
    return "below 0.001" if value < 0.001 else f"{value:.3f}"


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value
