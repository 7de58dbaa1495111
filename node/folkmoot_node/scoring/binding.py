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
from folkmoot_node.scoring.bound import Binding, BoundFactor, BoundField, BoundInput
from folkmoot_node.scoring.unscored import Unscored
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.sources.connect import ConnectedSource, Origin, Plugins, connect
from folkmoot_node.sources.known_on import KnownOn
from folkmoot_operator.moments import months_later
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.errors import PluginError
from folkmoot_sdk.factor import Input, RiskFactor
from folkmoot_sdk.parameters import nearest
from folkmoot_sdk.schema import Combine, Field, FieldType, ProtectedCharacteristic, RecordLevel

DIRECT_IDENTIFIERS = frozenset({
    "uprn", "nhs_number", "nino", "ni_number", "national_insurance_number", "name",
    "full_name", "forename", "first_name", "surname", "last_name", "date_of_birth", "dob",
    "address", "postcode", "email", "email_address", "phone", "telephone", "mobile",
    "passport_number", "person", "person_reference",
})  # fmt: skip
"""Names of fields that say who somebody is. They are never scored, counted or stored."""


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
    binder = _Binder(policy, sources, ended or {}, failed or {})
    factors = tuple(binder.factor(entry, at, plugins) for at, entry in enumerate(policy.factors))
    attributes = [band_attribute(policy)]
    protected_attributes: dict[str, ProtectedCharacteristic] = {}
    for name, entry in policy.document.attributes.items():
        where = f"{policy.path}: attributes.{name}"
        needed = (*entry.fields, *entry.events)
        ended_too = [binder.has_ended(field) for field, _ in needed]  # each is noted
        if any(ended_too):
            continue
        if entry.outcome is not None:
            for event, key in entry.events:
                found = binder.outcome(event, f"{where}.{key}").field
                if found.protected is not None:
                    protected_attributes.setdefault(name, found.protected)
            until = months_later(known.on, entry.months or 0) if known else None
            attributes.append(outcome_attribute(name, entry.outcome, entry.ends, until))
            continue
        if entry.factor is not None:
            attributes.append(level_attribute(name, entry, entry.factor))
            for field in binder.inputs_of(factors, entry.factor):
                if field.protected is not None:
                    protected_attributes.setdefault(name, field.protected)
            continue
        fields = [binder.counted(field, f"{where}.{key}") for field, key in entry.fields]
        attributes.append(
            combined_attribute(name, tuple(zip(entry.all_, fields, strict=True)), where)
            if entry.all_
            else bind_attribute(name, entry, fields[0], where)
        )
        for field in fields:
            if field.protected is not None:
                protected_attributes.setdefault(name, field.protected)
    audited, not_held = binder.audits()
    kept = known.kept if known else ()
    for name in kept:
        binder.beside(name)
    outcomes = {
        name: binder.outcome(name, f"the outcome {name!r} of the evaluation")
        for name in (known.outcomes if known else ())
    }
    binder.add_area_fields()
    return Binding(
        sources=tuple(sources),
        factors=factors,
        fields=binder.fields,
        attributes=tuple(attributes),
        wanted=binder.wanted(),
        protected_inputs=binder.protected_inputs,
        protected_attributes=protected_attributes,
        licences={
            field: end
            for field, end in policy.licences.items()
            if field in binder.fields or field in outcomes
        },
        unlicensed=binder.unlicensed,
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


def _problem(
    problem: str, where: str, remedy: str, exit_code: ExitCode = ExitCode.SETTINGS
) -> Problem:
    return Problem(problem, where=where, remedy=remedy, exit_code=exit_code)


class _Binder:
    """Collects the fields that are needed while factors and attributes are bound."""

    def __init__(
        self,
        policy: RiskPolicy,
        sources: Sequence[ConnectedSource],
        ended: Mapping[str, datetime.date],
        failed: Mapping[str, str],
    ) -> None:
        self._policy = policy
        self._sources = sources
        self._permitted = {use.characteristic for use in policy.document.protected}
        self._ended = ended
        self._failed = failed
        self.unlicensed: dict[str, datetime.date] = {}
        self.fields: dict[str, BoundField] = {}
        self.protected_inputs: dict[str, ProtectedCharacteristic] = {}

    def has_ended(self, name: str) -> bool:
        """True for a bought field whose licence has ended; it is noted."""
        if name in self._ended:
            self.unlicensed[name] = self._ended[name]
        return name in self._ended

    def known_fields(self) -> list[str]:
        return [f.name for s in self._sources for f in s.schema.fields if not f.outcome]

    def wanted(self) -> dict[str, tuple[str, ...]]:
        return {
            source.name: tuple(
                name for name, bound in self.fields.items() if bound.source == source.name
            )
            for source in self._sources
        }

    def provide(self, name: str, where: str) -> BoundField | None:
        """The field of that name, None if no source has it; it is read from now on."""
        holders = [source for source in self._sources if name in source.schema]
        if not holders:
            return None
        if len(holders) > 1:
            raise self._several(name, holders, where)
        if name in DIRECT_IDENTIFIERS:
            raise _problem(
                f"the field {name!r} is a direct identifier, which is never used",
                where,
                "Use a field that states the need itself",
            )
        bound = BoundField(holders[0].schema[name], holders[0].name)
        if bound.field.outcome:
            raise _problem(
                f"the field {name!r} is an outcome, by which policies are judged; it is never "
                "used to score or audit, and counted as [attributes.NAME] outcome alone",
                where,
                "Use a field of what was known before; outcomes are named in evaluation files and "
                "as `outcome` of an attribute",
            )
        self.fields[name] = bound
        return bound

    def beside(self, name: str) -> None:
        """A field that a back-test reads beside the inputs."""
        where = f"the field {name!r} of the evaluation"
        self._require_licence_now(name, where)
        self.counted(name, where)

    def inputs_of(self, factors: Sequence[BoundFactor], name: str) -> list[Field]:
        """The fields that a factor is scored by."""
        inputs = next(one.inputs for one in factors if one.name == name)
        return [self.fields[one.input.name].field for one in inputs if one.available]

    def outcome(self, name: str, where: str) -> BoundField:
        """An outcome, by which policies are judged: it is kept apart from the fields."""
        self._require_licence_now(name, where)
        holders = [source for source in self._sources if name in source.schema]
        outcomes = [f.name for s in self._sources for f in s.schema.fields if f.outcome]
        if not holders:
            raise _problem(f"no source provides the field {name!r}", where, nearest(name, outcomes))
        if len(holders) > 1:
            raise self._several(name, holders, where)
        field = holders[0].schema[name]
        if not field.outcome and name in self.fields:
            raise _problem(
                f"the field {name!r} is read to score or count households, and cannot be the "
                "outcome by which the policy is judged",
                where,
                "Name an event that a source declares with `outcome = true`",
            )
        if not field.outcome:
            raise _problem(
                f"source {holders[0].name} does not declare {name!r} as an outcome",
                where,
                "Write `outcome = true` in the source's mapping, if it is the day of an event",
            )
        self.check_licensed(field, where)
        return BoundField(field, holders[0].name)

    def _require_licence_now(self, name: str, where: str) -> None:
        """Refuses bought data whose licence has ended: without it there is nothing to judge by."""
        if name in self._ended:
            raise _problem(
                f"the licence of {name!r} ended on {self._ended[name].isoformat()}",
                where,
                "Renew the licence in the policy, or take the field out of the evaluation file",
            )

    def _several(self, name: str, holders: Sequence[ConnectedSource], where: str) -> Problem:
        return _problem(
            f"the field {name!r} is provided by more than one source "
            f"({', '.join(source.name for source in holders)})",
            where,
            "Let one source provide it: remove it from the mapping of the others",
        )

    def counted(self, name: str, where: str) -> Field:
        """A field that an attribute is made from; it is read from now on."""
        found = self.provide(name, where)
        if found is None:
            raise _problem(
                f"no source provides the field {name!r}", where, nearest(name, self.known_fields())
            )
        self.check_licensed(found.field, where)
        return found.field

    def audits(self) -> tuple[tuple[BoundAudit, ...], tuple[str, ...]]:
        """The fields of the equality audit, and those that no source provides.

        A region's policy names what to audit wherever it is held; a council that does not
        hold it scores all the same.
        """
        audited, not_held = [], []
        for at, entry in enumerate(self._policy.document.equality):
            where = f"{self._policy.path}: equality[{at}]"
            if self.has_ended(entry.field):
                continue
            bound = self.provide(entry.field, f"{where}.field")
            if bound is None:
                not_held.append(entry.field)
                continue
            self.check_licensed(bound.field, f"{where}.field")
            level = next(s.schema.level for s in self._sources if s.name == bound.source)
            audited.append(bind_audit(entry, bound.field, bound.source, level, where))
        return tuple(audited), tuple(not_held)

    def add_area_fields(self) -> None:
        """Reads the household areas by which needed area sources are joined."""
        for source in self._sources:
            needed = any(bound.source == source.name for bound in self.fields.values())
            if not needed or source.schema.level is not RecordLevel.AREA:
                continue
            where = f"sources.{source.name}.area_field"
            name = source.area_field or ""
            holders = [s for s in self._sources if s.schema.level is not RecordLevel.AREA]
            if not any(name in s.schema for s in holders):
                names = [field.name for s in holders for field in s.schema.fields]
                raise _problem(
                    f"no household source provides the field {name!r}", where, nearest(name, names)
                )
            bound = self.provide(name, where)
            if bound is None or bound.field.type is not FieldType.AREA:
                raise _problem(f"the field {name!r} is not an area", where, "Name an area field")
            ours, theirs = bound.field.area_type, source.schema.area_type
            if ours and theirs and ours != theirs:
                raise _problem(
                    f"the field {name!r} holds areas of type {ours}, the source describes {theirs}",
                    where,
                    f"Name a field of type {theirs}, or give the source a lookup to {ours}",
                )

    def factor(self, entry: FactorEntry, at: int, plugins: Plugins) -> BoundFactor:
        where = f"{self._policy.path}: factors[{at}]"
        kind = plugins.factors.get(entry.factor)
        if kind is None:
            broken = "; ".join(str(plugin) for plugin in plugins.broken)
            raise _problem(
                f"no plugin provides the factor {entry.factor!r}"
                + (f" ({broken})" if broken else ""),
                f"{where}.factor",
                after_broken(plugins.broken, nearest(entry.factor, plugins.factors)),
                code_without(plugins),
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
            raise _problem(error.problem, error.where, error.remedy) from None
        except Exception as error:
            fault = plugin_fault(origin, "start", f"factor {entry.factor}", error)
        raise FactorsFailed.of(fault, origin.distribution, may_be_spared=may_be_spared)

    def _input(self, factor: str, wanted: Input, where: str) -> BoundInput:
        where = f"{where} {factor}, input {wanted.name}"
        if self.has_ended(wanted.name):
            return BoundInput(wanted, available=False)
        bound = self.provide(wanted.name, where)
        if bound is None:
            if not wanted.required:
                return BoundInput(wanted, available=False)
            raise _problem(
                f"no source provides the field {wanted.name!r}",
                where,
                "Add a source that has it, or map it; " + nearest(wanted.name, self.known_fields()),
            )
        field = bound.field
        self._check_permitted(field, where)
        have = field.household_type
        if have is not wanted.type and (have, wanted.type) != (
            FieldType.INTEGER,
            FieldType.NUMBER,
        ):
            raise _problem(
                f"source {bound.source} gives {have.value}, the factor needs {wanted.type.value}",
                where,
                "Change the field's type in the source's mapping",
            )
        if wanted.unit != field.unit and field.combine not in {
            Combine.COUNT,
            Combine.COUNT_DISTINCT,
        }:
            raise _problem(
                f"source {bound.source} gives unit {field.unit!r}, the factor needs "
                f"{wanted.unit!r}",
                where,
                "Change the field's unit in the source's mapping, and its values if need be",
            )
        return BoundInput(wanted, True, self._code_map(field, wanted, where))

    def _check_permitted(self, field: Field, where: str) -> None:
        if field.protected is not None:
            if field.protected not in self._permitted:
                raise _problem(
                    f"the field {field.name!r} states the protected characteristic "
                    f"{field.protected.value!r} (Equality Act 2010) and is not scored without a "
                    "reason",
                    where,
                    "Remove the factor, or let the policy's owner add [[protected]] with "
                    f'characteristic = "{field.protected.value}" and the reason',
                )
            self.protected_inputs[field.name] = field.protected
        self.check_licensed(field, where)

    def check_licensed(self, field: Field, where: str) -> None:
        """Refuses bought data for which the policy states no licence."""
        if field.consumer_data and field.name not in self._policy.licences:
            raise _problem(
                f"the field {field.name!r} is bought consumer data",
                where,
                "Do not use it, or let the policy's owner add [[consumer_data]] with field, "
                "purpose and licence_ends",
            )

    def _code_map(self, field: Field, wanted: Input, where: str) -> npt.NDArray[np.int16] | None:
        if wanted.type is not FieldType.CATEGORY:
            return None
        strange = [code for code in field.codes if code not in wanted.codes]
        if strange:
            raise _problem(
                f"the factor does not know the code {strange[0]!r} of source "
                f"{self.fields[field.name].source}",
                where,
                nearest(strange[0], wanted.codes),
            )
        return np.array([wanted.codes.index(code) for code in field.codes], dtype=np.int16)
