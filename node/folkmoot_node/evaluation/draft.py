"""Drafts an evaluation file from what a node's sources hold, so that it runs as it stands."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from folkmoot_node.evaluation.horizons import last_judged_date
from folkmoot_node.evaluation.known_then import has_records, run_as_known
from folkmoot_node.pipeline.kept_scores import KeptScores
from folkmoot_node.pipeline.order import Progress, silent
from folkmoot_node.policies.risk_policy import RiskPolicy
from folkmoot_node.scoring.binding import bind_for
from folkmoot_node.scoring.bound import Binding
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.sources.connect import Plugins
from folkmoot_node.sources.known_on import KnownOn
from folkmoot_operator.moments import months_later
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import toml_text

MONTHS = 6
"""Horizon of a draft."""
_APART = 3  # months between its dates
_DATES = 3
_STEP = "extracts"
_MOVED = re.compile(r"moved|left|leav|depart")
_DIED = re.compile(r"dece|died|death")


@dataclass(frozen=True, slots=True)
class _Outcome:
    """An outcome that a source of the node declares.

    Attributes:
        name: Name of the field.
        source: Name of the source.
        reached: Latest day of the source; None if it has no record with a day.
        without_date: Whether it gives inputs too and does not say when they were known.
    """

    name: str
    source: str
    reached: datetime.date | None
    without_date: bool

    @property
    def ends(self) -> str:
        """Which key of an outcome it seems to belong to, by its name; empty for an event."""
        if _DIED.search(self.name):
            return "deceased"
        return "moved_away" if _MOVED.search(self.name) else ""

    @property
    def refused(self) -> str:
        """Why it cannot be judged by; empty if it can."""
        if self.without_date:
            return f"{self.source} gives inputs too, and has no record dates"
        return "" if self.reached else f"{self.source} has no record of it with a day"


def draft(
    config: NodeConfig,
    plugins: Plugins,
    policy: RiskPolicy,
    *,
    today: datetime.date,
    progress: Progress = silent,
) -> str | None:
    """The text of an evaluation file; None if no source of the node declares an outcome.

    Reads the extracts a few times, to see which dates can be judged.

    Args:
        config: The node's configuration.
        plugins: Installed plugins.
        policy: The policy that is to be judged.
        today: As for `score`.
        progress: Told how far it is.

    Raises:
        Problem: As `score`; exit code DATA, if no date can be judged.
    """
    binding = bind_for(policy, config, plugins, today)
    names = [f.name for one in binding.sources for f in one.schema.fields if f.outcome]
    if not names:
        return None
    read = [one for one in binding.sources if binding.wanted[one.name] or one.name == config.frame]
    undated = tuple(one.name for one in read if not one.schema.has_date)

    def known(on: datetime.date) -> KnownOn:
        return KnownOn(on=on, today=today, outcomes=tuple(names), kept=(), undated=undated)

    def is_scored(on: datetime.date) -> bool:
        found = run_as_known(config, plugins, policy, known(on), KeptScores())
        return found.households > 0 and has_records(binding, found)

    progress(_STEP, 0, 2)
    yesterday = today - datetime.timedelta(1)
    run = run_as_known(config, plugins, policy, known(yesterday), KeptScores())
    latest = {one.name: one.latest_record for one in run.sources}
    outcomes = [
        _Outcome(
            field.name, one.name, latest.get(one.name),
            not one.schema.has_date and _gives_inputs(binding, one.name),
        )
        for one in binding.sources
        for field in one.schema.fields
        if field.outcome
    ]  # fmt: skip
    progress(_STEP, 1, 2)
    events = [one for one in outcomes if not one.ends and not one.refused]
    reached = [one.reached for one in outcomes if one.reached and not one.refused]
    if not events:
        reasons = "; ".join(
            f"{one.name}: {one.refused or 'by its name, it says that a household has left'}"
            for one in outcomes
        )
        raise Problem(
            f"no outcome can be judged by ({reasons})",
            where=str(config.home),
            remedy="Bring extracts with events, and name the column of their record dates; where a "
            "name misleads, write the file as docs/evaluation.md has it",
            exit_code=ExitCode.DATA,
        )
    last = min(last_judged_date(min(reached), MONTHS), yesterday)
    dates = [months_later(last, -_APART * back) for back in reversed(range(_DATES))]
    while dates and not is_scored(dates[0]):
        del dates[0]
    if not dates:
        raise Problem(
            f"no date can be judged over {MONTHS} months: the outcomes reach to {min(reached)}, "
            f"and no household was known on {last}, or nothing that is scored",
            where=str(config.home),
            remedy="Bring extracts that go back further, or wait until the outcomes reach further",
            exit_code=ExitCode.DATA,
        )
    progress(_STEP, 2, 2)
    return _text(policy, dates, undated, outcomes, max(1, run.households // 100))


def _gives_inputs(binding: Binding, source: str) -> bool:
    return any(name in binding.inputs for name in binding.wanted[source])


def _text(
    policy: RiskPolicy,
    dates: Iterable[datetime.date],
    undated: Iterable[str],
    outcomes: list[_Outcome],
    capacity: int,
) -> str:
    ends = {one.ends: one.name for one in outcomes if one.ends and not one.refused}
    accepted = [
        "# These sources have no record dates and are read as they are today. Each may know too",
        "# much: take out those that you do not accept, and see docs/evaluation.md.",
    ]
    lines = [
        "# What a back-test asks: docs/evaluation.md. Run it: folkmoot-node evaluate THIS_FILE",
        "schema = 1",
        f"name = {toml_text(f'Did the policy {policy.name!r} find need?'[:200])}",
        '# policy = "risk-policy.toml"      # beside this file; without it, that of node.toml',
        "",
        "# The households are scored as they were known on each date. The last is the latest that",
        f"# the extracts can judge over {MONTHS} months.",
        f"dates = [{', '.join(one.isoformat() for one in dates)}]",
        "",
        "# QUESTION: how many households can the council visit after each date? Until you write it",
        "# here, one in a hundred.",
        f"capacity = [{capacity}]",
        "",
        *(accepted if undated else ["# Every source that is read has record dates."]),
        f"undated = {json.dumps(list(undated))}",
        "",
        "smallest = 10                      # groups of fewer households, or fewer events, show no "
        "figure",
        "seed = 1",
    ]
    for one in outcomes:
        if not one.ends:
            lines += ["", *_table(one, ends)]
    lines += ["", *_of_ends(outcomes), "# What the council would do otherwise.", "[baselines]"]
    lines += ["oldest_first = []                  # fields: the households with the highest value "
              "come first", ""]  # fmt: skip
    return "\n".join(lines)


def _table(one: _Outcome, ends: Mapping[str, str]) -> list[str]:
    table = [
        f"[outcomes.{one.name}]",
        f"events = [{toml_text(one.name)}]",
        f"months = {MONTHS}",
        *(f"{key} = {toml_text(name)}  # by its name: correct it if it means something else"
          for key, name in ends.items()),
    ]  # fmt: skip
    if one.refused:
        return [f"# Cannot be judged by now: {one.refused}.", *(f"# {line}" for line in table)]
    return [f"# Of the source {one.source}, which reaches to {one.reached}.", *table]


def _of_ends(outcomes: list[_Outcome]) -> list[str]:
    out = [one for one in outcomes if one.ends and one.refused]
    lines = [f"# {one.ends} = {toml_text(one.name)}: {one.refused}" for one in out]
    return lines + [""] * bool(out)
