"""Scores households as they were known on a past date.

That is a scoring run of its own, aside, which leaves out what was recorded later. Its scores are
never stored.
"""

from __future__ import annotations

import datetime

import polars as pl

from folkmoot_node.pipeline.dry_run import aside
from folkmoot_node.pipeline.kept_scores import KeptScores
from folkmoot_node.pipeline.lineage import files_read, folders_of
from folkmoot_node.pipeline.local import score
from folkmoot_node.pipeline.own_run import Judged
from folkmoot_node.policies.risk_policy import RiskPolicy
from folkmoot_node.scoring.binding import bind_for
from folkmoot_node.scoring.bound import Binding
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.sources.connect import Plugins
from folkmoot_node.sources.known_on import KnownOn, require_accepted, require_dated
from folkmoot_node.store.extracts_read import note_judged
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_operator.problems import ExitCode, Problem


def bound_as_known(
    config: NodeConfig, plugins: Plugins, policy: RiskPolicy, known: KnownOn
) -> Binding:
    """Joins a policy to sources as on a past date.

    Raises:
        Problem: Exit code SETTINGS, if it does not fit them, or they do not say what was known
            then.
    """
    binding = bind_for(policy, config, plugins, known.today, known=known)
    require_accepted(known, binding.sources)
    read = [name for name, fields in binding.wanted.items() if fields or name == config.frame]
    require_dated(known, {one.name: one for one in binding.sources if one.name in read})
    _require_apart(binding)
    return binding


def scored_as_known(
    config: NodeConfig, plugins: Plugins, policy: RiskPolicy, known: KnownOn, binding: Binding
) -> tuple[pl.DataFrame, RunSummary]:
    """Scores the households as they were known on a date; the scores in the store stay.

    Returns:
        One row for each household, with order, columns and nulls as `KeptScores.taken` gives
        them; and what the run did.

    Raises:
        Problem: As `score`; DATA if no household was known on the date, or nothing dated that is
            scored.
    """
    kept = KeptScores()
    run = run_as_known(config, plugins, policy, known, kept)
    if not run.households:
        raise Problem(
            f"no household was known on {known.on.isoformat()}",
            where="evaluation file: dates",
            remedy=f"Give later dates; or check the record dates and UPRNs of {config.frame}, "
            "the household frame",
            exit_code=ExitCode.DATA,
        )
    _require_records(binding, run, known.on)
    return kept.taken(), run


def require_past(date: datetime.date, today: datetime.date) -> None:
    """Raises Problem, exit code SETTINGS, unless a date is over."""
    if date >= today:
        raise Problem(
            f"{date.isoformat()} is not over",
            where="evaluation file: dates",
            remedy="Give dates so long ago that it is known what happened since",
            exit_code=ExitCode.SETTINGS,
        )


def _require_apart(binding: Binding) -> None:
    """Checks that no undated source gives both an outcome and what is scored.

    Its rows hold the event and the rest as they are today: nobody can say what was known before.
    """
    for name, bound in binding.outcomes.items():
        source = next(one for one in binding.sources if one.name == bound.source)
        inputs = [one for one in binding.wanted[source.name] if one in binding.inputs]
        if inputs and not source.schema.has_date:
            raise Problem(
                f"source {source.name} gives the outcome {name!r} and the input {inputs[0]!r}, and "
                "does not say when its records were known",
                where="evaluation file: outcomes",
                remedy="Name the column of the record date in its mapping, or read the outcome by "
                "a mapping of its own",
                exit_code=ExitCode.SETTINGS,
            )


def note_outcomes(
    config: NodeConfig, binding: Binding, run: RunSummary, today: datetime.date
) -> None:
    """Notes which extracts that were read hold outcomes alone, and go by a rule of their own."""
    sources = {source.name: source for source in binding.sources}
    read = (
        file
        for one in run.sources
        if binding.outcomes_of(one.name) and not binding.wanted[one.name]
        for file in files_read(
            one.files, folders_of(sources[one.name].source.options), about_areas=False
        )
    )
    note_judged(config, read, today)


def run_as_known(
    config: NodeConfig, plugins: Plugins, policy: RiskPolicy, known: KnownOn, kept: KeptScores
) -> RunSummary:
    """Scores the households as they were known, beside the node's own scores.

    Args:
        config: The node's configuration.
        plugins: Installed plugins.
        policy: The policy.
        known: As of when.
        kept: Takes the scores.

    Raises:
        Problem: As `score`.
    """
    with aside(config) as beside:
        return _run(beside, plugins, policy, known, kept)


def _run(
    own: NodeConfig, plugins: Plugins, policy: RiskPolicy, known: KnownOn, kept: KeptScores
) -> RunSummary:
    try:
        return score(
            own,
            plugins,
            policy,
            today=known.today,
            reference_date=known.on,
            judged=Judged(stops=False),
            known=known,
            kept=kept,
        )
    except Problem as problem:
        raise Problem(
            f"{problem.problem} (as known on {known.on.isoformat()})",
            where=problem.where,
            remedy=problem.remedy,
            exit_code=problem.exit_code,
            for_operator=problem.for_operator,
        ) from None


def has_records(binding: Binding, run: RunSummary) -> bool:
    """Whether a run has read something dated that is scored, if any of its sources has dates."""
    dated = {
        source.name
        for source in binding.sources
        if source.schema.has_date
        and any(one in binding.inputs for one in binding.wanted[source.name])
    }
    return not dated or any(one.records for one in run.sources if one.name in dated)


def _require_records(binding: Binding, run: RunSummary, date: datetime.date) -> None:
    """Checks that a date is not so early that nothing dated was known which is scored."""
    if not has_records(binding, run):
        raise Problem(
            f"nothing that is scored was known on {date.isoformat()}, but for sources without "
            "record dates",
            where="evaluation file: dates",
            remedy="Give later dates: the extracts do not go back so far",
            exit_code=ExitCode.DATA,
        )
