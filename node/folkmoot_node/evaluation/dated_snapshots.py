"""The households as they were known on each date of an evaluation, and what then happened to them.

One date at a time is held here.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from folkmoot_node.evaluation.evaluation_file import EvaluationFile, OutcomeEntry
from folkmoot_node.evaluation.horizons import require_reached
from folkmoot_node.evaluation.known_then import (
    bound_as_known,
    note_outcomes,
    require_past,
    scored_as_known,
)
from folkmoot_node.evaluation.leaks import Rows, Values, leaks, numbers, points_known
from folkmoot_node.evaluation.snapshot import Days, Groups, Happened, Points, Snapshot
from folkmoot_node.pipeline.order import Progress, silent
from folkmoot_node.policies.risk_policy import RiskPolicy
from folkmoot_node.scoring.bound import Binding
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.sources.connect import Plugins
from folkmoot_node.sources.known_on import WITHOUT_DATE, WITHOUT_EVENT, KnownOn
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_node.store.schema import (
    BAND_COLUMN,
    POINT,
    SCORE_COLUMN,
    WITHHELD_COLUMN,
    before_column,
    field_column,
    first_column,
    gone_column,
    points_column,
)
from folkmoot_operator.moments import months_later
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.schema import UPRN_COLUMN, FieldType
from folkmoot_sdk.source import LATER

DATES = "dates"
"""What `progress` is told is done."""
_NUMBERS = (FieldType.INTEGER, FieldType.NUMBER, FieldType.BOOLEAN)


def snapshots(
    config: NodeConfig,
    plugins: Plugins,
    policy: RiskPolicy,
    evaluation: EvaluationFile,
    *,
    today: datetime.date,
    progress: Progress = silent,
) -> Iterator[Snapshot]:
    """Scores the households as they were known on each date of an evaluation.

    Args:
        config: The node's configuration.
        plugins: Installed plugins.
        policy: The risk stratification policy that is judged.
        evaluation: The evaluation file.
        today: As for `score`.
        progress: Told how many of the `dates` are done.

    Returns:
        One snapshot after the other, in the order of the dates. Households whose objection was
        upheld are in none of them.

    Raises:
        Problem: At once, exit code SETTINGS for an evaluation that does not fit policy and
            sources; while dates are scored, as `score`, and DATA if what happened within an
            outcome's horizon is not known yet.
    """
    require_past(evaluation.dates[-1], today)
    known = {date: _known_on(evaluation, date, today) for date in evaluation.dates}
    first = known[evaluation.dates[0]]
    binding = bound_as_known(config, plugins, policy, first)
    _require_numbers(binding)
    return _scored(config, plugins, policy, evaluation, binding, known, progress)


def _known_on(evaluation: EvaluationFile, date: datetime.date, today: datetime.date) -> KnownOn:
    entries = evaluation.outcomes.values()
    outcomes = dict.fromkeys(name for one in entries for name in (*one.events, *one.ends))
    baselines = evaluation.baselines
    kept = dict.fromkeys(filter(None, (*baselines.oldest_first, baselines.deprivation)))
    return KnownOn(
        on=date,
        today=today,
        outcomes=tuple(outcomes),
        kept=tuple(kept),
        undated=evaluation.undated,
    )


def _require_numbers(binding: Binding) -> None:
    for name in binding.kept:
        if binding.fields[name].field.household_type not in _NUMBERS:
            raise Problem(
                f"the field {name!r} is no number, by which households could be put in order",
                where="evaluation file: baselines",
                remedy="Name a number, such as the age of the oldest arrears in days",
                exit_code=ExitCode.SETTINGS,
            )


def _scored(
    config: NodeConfig,
    plugins: Plugins,
    policy: RiskPolicy,
    evaluation: EvaluationFile,
    binding: Binding,
    known: Mapping[datetime.date, KnownOn],
    progress: Progress,
) -> Iterator[Snapshot]:
    for done, (date, as_known) in enumerate(known.items()):
        progress(DATES, done, len(known))
        found, run = scored_as_known(config, plugins, policy, as_known, binding)
        if not done:
            for name, entry in evaluation.outcomes.items():
                where = f"evaluation file: outcomes.{name}"
                events = (*entry.events, *entry.ends)
                require_reached(events, entry.months, evaluation.dates[-1], binding, run, where)
        snapshot = _snapshot(found, run, policy, evaluation, binding, date)
        del found  # or its columns would be in memory while the snapshot is judged
        yield snapshot
        del snapshot
    note_outcomes(config, binding, run, known[evaluation.dates[-1]].today)
    progress(DATES, len(known), len(known))


def _snapshot(
    found: pl.DataFrame,
    run: RunSummary,
    policy: RiskPolicy,
    evaluation: EvaluationFile,
    binding: Binding,
    date: datetime.date,
) -> Snapshot:
    withheld = int(found[WITHHELD_COLUMN].sum())
    if withheld:
        found = found.filter(~pl.col(WITHHELD_COLUMN))
    # Each column that is kept whole is put in the order of UPRNs by itself: a table in that order
    # would double the memory, and of inputs few rows are looked at.
    rows = np.argsort(found[UPRN_COLUMN].to_numpy())
    names = tuple(factor.name for factor in run.factors)
    added = [found[points_column(name)] for name in names]
    widest = np.int32 if any(one.dtype == pl.Int32 for one in added) else np.int16
    points = np.empty((len(rows), len(names)), dtype=widest, order="F")  # a factor lies together
    for at, one in enumerate(added):
        points[:, at] = one.to_numpy()[rows]
    happened = {
        name: _happened(found, rows, name, entry, date)
        for name, entry in evaluation.outcomes.items()
    }
    inputs = [name for name in run.fields if name in binding.inputs]
    return Snapshot(
        date=date,
        uprn=found[UPRN_COLUMN].to_numpy()[rows],
        score=found[SCORE_COLUMN].to_numpy()[rows] / POINT,
        band=found[BAND_COLUMN].cast(pl.UInt8).to_numpy()[rows],
        bands=run.band_names,
        band_from=np.array([band.minimum for band in policy.bands], dtype=np.float64),
        factors=names,
        weights=np.array([factor.weight for factor in run.factors], dtype=np.float64),
        points=points,
        happened=happened,
        groups=tuple(
            Groups(name, one.characteristic, one.groups, found[one.column].to_numpy()[rows])
            for name, one in run.audited.items()
        ),
        ranks={name: numbers(found[field_column(name)])[rows] for name in binding.kept},
        left_out=_left_out(run, LATER),
        undated=tuple(
            source.name
            for source in binding.sources
            if not source.schema.has_date and source.name in evaluation.undated
        ),
        without_date=_left_out(run, WITHOUT_DATE, WITHOUT_EVENT),
        not_in_frame={
            source.name: source.not_in_frame
            for source in run.sources
            if binding.outcomes_of(source.name)
        },
        withheld=withheld,
        leaks=leaks(
            happened,
            ((name, _some_points(points[:, at])) for at, name in enumerate(names)),
            ((name, _some_of(found[field_column(name)], rows)) for name in inputs),
        ),
    )


def _some_of(column: pl.Series, rows: Rows) -> Values:
    """The values of some households, for which all others need not be converted."""
    return lambda some: numbers(column.gather(rows[some]))


def _some_points(points: Points) -> Values:
    return lambda some: points_known(points[some])


def _left_out(run: RunSummary, *reasons: str) -> dict[str, int]:
    found = {
        source.name: sum(source.left_out.get(reason, 0) for reason in reasons)
        for source in run.sources
    }
    return {name: records for name, records in found.items() if records}


def _happened(
    found: pl.DataFrame, rows: Rows, name: str, entry: OutcomeEntry, date: datetime.date
) -> Happened:
    until = months_later(date, entry.months)
    first = _first(found, entry.events, until)[rows]
    ended = _first(found, entry.ends, until)[rows]
    first[ended < first] = np.datetime64("NaT")  # of who lives there now
    before = np.zeros(found.height, dtype=np.bool_)
    for event in entry.events:
        before |= found[before_column(event)].to_numpy()
    gone = np.zeros(found.height, dtype=np.bool_)
    for end in entry.ends:
        gone |= found[gone_column(end)].to_numpy()
    return Happened(name, entry.months, until, first, before[rows], ended, gone[rows])


def _first(found: pl.DataFrame, events: tuple[str, ...], until: datetime.date) -> Days:
    """The first of some events that are not after a day: datetime64[D], NaT if there is none."""
    if not events:
        return np.full(found.height, np.datetime64("NaT"), dtype="datetime64[D]")
    days = found.select(pl.min_horizontal(first_column(event) for event in events)).to_series()
    return days.set(days > until, None).to_numpy()
