"""A policy joined to plugins and sources: which field each factor gets, and from where."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from folkmoot_node.scoring.attributes import BoundAttribute
from folkmoot_node.scoring.audited_fields import BoundAudit
from folkmoot_node.scoring.unscored import Unscored
from folkmoot_node.sources.connect import ConnectedSource, Origin
from folkmoot_sdk.factor import Input, RiskFactor
from folkmoot_sdk.schema import Field, ProtectedCharacteristic


@dataclass(frozen=True, slots=True)
class BoundField:
    """A field that some factor or attribute needs, and the source that provides it.

    Attributes:
        field: The declaration.
        source: Name of the source in `node.toml`.
    """

    field: Field
    source: str


@dataclass(frozen=True, slots=True)
class BoundInput:
    """An input of a factor.

    Attributes:
        input: What the factor asks for.
        available: False if no source provides it or its licence has ended; the factor then
            receives unknowns.
        codes: For a category: int16, for each code of the field the factor's index.
    """

    input: Input
    available: bool
    codes: npt.NDArray[np.int16] | None = None


@dataclass(frozen=True, slots=True)
class BoundFactor:
    """A factor of the policy, ready to score.

    Attributes:
        name: Identifier.
        weight: Points at a factor score of 1.
        kind: The plugin's class.
        factor: Its object; one of `Unscored` in a run in which the plugin has failed.
        inputs: Its inputs.
        origin: Distribution, version and entry point of the plugin.
        is_shipped: Whether the plugin came with the node.
        is_scored_twice: Whether nobody has reviewed it, so that each run compares its scores with
            those that it gives to other company.
    """

    name: str
    weight: float
    kind: type[RiskFactor]
    factor: RiskFactor
    inputs: tuple[BoundInput, ...]
    origin: Origin
    is_shipped: bool = True
    is_scored_twice: bool = False

    @property
    def failed(self) -> str:
        """How its plugin failed in the run, so that it is unknown for all; empty if it did not."""
        return self.factor.failure if isinstance(self.factor, Unscored) else ""


@dataclass(frozen=True, slots=True)
class Binding:
    """A policy joined to plugins and sources.

    Attributes:
        sources: The node's sources, also those of which nothing is read.
        factors: In the order of the policy.
        fields: Every field that is read, by name.
        attributes: `band` first, then those of the policy; `stored` has those of this run.
        wanted: For each source the fields that are read from it; the others are not.
        protected_inputs: Scored fields with a protected characteristic, as permitted.
        licences: Bought fields that are read, and the last day on which they may be used.
        unlicensed: Bought fields that the policy uses and that are not read, since their
            licence has ended; factors have unknown values for them, and attributes made of
            them are left out.
        protected_attributes: Attributes that state a protected characteristic: counted,
            never scored unless they are among `protected_inputs` too.
        audited: Fields that are read for the equality audit.
        not_held: Fields that the policy would audit and that no source provides.
        kept: Fields that a back-test reads beside, and keeps.
        outcomes: What a back-test judges by. They are among no other fields.
    """

    sources: tuple[ConnectedSource, ...]
    factors: tuple[BoundFactor, ...]
    fields: Mapping[str, BoundField]
    attributes: tuple[BoundAttribute, ...]
    wanted: Mapping[str, tuple[str, ...]]
    protected_inputs: Mapping[str, ProtectedCharacteristic]
    protected_attributes: Mapping[str, ProtectedCharacteristic]
    licences: Mapping[str, datetime.date]
    unlicensed: Mapping[str, datetime.date]
    audited: tuple[BoundAudit, ...] = ()
    not_held: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    outcomes: Mapping[str, BoundField] = field(default_factory=dict)

    @property
    def stored(self) -> tuple[BoundAttribute, ...]:
        """The attributes that a run has: a run of today knows nothing of outcomes."""
        return tuple(
            one
            for one in self.attributes
            if one.outcome is None or self.outcomes.keys() >= {*one.outcome.fields}
        )

    @property
    def inputs(self) -> set[str]:
        """Names of the fields that factors ask for, whether or not a source provides them."""
        return {entry.input.name for factor in self.factors for entry in factor.inputs}

    def outcomes_of(self, source: str) -> tuple[str, ...]:
        """The outcomes that a source provides."""
        return tuple(name for name, bound in self.outcomes.items() if bound.source == source)
