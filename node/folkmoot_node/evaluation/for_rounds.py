"""Households as they were known on a past date, kept for rounds that ask what then happened.

A region asks for counts by band and outcome. What counts is the band of a past date and what
happened after it: the latest scores may rest on what followed from the event. So a node keeps the
households of one past date, with nothing of them but the codes that rounds may ask for, and a
round that names an outcome is counted from them alone.

What was kept before is deleted when this begins. If a record stops it there is nothing to count:
no record chooses which table a round gets.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from folkmoot_node.evaluation.evaluation_file import EvaluationFile
from folkmoot_node.evaluation.horizons import require_reached
from folkmoot_node.evaluation.known_then import (
    bound_as_known,
    note_outcomes,
    require_past,
    scored_as_known,
)
from folkmoot_node.pipeline import store_columns
from folkmoot_node.pipeline.own_run import store_key
from folkmoot_node.policies.risk_policy import RiskPolicy
from folkmoot_node.scoring.attributes import BoundAttribute
from folkmoot_node.scoring.bound import Binding
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.sources.connect import Plugins
from folkmoot_node.sources.known_on import KnownOn
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_node.store.schema import WITHHELD_COLUMN
from folkmoot_node.store.use import end_of_use
from folkmoot_node.store.writer import write_store
from folkmoot_operator.private_files import delete_private
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.schema import UPRN_COLUMN

_AGAIN = "Run `folkmoot-node evaluate` with --for-rounds again; until then rounds that ask wait"


@dataclass(frozen=True, slots=True)
class KeptForRounds:
    """What was kept.

    Attributes:
        run: The run that scored the households as they were known.
        outcomes: Attributes that say what happened, each with the last day of its horizon.
        undated: Sources without record dates that were accepted as they are.
        last_day: Last day on which rounds may count them.
    """

    run: RunSummary
    outcomes: dict[str, datetime.date]
    undated: tuple[str, ...]
    last_day: datetime.date

    @property
    def doubts(self) -> tuple[str, ...]:
        """What was found about the sources."""
        return tuple(f"{one.name}: {doubt}" for one in self.run.sources for doubt in one.doubts)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "known_on": self.run.reference_date.isoformat(),
            "policy_sha256": self.run.policy_sha256,
            "households": self.run.households,
            "attributes": list(self.run.stored),
            "outcomes": {name: day.isoformat() for name, day in self.outcomes.items()},
            "undated": list(self.undated),
            "doubts": list(self.doubts),
            "last_day": self.last_day.isoformat(),
        }


def require_for_rounds(
    evaluation: EvaluationFile,
    date: datetime.date,
    policy: RiskPolicy,
    configured: RiskPolicy,
    file: Path,
) -> None:
    """Checks that an evaluation file is about the date, and about the policy of the node.

    Raises:
        Problem: Exit code USAGE or SETTINGS.
    """
    if date not in evaluation.dates:
        listed = ", ".join(one.isoformat() for one in evaluation.dates)
        raise Problem(
            f"{date.isoformat()} is no date of {file}",
            where="--for-rounds",
            remedy=f"Give one of its dates, which you have judged yourself: {listed}",
            exit_code=ExitCode.USAGE,
        )
    if policy.digest != configured.digest:
        raise Problem(
            "names another policy than node.toml, and rounds are counted by that of node.toml",
            where=f"{file}: policy",
            remedy="Take the key `policy` out, or name the policy in node.toml",
            exit_code=ExitCode.SETTINGS,
        )


def keep_for_rounds(
    config: NodeConfig,
    plugins: Plugins,
    policy: RiskPolicy,
    *,
    date: datetime.date,
    undated: Sequence[str],
    today: datetime.date,
    go_on: Callable[[], None] = lambda: None,
) -> KeptForRounds:
    """Scores the households as they were known on a date, and keeps what rounds may ask of them.

    Args:
        config: The node's configuration.
        plugins: Installed plugins.
        policy: The risk stratification policy, by whose attributes rounds count.
        date: The date.
        undated: Sources without record dates that are accepted as they are today.
        today: As for `score`.
        go_on: Called before anything is kept; stops it by raising Problem.

    Raises:
        Problem: Exit code SETTINGS for a policy without an outcome, or one that does not fit the
            sources; DATA if what happened within a horizon is not known yet, or a plugin fails.
            Nothing is kept then.
    """
    policy.check_sunset(today)
    require_past(date, today)
    asked = [entry for entry in policy.document.attributes.values() if entry.outcome]
    if not asked:
        raise Problem(
            "the policy has no attribute that is an outcome, so that no round can ask for one",
            where=f"{policy.path}: attributes",
            remedy='Add one, with the policy\'s owner: [attributes.NAME] outcome = "EVENT", '
            "months = 6",
            exit_code=ExitCode.SETTINGS,
        )
    events = dict.fromkeys(name for entry in asked for name, _ in entry.events)
    known = KnownOn(on=date, today=today, outcomes=tuple(events), undated=tuple(undated))
    with write_store(
        config.snapshot_path,
        store_key(config),
        threads=config.threads,
        again=_AGAIN,
        readers=config.readers,  # casework tells a resident who asks what is held
    ) as writer:
        # Before any source is made: a plugin that fails then could do so at a record.
        delete_private(config.snapshot_path)
        binding = bound_as_known(config, plugins, policy, known)
        households, run = scored_as_known(config, plugins, policy, known, binding)
        _require_whole(run)
        outcomes = _reached(binding, policy, run, date)
        go_on()
        kept = _counted_alone(run)
        columns = {one.column: one for one in kept.stored.values()}
        types = store_columns.table(run.stored, binding)
        listed = [UPRN_COLUMN, WITHHELD_COLUMN, *columns]
        writer.create({name: types[name] for name in listed})
        ordered = households.select(listed).sort(UPRN_COLUMN)
        arrays = {name: ordered[name].to_numpy() for name in listed}
        writer.append(0, arrays, pl.DataFrame(schema={UPRN_COLUMN: pl.Int64}))
        writer.finish(kept)
    note_outcomes(config, binding, run, today)
    accepted = [
        source.name
        for source in binding.sources
        if not source.schema.has_date and source.name in undated
    ]
    last_day = end_of_use(kept, policy).last_day
    return KeptForRounds(kept, outcomes, tuple(accepted), last_day)


def _require_whole(run: RunSummary) -> None:
    if run.failed:
        raise Problem(
            f"{run.failed[0].in_words}; what made it fail may have been a record",
            where="the households as known on a past date",
            remedy=_AGAIN,
            exit_code=ExitCode.DATA,
        )


def _reached(
    binding: Binding, policy: RiskPolicy, run: RunSummary, date: datetime.date
) -> dict[str, datetime.date]:
    """Last day of the horizon of each outcome, checked that its source reaches to it."""
    found = {}
    for one in binding.stored:
        if one.outcome is not None:
            found[one.name] = _until(one)
            months = policy.document.attributes[one.name].months
            assert months is not None
            where = f"{policy.path}: attributes.{one.name}"
            require_reached(one.outcome.fields, months, date, binding, run, where)
    return found


def _until(attribute: BoundAttribute) -> datetime.date:
    assert attribute.outcome is not None
    assert attribute.outcome.until is not None
    return attribute.outcome.until


def _counted_alone(run: RunSummary) -> RunSummary:
    """The summary of a run of which nothing is stored but the columns that rounds count."""
    stored = {
        name: one.model_copy(update={"column": one.counted}) for name, one in run.stored.items()
    }
    return run.model_copy(update={"stored": stored, "audited": {}, "fields": {}, "not_held": ()})
