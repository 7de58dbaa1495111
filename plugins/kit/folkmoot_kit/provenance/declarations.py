"""What a plugin says of itself: its sources with their fields, its factors with their inputs.

The vendor signs it in the manifest. What the plugin declares once it runs is compared with it, so
that a manifest cannot claim less than the plugin does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, Protocol, TypeVar

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from folkmoot_kit.provenance.signed import Part
from folkmoot_kit.provenance.words import Line, Words, one_line
from folkmoot_sdk.factor import RiskFactor
from folkmoot_sdk.parameters import describe
from folkmoot_sdk.schema import Schema
from folkmoot_sdk.source import DataSource

_MOST = 500
_FILLED_BY_THE_NODE = "base"


class DeclaredParameter(Part):
    """An option of a source or a parameter of a factor.

    Attributes:
        key: Its key in settings or policy.
        type: Its type, in words.
        required: Whether it has no default.
        default: The default, as text; empty if there is none.
        secret: `file` or `variable` if it names a secret, which the node reads; else empty.
    """

    key: Words
    type: Words
    required: bool
    default: Line = ""
    secret: Literal["", "file", "variable"] = ""


class DeclaredField(Part):
    """A field of a source.

    Attributes:
        name: Its name.
        type: Its type.
        unit: Its unit; empty for none.
        category: Kind of information.
        protected: Protected characteristic that it states; empty for none.
        outcome: Whether it is the day of an event by which policies are judged, and that no factor
            receives. Manifests that are older than outcomes, and fields that are none, have no such
            key.
    """

    name: Words
    type: Words
    unit: Line = ""
    category: Line = ""
    protected: Line = ""
    outcome: bool = False

    def __str__(self) -> str:
        return f"{self.name} (an outcome)" if self.outcome else self.name

    @model_serializer(mode="wrap")
    def _as_before_outcomes(self, fields: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Says nothing of what is none, so that signed manifests stay what they were."""
        found: dict[str, Any] = fields(self)
        if not self.outcome:
            del found["outcome"]
        return found


class DeclaredSource(Part):
    """A data source.

    Attributes:
        kind: By which settings name it.
        options: Its options.
        fields: The fields that it can give; None if settings decide which.
    """

    kind: Words
    options: tuple[DeclaredParameter, ...] = Field(default=(), max_length=_MOST)
    fields: tuple[DeclaredField, ...] | None = Field(default=None, max_length=_MOST)

    @property
    def gives(self) -> str:
        """Its fields, for people."""
        if self.fields is None:
            return "fields that settings name"
        return ", ".join(map(str, self.fields))


class DeclaredInput(Part):
    """A field that a factor receives.

    Attributes:
        name: Its name.
        type: Its type.
        unit: Its unit; empty for none.
        codes: Of a category: the codes that the factor knows.
        required: Whether the factor needs it in order to score.
    """

    name: Words
    type: Words
    unit: Line = ""
    codes: tuple[Line, ...] = Field(default=(), max_length=10_000)
    required: bool = True


class DeclaredEvidence(Part):
    """Why a factor is believed to matter."""

    citation: Words
    url: Line = ""
    finding: Line = ""


class DeclaredFactor(Part):
    """A risk factor.

    Attributes:
        name: By which a policy names it.
        title: A few words for people.
        domain: Domain of need.
        inputs: What it receives of each household.
        outputs: What it gives back for each: a score from 0 to 1, and a text on demand.
        parameters: Its parameters.
        evidence: Why it is believed to matter.
    """

    name: Words
    title: Words
    domain: Words
    inputs: tuple[DeclaredInput, ...] = Field(max_length=_MOST)
    outputs: tuple[Words, ...] = ("score", "explanation")
    parameters: tuple[DeclaredParameter, ...] = Field(default=(), max_length=_MOST)
    evidence: tuple[DeclaredEvidence, ...] = Field(default=(), max_length=_MOST)

    @property
    def reads(self) -> str:
        """Its inputs, for people."""
        return ", ".join(one.name for one in self.inputs)


class Declarations(Part):
    """All that a plugin offers."""

    sources: tuple[DeclaredSource, ...] = Field(default=(), max_length=_MOST)
    factors: tuple[DeclaredFactor, ...] = Field(default=(), max_length=_MOST)


class LoadedPlugins(Protocol):
    """Plugins that were loaded, in this process or in a confined one."""

    @property
    def sources(self) -> Mapping[str, type[DataSource]]:
        """Data sources by kind."""

    @property
    def factors(self) -> Mapping[str, type[RiskFactor]]:
        """Risk factors by name."""


