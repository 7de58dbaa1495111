"""Says in words why one household has its score."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from folkmoot_kit.hosting import texts
from folkmoot_node.plugins.failures import FactorsFailed, plugin_fault
from folkmoot_node.policies.risk_policy import RiskPolicy, parse_policy
from folkmoot_node.scoring.binding import bind_for
from folkmoot_node.scoring.bound import Binding, BoundFactor
from folkmoot_node.scoring.factors import THOUSANDTHS
from folkmoot_node.scoring.known_inputs import InputValue, Value, known_inputs
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.sources.connect import Plugins
from folkmoot_node.store import schema as table
from folkmoot_node.store.reader import HouseholdStore
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_node.store.source_summary import share_in_words
from folkmoot_node.store.use import open_for_use
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.factor import ScoringContext

_MAX_WORDS = 1_000
_MAX_SAID = 100_000
"""Characters of what a factor says of one household: those that are kept, and those it may say."""
_UNEXPLAINED = "No explanation could be made: what gives it has failed."
_LEFT_OUT = (
    "Not known for any household: what works it out failed when homes were last scored, and the "
    "others were scored without it."
)
_WITHHELD = "Withheld: you objected, and we agreed to leave you out of lists and of new counts"


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one factor adds to a household's score.

    Attributes:
        factor: Identifier.
        title: A few words for people.
        points: Weight times factor score; None if unknown.
        weight: Most points that the factor can add.
        words: Why, in one or two sentences.
        inputs: Names of the fields that it used.
        unexplained: Why there are no words of the factor's, for the operator; else empty.
    """

    factor: str
    title: str
    points: float | None
    weight: float
    words: str
    inputs: tuple[str, ...]
    unexplained: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one household has its score.

    Attributes:
        uprn: Unique property reference number.
        policy: Name of the risk stratification policy.
        policy_sha256: Digest of its file, hexadecimal.
        reference_date: Date on which ages and durations were computed.
        score: In points.
        highest: The highest score possible.
        completeness: Known weight over total weight, from 0 to 1.
        band: Name of the band.
        action: What the policy says is done for the band.
        contributions: In the order of the policy.
        inputs: What was known of the household, by field.
        withheld: Whether it is left out of cohorts and new counts after an objection.
    """

    uprn: int
    policy: str
    policy_sha256: str
    reference_date: datetime.date
    score: float
    highest: float
    completeness: float
    band: str
    action: str
    contributions: tuple[Contribution, ...]
    inputs: tuple[InputValue, ...]
    withheld: bool = False

    def as_json(self) -> dict[str, Any]:
        """Plain values, dates as ISO 8601."""
        return {key: _plain(value) for key, value in asdict(self).items()}

    def as_text(self) -> str:
        """For people, line by line."""
        lines = [
            f"Household {self.uprn}",
            f"Policy: {self.policy}, on {self.reference_date.isoformat()}",
            f"Score: {self.score:.1f} of {self.highest:g}, band {self.band}",
            f"What is done: {self.action}",
            f"Known: {self.completeness:.0%} of what the policy weighs",
            *([_WITHHELD] if self.withheld else []),
            "",
            "Why:",
        ]
        for entry in self.contributions:
            points = "unknown" if entry.points is None else f"{entry.points:.1f}"
            lines.append(f"  {entry.title}: {points} of {entry.weight:g}")
            lines += [f"    {line}" for line in entry.words.splitlines()]
            if entry.unexplained:
                lines.append(f"    ({entry.unexplained})")
        lines += ["", "From:"]
        for known in self.inputs:
            value = "unknown" if known.value is None else f"{_shown(known.value)} {known.unit}"
            lines.append(f"  {known.field}: {value.strip()} ({known.words})")
        without = {one.source: one.without_home for one in self.inputs if one.without_home}
        if without:
            lines += ["", "Records that have found no household, and could be this one's:"]
            lines += [
                f"  {source}: {share_in_words(share)} of its records"
                for source, share in without.items()
            ]
        return "\n".join(lines)


def explain(
    config: NodeConfig,
    plugins: Plugins,
    policy: RiskPolicy,
    uprn: int,
    *,
    today: datetime.date | None = None,
) -> Explanation:
    """Explains the score of one household in the last run, if the scores may still be used.

    Args:
        config: The node's configuration.
        plugins: Installed plugins.
        policy: The policy by which the household was scored.
        uprn: Unique property reference number.
        today: Compared with the ends of policy, retention and licences; the date in UTC if None.

    Raises:
        Problem: Exit code REFUSED, if the scores may not be used any more; else as
            `explain_household`.
    """
    today = today or datetime.datetime.now(datetime.UTC).date()
    with open_for_use(config, today) as store:
        return explain_household(store, config, plugins, policy, uprn, today=today)


def policy_of(run: RunSummary, given: RiskPolicy) -> RiskPolicy:
    """The policy by which a run scored, as the run kept it.

    Args:
        run: The run.
        given: Returned if it is that policy, or if the version that ran kept none.
    """
    if run.policy_digest == given.digest or not run.policy_text:
        return given
    return parse_policy(run.policy_text.encode("utf-8"), run.policy_path)


def explain_household(
    store: HouseholdStore,
    config: NodeConfig,
    plugins: Plugins,
    policy: RiskPolicy,
    uprn: int,
    *,
    today: datetime.date,
) -> Explanation:
    """Explains the score of one household of an open store; asks no more whether it may.

    Args:
        store: The scores.
        config: The node's configuration.
        plugins: Installed plugins.
        policy: The policy by which the household was scored.
        uprn: Unique property reference number.
        today: Compared with the licences of bought fields.

    Raises:
        Problem: Exit code DATA, if the household was not scored, or was scored by another
            policy than the one given.
    """
    found = stored_household(store, config, plugins, policy, uprn, today=today)
    row = found.row
    points = {one.name: row[table.points_column(one.name)] for one in found.binding.factors}
    result = Points(points, row[table.SCORE_COLUMN], row[table.BAND_COLUMN])
    return explanation(found, policy, result, found.inputs)


@dataclass(frozen=True, slots=True)
class StoredHousehold:
    """One household of a store, and by what it was scored.

    Attributes:
        uprn: Unique property reference number.
        run: The run.
        binding: The policy joined to plugins and sources as the run did it.
        row: The household, as `HouseholdStore.household` gives it.
        inputs: What was known of it, by field.
    """

    uprn: int
    run: RunSummary
    binding: Binding
    row: Mapping[str, Any]
    inputs: Mapping[str, InputValue]


@dataclass(frozen=True, slots=True)
class Points:
    """The score of one household, as the store has it.

    Attributes:
        by_factor: Contributions in thousandths of a point; `UNKNOWN_POINTS` where unknown.
        score: In thousandths of a point.
        band: Index of the band.
    """

    by_factor: Mapping[str, int]
    score: int
    band: int


def stored_household(
    store: HouseholdStore,
    config: NodeConfig,
    plugins: Plugins,
    policy: RiskPolicy,
    uprn: int,
    *,
    today: datetime.date,
) -> StoredHousehold:
    """One household, with what the policy has used of it; arguments and errors of the above."""
    run = store.run
    row = store.household(uprn)
    if run.policy_digest != policy.digest:
        raise Problem(
            f"the last run used another policy ({run.policy_name})",
            where=policy.path,
            remedy=f"Name the file that was used with --policy ({run.policy_path}), or run "
            "`folkmoot-node score` again",
            exit_code=ExitCode.DATA,
        )
    if row is None:
        raise Problem(
            "no household with this UPRN was scored",
            where="UPRN",
            remedy=f"The households are the UPRNs of the source {config.frame!r}: look "
            "there, and in `folkmoot-node linkage report`",
            exit_code=ExitCode.DATA,
        )
    # The fields left out are those the run left out, also if the clock has been set back to a day
    # before their licence ended, or one has ended since (a resident may ask even then).
    after = (end + datetime.timedelta(days=1) for end in run.unlicensed.values())
    day = max([min([today, *run.licences.values()]), *after])
    # Factors that the run went on without stay unknown, although the plugin may work again.
    failed = {one.distribution: one.problem for one in run.failed}
    while True:
        try:
            binding = bind_for(policy, config, plugins, day, failed)
            break
        except FactorsFailed as fault:
            # Score and contributions are stored; what is missing is the explanation.
            if fault.distribution in failed:
                raise
            failed[fault.distribution] = str(fault)
    return StoredHousehold(uprn, run, binding, row, known_inputs(binding, run, row))


def explanation(
    household: StoredHousehold,
    policy: RiskPolicy,
    result: Points,
    inputs: Mapping[str, InputValue],
) -> Explanation:
    """Says why a household has a score.

    Args:
        household: The household.
        policy: The policy by which it was scored.
        result: The score.
        inputs: What the score was made from, by field.
    """
    run = household.run
    values = {name: entry.value for name, entry in inputs.items()}
    context = ScoringContext(run.reference_date)
    contributions = tuple(
        _contribution(
            bound,
            result.by_factor[bound.name],
            values,
            context,
            is_left_out=bound.name in run.left_out,
        )
        for bound in household.binding.factors
    )
    known = sum(entry.weight for entry in contributions if entry.points is not None)
    band = policy.bands[result.band]
    return Explanation(
        uprn=household.uprn,
        policy=policy.name,
        policy_sha256=policy.digest.hex(),
        reference_date=run.reference_date,
        score=result.score / table.POINT,
        highest=policy.total_weight,
        completeness=known / policy.total_weight,
        band=band.name,
        action=band.action,
        contributions=contributions,
        inputs=tuple(inputs.values()),
        withheld=bool(household.row[table.WITHHELD_COLUMN]),
    )


def _contribution(
    bound: BoundFactor,
    stored: int,
    values: Mapping[str, Value],
    context: ScoringContext,
    *,
    is_left_out: bool,
) -> Contribution:
    points = None if stored == table.UNKNOWN_POINTS else stored / table.POINT
    names = tuple(wanted.input.name for wanted in bound.inputs)
    words, unexplained = _LEFT_OUT if is_left_out else "", bound.failed
    if not bound.failed:
        score = math.nan if points is None else _scored(points, bound.weight)
        try:
            said = bound.factor.explain({name: values[name] for name in names}, score, context)
            words = texts.line(said, _MAX_SAID)
        except Exception as error:
            fault = plugin_fault(bound.origin, "explain", f"factor {bound.name}", error)
            unexplained = str(fault)
    return Contribution(
        factor=bound.name,
        title=bound.kind.title,
        points=points,
        weight=bound.weight,
        words=words[:_MAX_WORDS] or _UNEXPLAINED,
        inputs=names,
        unexplained=unexplained,
    )


def _scored(points: float, weight: float) -> float:
    """The score from 0 to 1 that gave these points, in thousandths as it was counted."""
    return round(min(1.0, max(0.0, points / weight)) * THOUSANDTHS) / THOUSANDTHS


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.2f}".removesuffix(".00")
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(entry) for entry in value]
    return value
