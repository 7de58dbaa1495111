"""The score of one household with and without what it disputes, from what the store has of it.

No source is read and nothing is stored, so an officer who decides about an objection can see what
the input in dispute does to the score, the band and the completeness.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Collection, Mapping

import polars as pl

from folkmoot_node.corrections.values import Value, checked_value, unknown_field
from folkmoot_node.policies.risk_policy import RiskPolicy
from folkmoot_node.scoring.bound import Binding
from folkmoot_node.scoring.explain import (
    Explanation,
    Points,
    StoredHousehold,
    explanation,
    stored_household,
)
from folkmoot_node.scoring.known_inputs import InputValue, Standing
from folkmoot_node.scoring.stratify import stratify
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.sources.connect import Plugins
from folkmoot_node.store.household_table import VALUE_TYPES
from folkmoot_node.store.reader import HouseholdStore
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.factor import ScoringContext
from folkmoot_sdk.schema import UPRN_COLUMN, FieldType


def rescored(
    store: HouseholdStore,
    config: NodeConfig,
    plugins: Plugins,
    policy: RiskPolicy,
    uprn: int,
    *,
    without: Collection[str] = (),
    instead: Mapping[str, Value] | None = None,
    today: datetime.date | None = None,
) -> Explanation:
    """The score that a household of the store would have without some inputs, or with others.

    If nothing is left out and nothing put in, it is the stored score.

    Args:
        store: The scores; asks no more whether they may be used.
        config: The node's configuration.
        plugins: Installed plugins.
        policy: The policy by which the household was scored.
        uprn: Unique property reference number.
        without: Inputs that count as unknown: their factors are unknown too, never zero.
        instead: Values of other inputs, by field; a category's is its code.
        today: Compared with the licences of bought fields; the date in UTC if None.

    Returns:
        The explanation of that score. Inputs that differ stand as `LEFT_OUT` or `INSTEAD`.

    Raises:
        Problem: Exit code DATA, if the household was not scored or by another policy, if a
            name is no input that a source provides, or a value is none that its field can have;
            FAULT, if a plugin fails.
    """
    today = today or datetime.datetime.now(datetime.UTC).date()
    instead = instead or {}
    household = stored_household(store, config, plugins, policy, uprn, today=today)
    _require_as_scored(household)
    inputs = _disputed(household.binding, household.inputs, without, instead)
    result = stratify(
        _one_row(household.binding, uprn, inputs),
        household.binding.factors,
        policy,
        ScoringContext(household.run.reference_date),
    )
    factors = zip(household.binding.factors, result.points, strict=True)
    points = {bound.name: int(column[0]) for bound, column in factors}
    score, band = int(result.score[0]), int(result.band[0])
    return explanation(household, policy, Points(points, score, band), inputs)


def _require_as_scored(household: StoredHousehold) -> None:
    """Refuses to score without a plugin that scored in the run, and fails now."""
    for bound in household.binding.factors:
        if bound.failed and bound.name not in household.run.left_out:
            raise Problem(
                f"cannot be scored again: {bound.failed}",
                where=f"factor {bound.name}",
                remedy="Try again; report it to the plugin's supplier if it stays so",
                exit_code=ExitCode.FAULT,
            )


def _disputed(
    binding: Binding,
    inputs: Mapping[str, InputValue],
    without: Collection[str],
    instead: Mapping[str, Value],
) -> dict[str, InputValue]:
    """The inputs as they would be."""
    found = dict(inputs)
    for name in (*without, *instead):
        if name not in found or name not in binding.fields:
            provided = [known for known in found if known in binding.fields]
            raise unknown_field(name, provided, "the input in dispute")
        if name in without and name in instead:
            raise Problem(
                f"the input {name!r} is both left out and given another value",
                where="the input in dispute",
                remedy="Ask for one of the two",
                exit_code=ExitCode.DATA,
            )
        value = (
            checked_value(binding.fields[name].field, instead[name]) if name in instead else None
        )
        standing = Standing.LEFT_OUT if value is None else Standing.INSTEAD
        found[name] = dataclasses.replace(
            found[name], value=value, standing=standing, as_at=None, of_household=False
        )
    return found


def _one_row(binding: Binding, uprn: int, inputs: Mapping[str, InputValue]) -> pl.DataFrame:
    """The household as `stratify` takes it.

    Returns:
        One row: `uprn` and the inputs that a source provides, in the types of households; null
        where unknown.
    """
    columns = [pl.Series(UPRN_COLUMN, [uprn], pl.Int64)]
    for name, entry in inputs.items():
        if name in binding.fields:
            field = binding.fields[name].field
            is_code = field.household_type is FieldType.CATEGORY and entry.value is not None
            value = field.codes.index(str(entry.value)) if is_code else entry.value
            columns.append(pl.Series(name, [value], VALUE_TYPES[field.household_type]))
    return pl.DataFrame(columns)
