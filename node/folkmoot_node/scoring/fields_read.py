"""The fields that a policy reads, each from one source, and what forbids to read one.

A direct identifier, an outcome, a protected characteristic without a reason, and consumer data
without a licence are refused here, before there is a record.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

from folkmoot_node.policies.risk_policy import RiskPolicy
from folkmoot_node.scoring.bound import BoundField
from folkmoot_node.sources.connect import ConnectedSource
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.parameters import nearest
from folkmoot_sdk.schema import Field, FieldType, ProtectedCharacteristic, RecordLevel

DIRECT_IDENTIFIERS = frozenset({
    "uprn", "nhs_number", "nino", "ni_number", "national_insurance_number", "name",
    "full_name", "forename", "first_name", "surname", "last_name", "date_of_birth", "dob",
    "address", "postcode", "email", "email_address", "phone", "telephone", "mobile",
    "passport_number", "person", "person_reference",
})  # fmt: skip
"""Names of fields that say who somebody is. They are never scored, counted or stored."""


class FieldsRead:
    """Collects the fields that are needed while factors and attributes are bound.

    Attributes:
        sources: The node's sources.
        fields: Those that are read, by name.
        unlicensed: Bought fields that are needed, and not read since their licence has ended: its
            last day, by name.
        protected_inputs: Inputs of factors that state a protected characteristic, by name.
    """

    def __init__(
        self,
        policy: RiskPolicy,
        sources: Sequence[ConnectedSource],
        ended: Mapping[str, datetime.date],
    ) -> None:
        """Begins with none.

        Args:
            policy: The risk stratification policy.
            sources: The node's sources.
            ended: Bought fields that may not be read, as `RiskPolicy.ended_licences` gives them.
        """
        self._policy = policy
        self.sources = tuple(sources)
        self._permitted = {use.characteristic for use in policy.document.protected}
        self._ended = ended
        self.unlicensed: dict[str, datetime.date] = {}
        self.fields: dict[str, BoundField] = {}
        self.protected_inputs: dict[str, ProtectedCharacteristic] = {}

    def has_ended(self, name: str) -> bool:
        """True for a bought field whose licence has ended; it is noted."""
        if name in self._ended:
            self.unlicensed[name] = self._ended[name]
        return name in self._ended

    def known_fields(self) -> list[str]:
        """Fields of all sources, for messages."""
        return [f.name for s in self.sources for f in s.schema.fields if not f.outcome]

    def wanted(self) -> dict[str, tuple[str, ...]]:
        """Fields to read, by source."""
        return {
            source.name: tuple(
                name for name, bound in self.fields.items() if bound.source == source.name
            )
            for source in self.sources
        }

    def provide(self, name: str, where: str) -> BoundField | None:
        """The field of that name, None if no source has it; it is read from now on."""
        holders = [source for source in self.sources if name in source.schema]
        if not holders:
            return None
        if len(holders) > 1:
            raise self._several(name, holders, where)
        if name in DIRECT_IDENTIFIERS:
            raise refused(
                f"the field {name!r} is a direct identifier, which is never used",
                where,
                "Use a field that states the need itself",
            )
        bound = BoundField(holders[0].schema[name], holders[0].name)
        if bound.field.outcome:
            raise refused(
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

    def outcome(self, name: str, where: str) -> BoundField:
        """An outcome, by which policies are judged: it is kept apart from the fields."""
        self._require_licence_now(name, where)
        holders = [source for source in self.sources if name in source.schema]
        outcomes = [f.name for s in self.sources for f in s.schema.fields if f.outcome]
        if not holders:
            raise refused(f"no source provides the field {name!r}", where, nearest(name, outcomes))
        if len(holders) > 1:
            raise self._several(name, holders, where)
        field = holders[0].schema[name]
        if not field.outcome and name in self.fields:
            raise refused(
                f"the field {name!r} is read to score or count households, and cannot be the "
                "outcome by which the policy is judged",
                where,
                "Name an event that a source declares with `outcome = true`",
            )
        if not field.outcome:
            raise refused(
                f"source {holders[0].name} does not declare {name!r} as an outcome",
                where,
                "Write `outcome = true` in the source's mapping, if it is the day of an event",
            )
        self.check_licensed(field, where)
        return BoundField(field, holders[0].name)

    def counted(self, name: str, where: str) -> Field:
        """A field that an attribute is made from; it is read from now on."""
        found = self.provide(name, where)
        if found is None:
            raise refused(
                f"no source provides the field {name!r}", where, nearest(name, self.known_fields())
            )
        self.check_licensed(found.field, where)
        return found.field

    def add_area_fields(self) -> None:
        """Reads the household areas by which needed area sources are joined."""
        for source in self.sources:
            needed = any(bound.source == source.name for bound in self.fields.values())
            if not needed or source.schema.level is not RecordLevel.AREA:
                continue
            where = f"sources.{source.name}.area_field"
            name = source.area_field or ""
            holders = [s for s in self.sources if s.schema.level is not RecordLevel.AREA]
            if not any(name in s.schema for s in holders):
                names = [field.name for s in holders for field in s.schema.fields]
                raise refused(
                    f"no household source provides the field {name!r}", where, nearest(name, names)
                )
            bound = self.provide(name, where)
            if bound is None or bound.field.type is not FieldType.AREA:
                raise refused(f"the field {name!r} is not an area", where, "Name an area field")
            ours, theirs = bound.field.area_type, source.schema.area_type
            if ours and theirs and ours != theirs:
                raise refused(
                    f"the field {name!r} holds areas of type {ours}, the source describes {theirs}",
                    where,
                    f"Name a field of type {theirs}, or give the source a lookup to {ours}",
                )

    def check_permitted(self, field: Field, where: str) -> None:
        """Refuses a protected characteristic to be scored, unless the policy gives a reason."""
        if field.protected is not None:
            if field.protected not in self._permitted:
                raise refused(
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
            raise refused(
                f"the field {field.name!r} is bought consumer data",
                where,
                "Do not use it, or let the policy's owner add [[consumer_data]] with field, "
                "purpose and licence_ends",
            )

    def _require_licence_now(self, name: str, where: str) -> None:
        """Refuses bought data whose licence has ended: without it there is nothing to judge by."""
        if name in self._ended:
            raise refused(
                f"the licence of {name!r} ended on {self._ended[name].isoformat()}",
                where,
                "Renew the licence in the policy, or take the field out of the evaluation file",
            )

    def _several(self, name: str, holders: Sequence[ConnectedSource], where: str) -> Problem:
        return refused(
            f"the field {name!r} is provided by more than one source "
            f"({', '.join(source.name for source in holders)})",
            where,
            "Let one source provide it: remove it from the mapping of the others",
        )


def refused(problem: str, where: str, remedy: str) -> Problem:
    """What the settings or the policy have to change, with exit code SETTINGS."""
    return Problem(problem, where=where, remedy=remedy, exit_code=ExitCode.SETTINGS)