def declarations_of(
    plugins: LoadedPlugins, fields: Mapping[str, Iterable[DeclaredField]] | None = None
) -> Declarations:
    """What loaded plugins declare.

    Args:
        plugins: The plugins of one distribution.
        fields: For kinds of source whose fields no setting changes: what they are.
    """
    known = {kind: tuple(held) for kind, held in (fields or {}).items()}
    return Declarations(
        sources=tuple(
            DeclaredSource(
                kind=one_line(kind),
                options=_parameters(source.Options),
                fields=known.get(kind),
            )
            for kind, source in sorted(plugins.sources.items())
        ),
        factors=tuple(
            DeclaredFactor(
                name=one_line(name),
                title=one_line(factor.title),
                domain=one_line(factor.domain),
                inputs=tuple(
                    DeclaredInput(
                        name=one_line(one.name),
                        type=one.type.value,
                        unit=one_line(one.unit),
                        codes=tuple(one_line(code) for code in one.codes),
                        required=one.required,
                    )
                    for one in factor.inputs
                ),
                parameters=_parameters(factor.Parameters),
                evidence=tuple(
                    DeclaredEvidence(
                        citation=one_line(one.citation),
                        url=one_line(one.url),
                        finding=one_line(one.finding),
                    )
                    for one in factor.evidence
                ),
            )
            for name, factor in sorted(plugins.factors.items())
        ),
    )


def fields_of(schema: Schema) -> tuple[DeclaredField, ...]:
    """The fields of a source, as a manifest has them."""
    return tuple(
        DeclaredField(
            name=field.name,
            type=field.type.value,
            unit=one_line(field.unit),
            category=field.category.value,
            protected=field.protected.value if field.protected else "",
            outcome=field.outcome,
        )
        for field in schema.fields
    )


def not_claimed(claimed: Declarations, found: Declarations) -> tuple[str, ...]:
    """What a plugin does and its manifest does not say; one sentence each, empty if nothing.

    A manifest may say more: an optional source that is not there does no harm.

    Args:
        claimed: What the manifest says.
        found: What the plugin declares when it runs.
    """
    said = []
    sources = {one.kind: one for one in claimed.sources}
    for source in found.sources:
        if source.kind not in sources:
            said.append(f"it offers the source {source.kind!r}")
            continue
        known = sources[source.kind]
        what = f"source {source.kind!r}"
        said += _differences(what, "option", known.options, source.options, lambda one: one.key)
        if source.fields is not None:
            said += fields_not_claimed(claimed, source.kind, source.fields)
    factors = {one.name: one for one in claimed.factors}
    for factor in found.factors:
        if factor.name not in factors:
            said.append(f"it offers the factor {factor.name!r}")
            continue
        declared, what = factors[factor.name], f"factor {factor.name!r}"
        said += _differences(
            what, "input", declared.inputs, factor.inputs, lambda one: one.name, is_exact=True
        )
        said += _differences(
            what, "parameter", declared.parameters, factor.parameters, lambda one: one.key
        )
        said += _differences(
            what, "evidence", declared.evidence, factor.evidence, lambda one: one.citation
        )
        for attribute in ("title", "domain", "outputs"):
            if getattr(declared, attribute) != getattr(factor, attribute):
                said.append(f"{what}: its {attribute} is another")
    return tuple(said)


def fields_not_claimed(
    claimed: Declarations, kind: str, fields: Iterable[DeclaredField]
) -> tuple[str, ...]:
    """Fields that a source gives and its manifest does not say; one sentence each.

    Args:
        claimed: What the manifest says.
        kind: Kind of the source.
        fields: What it gives, as `fields_of` has it.
    """
    for source in claimed.sources:
        if source.kind == kind:
            if source.fields is None:
                return ()
            known = {one.name: one.outcome for one in source.fields}
            what, wanted = f"source {kind!r}", tuple(fields)
            alike = [
                one.model_copy(update={"outcome": known.get(one.name, one.outcome)})
                for one in wanted
            ]
            return (
                *_differences(what, "field", source.fields, alike, lambda one: one.name),
                *(
                    f"{what}: the field {one.name!r} is {'an' if one.outcome else 'no'} outcome"
                    for one in wanted
                    if known.get(one.name, one.outcome) is not one.outcome
                ),
            )
    return (f"it offers the source {kind!r}",)


P = TypeVar("P", bound=Part)


def _differences(
    what: str,
    noun: str,
    claimed: Iterable[P],
    found: Iterable[P],
    key: Callable[[P], str],
    *,
    is_exact: bool = False,
) -> list[str]:
    known = {key(one): one for one in claimed}
    said = []
    for one in found:
        if key(one) not in known:
            said.append(f"{what} has the {noun} {key(one)!r}")
        elif known.pop(key(one)) != one:
            said.append(f"{what}: the {noun} {key(one)!r} is another")
    if is_exact:
        said += [f"{what} has no {noun} {name!r}" for name in known]
    return said


def _secret(value: str) -> Literal["", "file", "variable"]:
    if value in ("file", "variable"):
        return "file" if value == "file" else "variable"
    return ""


def _parameters(cls: type[Any]) -> tuple[DeclaredParameter, ...]:
    return tuple(
        DeclaredParameter(
            key=one_line(one.key),
            type=one_line(str(one.type)),
            required=one.required,
            default="" if one.required else one_line(str(one.default)),
            secret=_secret(one.secret),
        )
        for one in describe(cls)
        if one.key != _FILLED_BY_THE_NODE
    )
