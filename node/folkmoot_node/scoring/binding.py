"""Joins a policy to the plugins and sources that serve it, and checks every step.

What is refused here never reaches a record: an unknown factor, an input that no source
provides or two provide, a direct identifier, a protected characteristic without a
reason, consumer data without a licence.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from folkmoot_kit.hosting import make_factor
from folkmoot_node.plugins.failures import FactorsFailed, after_broken, code_without, plugin_fault
from folkmoot_node.plugins.loaded import trust_of
from folkmoot_node.policies.risk_policy import FactorEntry, RiskPolicy
from folkmoot_node.scoring.attributes import (
    band_attribute,
    bind_attribute,
    combined_attribute,
    level_attribute,
    outcome_attribute,
)
from folkmoot_node.scoring.audited_fields import BoundAudit, bind_audit
from folkmoot_node.scoring.bound import Binding, BoundFactor, BoundInput
from folkmoot_node.scoring.fields_read import FieldsRead, refused
from folkmoot_node.scoring.unscored import Unscored
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.sources.connect import ConnectedSource, Origin, Plugins, connect
from folkmoot_node.sources.known_on import KnownOn
from folkmoot_operator.moments import months_later
from folkmoot_operator.problems import Problem
from folkmoot_sdk.errors import PluginError
from folkmoot_sdk.factor import Input, RiskFactor
from folkmoot_sdk.parameters import nearest
from folkmoot_sdk.schema import Combine, Field, FieldType, ProtectedCharacteristic


def bind_for(
    policy: RiskPolicy,
    config: NodeConfig,
    plugins: Plugins,
    today: datetime.date,
    failed: Mapping[str, str] | None = None,
    known: KnownOn | None = None,
) -> Binding:
    """Joins a policy to plugins and to the node's sources, as a run on a day does.

    All that scores, explains and checks uses this, so that all leave out the same fields.

    Args:
        policy: The risk stratification policy.
        config: The node's configuration.
        plugins: Installed plugins.
        today: A bought field whose licence ended before this day is not read.
        failed: By distribution, how plugins have failed in the run: their factors are unknown.
        known: As of when a back-test scores; None for a run of today.

    Raises:
        Problem: Exit code SETTINGS, naming the key of the policy or of `node.toml`, and the
            remedy.
    """
    sources = connect(config, plugins)
    return bind(policy, plugins, sources, policy.ended_licences(today), failed, known)


def bind(
    policy: RiskPolicy,
    plugins: Plugins,
    sources: Sequence[ConnectedSource],
    ended: Mapping[str, datetime.date] | None = None,
    failed: Mapping[str, str] | None = None,
    known: KnownOn | None = None,
) -> Binding:
    """Joins a policy to plugins and sources. Reads no record.

    Args:
        policy: The risk stratification policy.
        plugins: Installed plugins.
        sources: The node's sources.
        ended: Bought fields that may not be read, as `RiskPolicy.ended_licences` gives them.
        failed: As `bind_for`.
        known: As `bind_for`.

    Raises:
        Problem: Exit code SETTINGS, naming the key of the policy and the remedy.
    """
    read = FieldsRead(policy, sources, ended or {})
    binder = _FactorBinder(policy, read, plugins, failed or {})
    factors = tuple(binder.bound(entry, at) for at, entry in enumerate(policy.factors))
    attributes = [band_attribute(policy)]
    protected_attributes: dict[str, ProtectedCharacteristic] = {}
    for name, entry in policy.document.attributes.items():
        where = f"{policy.path}: attributes.{name}"
        needed = (*entry.fields, *entry.events)
        ended_too = [read.has_ended(field) for field, _ in needed]  # each is noted
        if any(ended_too):
            continue
        if entry.outcome is not None:
            for event, key in entry.events:
                found = read.outcome(event, f"{where}.{key}").field
                if found.protected is not None:
                    protected_attributes.setdefault(name, found.protected)
            until = months_later(known.on, entry.months or 0) if known else None
            attributes.append(outcome_attribute(name, entry.outcome, entry.ends, until))
            continue
        if entry.factor is not None:
            attributes.append(level_attribute(name, entry, entry.factor))
            for field in _inputs_of(factors, entry.factor, read):
                if field.protected is not None:
                    protected_attributes.setdefault(name, field.protected)
            continue
        fields = [read.counted(field, f"{where}.{key}") for field, key in entry.fields]
        attributes.append(
            combined_attribute(name, tuple(zip(entry.all_, fields, strict=True)), where)
            if entry.all_
            else bind_attribute(name, entry, fields[0], where)
        )
        for field in fields:
            if field.protected is not None:
                protected_attributes.setdefault(name, field.protected)
    audited, not_held = _audits(policy, read)
    kept = known.kept if known else ()
    for name in kept:
        read.beside(name)
    outcomes = {
        name: read.outcome(name, f"the outcome {name!r} of the evaluation")
        for name in (known.outcomes if known else ())
    }
    read.add_area_fields()
    return Binding(
        sources=tuple(sources),
        factors=factors,
        fields=read.fields,
        attributes=tuple(attributes),
        wanted=read.wanted(),
        protected_inputs=read.protected_inputs,
        protected_attributes=protected_attributes,
        licences={
            field: end
            for field, end in policy.licences.items()
            if field in read.fields or field in outcomes
        },
        unlicensed=read.unlicensed,
        audited=audited,
        not_held=not_held,
        kept=kept,
        outcomes=outcomes,
    )


def ended_licence(field: str, end: datetime.date) -> tuple[str, str]:
    """Says that the licence of a bought field has ended, and what to do about it.

    Args:
        field: A key of `Binding.unlicensed`.
        end: Last day of the licence.
    """
    return (
        f"the licence of {field!r} ended on {end.isoformat()}. The field is no longer read and "
        "counts as unknown, so that scores may be lower",
        "Renew the licence in the policy, or remove what uses the field",
    )


def _inputs_of(factors: Sequence[BoundFactor], name: str, read: FieldsRead) -> list[Field]:
    """The fields that a factor is scored by."""
    inputs = next(one.inputs for one in factors if one.name == name)
    return [read.fields[one.input.name].field for one in inputs if one.available]


def _audits(policy: RiskPolicy, read: FieldsRead) -> tuple[tuple[BoundAudit, ...], tuple[str, ...]]:
    """The fields of the equality audit, and those that no source provides.

    A region's policy names what to audit wherever it is held; a council that does not
    hold it scores all the same.
    """
    audited, not_held = [], []
    for at, entry in enumerate(policy.document.equality):
        where = f"{policy.path}: equality[{at}]"
        if read.has_ended(entry.field):
            continue
        bound = read.provide(entry.field, f"{where}.field")
        if bound is None:
            not_held.append(entry.field)
            continue
        read.check_licensed(bound.field, f"{where}.field")
        level = next(s.schema.level for s in read.sources if s.name == bound.source)
        audited.append(bind_audit(entry, bound.field, bound.source, level, where))
    return tuple(audited), tuple(not_held)


class _FactorBinder:
    """Joins factors to the plugins that provide them, and their inputs to fields."""

    def __init__(
        self, policy: RiskPolicy, read: FieldsRead, plugins: Plugins, failed: Mapping[str, str]
    ) -> None:
        self._policy = policy
        self._read = read
        self._plugins = plugins
        self._failed = failed

    def bound(self, entry: FactorEntry, at: int) -> BoundFactor:
        where, plugins = f"{self._policy.path}: factors[{at}]", self._plugins
        kind = plugins.factors.get(entry.factor)
        if kind is None:
            broken = "; ".join(str(plugin) for plugin in plugins.broken)
            raise Problem(
                f"no plugin provides the factor {entry.factor!r}"
                + (f" ({broken})" if broken else ""),
                where=f"{where}.factor",
                remedy=after_broken(plugins.broken, nearest(entry.factor, plugins.factors)),
                exit_code=code_without(plugins),
            )
        origin = plugins.factor_origins[entry.factor]
        failure = self._failed.get(origin.distribution)
        trust = trust_of(plugins, origin)
        if failure is None:
            factor = self._made(kind, entry, where, origin, may_be_spared=not trust.is_shipped)
        else:
            factor = Unscored(failure)
        inputs = tuple(self._input(entry.factor, wanted, where) for wanted in kind.inputs)
        return BoundFactor(
            entry.factor,
            entry.weight,
            kind,
            factor,
            inputs,
            origin,
            is_shipped=trust.is_shipped,
            is_scored_twice=not trust.is_reviewed and failure is None,
        )

    def _made(
        self,
        kind: type[RiskFactor],
        entry: FactorEntry,
        where: str,
        origin: Origin,
        *,
        may_be_spared: bool,
    ) -> RiskFactor:
        try:
            return make_factor(kind, entry.parameters, f"{where}.parameters")
        except PluginError as error:
            raise refused(error.problem, error.where, error.remedy) from None
        except Exception as error:
            fault = plugin_fault(origin, "start", f"factor {entry.factor}", error)
        raise FactorsFailed.of(fault, origin.distribution, may_be_spared=may_be_spared)

    def _input(self, factor: str, wanted: Input, where: str) -> BoundInput:
        where = f"{where} {factor}, input {wanted.name}"
        if self._read.has_ended(wanted.name):
            return BoundInput(wanted, available=False)
        bound = self._read.provide(wanted.name, where)
        if bound is None:
            if not wanted.required:
                return BoundInput(wanted, available=False)
            raise refused(
                f"no source provides the field {wanted.name!r}",
                where,
                "Add a source that has it, or map it; "
                + nearest(wanted.name, self._read.known_fields()),
            )
        field = bound.field
        self._read.check_permitted(field, where)
        have = field.household_type
        if have is not wanted.type and (have, wanted.type) != (
            FieldType.INTEGER,
            FieldType.NUMBER,
        ):
            raise refused(
                f"source {bound.source} gives {have.value}, the factor needs {wanted.type.value}",
                where,
                "Change the field's type in the source's mapping",
            )
        if wanted.unit != field.unit and field.combine not in {
            Combine.COUNT,
            Combine.COUNT_DISTINCT,
        }:
            raise refused(
                f"source {bound.source} gives unit {field.unit!r}, the factor needs "
                f"{wanted.unit!r}",
                where,
                "Change the field's unit in the source's mapping, and its values if need be",
            )
        return BoundInput(wanted, True, self._code_map(field, wanted, where))

    def _code_map(self, field: Field, wanted: Input, where: str) -> npt.NDArray[np.int16] | None:
        if wanted.type is not FieldType.CATEGORY:
            return None
        strange = [code for code in field.codes if code not in wanted.codes]
        if strange:
            raise refused(
                f"the factor does not know the code {strange[0]!r} of source "
                f"{self._read.fields[field.name].source}",
                where,
                nearest(strange[0], wanted.codes),
            )
        return np.array([wanted.codes.index(code) for code in field.codes], dtype=np.int16)
