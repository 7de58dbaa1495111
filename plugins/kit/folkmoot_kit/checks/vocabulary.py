"""Types, units and codes of inputs and fields mean what they mean elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from folkmoot_kit.checks.bench import Named
from folkmoot_sdk.conformance.findings import Check, Finding, Severity
from folkmoot_sdk.factor import Input
from folkmoot_sdk.loading import Origin
from folkmoot_sdk.parameters import closest
from folkmoot_sdk.schema import FieldType, Schema

UNIT = Check(
    "unit", "plugin", "A field has the unit that other plugins give it",
    "Pounds would be scored as pence, or a yearly amount as a monthly one.",
    "Use the unit that is named, or give the field another name",
)  # fmt: skip
FIELD_TYPE = Check(
    "field-type", "plugin", "A field has the type and codes that other plugins give it",
    "A council cannot feed both from one source, and the policy is refused.",
    "Use the type and codes that are named, or give the field another name",
)  # fmt: skip
UNIT_UNKNOWN = Check(
    "unit-unknown", "plugin", "Units are spelt as the shipped plugins spell them",
    "A source and a factor that spell a unit differently do not fit together.",
    "Use the spelling that is suggested, or keep yours if there is none yet",
    Severity.WARNING,
)  # fmt: skip
UNIT_WITHOUT_NUMBER = Check(
    "unit-without-number", "plugin", "Only numbers have a unit",
    "A unit of a date, a code or a yes and no means that the type is wrong.",
    "Leave the unit out, or correct the type",
)  # fmt: skip

UNITS = (
    "GBP", "GBP/week", "GBP/month", "GBP/year", "years", "months", "weeks", "days",
    "hours/week", "hours", "kWh", "kWh/year", "m2", "metres", "percent", "decile", "people",
)  # fmt: skip
"""Units of the shipped plugins, and those that vendors are likely to need."""
_NUMBERS = (FieldType.NUMBER, FieldType.INTEGER)


def input_findings(
    subject: str, inputs: Sequence[Input], others: Mapping[Origin, Named]
) -> Iterator[Finding]:
    """Compares the inputs of a factor with those of the same name of other plugins."""
    known = _known(others)
    for entry in inputs:
        yield from _unit(subject, f"input `{entry.name}`", entry.type, entry.unit)
        for origin, other in known.get(entry.name, ()):
            what = f"input `{entry.name}`"
            if entry.type is not other.type:
                seen = f"{what} is {entry.type.value}; {origin} has it as {other.type.value}"
                yield FIELD_TYPE.finding(seen, subject)
            elif entry.unit != other.unit:
                seen = f"{what} is in {_said(entry.unit)}; {origin} has it in {_said(other.unit)}"
                yield UNIT.finding(seen, subject)
            elif set(entry.codes) ^ set(other.codes):
                code = min(set(entry.codes) ^ set(other.codes))
                seen = f"{what} and that of {origin} do not both have the code {code!r}"
                yield FIELD_TYPE.finding(seen, subject)
            else:
                continue
            break


def schema_findings(
    subject: str, schema: Schema, others: Mapping[Origin, Named]
) -> Iterator[Finding]:
    """Compares the fields of a source with the inputs that have their names."""
    known = _known(others)
    for field in schema.fields:
        yield from _unit(subject, f"field `{field.name}`", field.household_type, field.unit)
        for origin, wanted in known.get(field.name, ()):
            what = f"field `{field.name}`"
            if field.outcome:
                seen = f"{what} is an outcome; {origin} takes it as an input"
                yield FIELD_TYPE.finding(seen, subject)
            elif field.household_type is not wanted.type:
                seen = f"{what} is {field.household_type.value}; {origin} needs {wanted.type.value}"
                yield FIELD_TYPE.finding(seen, subject)
            elif field.unit != wanted.unit:
                seen = f"{what} is in {_said(field.unit)}; {origin} needs {_said(wanted.unit)}"
                yield UNIT.finding(seen, subject)
            elif set(field.codes) - set(wanted.codes):
                code = min(set(field.codes) - set(wanted.codes))
                seen = f"{what} has the code {code!r}, which {origin} does not know"
                yield FIELD_TYPE.finding(seen, subject)
            else:
                continue
            break


def _known(others: Mapping[Origin, Named]) -> dict[str, list[tuple[Origin, Input]]]:
    known: dict[str, list[tuple[Origin, Input]]] = {}
    for origin, named in others.items():
        for factor in named.factors.values():
            for entry in factor.inputs:
                known.setdefault(entry.name, []).append((origin, entry))
    return known


def _unit(subject: str, what: str, kind: FieldType, unit: str) -> Iterator[Finding]:
    if unit and kind not in _NUMBERS:
        seen = f"{what} is {kind.value} and has the unit {unit!r}"
        yield UNIT_WITHOUT_NUMBER.finding(seen, subject)
    elif unit and unit not in UNITS:
        alike = closest(unit, UNITS)
        hint = f"; did you mean {alike!r}?" if alike else ""
        yield UNIT_UNKNOWN.finding(f"{what} has the unit {unit!r}{hint}", subject)


def _said(unit: str) -> str:
    return repr(unit) if unit else "no unit"
